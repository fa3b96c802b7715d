"""docs/results/change_map.json: what each change of Sterna touches, from the how-to pages, and which were tried.

The pages show every change as a diff or a new file. tests/docs applies those to a copy of Sterna, runs what the page
says shows that it works, and compares all other files.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from results.record import ROOT, Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.errors import SternaError
from support.page_blocks import blocks, files

HOW_TO = ROOT / "docs" / "how-to"
REPORT = ROOT / "build" / "results" / "change_map.xml"
TESTS = "tests/docs/test_changes.py"
_APPLIED = re.compile(r"test_a_change_works_and_touches_what_it_shows\[(.+)\]")


def main() -> None:
    """Run the tests of the pages, slow ones too, and keep a row for each page."""
    applied = tried()
    rows = [row(page, applied) for page in sorted(HOW_TO.glob("*.md")) if re.match(r"add-|change-", page.stem)]
    failed = sorted(name for name, passed in applied.items() if not passed)
    metrics = {
        "changes": Metric(what="Changes that a how-to page describes", value=len(rows), unit="", method="count"),
        "applied": Metric(
            what="Of them applied to a copy of Sterna and run, no other source file changed",
            value=sum(applied.values()), unit="", method=f"{TESTS}; activation, layer kind and backend bit for bit",
        ),
        "most_files": Metric(
            what="Source files of one change, at most", value=max(int(each["files"]) for each in rows), unit="",
            method="those that the page names, without tests, documents and generated files",
        ),
    }  # fmt: skip
    write("change_map", metrics, command="make results-change_map", rows=rows)
    if failed:
        raise SternaError("changes do not work", where="docs/how-to", value=", ".join(failed), remedy="mend the pages")


def tried() -> dict[str, bool]:
    """Whether the change of each page works that a test applies."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", TESTS, f"--junitxml={REPORT}"]
    subprocess.run(command, cwd=ROOT, check=False)
    if not REPORT.is_file():
        raise SternaError("the tests of the pages did not run", where=TESTS, remedy="see what pytest says above")
    cases = ElementTree.parse(REPORT).getroot().iter("testcase")
    found = ((_APPLIED.fullmatch(case.get("name", "")), case) for case in cases)
    return {match[1]: case.find("failure") is None and case.find("error") is None for match, case in found if match}


def row(page: Path, applied: dict[str, bool]) -> TableRow:
    """What `page` says of its change."""
    text = page.read_text("utf-8")
    (line,) = re.findall(r"^\*\*Files?:\*\*((?:.|\n(?!\n))*)", text, re.MULTILINE)
    shown = dict.fromkeys(name for block in blocks(page) for name in files(block) if "/" in name)
    named = list(shown) or dict.fromkeys(re.findall(r"`([\w./]+/[\w./]+)`", line))
    return {
        "change": text.partition("\n")[0].removeprefix("# "),
        "page": str(page.relative_to(ROOT)),
        "files": len(named),
        "names": ", ".join(named) or "none of Sterna's",
        "applied": applied.get(page.stem, False),
    }


if __name__ == "__main__":
    sys.exit(guarded(main))
