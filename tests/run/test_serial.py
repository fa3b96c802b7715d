"""An engine behind a serial line: what the host says, and every way in which the line may fail."""

from __future__ import annotations

import os
import threading
import tty
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.run.backends.serial import SerialBackend
from sterna.run.transports.serial import MEMORY_BYTES, SerialTransport
from sterna.run.uri import Uri
from sterna.spec.serial import MOST_WORDS, WORD_BYTES, SerialCommand

PATIENCE = 0.2


class Board:
    """The other end of the line: memory, registers and an interrupt. `spoil` changes its answers."""

    def __init__(self) -> None:
        self._line, other = os.openpty()
        tty.setraw(other)
        self.port = Path(os.ttyname(other))
        self._other = other
        self.memory, self.registers = bytearray(MEMORY_BYTES), dict[int, int]()
        self.is_raised, self.commands = True, list[SerialCommand]()
        self.spoil: Callable[[bytes], bytes] = lambda answer: answer
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Pull the plug."""
        os.close(self._other)
        os.close(self._line)

    def _take(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            got += os.read(self._line, size - len(got))
        return got

    def _serve(self) -> None:
        try:
            while True:
                self._answer()
        except OSError:
            return

    def _answer(self) -> None:
        command = SerialCommand(self._take(1)[0])
        message = bytes([command]) + self._take(command.argument_bytes)
        values, at = [], 1
        for size in command.arguments.values():
            values.append(int.from_bytes(message[at : at + size], "little"))
            at += size
        answer = b""
        if command is SerialCommand.READ_REGISTER:
            answer = self.registers.get(values[0], 0).to_bytes(4, "little")
        elif command is SerialCommand.WRITE_REGISTER:
            self.registers[values[0]] = values[1]
        elif command is SerialCommand.WAIT:
            answer = bytes([self.is_raised])
        else:
            place = slice(values[0], values[0] + values[1] * WORD_BYTES)
            if command is SerialCommand.WRITE_MEMORY:
                data = self._take(values[1] * WORD_BYTES)
                message += data
                self.memory[place] = data
            else:
                answer = bytes(self.memory[place])
        self.commands.append(command)
        whole = self.spoil(answer + zlib.crc32(message + answer).to_bytes(4, "little"))
        while whole:
            whole = whole[os.write(self._line, whole) :]


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
    assert transport.read32(0x100) == 0xFEDCBA98 and board.registers == {0x100: 0xFEDCBA98}
    assert transport.wait(1 << 40)
    board.is_raised = False
    assert not transport.wait(0)


@pytest.mark.parametrize(("address", "size"), [(0, 8), (3, 2), (5, 30), (8, 1), (0, 0), (MEMORY_BYTES - 3, 3)])
def test_memory_at_any_place(board: Board, transport: SerialTransport, address: int, size: int) -> None:
    near = slice(address // 64 * 64, address // 64 * 64 + 64)
    board.memory[near] = os.urandom(64)
    expected, data = bytearray(board.memory), os.urandom(size)
    transport.write_memory(address, data)
    expected[address : address + size] = data
    assert board.memory == expected and transport.read_memory(address, size) == data


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
    os.write(board._line, b"the end of an answer")
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
