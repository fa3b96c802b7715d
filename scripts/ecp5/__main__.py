"""Makes the bitstream of the ULX3S and says where it is, what it takes, and how fast it may be clocked."""

from __future__ import annotations

import sys

from ecp5 import flow
from sterna.errors import SternaError


def main() -> int:
    """1 if the clock is missed or something fails."""
    try:
        made = flow.make(print)
    except SternaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    used, there = made.used(), made.there()
    for kind in sorted(kind for kind, count in used.items() if count):
        print(f"{kind:<16} {used[kind]:>7,} of {there[kind]:,}")
    first, last = made.slowest()
    print(f"{made.fmax():.1f} MHz, from {first} to {last}")
    print(made.file)
    if made.fmax() < flow.MHZ:
        print(f"error: {made.file}: the clock of {flow.MHZ} MHz is missed; remedy: a smaller config", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
