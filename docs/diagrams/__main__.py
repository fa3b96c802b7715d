"""Draws every diagram: NAME.py, which has a function `sheet`, becomes NAME.svg beside it."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
#: Modules that are no diagram.
_OTHERS = {"__main__", "drawing"}


def names() -> list[str]:
    """Names of all diagrams."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in _OTHERS)


def svg(name: str) -> str:
    """The text of NAME.svg, as its source draws it."""
    text: str = import_module(name).sheet().svg()
    return text


def main() -> None:
    """Write all of them."""
    for name in names():
        (FOLDER / f"{name}.svg").write_text(svg(name), "utf-8")


if __name__ == "__main__":
    main()
