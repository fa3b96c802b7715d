"""Every block of code in the tutorials runs, in order, as a reader would type it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.page_blocks import ROOT, Reader, blocks, language

TUTORIALS = ROOT / "docs" / "tutorials"
#: In the order in which they build on each other.
PAGES = ("images-to-boxes", "to-the-engine", "change-the-engine")
#: Those that stand alone.
ALONE = ("brevitas-model", "ultralytics-onnx")


def test_every_tutorial_is_run() -> None:
    assert {path.stem for path in TUTORIALS.glob("*.md")} == {*PAGES, *ALONE, "index"}


def test_tutorials_run(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    for page in PAGES:
        found = blocks(TUTORIALS / f"{page}.md")
        assert any(language(block) in ("sh", "python") for block in found)
        for block in found:
            reader.follow(block)
    assert (tmp_path / "found" / "detections.json").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("page", ALONE)
def test_tutorials_that_stand_alone_run(page: str, tmp_path: Path) -> None:
    for block in blocks(TUTORIALS / f"{page}.md"):
        Reader(tmp_path).follow(block)


def test_ideas_can_be_tried(tmp_path: Path) -> None:
    for block in blocks(ROOT / "docs" / "how-to" / "try-an-idea.md"):
        Reader(tmp_path).follow(block)


@pytest.mark.parametrize(
    "text", ["```sh\nsterna data gone\n```", "```python\nraise SystemExit(1)\n```", "```sh\nfalse | cat\n```"]
)
def test_a_block_that_fails_is_noticed(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(AssertionError):
        Reader(tmp_path).follow(blocks(page)[0])
