"""An engine behind a serial line: what the host says, and every way in which the line may fail."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.run.backends.serial import SerialBackend
from sterna.run.transports.serial import MEMORY_BYTES, SerialTransport
from sterna.run.uri import Uri
from sterna.spec.serial import MOST_WORDS, WORD_BYTES, SerialCommand
from support.serial_boards import SerialBoard

PATIENCE = 0.2


class Plain:
    """Memory, registers and an interrupt."""

    def __init__(self) -> None:
        self.memory, self.registers = bytearray(MEMORY_BYTES), dict[int, int]()
        self.is_raised = True

    def read32(self, register: int) -> int:
        return self.registers.get(register, 0)

    def write32(self, register: int, value: int) -> None:
        self.registers[register] = value

    def read_memory(self, address: int, size: int) -> bytes:
        return bytes(self.memory[address : address + size])

    def write_memory(self, address: int, data: bytes) -> None:
        self.memory[address : address + len(data)] = data

    def wait(self, cycles: int) -> bool:
        return self.is_raised


class Board(SerialBoard):
    """A board whose memory and registers the test sees."""

    def __init__(self) -> None:
        self.device = Plain()
        super().__init__(self.device)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def transport(board: Board) -> Iterator[SerialTransport]:
    found = SerialTransport(board.port, patience=PATIENCE)
    found.open()
    yield found
    found.close()
    found.close()


def test_registers_and_the_interrupt(board: Board, transport: SerialTransport) -> None:
    transport.write32(0x100, 0xFEDCBA98)
    assert transport.read32(0x100) == 0xFEDCBA98 and board.device.registers == {0x100: 0xFEDCBA98}
    assert transport.wait(1 << 40)
    board.device.is_raised = False
    assert not transport.wait(0)


@pytest.mark.parametrize(("address", "size"), [(0, 8), (3, 2), (5, 30), (8, 1), (0, 0), (MEMORY_BYTES - 3, 3)])
def test_memory_at_any_place(board: Board, transport: SerialTransport, address: int, size: int) -> None:
    near = slice(address // 64 * 64, address // 64 * 64 + 64)
    board.device.memory[near] = os.urandom(64)
    expected, data = bytearray(board.device.memory), os.urandom(size)
    transport.write_memory(address, data)
    expected[address : address + size] = data
    assert board.device.memory == expected and transport.read_memory(address, size) == data


def test_what_is_too_much_for_a_command_takes_two(board: Board, transport: SerialTransport) -> None:
    data = os.urandom(MOST_WORDS * WORD_BYTES + 8)
    transport.write_memory(0, data)
    assert transport.read_memory(0, len(data)) == data
    assert board.commands == [SerialCommand.WRITE_MEMORY] * 2 + [SerialCommand.READ_MEMORY] * 2
    assert transport.sent == 2 * 7 + len(data) + 2 * 7 and transport.received == 2 * 4 + len(data) + 2 * 4


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda answer: bytes([answer[0] ^ 1]) + answer[1:], "an answer is damaged"),
        (lambda answer: answer[:-1], "does not answer"),
        (lambda answer: answer + b"x", "more came than was asked for"),
    ],
)
def test_a_line_that_loses_or_changes_bytes(
    board: Board, transport: SerialTransport, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    board.spoil = spoil
    with pytest.raises(SternaError, match=rf"serial port {board.port}: {reason}.*remedy: ."):
        transport.read32(0)


def test_memory_that_is_not_there(transport: SerialTransport) -> None:
    for call in (lambda: transport.read_memory(MEMORY_BYTES - 1, 2), lambda: transport.write_memory(-1, b"x")):
        with pytest.raises(SternaError, match="has no memory there"):
            call()


def test_what_came_before_is_forgotten(board: Board) -> None:
    os.write(board.line, b"the end of an answer")
    found = SerialTransport(board.port, patience=PATIENCE)
    found.open()
    assert found.read32(4) == 0
    found.close()


def test_a_line_that_is_not_open(board: Board) -> None:
    with pytest.raises(SternaError, match="is not open; remedy: open it first"):
        SerialTransport(board.port).read32(0)


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "Is a directory"),
        (Path("/dev/null"), "ioctl"),
    ):
        with pytest.raises(SternaError, match=rf"serial port {path}: cannot be opened \(.*{reason}.*\); remedy: ."):
            SerialTransport(path).open()


def test_a_speed_that_is_none(board: Board) -> None:
    with pytest.raises(SternaError, match="the line has no such speed"):
        SerialTransport(board.port, baud=123).open()


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("serial:", "the backend needs a device"),
        ("serial:/dev/ttyUSB0?baud=fast", "the parameter cannot be read"),
        ("serial:/dev/ttyUSB0?patience=0", "the parameter cannot be read"),
        ("serial:/dev/ttyUSB0?speed=1", "the backend has no such parameter"),
    ],
)
def test_a_uri_that_cannot_be(uri: str, reason: str) -> None:
    with pytest.raises(SternaError, match=reason):
        SerialBackend.from_uri(Uri.parse(uri), print)
