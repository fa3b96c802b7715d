"""What the how-to pages change works in a copy of Sterna, and touches few files, all of which the page shows."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from sterna.generate.spec import files as spec_files
from support.page_blocks import ROOT, Reader, blocks, files, title

HOW_TO = ROOT / "docs" / "how-to"
#: Most source files that a change may touch, besides tests and documents.
MOST = 3
MORE = {"add-a-layer-kind": 6}
#: Pages without a change that could be applied: they need hardware or files that each project has of its own.
PROSE = {"add-a-tape-field", "add-an-hls-backend"}
PAGES = sorted(path.stem for path in HOW_TO.glob("*.md") if re.match(r"add-|change-", path.stem))
COPIED = ("python", "hw", "sim/harness", "sw/include", "pyproject.toml")
ENGINE = next(
    block for block in blocks(ROOT / "docs" / "tutorials" / "change-the-engine.md") if title(block) == "engine.yaml"
)
#: They compile in a copy, for which Numba has kept nothing, and simulate.
_SLOW = {"add-a-layer-kind", "add-an-activation", "add-an-importer"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of what Sterna runs from."""
    copy = tmp_path / "sterna"
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


def hashes(folder: Path) -> dict[str, str]:
    """Of every source file by its path."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.slow if page in _SLOW else ()) for page in PAGES if page not in PROSE]
)
def test_a_change_works_and_touches_what_it_shows(page: str, source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    found = blocks(HOW_TO / f"{page}.md")
    shown = {name for block in found for name in files(block) if "/" in name}
    before, reader = hashes(source), Reader(folder, source if shown else ROOT)
    reader.follow(ENGINE)
    for block in found:
        reader.follow(block)
    after = hashes(source)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    generated = {str(path.relative_to(ROOT)) for path in spec_files.FILES}
    assert changed - generated == shown
    assert any(not files(block) for block in found), "nothing shows that it works"


@pytest.mark.parametrize("page", PAGES)
def test_a_change_names_its_few_files(page: str) -> None:
    (line,) = re.findall(r"^\*\*Files?:\*\*(?:.|\n(?!\n))*", (HOW_TO / f"{page}.md").read_text("utf-8"), re.MULTILINE)
    touched = {name for block in blocks(HOW_TO / f"{page}.md") for name in files(block) if "/" in name}
    assert len(touched) <= MORE.get(page, MOST)
    stems = {Path(name).name for name in touched if (ROOT / name).exists()}
    assert all(name in line for name in stems), stems


def test_a_change_that_does_not_fit_is_noticed(source: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```diff\n--- a/pyproject.toml\n+++ b/pyproject.toml\n@@ -1,1 +1,1 @@\n-gone\n+here\n```\n")
    with pytest.raises(AssertionError, match="patch does not apply"):
        Reader(tmp_path, source).follow(blocks(page)[0])
