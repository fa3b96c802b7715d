"""Full YOLOv2 compiles within its budget of processor time and memory, into a tape that the slow reader accepts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SECONDS, UNTIMED_SECONDS = 20, 6
BYTES = 4e9

_SCRIPT = """
import json, resource, sys, time
import numpy as np
sys.path[:0] = sys.argv[1:]
from support.network_graphs import passthrough_graph, random_network_graph
from sterna.compile import compile_graph
from sterna.spec import load_config, tape
# The cycle model is translated once for each state of its sources; that is not part of the budget.
compile_graph(passthrough_graph(np.random.default_rng(0), 8, 8), load_config("nano"))
graph = random_network_graph(np.random.default_rng(0), "yolov2", 416, 416, density=0.2)
start = time.process_time()
compile_graph(graph, load_config("arria10"), cycles=False)
middle = time.process_time()
package = compile_graph(graph, load_config("arria10"))
print(json.dumps({
    "untimed_seconds": middle - start,
    "seconds": time.process_time() - middle,
    "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "steps": len(tape.read(package.tape).steps),
    "layers": len(graph.layers),
}))
"""


def test_full_yolov2_compiles_within_budget() -> None:
    tests = Path(__file__).parents[1]
    paths = [str(tests), str(tests.parent / "python")]
    run = subprocess.run([sys.executable, "-c", _SCRIPT, *paths], capture_output=True, text=True, check=True)
    measured = json.loads(run.stdout)
    assert measured["seconds"] < SECONDS
    assert measured["untimed_seconds"] < UNTIMED_SECONDS
    assert measured["bytes"] < BYTES
    assert measured["steps"] >= measured["layers"] - 6  # fused pools and reorg, concat and output are no steps
