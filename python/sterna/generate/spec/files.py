"""Writes the files that are made from `sterna.spec`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from sterna.files import write_bytes
from sterna.generate.spec.c_header import board_header, package_header, registers_header, tape_header
from sterna.generate.spec.systemverilog import package, serial_package
from sterna.spec.paths import BOARDS, INCLUDE, RTL

#: What makes each file's text.
FILES: dict[Path, Callable[[], str]] = {
    RTL / "sterna_pkg.sv": package,
    BOARDS / "ulx3s" / "sterna_serial_pkg.sv": serial_package,
    INCLUDE / "sterna" / "registers.h": registers_header,
    INCLUDE / "sterna" / "board.h": board_header,
    INCLUDE / "sterna" / "tape.h": tape_header,
    INCLUDE / "sterna" / "package.h": package_header,
}


def stale() -> list[Path]:
    """The files that are not up to date with `sterna.spec`."""
    return [path for path, text in FILES.items() if not path.is_file() or path.read_text("utf-8") != text()]


def main(arguments: list[str]) -> int:
    """Write all files; with `--check` only list those that are not up to date, and return 1 if there are any."""
    if arguments == ["--check"]:
        for path in stale():
            print(f"error: {path}: is not up to date with python/sterna/spec; remedy: make spec-files", file=sys.stderr)
        return 1 if stale() else 0
    for path, text in FILES.items():
        write_bytes(path, text().encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
