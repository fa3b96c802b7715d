"""`sterna train` as a command of its own process or processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping


def command(options: Mapping[str, object], *flags: str, processes: int = 1) -> list[str]:
    """The words that train with `options`, by name with - or _, in so many processes as torchrun starts them."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return [sys.executable, *launcher, "-m", "sterna", "train", *words, *flags]


def environment() -> dict[str, str]:
    """One thread for each process."""
    return {**os.environ, "OMP_NUM_THREADS": "1"}
