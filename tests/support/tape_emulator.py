"""A slow, plain reading of docs/engine.md: runs a tape on memory images, entry by entry.

It shares only the bit layouts (sterna.spec) with the compiler, so that a tape is checked without the RTL.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.spec import tape
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from sterna.spec.tape import Activation, Command, Op, RecordKind, SegmentKind

Lines = NDArray[np.int64]


class TapeEmulator:
    """Runs the frames of one tape. `additions` counts executed additions of the last frame."""

    def __init__(self, config: EngineConfig, data: bytes) -> None:
        self.config = config
        self.segments = tape.read(data).segments
        shape = (config.fm_words, config.tile_h, config.tile_w, WORD_CHANNELS)
        self.memory = np.zeros(shape, np.int64)
        self.additions = 0

    def run(self, frame: bytes, result_bytes: int) -> bytes:
        """Result memory after one frame."""
        result = bytearray(result_bytes)
        self.additions = 0
        segments = iter(self.segments)
        for segment in segments:
            assert segment.kind is SegmentKind.STEP
            step = tape.unpack_step(segment.payload)
            if step["op"] == Op.CONV:
                requant, weights = next(segments), next(segments)
                assert (requant.kind, weights.kind) == (SegmentKind.REQUANT, SegmentKind.WEIGHTS)
                self._conv(step, requant.payload, weights.payload)
            else:
                self._move(step, frame, result)
        return bytes(result)

    def _move(self, step: dict[str, int], frame: bytes, result: bytearray) -> None:
        word_bytes = self.config.word_beats * self.config.beat_bytes
        used = self.config.lanes * WORD_CHANNELS
        for index in range(step["fm_words"]):
            at = step["dram_offset"] + index * word_bytes
            word = self.memory[step["fm_base"] + index]
            if step["op"] == Op.LOAD:
                word[:] = np.frombuffer(frame[at : at + used], np.int8).reshape(word.shape)
            else:
                result[at : at + used] = word.astype(np.int8).tobytes()

    def _conv(self, step: dict[str, int], table: bytes, payload: bytes) -> None:
        config = self.config
        groups = config.clusters // step["tiles_at_once"]
        blocks = _Records(config, payload, groups * config.units).blocks()
        written: list[tuple[int, NDArray[np.int64]]] = []
        for tile in range(step["out_plane"]):
            for group in range(groups):
                units = [_Unit(config) for _ in range(config.units)]
                for fetches, streams in blocks:
                    lines = self._lines(step, fetches, *divmod(tile, step["out_tiles_w"]))
                    for index, unit in enumerate(units):
                        unit.block(streams[group * config.units + index], lines)
                self.additions += sum(unit.additions for unit in units)
                assert all(unit.ended for unit in units)
                written += self._drained(step, table, units, group, tile)
        for place, value in written:
            self.memory[place >> 2, :, :, place & 3] = value

    def _drained(
        self, step: dict[str, int], table: bytes, units: list[_Unit], group: int, tile: int
    ) -> list[tuple[int, NDArray[np.int64]]]:
        words = np.frombuffer(table, "<u8")
        results = []
        for channel in range(step["filters"]):
            slot, unit = divmod(channel, self.config.units)
            if step["pool"]:
                value = np.max([units[unit].value(4 * slot + phase) for phase in range(4)], axis=0)
            else:
                value = units[unit].value(slot)
            value = self._requantise(step, value, int(words[group * step["filters"] + channel]))
            word = step["fm_base"] + (group * step["group_words"] + channel // 4) * step["out_plane"] + tile
            results.append((word * 4 + channel % 4, value))
        return results

    def _requantise(self, step: dict[str, int], value: NDArray[np.int64], word: int) -> NDArray[np.int64]:
        multiplier = word & ((1 << tape.REQUANT_MULTIPLIER_BITS) - 1)
        bias = word >> tape.REQUANT_MULTIPLIER_BITS
        bias -= (bias >> (tape.REQUANT_BIAS_BITS - 1)) << tape.REQUANT_BIAS_BITS
        total = value * multiplier + bias
        if step["activation"] == Activation.RELU:
            total = np.maximum(total, 0)
        elif step["activation"] == Activation.LEAKY:
            total = np.where(total < 0, total >> 3, total)
        limit = 1 << (self.config.act_w - 1)
        half = (1 << step["shift"]) >> 1
        return np.clip((total + half) >> step["shift"], -limit, limit - 1)

    def _lines(self, step: dict[str, int], fetches: NDArray[np.uint64], tile_row: int, tile_col: int) -> list[Lines]:
        lines = []
        for word in fetches.tolist():
            fetch = _fields(word)
            stride = step["gather_stride"]
            top = (tile_row * stride + fetch["tile_row"]) * self.config.tile_h + fetch["row"]
            left = (tile_col * stride + fetch["tile_col"]) * self.config.tile_w + fetch["col"]
            values = self._window(step, fetch["plane"], top, left)
            lines += [values[:, :, c] for c in range(WORD_CHANNELS) if fetch["mask"] >> c & 1]
        return lines

    def _window(self, step: dict[str, int], plane: int, top: int, left: int) -> NDArray[np.int64]:
        th, tw, stride = self.config.tile_h, self.config.tile_w, step["gather_stride"]
        height = step["in_full_rows"] * th + step["in_extra_rows"]
        width = step["in_full_cols"] * tw + step["in_extra_cols"]
        rows, cols = top + stride * np.arange(th), left + stride * np.arange(tw)
        inside = ((rows >= 0) & (rows < height))[:, None] & ((cols >= 0) & (cols < width))[None, :]
        rows, cols = np.clip(rows, 0, height - 1)[:, None], np.clip(cols, 0, width - 1)[None, :]
        words = plane + rows // th * step["in_tiles_w"] + cols // tw
        return np.where(inside[:, :, None], self.memory[words, rows % th, cols % tw], step["pad_value"])


def _fields(word: int) -> dict[str, int]:
    values = {}
    for name, bits in tape.FETCH_FIELDS:
        values[name] = word & ((1 << bits) - 1)
        word >>= bits
    for name in ("tile_row", "tile_col"):
        values[name] -= (values[name] & 0x80) << 1
    return values


class _Records:
    """Cuts a WEIGHTS payload into the fetch words and stream bytes of each block."""

    def __init__(self, config: EngineConfig, payload: bytes, streams: int) -> None:
        self._config, self._payload, self._streams = config, payload, streams
        self._at = 0

    def blocks(self) -> list[tuple[NDArray[np.uint64], list[list[bytes]]]]:
        """For each block its fetch words, and for each stream its chunks."""
        fetches, rounds = [self._fetch()], []
        while not _fields(int(fetches[-1][-1]))["last_in_pass"]:
            fetches.append(self._fetch())
            rounds.append(self._rounds())
        rounds.append(self._rounds())
        assert not any(self._payload[self._at :]), "bytes behind the last record"
        return list(zip(fetches, rounds, strict=True))

    def _take(self, size: int) -> bytes:
        data = self._payload[self._at : self._at + size]
        assert len(data) == size, "the payload ends within a record"
        self._at += -(-size // self._config.beat_bytes) * self._config.beat_bytes
        return data

    def _header(self, kind: RecordKind) -> int:
        word = int.from_bytes(self._take(8), "little")
        assert word & 0xFF == kind
        return word >> 8

    def _fetch(self) -> NDArray[np.uint64]:
        count = self._header(RecordKind.FETCH)
        return np.frombuffer(self._take(8 * count), "<u8")

    def _rounds(self) -> list[list[bytes]]:
        count = self._header(RecordKind.ROUNDS)
        size = self._config.chunk_bytes
        data = self._take(count * self._streams * size)
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        return [chunks[stream :: self._streams] for stream in range(self._streams)]


class _Unit:
    """One unit's accumulators over one pass."""

    def __init__(self, config: EngineConfig) -> None:
        self._limit = 1 << (config.acc_w - 1)
        self._shape = (config.tile_h, config.tile_w)
        self._slots: dict[int, NDArray[np.int64]] = {}
        self._config = config
        self.ended = False
        self.additions = 0

    def value(self, slot: int) -> NDArray[np.int64]:
        assert slot < self._config.slots
        return self._slots.get(slot, np.zeros(self._shape, np.int64))

    def block(self, chunks: list[bytes], lines: list[Lines]) -> None:
        assert not self.ended and 0 < len(lines) <= self._config.block_lines
        pointer, done = -1, False
        for chunk in chunks:
            assert not done or chunk[0] == 0xC0 | Command.PAD, "entries behind the end of a block"
            for byte in chunk:
                command = byte & 63
                if byte >> 6 != tape.ENTRY_CONTROL:
                    pointer += byte >> 6
                    self._add(byte >> 1 & 31, lines[pointer], byte & 1)
                elif command & Command.DOUBLE:
                    self._put(command & 31, 2 * self._slots[command & 31])
                elif command & Command.SKIP:
                    pointer += 1 << (command & 7)
                elif command == Command.REWIND:
                    pointer = -1
                elif command in (Command.PAD, Command.END_BLOCK, Command.END_PASS):
                    done |= command != Command.PAD
                    self.ended = command == Command.END_PASS or self.ended
                    break
        assert done, "a stream has no end of block"

    def _add(self, slot: int, line: Lines, subtract: int) -> None:
        self.additions += 1
        self._put(slot, self.value(slot) + (-line if subtract else line))

    def _put(self, slot: int, value: NDArray[np.int64]) -> None:
        assert np.abs(value).max() < self._limit, "accumulator overflow"
        self._slots[slot] = value
