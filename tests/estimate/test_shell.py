"""What lies between an engine and a board's ports is as large as is counted, and fast enough for all clocks."""

from __future__ import annotations

from functools import cache

import pytest

from sterna.estimate.engine import FULL, estimate_engine
from sterna.estimate.resources import total
from sterna.estimate.shell import ShellPart, estimate_board_clock, estimate_shell
from sterna.generate.boards.board import about_boards, load_board
from sterna.spec.config import load_config
from support.engines import SIMULATORS

#: Boards with each config that they have a clock for.
BOARDS = [(name, config) for name in about_boards() for config in load_board(name).chip.clocks]


@pytest.fixture(autouse=True)
def shared_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests and makers have synthesised."""
    monkeypatch.setenv("STERNA_BUILD_DIR", str(SIMULATORS))


@cache
def parts(name: str, config: str) -> list[ShellPart]:
    return estimate_shell(load_board(name), load_config(config))


@pytest.mark.parametrize(("name", "config"), BOARDS)
def test_it_is_as_large_as_is_counted(name: str, config: str) -> None:
    """And without block RAM or multipliers, which are not counted."""
    found, chip = parts(name, config), load_board(name).chip
    every, alms = total(part.resources for part in found), sum(part.resources.alms for part in found)
    assert (alms, every.mlabs) == (chip.shell_own_alms, chip.shell_own_mlabs)
    assert (every.block_rams, every.dsps) == (0, 0)
    assert chip.shell_own_alms < chip.shell_alms and chip.shell_own_mlabs < chip.shell_mlabs


@pytest.mark.parametrize(("name", "config"), BOARDS)
def test_it_meets_the_clocks_of_engine_registers_and_memory(name: str, config: str) -> None:
    """A path that grew fails here with its two ends."""
    board, engine = load_board(name), load_config(config)
    fastest = max(*board.bus_mhz(engine).values(), board.mhz(engine))
    for path in (part.slowest for part in parts(name, config)):
        assert path.delay * fastest <= 1e6, f"{path.delay} ps from {path.start} to {path.end}"


def test_clocks_of_the_buses() -> None:
    for name, registers, memory in (("catapult_v3", 250, 1066.667 / 4), ("de10_nano", 100, 100)):
        board = load_board(name)
        assert board.bus_mhz(load_config(board.config)) == {"registers": registers, "memory": memory}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "config"), BOARDS)
def test_engine_and_shell_fit_every_board(name: str, config: str) -> None:
    size = estimate_engine(load_config(config), load_board(name).chip)
    assert {share.name: share.share for share in size.shares if share.share > FULL} == {}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "config"), BOARDS)
def test_the_engine_keeps_its_clock_in_the_shell(name: str, config: str) -> None:
    """With the paths from one to the other, which the engine's own estimate does not see."""
    board, engine = load_board(name), load_config(config)
    clock = estimate_board_clock(board, engine)
    path = clock.slowest[0]
    assert clock.mhz >= board.mhz(engine), f"{path.delay} ps from {path.start} to {path.end}"
