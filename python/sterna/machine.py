"""The name of this machine, for results that say where they were measured."""

from __future__ import annotations

import os
from pathlib import Path


def processor() -> str:
    """The processor's name and the cores that this process may use, such as `AMD EPYC, 2 cores`."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else 'unknown processor'}, {len(os.sched_getaffinity(0))} cores"
