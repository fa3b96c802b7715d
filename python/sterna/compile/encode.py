"""Parts to tape payloads: entries, chunks, rounds, fetch words and requantisation tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sterna.compile.schedule import Fetches, PartWork
from sterna.graph import Input, Requant
from sterna.graph.layers import LEVELS
from sterna.package.plan import Part
from sterna.spec import tape
from sterna.spec.config import EngineConfig
from sterna.spec.tape import Command, RecordKind

# Items of a PE's stream are sorted by one number: stream, vector, kind, then payload.
_ORDER_SHIFT = 8  # the lowest bits are an entry's, what is above only orders
_PAYLOAD_BITS = 16
_KIND_BITS = 2
_VECTOR_BITS = 24
_KIND_SHIFT = _PAYLOAD_BITS
_VECTOR_SHIFT = _KIND_SHIFT + _KIND_BITS
_STREAM_SHIFT = _VECTOR_SHIFT + _VECTOR_BITS
_ADDITION, _DOUBLE, _END = 0, 1, 2
#: SKIPs of an advance that there is no way to make.
_NEVER = 1 << 30

#: Vectors that hardware keeps between the slowest PE and the last vector written (docs/reference/tape.md).
RING_MARGIN = 16
#: Turns of looking for additions to swap.
_REORDER_TURNS = 6
#: Fetch words that come together, and vectors that they run ahead of the rounds that need them, as a share of the ring.
_FETCH_GROUP = 32
_FETCH_AHEAD = 2


@dataclass(frozen=True)
class EncodedPart:
    """The WEIGHTS payload of a part, and what is in it as the cycle model takes it."""

    payload: bytes
    fetches: Fetches
    #: The entries uint8[round, stream, entry] of all chunks.
    codes: NDArray[np.uint8]
    #: The records int64[record, 2] in order: kind, count.
    records: NDArray[np.int64]


@dataclass(frozen=True)
class _Entries:
    """The entries of all streams, stream after stream, and the vector pointer after each."""

    code: NDArray[np.int64]
    stream: NDArray[np.int64]
    pointer: NDArray[np.int64]
    #: Where each stream's entries start; one more for the end.
    starts: NDArray[np.int64]


def encode_part(config: EngineConfig, streams: int, work: PartWork) -> EncodedPart:
    """Encode `work` for `streams` PE streams."""
    entries = _entries(config, streams, work)
    ends = _rounds(config, entries)
    pointer = np.where(ends > entries.starts[:-1], entries.pointer[np.maximum(ends, 1) - 1], -1)
    fetched = _fetched(config, work.fetches, pointer)
    codes = _codes(config, entries, ends)
    records = _records(fetched)
    payload = tape.pad(_payload(config, work.fetches, records, _chunks(config, codes)))
    return EncodedPart(payload, work.fetches, codes, records)


def _entries(config: EngineConfig, streams: int, work: PartWork) -> _Entries:
    items = np.sort(np.concatenate([_addition_items(work), *_double_items(work), _end_items(streams, work)]))
    stream = items >> _STREAM_SHIFT
    vector = (items >> _VECTOR_SHIFT) & ((1 << _VECTOR_BITS) - 1)
    kind = (items >> _KIND_SHIFT) & ((1 << _KIND_BITS) - 1)
    payload = items & ((1 << _ORDER_SHIFT) - 1)
    base = stream << _VECTOR_BITS
    pointer = np.maximum.accumulate(base + np.where(kind == _DOUBLE, 0, vector + 1)) - base - 1
    previous = np.where(np.diff(stream, prepend=-1) > 0, -1, np.concatenate([[-1], pointer[:-1]]))
    _separate_repeats(kind, pointer, stream, payload)
    advance = pointer - previous
    own, skips = _split_advance(config, int(advance.max()))
    own, count = own[kind, advance], skips.sum(axis=2)[kind, advance]
    control = tape.ENTRY_CONTROL << (config.acc_index_w + 1)
    code = np.choose(
        kind,
        [
            (own << (config.acc_index_w + 1)) + payload,
            control + (1 << config.acc_index_w) + payload,
            control + Command.END_PASS + own,
        ],
    )
    position = np.cumsum(count + 1) - 1
    entries = len(items) + int(count.sum())
    result = _Entries(
        np.zeros(entries, np.int64),
        np.repeat(stream, count + 1),
        np.zeros(entries, np.int64),
        np.concatenate([[0], np.cumsum(np.bincount(stream, weights=count + 1, minlength=streams).astype(np.int64))]),
    )
    result.code[position], result.pointer[position] = code, pointer
    late = np.flatnonzero(count)
    left = skips[kind[late], advance[late]]
    _put_skips(result, position[late] - 1, (pointer - own)[late], left, control + Command.SKIP)
    return result


def _separate_repeats(
    kind: NDArray[np.int64], pointer: NDArray[np.int64], stream: NDArray[np.int64], payload: NDArray[np.int64]
) -> None:
    """Reorder the additions of a vector so that no two neighbours touch one accumulator, which would cost a cycle.

    Such a pair is the last addition of a vector and the first of the next; its second changes places with the one
    after it, or its first with the one before. That can make a new pair at the other end, so it is done a few times.
    """
    addition = kind == _ADDITION
    together = addition[1:] & addition[:-1] & (stream[1:] == stream[:-1])
    same_vector = together & (pointer[1:] == pointer[:-1])
    for turn in range(_REORDER_TURNS):
        acc_index = payload >> 1
        repeated = np.flatnonzero(together & (acc_index[1:] == acc_index[:-1]))  # of item i and i + 1
        other = repeated + 1 if turn % 2 == 0 else repeated - 1  # change items other and other + 1
        other = other[(other >= 0) & (other < len(same_vector))]
        other = other[same_vector[other]]
        other = other[np.diff(other, prepend=-2) > 1]
        payload[other], payload[other + 1] = payload[other + 1], payload[other]


def _key(
    stream: NDArray[np.int64], vector: NDArray[np.int64] | int, kind: int, payload: NDArray[np.int64] | int
) -> NDArray[np.int64]:
    place = (stream << _VECTOR_BITS) + vector
    return (((place << _KIND_BITS) + kind) << _PAYLOAD_BITS) + payload


def _addition_items(work: PartWork) -> NDArray[np.int64]:
    additions = work.additions
    return _key(additions.stream, additions.vector, _ADDITION, (additions.acc_index << 1) + additions.subtract)


def _double_items(work: PartWork) -> list[NDArray[np.int64]]:
    """Doublings after the last vector of a digit plane, of every accumulator touched until then."""
    additions, items = work.additions, []
    for plane, last_vector, doublings in work.planes:
        if doublings == 0:
            continue
        touched = additions.plane >= plane
        accumulators = np.unique((additions.stream[touched] << _ORDER_SHIFT) + additions.acc_index[touched])
        stream, acc_index = accumulators >> _ORDER_SHIFT, accumulators & ((1 << _ORDER_SHIFT) - 1)
        items += [_key(stream, last_vector, _DOUBLE, (turn << _ORDER_SHIFT) + acc_index) for turn in range(doublings)]
    return items


def _end_items(streams: int, work: PartWork) -> NDArray[np.int64]:
    return _key(np.arange(streams), work.fetches.vectors - 1, _END, 0)


def _split_advance(config: EngineConfig, longest_advance: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How items of each kind advance by 0 .. `longest_advance`: [kind, advance], what the entry advances by itself, and
    [kind, advance, exponent], how many SKIPs of each power of two come before."""
    advance = np.arange(longest_advance + 1)
    kind = np.array([_ADDITION, _DOUBLE, _END])[:, None]
    most = np.array([tape.ENTRY_MAX_SKIP, 0, tape.END_PASS_MAX_SKIP])[:, None]
    longest = longest_skip(config)
    best = np.full((len(kind), len(advance)), _NEVER)
    own = np.zeros_like(best)
    for take in range(tape.END_PASS_MAX_SKIP + 1):
        # An addition after a SKIP goes to another vector itself.
        legal = (take <= np.minimum(most, advance)) & ((take > 0) | (advance == 0) | (kind == _END))
        cost = np.where(legal, _skip_count(advance - take, longest), _NEVER)
        own = np.where(cost < best, take, own)
        best = np.minimum(cost, best)
    rest = advance - own
    skips = np.stack([(rest >> exponent) & 1 for exponent in range(longest)] + [rest >> longest], axis=2)
    return own, skips


def longest_skip(config: EngineConfig) -> int:
    """The largest exponent of a SKIP: a quarter of the ring at most, so that no PE runs away."""
    return min(7, config.buffer_vectors.bit_length() - 3)


def _skip_count(distance: NDArray[np.int64], longest: int) -> NDArray[np.int64]:
    distance = np.maximum(distance, 0)
    count: NDArray[np.int64] = np.bitwise_count(distance & ((1 << longest) - 1)) + (distance >> longest)
    return count


def _put_skips(
    entries: _Entries, place: NDArray[np.int64], pointer: NDArray[np.int64], left: NDArray[np.int64], command: int
) -> None:
    """Write SKIP entries, `left` [item, exponent] of each power of two, longest first: the last one of an item at
    `place` and with the vector pointer at `pointer`. Uses up the three arrays."""
    for exponent in range(left.shape[1]):
        while (some := left[:, exponent] > 0).any():
            entries.code[place[some]] = command | exponent
            entries.pointer[place[some]] = pointer[some]
            place[some] -= 1
            pointer[some] -= 1 << exponent
            left[some, exponent] -= 1


def _rounds(config: EngineConfig, entries: _Entries) -> NDArray[np.int64]:
    """Where each [round, stream] ends in `entries`.

    A round takes a chunk of each stream, but no entry that would lead its PE too far ahead of the slowest.
    """
    starts, ends = entries.starts[:-1], entries.starts[1:]
    stream = np.arange(len(starts)) << _VECTOR_BITS
    places = (entries.stream << _VECTOR_BITS) + entries.pointer + 1
    chunk, margin = config.chunk_entries, config.buffer_vectors - RING_MARGIN
    at, rounds = starts, list[NDArray[np.int64]]()
    while (at < ends).any():
        slowest = np.where(at > starts, entries.pointer[np.maximum(at, 1) - 1], -1).min()
        horizon = slowest + margin
        at = np.minimum(at + chunk, ends)
        far = np.flatnonzero(entries.pointer[at - 1] > horizon)
        at[far] = np.searchsorted(places, stream[far] + horizon + 1, side="right")
        rounds.append(at)
    return np.array(rounds)


def _fetched(config: EngineConfig, fetches: Fetches, pointer: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fetch words that come before each round: what it needs, and as much ahead as ring and loader hold."""
    last = fetches.last_vectors
    needed = np.maximum.accumulate(pointer.max(axis=1))
    slowest = np.concatenate([[-1], pointer[:-1].min(axis=1)])
    required = np.searchsorted(last, needed, side="left") + 1
    ahead = np.searchsorted(last, needed + config.buffer_vectors // _FETCH_AHEAD, side="left") + 1
    room = np.searchsorted(last, slowest + 2 * config.buffer_vectors - RING_MARGIN, side="right")
    wanted = np.minimum(np.minimum(ahead, room), _FETCH_GROUP * np.arange(1, len(ahead) + 1))
    wanted = np.minimum(np.maximum.accumulate(np.maximum(wanted, required)), len(last))
    # Groups, so that few record headers are needed.
    grouped = np.where(wanted == len(last), wanted, wanted // _FETCH_GROUP * _FETCH_GROUP)
    return np.maximum.accumulate(np.maximum(grouped, np.minimum(required, len(last))))


def _codes(config: EngineConfig, entries: _Entries, ends: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Entries [round, stream, entry] of the streams' chunks; what is left over is PAD."""
    rounds, streams = ends.shape
    size = config.chunk_entries
    pad = (tape.ENTRY_CONTROL << (config.acc_index_w + 1)) | Command.PAD
    codes = np.full((rounds * streams, size), pad, np.uint8)
    begins = np.vstack([entries.starts[:-1], ends[:-1]])
    counts = (ends - begins).T.ravel()  # stream after stream, as the entries lie
    place = (np.arange(rounds)[None, :] * streams + np.arange(streams)[:, None]).ravel()
    row = np.repeat(place, counts)
    column = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    codes[row, column] = entries.code
    return codes.reshape(rounds, streams, size)


def _chunks(config: EngineConfig, codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bytes [round, stream, chunk_bytes] of the chunks with the entries `codes`."""
    shift = np.arange(config.chunk_entries, dtype=np.uint64) * np.uint64(config.entry_bits)
    words = np.bitwise_or.reduce(codes.astype(np.uint64) << shift, axis=2)
    chunks = words.astype("<u8")[..., None].view(np.uint8)
    return chunks[..., : config.chunk_bytes]


def _records(fetched: NDArray[np.int64]) -> NDArray[np.int64]:
    """FETCH and ROUNDS records in the order of `fetched`, the fetch words that come before each round."""
    words = np.diff(fetched, prepend=0)
    turns = np.flatnonzero(words)
    rounds = np.diff(turns, append=len(fetched))
    kinds = np.full(len(turns), RecordKind.FETCH), np.full(len(turns), RecordKind.ROUNDS)
    records: NDArray[np.int64] = np.stack([np.stack(kinds, 1), np.stack([words[turns], rounds], 1)], 2).reshape(-1, 2)
    return records


def _payload(config: EngineConfig, fetches: Fetches, records: NDArray[np.int64], chunks: NDArray[np.uint8]) -> bytes:
    words = _fetch_words(config, fetches)
    parts, word, turn = [], 0, 0
    for kind, count in records.tolist():
        parts.append(tape.pad(tape.RECORD_HEADER.to_bytes(kind=kind, count=count), config.beat_bytes))
        if kind == RecordKind.FETCH:
            parts.append(tape.pad(words[word : word + count].tobytes(), config.beat_bytes))
            word += count
        else:
            parts.append(chunks[turn : turn + count].tobytes())
            turn += count
    return b"".join(parts)


def _fetch_words(config: EngineConfig, fetches: Fetches) -> NDArray[np.int64]:
    last = np.zeros(len(fetches.mask), np.int64)
    last[-1] = 1
    values = {
        "plane": fetches.plane,
        "tile_row": fetches.row // config.tile_h,
        "row": fetches.row % config.tile_h,
        "tile_col": fetches.col // config.tile_w,
        "col": fetches.col % config.tile_w,
        "mask": fetches.mask,
        "last_in_pass": last,
        "after": fetches.after,
    }
    words = np.zeros(len(last), np.int64)
    for field, position in tape.FETCH_WORD.places():
        words |= (values[field.name] & field.mask) << position
    return words.astype("<i8")


def input_table_payload(layer: Input, act_bits: int) -> bytes:
    """REQUANT payload of a TABLE step: a word for each byte value; without a table values are shifted."""
    plain = np.arange(-LEVELS // 2, LEVELS // 2) >> (8 - act_bits)
    tables = np.tile(plain.astype(np.int8), (tape.INPUT_TABLES, 1))
    if layer.table is not None:
        tables[: layer.channels] = layer.table
    words = np.zeros((LEVELS, tape.INPUT_WORD.size), np.int8)
    words[:, : tape.INPUT_TABLES] = tables.T
    return words.tobytes()


def requant_payload(requant: Requant, chosen: Part) -> bytes:
    """REQUANT payload of a part: a word for each drained channel; absent filters drain as zero."""
    index = chosen.filters.ravel()
    present = index >= 0
    multiplier = np.where(present, requant.multiplier[index], 0).astype(np.uint64)
    bias = np.where(present, requant.bias[index], 0).astype(np.uint64)
    return ((bias << np.uint64(tape.REQUANT_MULTIPLIER_BITS)) | multiplier).astype("<u8").tobytes()
