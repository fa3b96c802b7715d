"""Packages and graph files that would unpack to far too much are refused before they do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sterna.compile.packages import load as load_package
from sterna.errors import SternaError
from sterna.graph import file as graph_file
from sterna.spec.paths import ROOT
from support import bombs

#: A full YOLOv2: what the largest network that is kept takes.
LARGEST = ROOT / "models" / "yolov2-scenes.sterna-graph"
#: Loads the files named on the command line; prints what is said of each, and the most memory that all took, in kB.
CHILD = """
import json, re, sys
from pathlib import Path
from sterna.errors import SternaError
from sterna.compile import packages
from sterna.graph import file
said = {}
for path in map(Path, sys.argv[1:]):
    try:
        (packages if path.suffix == ".sterna" else file).load(path)
    except SternaError as error:
        said[path.name] = str(error)
# Of this program alone: what getrusage tells includes the process that started it.
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
print(json.dumps([said, peak]))
"""


def load(*paths: Path) -> tuple[dict[str, str], int]:
    """What a process of its own says of the files, and its peak memory in kB."""
    done = subprocess.run([sys.executable, "-c", CHILD, *paths], capture_output=True, text=True, check=True)
    said, peak = json.loads(done.stdout)
    return said, peak


@pytest.mark.case(
    "archive-bombs",
    kind="bomb",
    expected="each is refused in one line, and the peak memory stays under twice that of the largest kept network",
    source="https://www.bamsoftware.com/hacks/zipbomb/",
)
def test_bombs_are_refused_and_take_little_memory(tmp_path: Path, got: Callable[[object], None]) -> None:
    kinds = {".sterna-graph": bombs.graphs(), ".sterna": bombs.packages(), ".older.sterna": bombs.older_packages()}
    paths = []
    for suffix, made in kinds.items():
        for name, bomb in made.items():
            paths.append(tmp_path / f"{name}{suffix}")
            paths[-1].write_bytes(bomb())
    _, allowed = load(LARGEST)
    said, peak = load(*paths)
    assert set(said) == {path.name for path in paths}
    for name, message in said.items():
        assert "\n" not in message and len(message) < 1500 and "remedy: " in message, name
    assert peak < 2 * allowed
    got(f"{len(said)} bombs refused with {peak >> 10} MiB at most; the largest kept network takes {allowed >> 10} MiB")


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("a gigabyte of zeros", "unpacked bytes of graph.json = 1073741824; allowed: at most 1048576"),
        ("members that overlap", "unpacked bytes = 134217728000; allowed: at most 100663296"),
        ("many members", r"members = 7\d{4}; allowed: at most 4096"),
        ("many members that claim to be three", r"members = 7\d{4}; allowed: at most 4096"),
        ("many layers", "layers = 10001; allowed: at most 1024"),
    ],
)
def test_the_limit_is_named(name: str, limit: str) -> None:
    with pytest.raises(SternaError, match=f"^f: is too large; {limit}"):
        graph_file.from_bytes(bombs.graphs()[name](), "f")


def test_a_file_larger_than_any_package_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.sterna"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(SternaError, match="too large for a package; bytes = 1099511627776; allowed: at most 218103808"):
        load_package(path)
