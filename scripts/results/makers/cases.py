"""docs/results/cases.json: what people's files and machines do to Sterna, from the tests that hold each case."""

from __future__ import annotations

import re
import subprocess
import sys

from results.record import ROOT, Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.errors import SternaError
from support.cases import Case, read_report

REPORT = ROOT / "build" / "results" / "cases.xml"
PROCESSES = 2
#: Where tests keep their files, and the checkout: places that say nothing to a reader.
_PLACES = re.compile(rf"/\S*?/pytest-of-\w+/pytest-\d+/(?:popen-\w+/)?|{re.escape(str(ROOT))}/")


def main() -> None:
    """Run the tests of all cases, slow ones too, and keep a row for each case."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "case", "-n", str(PROCESSES), f"--junitxml={REPORT}"]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if not REPORT.is_file():
        raise SternaError("the tests of the cases did not run", where=str(REPORT), remedy="see what pytest says above")
    cases = read_report(REPORT)
    rows = [_row(name, case) for name, case in sorted(cases.items())]
    wrong = [name for name, case in cases.items() if not case.ok]
    if code and not wrong:
        # A file that cannot be imported takes its cases away, so that none of them is wrong.
        raise SternaError("not all tests of the cases ran", where="cases", remedy="see what pytest says above")
    metrics = {
        "cases": Metric(
            what="Cases of people's own files and machines", value=len(rows), unit="", method="tests marked as cases"
        ),
        "ok": Metric(
            what="All of them as expected", value=not wrong, unit="", method="every test of every case passes"
        ),
    }
    write("cases", metrics, command="make results-cases", rows=rows)
    if wrong:
        raise SternaError("cases are not as expected", where="cases", value=", ".join(wrong), remedy="mend them")


def _row(name: str, case: Case) -> TableRow:
    return {
        "case": name,
        "kind": case.kind,
        "expected": case.expected,
        "got": _PLACES.sub("", "; ".join(dict.fromkeys(case.got))) or ("as expected" if case.ok else "not as expected"),
        "ok": case.ok,
        "source": case.source,
    }


if __name__ == "__main__":
    sys.exit(guarded(main))
