"""The first look at an engine on a board: what it says of a good one, and what it finds of each that is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.native import libsterna
from sterna.package.package import Package
from sterna.run import open_backend
from sterna.run.backend import Results
from sterna.run.bring_up import Known, Passed, Show, bring_up
from sterna.run.transport import Transport
from sterna.spec.registers import Register
from support.boards import BYTES, Card, Pcie, Soc
from support.engines import simulator_of
from support.packages import NANO, small_images, small_package

ALL_ONES = 0xFFFF_FFFF


@pytest.fixture(scope="module")
def program() -> Path:
    return simulator_of(NANO)


@pytest.fixture(scope="module")
def package() -> Package:
    return small_package()


@pytest.fixture(scope="module")
def expected(package: Package) -> Results:
    with open_backend("reference:") as reference:
        reference.load(package)
        return reference.infer(small_images(1))


def run(transport: Transport, package: Package, expected: Results, tried: int = BYTES) -> list[Passed]:
    return list(bring_up(transport, Known(package, package, small_images(1)[0], expected, 3, tried)))


class Simulated(libsterna.Simulation):
    """A simulated engine whose answers may be changed on the way."""

    def __init__(self, program: Path) -> None:
        super().__init__(str(program), bytes=BYTES)
        self.changes: dict[int, Callable[[int], int]] = {}
        self.read: Callable[[int, bytes], bytes] = lambda _, data: data
        self.place: Callable[[int], int] = lambda address: address
        self.written: Callable[[int, int], int] = lambda _, value: value

    def read32(self, register: int) -> int:
        return self.changes.get(register, lambda value: value)(super().read32(register))

    def write32(self, register: int, value: int) -> None:
        super().write32(register, self.written(register, value))

    def read_memory(self, address: int, size: int) -> bytes:
        return self.read(address, super().read_memory(self.place(address), size))

    def write_memory(self, address: int, data: bytes) -> None:
        super().write_memory(self.place(address), data)


@pytest.mark.parametrize("kind", [Soc, Pcie, Card])
def test_a_good_board_passes(
    kind: type[Soc | Pcie | Card], tmp_path: Path, program: Path, package: Package, expected: Results
) -> None:
    with kind(tmp_path, program) as board:
        steps = run(board, package, expected)
    assert [passed.step for passed in steps] == [
        "identity", "registers", "memory, from here", "memory, from the engine", "counters", "speed",
    ]  # fmt: skip
    assert steps[0].seen == f"config hash {NANO.hash:08x}"
    assert steps[2].seen == f"{BYTES:,} of {BYTES:,} bytes kept a pattern"
    assert steps[3].seen.endswith("from 0x0, 0x80000, 0x100000, 0x180000 on")
    assert "frames/s (3 queued), so the clock is" in steps[5].seen


PLANTED: list[tuple[str, Callable[[Simulated], object], str]] = [
    ("nothing", lambda board: board.changes.update({Register.IDENTITY: lambda _: ALL_ONES}), "nothing but equal bits"),
    ("zeros", lambda board: board.changes.update({Register.IDENTITY: lambda _: 0}), "nothing but equal bits"),
    ("other", lambda board: board.changes.update({Register.IDENTITY: lambda _: 7}), "is no engine of Sterna"),
    (
        "old",
        lambda board: board.changes.update({Register.VERSION: lambda _: 1}),
        "is another version; VERSION = 0x0000",
    ),
    (
        "stuck",
        lambda board: board.changes.update({Register.TAPE_ADDR_LO: lambda value: value & ~(1 << 9)}),
        "a register does not keep a bit; TAPE_ADDR_LO = 0x00000000; allowed: 0x00000200",
    ),
    (
        "lost",
        lambda board: setattr(board, "written", lambda register, value: value & 0xFFFF),
        "a register does not keep a bit; TAPE_ADDR_LO = 0x00000000; allowed: 0x00010000; remedy: check the width",
    ),
    (
        "bit",
        lambda board: setattr(board, "read", lambda _, data: bytes(byte & 0xFB for byte in data)),
        r"memory: does not keep what is written; address = 0x[0-9a-f]+; .* bits 0x04 of some byte",
    ),
    (
        "alias",
        lambda board: setattr(board, "place", lambda address: address & ~(1 << 20)),
        "memory: two addresses are one place; addresses = ",
    ),
    (
        "frames",
        lambda board: board.changes.update({Register.FRAMES: lambda value: 2 * value}),
        "counts frames wrongly; FRAMES = . more; allowed: 1 more",
    ),
    (
        "additions",
        lambda board: board.changes.update({Register.BUSY_LO: lambda value: value + 1}),
        "counts other additions than the tape has; busy = ",
    ),
]


@pytest.mark.parametrize(("name", "plant", "said"), PLANTED, ids=[row[0] for row in PLANTED])
def test_a_planted_fault_is_found(
    program: Path, package: Package, expected: Results, name: str, plant: Callable[[Simulated], object], said: str
) -> None:
    board = Simulated(program)
    plant(board)
    with pytest.raises(SternaError, match=said):
        run(board, package, expected)
    board.close()


class Apart(Simulated):
    """An engine that sees another memory than the host does, once it runs frames."""

    def __init__(self, program: Path) -> None:
        super().__init__(program)
        self.own: dict[int, bytes] = {}

    def read_memory(self, address: int, size: int) -> bytes:
        return self.own.get(address, bytes(size)) if size != 1 << 16 else super().read_memory(address, size)


def test_an_engine_with_another_memory_is_found(program: Path, package: Package, expected: Results) -> None:
    board = Apart(program)
    with pytest.raises(
        SternaError, match=r"a frame differs .* the engine writes nothing that is read here: check that"
    ):
        run(board, package, expected)
    board.close()


def test_another_answer_is_found(program: Path, package: Package, expected: Results) -> None:
    board = Simulated(program)
    name = next(iter(expected))
    wrong = {**expected, name: expected[name] + 1}
    said = rf"engine: a frame differs from the reference; memory from 0x\w+ on = layer '{name}'"
    with pytest.raises(SternaError, match=said):
        run(board, package, wrong)
    board.close()


def test_of_a_large_memory_a_part_is_tried(program: Path, package: Package, expected: Results) -> None:
    """All of 64 KiB, and a page at 64 KiB, 128 KiB, ..., and the last; who watches sees it go on."""
    seen: dict[str, list[tuple[int, int | None, str]]] = {}

    @contextmanager
    def watch(step: str) -> Iterator[Show]:
        seen[step] = []
        yield lambda done, total, part: seen[step].append((done, total, part))

    board = Simulated(program)
    known = Known(package, package, small_images(1)[0], expected, 3, 1 << 16)
    steps = list(bring_up(board, known, watch))
    board.close()
    pages = (BYTES >> 16).bit_length()
    assert steps[2].seen == f"{(1 << 16) + pages * 4096:,} of {BYTES:,} bytes kept a pattern"
    parts = 2 * (1 + pages)
    wanted = [(done, parts, "written" if done < parts // 2 else "read") for done in range(parts)]
    assert seen == {
        "memory": wanted, "frame": [(done, 4, "") for done in range(4)], "speed": [(done, 3, "") for done in (1, 2, 3)],
    }  # fmt: skip


def test_a_far_alias_is_found(program: Path, package: Package, expected: Results) -> None:
    board = Simulated(program)
    board.place = lambda address: address & ~(1 << 20)
    with pytest.raises(SternaError, match="memory: two addresses are one place"):
        run(board, package, expected, 1 << 16)
    board.close()
