"""What `sterna generate` says of files that it replaced."""

from __future__ import annotations

import sys
from pathlib import Path

from sterna.generate.rtl.output import Replaced


def tell_replaced(output: Path, replaced: Replaced) -> None:
    """Name the files in `output` that somebody else had written or changed, on the error stream."""
    for done, names in (("overwrote", replaced.overwritten), ("removed", replaced.removed)):
        for name in names:
            print(f"{done} {output / name}, which sterna generate did not write", file=sys.stderr)
