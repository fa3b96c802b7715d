"""A slow, plain reading of a WEIGHTS payload: fetch words and rounds, with every rule of their order checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sterna.spec import tape
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from sterna.spec.tape import (
    ABSENT_SLOT,
    END_STREAM,
    FETCH_AHEAD,
    FETCH_GROUP,
    REPEAT_DISTANCE,
    WINDOW_GUARD,
    WINDOW_WORDS,
    WORD_STREAM,
    EntryKind,
    RecordKind,
)

Vectors = NDArray[np.int64]


@dataclass(frozen=True)
class Operand:
    """A channel of a word in a window, or what is subtracted of it."""

    channel: int
    slot: int
    subtract: int


@dataclass(frozen=True)
class Operation:
    """What a PE does in a round."""

    kind: EntryKind
    acc_index: int
    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Round:
    """The operation of each stream that has one, and whether the round takes a word, and is the last one."""

    operations: dict[int, Operation]
    takes_word: bool
    ends: bool


@dataclass(frozen=True)
class Streamed:
    """Fetch words and rounds of a WEIGHTS payload."""

    fetches: list[dict[str, int]]
    rounds: list[Round]

    @property
    def operands(self) -> int:
        """Vectors that all streams add."""
        return sum(len(each.operands) for a_round in self.rounds for each in a_round.operations.values())

    def check_order(self, config: EngineConfig, tiles_at_once: int) -> None:
        """The rules of the order of operations and words."""
        taken = [number for number, a_round in enumerate(self.rounds) if a_round.takes_word]
        assert len(taken) == len(self.fetches) >= 1, "rounds take other words than are fetched"
        assert all(b - a >= tiles_at_once for a, b in pairwise(taken)), "words come too fast for the tiles at once"
        assert self.rounds[-1].operations or self.rounds[-1].takes_word, "the pass ends late"
        last: dict[tuple[int, int], int] = {}
        for number, a_round in enumerate(self.rounds):
            for stream, operation in a_round.operations.items():
                place = stream, operation.acc_index
                assert operation.acc_index < config.accumulators
                assert (place in last) != (operation.kind is EntryKind.SET), "SET is not the first of an accumulator"
                assert number - last.get(place, -REPEAT_DISTANCE) >= REPEAT_DISTANCE, "too near on an accumulator"
                assert not (operation.kind is EntryKind.DOUBLE and operation.operands)
                assert operation.kind is not EntryKind.ADD or operation.operands
                last[place] = number

    def accumulators(self) -> set[tuple[int, int]]:
        """Stream and number of those that are set."""
        return {
            (stream, operation.acc_index) for a_round in self.rounds for stream, operation in a_round.operations.items()
        }


def read_rounds(config: EngineConfig, payload: bytes, streams: int) -> Streamed:
    """Fetch words and rounds of a WEIGHTS payload; checks the order of records."""
    reader = _Records(config, payload, streams)
    while not reader.ended:
        reader.record()
    assert not any(payload[reader.at :]), "bytes after the last record"
    assert reader.fetches[-1]["last_in_pass"]
    assert not any(fetch["last_in_pass"] for fetch in reader.fetches[:-1])
    return Streamed(reader.fetches, reader.rounds)


@dataclass
class _Records:
    config: EngineConfig
    payload: bytes
    streams: int
    at: int = 0
    taken: int = 0
    fetches: list[dict[str, int]] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return bool(self.rounds) and self.rounds[-1].ends

    def record(self) -> None:
        header = tape.RECORD_HEADER.from_bytes(self._take(8))
        self._skip_beat()
        assert header["count"]
        if header["kind"] == RecordKind.FETCH:
            assert header["count"] <= FETCH_GROUP
            assert not self.fetches or not self.fetches[-1]["last_in_pass"]
            assert len(self.fetches) % FETCH_GROUP == 0, "only the last group has fewer fetch words"
            # The engine has room for so many.
            assert len(self.fetches) - self.taken <= FETCH_AHEAD, "fetch words come too early"
            self.fetches += [tape.FETCH_WORD.from_bytes(self._take(8)) for _ in range(header["count"])]
        else:
            assert header["kind"] == RecordKind.ROUNDS
            for _ in range(header["count"]):
                assert not self.ended, "rounds after the last one"
                self._round()
        self._skip_beat()

    def _round(self) -> None:
        entries = [tape.ENTRY.from_bytes(self._take(tape.ENTRY.size)) for _ in range(self.streams)]
        control = [entry["control"] for entry in entries]
        assert not any(bit for stream, bit in enumerate(control) if stream not in (WORD_STREAM, END_STREAM))
        takes_word = bool(control[WORD_STREAM])
        if takes_word:
            is_near = self.taken + FETCH_AHEAD < len(self.fetches) or self.fetches[-1]["last_in_pass"]
            assert is_near, "fetch words come too late"
        self.taken += takes_word
        found = {stream: operation for stream, entry in enumerate(entries) if (operation := _operation(entry))}
        self.rounds.append(Round(found, takes_word, bool(control[END_STREAM])))

    def _skip_beat(self) -> None:
        end = self.config.in_beats(self.at)
        assert not any(self._take(end - self.at))

    def _take(self, size: int) -> bytes:
        data = self.payload[self.at : self.at + size]
        assert len(data) == size, "the payload ends within a record"
        self.at += size
        return data


def _operation(entry: dict[str, int]) -> Operation | None:
    operands = []
    for channel in range(WORD_CHANNELS):
        operand = tape.OPERAND.unpack(entry["operands"] >> channel * tape.OPERAND.bits & (1 << tape.OPERAND.bits) - 1)
        if operand["slot"] == ABSENT_SLOT:
            assert not operand["subtract"]
        else:
            operands.append(Operand(channel, **operand))
    if entry["kind"] == EntryKind.NONE:
        assert not operands and not entry["acc_index"]
        return None
    return Operation(EntryKind(entry["kind"]), entry["acc_index"], tuple(operands))


class Window:
    """The last words of a tile: a ring, whose slots say when they were last read, in rounds of the pass."""

    def __init__(self) -> None:
        self._slots: list[Vectors | None] = [None] * WINDOW_WORDS
        self._read = [-WINDOW_GUARD] * WINDOW_WORDS
        self._next = 0

    def take(self, number: int, word: Vectors) -> None:
        """The next word comes in round `number`."""
        assert number - self._read[self._next] >= WINDOW_GUARD, "a word comes too early after one that it overwrites"
        self._slots[self._next] = word
        self._next = (self._next + 1) % WINDOW_WORDS

    def operand(self, number: int, operand: Operand) -> Vectors:
        """What an operation in round `number` adds."""
        word = self._slots[operand.slot]
        assert word is not None, "a word is read before it comes"
        self._read[operand.slot] = number
        vector = word[:, :, operand.channel]
        return ~vector if operand.subtract else vector


class Accumulators:
    """Those of a half of a cluster, [pe, accumulator, row, column]; they hold what the passes before left."""

    def __init__(self, config: EngineConfig) -> None:
        self._limit = 1 << (config.acc_w - 1)
        shape = (config.pes, config.accumulators, config.tile_h, config.tile_w)
        self.values = np.full(shape, self._limit - 1, np.int64)

    def run(self, rounds: list[Round], words: list[Vectors], first_stream: int) -> None:
        """A pass, with the streams from `first_stream` on."""
        window, coming = Window(), iter(words)
        for number, a_round in enumerate(rounds):
            if a_round.takes_word:
                window.take(number, next(coming))
            for stream, operation in a_round.operations.items():
                if first_stream <= stream < first_stream + len(self.values):
                    self._do(window, number, stream - first_stream, operation)

    def _do(self, window: Window, number: int, pe: int, operation: Operation) -> None:
        value = self.values[pe, operation.acc_index]
        if operation.kind is EntryKind.SET:
            value[:] = 0
        elif operation.kind is EntryKind.DOUBLE:
            value *= 2
        for operand in operation.operands:
            value += window.operand(number, operand)
        assert -self._limit <= value.min() and value.max() < self._limit, "accumulator overflow"
