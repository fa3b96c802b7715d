"""Blocks of code on a page, and what a reader does with them: save, apply or run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from support.engines import SIMULATORS

ROOT = Path(__file__).resolve().parents[2]
_TITLE = re.compile(r'title="([^"]+)"')
_CHANGED = re.compile(r"^\+\+\+ b/(.+)$", re.MULTILINE)


def blocks(page: Path) -> list[Token]:
    """The blocks of code of a page in their order."""
    return [token for token in MarkdownIt().parse(page.read_text("utf-8")) if token.type == "fence"]


def language(block: Token) -> str:
    """What the block is written in."""
    return block.info.split()[0]


def title(block: Token) -> str | None:
    """The file that the block is saved as, if it says one."""
    found = _TITLE.search(block.info)
    return found[1] if found else None


def files(block: Token) -> list[str]:
    """The files that a reader writes who follows the block."""
    name = title(block)
    return [name] if name else _CHANGED.findall(block.content) if language(block) == "diff" else []


@dataclass(frozen=True)
class Reader:
    """Somebody who does what pages say: in `folder`, with the Sterna in the checkout `source`."""

    folder: Path
    source: Path = ROOT

    def follow(self, block: Token) -> None:
        """Save the block if it has a title, apply it if it is a diff, run it, or, if it is text, read it."""
        name = title(block)
        if name == "pyproject.toml":
            self._install(block.content)
        elif name:
            place = self._of_sterna(name) if "/" in name else self.folder / name
            place.write_text(block.content, "utf-8")
        elif language(block) == "diff":
            self._run(["git", "apply", "--unsafe-paths", "-"], block.content, cwd=self.source)
        elif language(block) == "sh":
            self._run(["bash", "-eu", "-o", "pipefail", "-c", block.content])
        elif language(block) == "python":
            self._run([sys.executable, "-c", block.content])

    def _of_sterna(self, name: str) -> Path:
        assert self.source != ROOT, "only a copy is changed"
        return self.source / name

    def _install(self, project: str) -> None:
        """Make the entry points of a project known, as pip would."""
        folder = self.folder / "project-0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: project\nVersion: 0\n")
        groups = tomllib.loads(project)["project"]["entry-points"]
        lines = [
            f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups.items()
        ]
        (folder / "entry_points.txt").write_text("\n".join(lines))

    def _run(self, command: list[str], text: str | None = None, cwd: Path | None = None) -> None:
        done = subprocess.run(
            command, cwd=cwd or self.folder, env=self._environment(), input=text, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{text or command[-1]}\n{done.stdout}\n{done.stderr}"

    def _environment(self) -> dict[str, str]:
        tools = self.folder / ".bin"
        tools.mkdir(exist_ok=True)
        build = self.source / "scripts" / "build_native.py"
        # A reader's `make` builds the library of the copy; a simulator's has arguments.
        make = f'[ $# = 0 ] || exec {shutil.which("make")} "$@"\n'
        for name, first, rest in (
            ("sterna", "", '-m sterna "$@"'), ("python", "", '"$@"'), ("make", make, f"'{build}'"),
        ):  # fmt: skip
            (tools / name).write_text(f"#!/bin/sh\n{first}exec {sys.executable} {rest}\n")
            (tools / name).chmod(0o755)
        return os.environ | {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": f"{self.source / 'python'}:{self.folder}",
            "STERNA_BUILD_DIR": str(SIMULATORS),
            "COLUMNS": "200",
        }
