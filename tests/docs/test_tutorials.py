"""Every block of code in the tutorials runs, in order, as a reader would type it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from support.engines import SIMULATORS

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
#: In the order in which they build on each other.
PAGES = ("images-to-boxes", "to-the-engine", "change-the-engine")
_TITLE = re.compile(r'title="([^"]+)"')


def run_block(block: Token, folder: Path) -> None:
    """Do in `folder` what a reader does with the block: run it, save it, or, if it is text, read it."""
    kind = block.info.split()[0]
    if title := _TITLE.search(block.info):
        (folder / title[1]).write_text(block.content, "utf-8")
    elif kind != "text":
        command = {"sh": ["bash", "-eu", "-o", "pipefail", "-c"], "python": [sys.executable, "-c"]}[kind]
        done = subprocess.run(
            [*command, block.content], cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block.content}\n{done.stdout}\n{done.stderr}"


def _environment(folder: Path) -> dict[str, str]:
    bin_folder = folder / ".bin"
    bin_folder.mkdir(exist_ok=True)
    command = bin_folder / "sterna"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m sterna "$@"\n')
    command.chmod(0o755)
    return os.environ | {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "python"),
        "STERNA_BUILD_DIR": str(SIMULATORS),
        "COLUMNS": "200",
    }


def blocks(text: str) -> list[Token]:
    """The blocks of code of a page."""
    return [token for token in MarkdownIt().parse(text) if token.type == "fence"]


def test_every_tutorial_is_run() -> None:
    assert {path.stem for path in TUTORIALS.glob("*.md")} == {*PAGES, "index"}


def test_tutorials_run(tmp_path: Path) -> None:
    for page in PAGES:
        found = blocks((TUTORIALS / f"{page}.md").read_text("utf-8"))
        assert any(block.info.split()[0] in ("sh", "python") for block in found)
        for block in found:
            run_block(block, tmp_path)
    assert (tmp_path / "found" / "detections.json").is_file()


def test_a_block_that_fails_is_noticed(tmp_path: Path) -> None:
    for text in (
        "```sh\nsterna data gone\n```\n",
        "```python\nraise SystemExit(1)\n```\n",
        "```sh\nfalse | cat\n```\n",
    ):
        with pytest.raises(AssertionError):
            run_block(blocks(text)[0], tmp_path)
