"""Builds sterna._native in place, beside the Python sources: the work of an editable install without installing it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
_BUILD = "import sys; from scikit_build_core import build; build.build_editable(sys.argv[1])"


def main() -> int:
    """Build it, and print what the tools say if they fail; what has not changed since the last time is kept."""
    with TemporaryDirectory() as wheel:
        command = [sys.executable, "-c", _BUILD, wheel]
        done = subprocess.run(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        print("error: sterna._native cannot be built; remedy: see the lines above", file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
