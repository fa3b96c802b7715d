"""Building a simulator: once for each content, and a clear word when it cannot be done."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

from sterna.cli.guard import INTERRUPTED, guarded
from sterna.errors import SternaError
from sterna.generate.rtl import generate
from sterna.run import simulator
from sterna.run.simulator import HEADERS
from sterna.spec.paths import HARNESS, INCLUDE
from support.packages import NANO
from support.processes import Forked, wait_until_gone

Got = Callable[[object], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generate(NANO, tmp_path / "engine")
    return tmp_path / "engine"


def test_headers_that_the_harness_includes_are_among_its_sources() -> None:
    sources = [path.read_text("utf-8") for path in HARNESS.rglob("*.*")]
    assert {name for source in sources for name in re.findall(r"#include <(sterna/.*)>", source)} == set(HEADERS)
    assert {INCLUDE / name for name in HEADERS} <= set(simulator._harness())


def test_not_a_generated_folder(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match="is not a generated engine"):
        simulator.build(tmp_path, tmp_path / "build")
    with pytest.raises(SternaError, match="is not a generated engine"):
        simulator.build(tmp_path / "none", tmp_path / "build")


def test_incomplete_folder(folder: Path) -> None:
    (folder / "rtl" / "cells" / "sterna_fifo.sv").unlink()
    with pytest.raises(SternaError, match=r"incomplete; missing = rtl/cells/sterna_fifo.sv"):
        simulator.build(folder, folder.parent / "build")


@pytest.mark.parametrize("tool", ["g++", "make", "perl"])
def test_missing_tool(folder: Path, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    tools = folder.parent / "bin"
    tools.mkdir()
    for name in {"g++", "make", "perl"} - {tool}:
        (tools / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(SternaError, match=rf"{re.escape(tool)} is missing; remedy: .*apt install"):
        simulator.build(folder, folder.parent / "build")


def test_sources_that_do_not_compile(folder: Path) -> None:
    top = folder / "sterna_top.sv"
    top.write_text(top.read_text().replace(".clk_i(clk_i)", ".clock(clk_i)"))
    with pytest.raises(SternaError, match=r"the build failed: .*clock.*; remedy: see \S*build.log; correct the source"):
        simulator.build(folder, folder.parent / "build")


def test_build_folder_that_cannot_be_made(folder: Path) -> None:
    (folder.parent / "file").write_text("")
    with pytest.raises(SternaError, match="cannot build the simulator"):
        simulator.build(folder, folder.parent / "file" / "build")


def test_path_with_a_space(folder: Path) -> None:
    with pytest.raises(SternaError, match="my builds: make cannot use a path with a space"):
        simulator.build(folder, folder.parent / "my builds")


#: A compiler that writes nothing, so that a build takes no time; what it does first is put in.
COMPILER = """#!/bin/sh
if [ "$1" = --version ]; then echo quick 1.0; exit; fi
{first}
while [ $# -gt 1 ]; do [ "$1" = -o ] && : > "$2"; shift; done
"""


@pytest.fixture
def compile_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Put the quick compiler, which does something else first, before the real one."""
    tools = tmp_path / "bin"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    def put(first: str) -> None:
        (tools / "g++").write_text(COMPILER.format(first=first))
        (tools / "g++").chmod(0o755)

    return put


def obstacle(tmp_path: Path) -> str:
    """What makes a compiler wait until the file `go` is there, and write down its process."""
    return f"echo $$ >> {tmp_path}/compilers\nwhile [ ! -e {tmp_path}/go ]; do sleep 0.02; done"


def compilers(tmp_path: Path) -> list[int]:
    """The compilers that wait, once there is one."""
    path = tmp_path / "compilers"
    while not path.exists() or not path.read_text().endswith("\n"):
        pass
    return [int(line) for line in path.read_text().split()]


def assert_builds(folder: Path, builds: Path) -> None:
    """The build is whole, and nothing else is left."""
    program = simulator.build(folder, builds)
    assert sorted(path.name for path in program.parent.iterdir()) == ["build.log", "lock", simulator.PROGRAM]


def test_a_build_says_what_it_builds(folder: Path, tmp_path: Path, compile_with: Callable[[str], None]) -> None:
    compile_with("")
    told: list[str] = []
    simulator.build(folder, tmp_path / "build", told.append)
    assert told[0] == "building the simulator of engine nano, 8 PEs of 25 lanes (once; about a minute)"
    assert all(re.fullmatch(r"compiled \d+ of \d+ files", line) for line in told[1:])
    simulator.build(folder, tmp_path / "build", told.append)
    assert len([line for line in told if line.startswith("building")]) == 1


@pytest.mark.parametrize(("adders", "time"), [(1999, "about a minute"), (2000, "ten minutes or more")])
def test_a_large_engine_takes_long(tmp_path: Path, adders: int, time: str) -> None:
    config = {"name": "own", "clusters": 1, "pes": adders, "tile_h": 1, "tile_w": 1}
    (tmp_path / simulator.PARAMETERS).write_text(json.dumps({"config": config}))
    assert simulator._described(tmp_path) == f"engine own, {adders} PEs of 1 lanes (once; {time})"


def test_a_build_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each quarter is told once; the objects come some looks after the quarter before has been told."""
    monkeypatch.setattr(simulator, "_LOOK_SECONDS", 0.01)
    classes = 8 - len(simulator._HARNESS_SOURCES)
    (tmp_path / "V_classes.mk").write_text("".join(f"  class{number} \\\n" for number in range(classes)))
    wait = "while [ ! -e $n ]; do sleep 0.02; done; sleep 0.1"
    script = f"for n in 1 2 3; do touch a$n.o b$n.o; {wait}; done; touch a4.o b4.o"
    process = subprocess.Popen(["sh", "-c", script], cwd=tmp_path)
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        (tmp_path / str(len(told))).touch()

    assert simulator._watch(process, tmp_path, tell) == 0
    assert told == [f"compiled {done} of 8 files" for done in (2, 4, 6)]


@pytest.mark.case(
    "build-killed-half-way", kind="process", expected="the next build is whole, though compilers of the first still run"
)
def test_a_build_that_was_killed_is_built_again(
    folder: Path, tmp_path: Path, compile_with: Callable[[str], None], got: Got
) -> None:
    compile_with(obstacle(tmp_path))
    build = Forked(lambda: bool(simulator.build(folder, tmp_path / "build")), tmp_path)
    left = compilers(tmp_path)
    os.kill(build.number, signal.SIGKILL)
    assert build.wait().code == -signal.SIGKILL
    compile_with("")
    assert_builds(folder, tmp_path / "build")
    (tmp_path / "go").touch()
    for compiler in {*left, *compilers(tmp_path)}:
        wait_until_gone(compiler)
    got("built while the compilers of the killed build were still at work")


@pytest.mark.case(
    "build-interrupted", kind="process", expected="one line; no compiler goes on, and the next build is whole"
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_interrupted_leaves_nothing(
    folder: Path, tmp_path: Path, compile_with: Callable[[str], None], number: signal.Signals, got: Got
) -> None:
    compile_with(obstacle(tmp_path))
    build = Forked(lambda: guarded(lambda: simulator.build(folder, tmp_path / "build")), tmp_path)
    compilers(tmp_path)
    os.kill(build.number, number)
    ended = build.wait()
    assert (ended.code, ended.err) == (INTERRUPTED, "error: interrupted\n")
    for compiler in compilers(tmp_path):
        wait_until_gone(compiler)
    assert not list((tmp_path / "build").glob("sim-*/obj*"))
    compile_with("")
    assert_builds(folder, tmp_path / "build")
    got(ended.err)


@pytest.mark.case("build-on-a-full-disk", kind="process", expected="one line with the cause; the next build is whole")
def test_a_full_disk_is_named(folder: Path, tmp_path: Path, compile_with: Callable[[str], None], got: Got) -> None:
    compile_with("echo fatal error: error writing to /tmp/a.s: No space left on device >&2; exit 1")
    with pytest.raises(SternaError, match=r"no space left on the disk; remedy: make room") as caught:
        simulator.build(folder, tmp_path / "build")
    got(caught.value)
    assert not list((tmp_path / "build").glob("sim-*/obj*"))
    compile_with("")
    assert_builds(folder, tmp_path / "build")


def test_a_build_waits_for_another_and_says_so(
    folder: Path, tmp_path: Path, compile_with: Callable[[str], None]
) -> None:
    compile_with("")
    program = simulator.build(folder, tmp_path / "build")
    told: list[str] = []
    with filelock.FileLock(program.parent / "lock", thread_local=False):
        thread = threading.Thread(target=simulator.build, args=(folder, tmp_path / "build", told.append))
        thread.start()
        while not told:
            pass
    thread.join()
    assert told == ["another process is building the same simulator: waiting for it"]
