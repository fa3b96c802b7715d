"""Passes to tape payloads: entries, chunks, rounds, fetch words and requantisation tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sterna.compile.schedule import Additions, Fetches, Pass, PassWork
from sterna.graph import Requant
from sterna.spec import tape
from sterna.spec.config import EngineConfig
from sterna.spec.tape import Command, RecordKind

# Items of a unit's stream are sorted by one number: block, stream, sweep, kind, then payload.
_PAYLOAD_BITS = 15
_KIND_BITS = 2
_SWEEP_BITS = 4
_STREAM_BITS = 8
_GROUP_SHIFT = _PAYLOAD_BITS + _KIND_BITS  # what is above names (block, stream, sweep)
_STREAM_SHIFT = _GROUP_SHIFT + _SWEEP_BITS
_BLOCK_SHIFT = _STREAM_SHIFT + _STREAM_BITS
_ADDITION, _COMMAND, _END = 0, 1, 2
_SLOT_BITS = 5
_COMMAND_BITS = 6
_LONGEST_SKIP = 7  # Command.SKIP | 7 advances by 128


@dataclass(frozen=True)
class EncodedPass:
    """The WEIGHTS payload of a pass and what the estimate needs to know of it."""

    payload: bytes
    #: Lines and fetch words of each block.
    lines: NDArray[np.int64]
    fetches: NDArray[np.int64]
    #: Cycles that each [block, stream] keeps its unit busy: entries, commands included, and waits for an accumulator
    #: that was touched in the cycle before.
    busy: NDArray[np.int64]
    #: Rounds of each block.
    rounds: NDArray[np.int64]


def encode_pass(config: EngineConfig, streams: int, work: PassWork) -> EncodedPass:
    """Encode `work` for `streams` unit streams."""
    items = np.sort(np.concatenate([_addition_items(work.additions), *_command_items(streams, work)]))
    entry_bytes, owner = _bytes(items, streams)
    blocks = len(work.blocks)
    counts = np.bincount(owner, minlength=blocks * streams).reshape(blocks, streams)
    repeats = np.bincount(owner[_touched_again(entry_bytes, owner)], minlength=blocks * streams)
    rounds = -(-counts.max(axis=1) // config.chunk_bytes)
    data = _interleave(config, streams, entry_bytes, owner, counts, rounds)
    records = [_fetch_record(config, f, i == blocks - 1) for i, f in enumerate(work.blocks)]
    round_bytes = streams * config.chunk_bytes
    starts = np.cumsum([0, *(rounds * round_bytes)])
    parts = [records[0]]
    for index in range(blocks):
        if index + 1 < blocks:
            parts.append(records[index + 1])
        parts.append(_record_header(config, RecordKind.ROUNDS, int(rounds[index])))
        parts.append(data[starts[index] : starts[index + 1]].tobytes())
    return EncodedPass(
        tape.pad(b"".join(parts)),
        np.array([block.lines for block in work.blocks]),
        np.array([len(block.mask) for block in work.blocks]),
        counts + repeats.reshape(counts.shape),
        rounds,
    )


def _key(
    block: NDArray[np.int64] | int,
    stream: NDArray[np.int64] | int,
    sweep: NDArray[np.int64] | int,
    kind: int,
    payload: NDArray[np.int64] | int,
) -> NDArray[np.int64]:
    group = (np.asarray(block, np.int64) << _STREAM_BITS) + stream
    group = (group << _SWEEP_BITS) + sweep
    return (((group << _KIND_BITS) + kind) << _PAYLOAD_BITS) + payload


def _addition_items(additions: Additions) -> NDArray[np.int64]:
    payload = (((additions.line << _SLOT_BITS) + additions.slot) << 1) + additions.subtract
    return _key(additions.block, additions.stream, additions.sweep, _ADDITION, payload)


def _command_items(streams: int, work: PassWork) -> list[NDArray[np.int64]]:
    """Doublings and rewinds between sweeps, and the end of each block."""
    items = []
    touched = np.zeros((streams, 1 << _SLOT_BITS), bool)
    for position, (block, sweep, plane, doublings) in enumerate(work.sweeps):
        order = 0
        if doublings:
            mine = work.additions.plane >= plane
            touched[work.additions.stream[mine], work.additions.slot[mine]] = True
        for _ in range(doublings):
            stream, slot = np.nonzero(touched)
            payload = ((order + slot) << _COMMAND_BITS) + (Command.DOUBLE | slot)
            items.append(_key(block, stream, sweep, _COMMAND, payload))
            order += 1 << _SLOT_BITS
        if position + 1 < len(work.sweeps) and work.sweeps[position + 1][0] == block:
            every = np.arange(streams)
            items.append(_key(block, every, sweep, _COMMAND, (order << _COMMAND_BITS) + Command.REWIND))
    for block in range(len(work.blocks)):
        end = Command.END_PASS if block == len(work.blocks) - 1 else Command.END_BLOCK
        last = (1 << _SWEEP_BITS) - 1
        items.append(_key(block, np.arange(streams), last, _END, int(end)))
    return items


def _bytes(items: NDArray[np.int64], streams: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of sorted items, SKIP put in where lines are far apart, and each byte's block * streams + stream."""
    payload = items & ((1 << _PAYLOAD_BITS) - 1)
    addition = (items >> _PAYLOAD_BITS) & ((1 << _KIND_BITS) - 1) == _ADDITION
    line = payload >> (_SLOT_BITS + 1)
    advance = _advance(items >> _GROUP_SHIFT, line, addition)
    far, own = _split_advance(advance)
    before = (far & 127).astype(np.int64)
    skips = np.bitwise_count(before).astype(np.int64) + (far >> _LONGEST_SKIP)
    size = skips + 1
    position = np.cumsum(size) - 1
    result = np.zeros(int(size.sum()), np.uint8)
    entry = (own << (_SLOT_BITS + 1)) + (payload & ((1 << (_SLOT_BITS + 1)) - 1))
    command = (tape.ENTRY_CONTROL << (_SLOT_BITS + 1)) + (payload & ((1 << _COMMAND_BITS) - 1))
    result[position] = np.where(addition, entry, command)
    _put_skips(result, position, far)
    stream = (items >> _STREAM_SHIFT) & ((1 << _STREAM_BITS) - 1)
    return result, np.repeat((items >> _BLOCK_SHIFT) * streams + stream, size)


def _touched_again(entry_bytes: NDArray[np.uint8], owner: NDArray[np.int64]) -> NDArray[np.intp]:
    """Additions to the slot of the addition just before them in the same stream."""
    addition = entry_bytes >> (_SLOT_BITS + 1) != tape.ENTRY_CONTROL
    slot = (entry_bytes >> 1) & ((1 << _SLOT_BITS) - 1)
    same = (slot[1:] == slot[:-1]) & addition[1:] & addition[:-1] & (owner[1:] == owner[:-1])
    return np.flatnonzero(same) + 1


def _advance(group: NDArray[np.int64], line: NDArray[np.int64], addition: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How far the line pointer moves for each item; it starts before line 0 in each sweep."""
    previous = np.concatenate([[-1], line[:-1]])
    first = np.concatenate([[True], group[1:] != group[:-1]])
    return np.where(addition, line - np.where(first, -1, previous), 0)


def _split_advance(advance: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Part of an advance that SKIP commands make, and part that the entry itself makes (0, 1 or 2)."""
    own = np.minimum(advance, tape.ENTRY_MAX_SKIP)
    by_two = np.bitwise_count(np.maximum(advance - 2, 0))
    by_one = np.bitwise_count(np.maximum(advance - 1, 0))
    own = np.where((advance > tape.ENTRY_MAX_SKIP) & (by_one < by_two), 1, own)
    return advance - own, own


def _put_skips(result: NDArray[np.uint8], position: NDArray[np.int64], far: NDArray[np.int64]) -> None:
    """Write SKIP commands into the bytes before `position`."""
    where = np.flatnonzero(far)
    rest, place = far[where], position[where]
    skip = (tape.ENTRY_CONTROL << (_SLOT_BITS + 1)) | Command.SKIP
    for exponent in range(_LONGEST_SKIP):
        hit = (rest >> exponent) & 1 == 1
        place[hit] -= 1
        result[place[hit]] = skip | exponent
    longest = rest >> _LONGEST_SKIP
    for count in range(1, int(longest.max(initial=0)) + 1):
        hit = longest >= count
        place[hit] -= 1
        result[place[hit]] = skip | _LONGEST_SKIP


def _interleave(
    config: EngineConfig,
    streams: int,
    entry_bytes: NDArray[np.uint8],
    owner: NDArray[np.int64],
    counts: NDArray[np.int64],
    rounds: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """Lay the streams' bytes out in rounds of one chunk a stream; what is left over is PAD."""
    size = config.chunk_bytes
    base = np.cumsum([0, *(rounds * streams * size)])
    result = np.full(int(base[-1]), (tape.ENTRY_CONTROL << (_SLOT_BITS + 1)) | Command.PAD, np.uint8)
    flat = counts.ravel()
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(flat) - flat, flat)
    block, stream = np.divmod(owner, streams)
    result[base[block] + (rank // size * streams + stream) * size + rank % size] = entry_bytes
    return result


def _record_header(config: EngineConfig, kind: RecordKind, count: int) -> bytes:
    return tape.pad((count << 8 | kind).to_bytes(8, "little"), config.beat_bytes)


def _fetch_record(config: EngineConfig, block: Fetches, last_in_pass: bool) -> bytes:
    last = np.zeros(len(block.mask), np.int64)
    last[-1] = 1
    values = {
        "plane": block.plane,
        "tile_row": block.row // config.tile_h,
        "row": block.row % config.tile_h,
        "tile_col": block.col // config.tile_w,
        "col": block.col % config.tile_w,
        "mask": block.mask,
        "last_in_block": last,
        "last_in_pass": last * last_in_pass,
    }
    words, shift = np.zeros(len(last), np.int64), 0
    for name, bits in tape.FETCH_FIELDS:
        words |= (values[name] & ((1 << bits) - 1)) << shift
        shift += bits
    data = tape.pad(words.astype("<u8").tobytes(), config.beat_bytes)
    return _record_header(config, RecordKind.FETCH, len(words)) + data


def requant_payload(requant: Requant, chosen: Pass) -> bytes:
    """REQUANT payload of a pass: a word for each drained channel; absent filters drain as zero."""
    index = chosen.filters.ravel()
    present = index >= 0
    multiplier = np.where(present, requant.multiplier[index], 0).astype(np.uint64)
    bias = np.where(present, requant.bias[index], 0).astype(np.uint64)
    return ((bias << np.uint64(tape.REQUANT_MULTIPLIER_BITS)) | multiplier).astype("<u8").tobytes()
