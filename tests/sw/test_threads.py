"""The emulator makes do with the threads that the system gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: Room for some stacks of threads, not for all.
CHILD = """
import re, resource, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:]
import numpy as np
from sterna.run.emulator import Emulator
from support.packages import small_graph, small_images
images = small_images(1)
expected = Emulator(small_graph(), ["out"], threads=1).run(images)["out"]
used = int(re.search(r"VmSize:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20), resource.RLIM_INFINITY))
emulator = Emulator(small_graph(), ["out"], threads=512)
threads = int(re.search(r"Threads:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
assert threads < 512, threads
assert np.array_equal(emulator.run(images)["out"], expected)
"""


def test_fewer_threads_do_the_same() -> None:
    words = [sys.executable, "-c", CHILD, str(Path(__file__).parents[1])]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
