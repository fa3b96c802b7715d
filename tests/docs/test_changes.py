"""What the how-to pages change works in a copy of Sterna, and touches few files, all of which the page shows."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from results.makers import change_map
from sterna.generate.spec import files as spec_files
from support.changes import Change, changes
from support.page_blocks import ROOT, Reader, blocks, files, language, title

CHANGES = changes()
COPIED = (
    "python", "hw", "sim/harness", "sw", "scripts/build_native.py", "pyproject.toml", "README.md", "LICENSE",
    "THIRD_PARTY.md",
)  # fmt: skip
ENGINE = next(
    block for block in blocks(ROOT / "docs" / "tutorials" / "change-the-engine.md") if title(block) == "engine.yaml"
)
#: They compile in a copy, for which Numba or CMake has kept nothing.
_SLOW = {"add-a-layer-kind", "add-an-activation", "add-an-importer", "change-the-nms-rule"}
_BUILT = re.compile(r"__pycache__|build/|\.so$")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of what Sterna runs from."""
    copy = tmp_path / "sterna"
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


def hashes(folder: Path) -> dict[str, str]:
    """Of every source file by its path."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    sources = {name: path for name, path in found.items() if not _BUILT.search(name)}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sources.items()}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(change, id=change.name, marks=pytest.mark.slow if change.name in _SLOW else ())
        for change in CHANGES
        if change.shown
    ],
)
def test_a_change_works_and_touches_what_it_shows(change: Change, source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    before, reader = hashes(source), Reader(folder, source if change.files else ROOT)
    reader.follow(ENGINE)
    found = blocks(change.page)
    for block in found:
        reader.follow(block)
    after = hashes(source)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    generated = {str(path.relative_to(ROOT)) for path in spec_files.FILES}
    assert changed - generated == set(change.files)
    assert any(not files(block) for block in found), "nothing shows that it works"


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_names_its_few_files(change: Change) -> None:
    assert len(change.files) <= change.most
    there = [name for name in change.files if (ROOT / name).exists()]
    assert all(Path(name).name in change.named for name in there)
    assert change.shown or there


@pytest.mark.parametrize(
    "change", [change for change in CHANGES if change.name in _SLOW], ids=lambda change: change.name
)
def test_a_change_whose_effect_is_tried_rarely_fits(change: Change, tmp_path: Path) -> None:
    for name in change.files:
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    diffs = [block for block in blocks(change.page) if language(block) == "diff"]
    assert diffs
    for block in diffs:
        Reader(tmp_path, tmp_path).follow(block)


def test_a_change_that_does_not_fit_is_noticed(source: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```diff\n--- a/pyproject.toml\n+++ b/pyproject.toml\n@@ -1,1 +1,1 @@\n-gone\n+here\n```\n")
    with pytest.raises(AssertionError, match="patch does not apply"):
        Reader(tmp_path, source).follow(blocks(page)[0])


def test_the_map_of_changes_counts_what_pages_touch(tmp_path: Path) -> None:
    page = tmp_path / "add-a-layer-kind.md"
    found = [
        Change(tmp_path / "add-a-roof.md", "Add a roof", ("a/b.py", "a/c.py")),
        Change(page, "Add a layer kind", tuple(f"a/{number}.py" for number in range(5))),
    ]
    values = {name: metric.value for name, metric in change_map.metrics(found).items()}
    assert values["changes"] == 2 and values["most"] == 2 and values["most_of_all"] == 5
    assert change_map.row(found[0]) == {
        "change": "Add a roof", "files": 2, "which": "a/b.py, a/c.py", "applied_by_a_test": True,
    }  # fmt: skip
