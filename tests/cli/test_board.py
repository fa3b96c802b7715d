"""`sterna board test`, on a simulated engine, and `sterna generate --board`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ecp5 import board as ulx3s
from ecp5 import flow
from sterna.compile import compile_graph
from sterna.generate.rtl import generate
from sterna.native import libsterna
from sterna.package.file import save
from sterna.run.transports.serial import MEMORY_BYTES
from sterna.spec.config import load_config
from support.engines import simulator_of
from support.packages import small_graph
from support.serial_boards import SerialBoard


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Sterna = Callable[..., Ended]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engine") / "nano"
    generate(load_config("nano"), folder)
    return folder


def test_a_good_engine_passes(sterna: Sterna, engine: Path, package_path: Path) -> None:
    ended = sterna("board", "test", f"sim:{engine}", "--package", package_path, "--frames", 1)
    assert ended.code == 0, ended.err
    steps = [line.partition("  ")[0] for line in ended.out.splitlines()]
    assert steps == ["identity", "registers", "memory, from here", "memory, from the engine", "counters", "speed"]
    assert all(" ok   " in line for line in ended.out.splitlines())


def test_an_engine_behind_a_serial_line_passes(sterna: Sterna, package_path: Path) -> None:
    """Of the 32 MB that a ULX3S has, 64 KiB and a page at each power of two are tried."""
    engine = libsterna.Simulation(str(simulator_of(load_config("nano"))), base=0, bytes=MEMORY_BYTES)
    engine.open()
    board = SerialBoard(engine)
    ended = sterna("board", "test", f"serial:{board.port}", "--package", package_path, "--frames", 1, "--memory", 64)
    board.leave()
    engine.close()
    assert ended.code == 0, ended.err
    assert ended.out.count(" ok   ") == 6 and f"106,496 of {MEMORY_BYTES:,} bytes kept a pattern" in ended.out


@pytest.mark.slow
def test_a_simulated_ulx3s_passes(sterna: Sterna, tmp_path: Path) -> None:
    """The RTL of the whole board, its memory and its line, behind a pseudo-terminal."""
    package = tmp_path / "small.sterna"
    save(compile_graph(small_graph(), flow.config(), trace=True), package)
    with ulx3s.running(ulx3s.build_rtl(tmp_path)) as simulated:
        uri = f"serial:{simulated.port}?patience=600"
        ended = sterna("board", "test", uri, "--package", package, "--frames", 1, "--memory", 4)
    assert ended.code == 0 and ended.out.count(" ok   ") == 6, ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("reference:",), "backend 'reference:': the backend has no engine to look at; remedy: name a board"),
        (("sim:",), "backend 'sim:': no engine is named; path = none; allowed: a folder made by sterna generate"),
        (("soc:/dev/none",), "/dev/none: cannot be opened"),
        (("board:",), "no such backend"),
    ],
)
def test_what_is_no_engine_is_refused(sterna: Sterna, arguments: tuple[str, ...], said: str) -> None:
    ended = sterna("board", "test", *arguments)
    assert ended.code != 0 and said in ended.err and ended.err.count("\n") == 1


def test_another_config_is_refused(sterna: Sterna, engine: Path) -> None:
    ended = sterna("board", "test", f"sim:{engine}", "--config", "cyclone5")
    assert ended.code != 0 and "--config: the engine has another config" in ended.err.splitlines()[-1]


def test_a_board_has_a_config_of_its_own(sterna: Sterna, tmp_path: Path) -> None:
    ended = sterna("generate", "--board", "de10_nano", "-o", tmp_path / "engine")
    assert ended.code == 0, ended.err
    assert f"{tmp_path / 'engine'}: engine 'cyclone5'" in ended.out and "for de10_nano at 100 MHz" in ended.out
    assert (tmp_path / "engine/board/README.md").is_file() and (tmp_path / "engine/quartus/sterna.sdc").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--board", "de11"), "no such board; board = de11"),
        (("--board", "de10_nano", "--fpga", "gx1150"), "--fpga: a board has an FPGA of its own; got gx1150"),
        (("--board", "de10_nano", "--target", "vivado"), "--target: there is no such target; got vivado"),
        (("--board", "de10_nano", "--config", "arria10"), "board de10_nano: no clock is known for the config"),
    ],
)
def test_a_board_that_does_not_fit_is_refused(
    sterna: Sterna, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ended = sterna("generate", *arguments, "-o", tmp_path / "engine")
    assert ended.code != 0 and said in ended.err
    assert not (tmp_path / "engine").exists()
