"""The tape: the binary image that the engine reads from memory (docs/engine.md, "Tape").

Everything is little-endian. A tape is a 64-byte header and a list of segments; each segment is a 64-byte
header and a payload that is a multiple of 64 bytes. The last four bytes of a header are the CRC-32 of the
60 bytes before it; a segment header carries the CRC-32 of its payload.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from sterna.errors import SternaError

MAGIC = int.from_bytes(b"STERNATP", "little")
VERSION = 2
ALIGN = 64
#: CRC-32 register (before the final inversion) after a message followed by its own CRC-32.
CRC_RESIDUE = 0xDEBB20E3

_HEADER = struct.Struct("<QIIQII28xI")  # magic, version, config hash, bytes, segments, steps, CRC
_SEGMENT = struct.Struct("<IIQI40xI")  # kind, index, payload bytes, payload CRC, CRC


class SegmentKind(IntEnum):
    """What a segment's payload holds."""

    STEP = 1  # one packed `Step`
    REQUANT = 2  # a 64-bit word for each drained filter
    WEIGHTS = 3  # fetch and round records


class Op(IntEnum):
    """What a step does."""

    LOAD = 1  # frame memory -> feature memory
    CONV = 2  # one pass over all tiles of a map
    STORE = 3  # feature memory -> result memory


class RecordKind(IntEnum):
    """Records of a WEIGHTS payload; the header word is kind | count << 8, alone in its beat."""

    FETCH = 1  # `count` 64-bit fetch words
    ROUNDS = 2  # `count` rounds of one chunk for each unit stream


class Command(IntEnum):
    """Control entries: skip field = `ENTRY_CONTROL`, these in the bits below it (slot and sign of other entries).

    DOUBLE is the highest of those bits (its value depends on the config's `slot_bits`), with a slot below it.
    """

    NOP = 0
    PAD = 1  # drop the rest of this chunk
    END_PASS = 4  # | k: advance by k (0 to 3) lines, drop the rest of this chunk, hand the accumulators to the drain
    SKIP = 8  # | k: advance the line pointer by 2**k (k 0 to 7)


ENTRY_CONTROL = 3
#: Lines an entry itself can advance by.
ENTRY_MAX_SKIP = 2
#: Lines that END_PASS itself can advance by.
END_PASS_MAX_SKIP = 3


class Pool(IntEnum):
    """What the drain does with the four phases of a filter."""

    NONE = 0  # no phases: each slot of each unit is a channel
    MAX = 1  # keep the maximum
    KEEP = 2  # as MAX, and write the four phases as well


#: Fields of a step, low bits first. Signed fields are two's complement.
STEP_FIELDS: tuple[tuple[str, int], ...] = (
    ("op", 8),
    ("next", 8),  # LOAD: 1 loads the frame that is queued, in the background; nothing if none is
    ("pool", 8),  # see Pool; unless NONE, the phases of a filter lie in four units
    ("gather_stride", 8),  # 1 or 2: input pixels from lane to lane
    ("activation", 8),
    ("shift", 8),
    ("pad_value", 8),  # signed: what pixels outside the input map read as
    ("tiles_at_once", 8),  # distinct tiles that the clusters work on, a divisor of clusters
    ("fm_base", 32),  # LOAD target, STORE source, CONV output: feature memory word
    ("fm_words", 32),  # words that LOAD and STORE move
    ("dram_offset", 32),  # bytes from the frame (LOAD) or result (STORE) address
    ("in_full_rows", 16),  # input height div tile_h
    ("in_extra_rows", 16),  # input height mod tile_h
    ("in_full_cols", 16),
    ("in_extra_cols", 16),
    ("in_tiles_w", 16),  # words in a row of tiles of the input
    ("out_tiles_h", 16),
    ("out_tiles_w", 16),
    ("out_plane", 32),  # out_tiles_h * out_tiles_w: words from one output channel word to the next
    ("tile_groups", 32),  # ceil(out_plane / tiles_at_once): times the WEIGHTS payload is streamed
    ("filters", 16),  # channels that each cluster drains and writes in this pass
    ("group_words", 16),  # channel words between cluster groups: ceil(filters / 4)
    ("keep_base", 32),  # Pool.KEEP: first feature memory word of the phases
    ("requant_bytes", 32),  # payloads of the REQUANT and the WEIGHTS segment that follow
    ("weights_bytes", 32),
)
STEP_BITS = 512

#: Fields of a fetch word, low bits first.
FETCH_FIELDS: tuple[tuple[str, int], ...] = (
    ("plane", 24),  # feature memory word of tile (0, 0) of the channel word
    ("tile_row", 8),  # signed: floor(window row offset / tile_h)
    ("row", 4),  # window row offset mod tile_h
    ("tile_col", 8),  # signed
    ("col", 4),
    ("mask", 4),  # channels of the word that become lines, low bit first
    ("last_in_pass", 1),
    ("after", 10),  # words that each drain must have written of the step before's last tiles; see docs/engine.md
)
#: `after` of a fetch word that waits until all earlier steps are written.
AFTER_ALL = (1 << 10) - 1
#: A REQUANT word: multiplier in the low bits, signed bias above.
REQUANT_MULTIPLIER_BITS = 18
REQUANT_BIAS_BITS = 64 - REQUANT_MULTIPLIER_BITS


@dataclass(frozen=True)
class Segment:
    """One segment: its kind and its payload, a multiple of 64 bytes."""

    kind: SegmentKind
    payload: bytes


@dataclass(frozen=True)
class Tape:
    """A parsed tape."""

    config_hash: int
    segments: tuple[Segment, ...]

    @property
    def steps(self) -> list[dict[str, int]]:
        """The fields of each STEP segment."""
        return [unpack_step(s.payload) for s in self.segments if s.kind is SegmentKind.STEP]


def pack_fields(fields: tuple[tuple[str, int], ...], values: dict[str, int]) -> int:
    """Pack `values` low bits first; a value may be given signed. Raises SternaError when one does not fit."""
    word, position = 0, 0
    for name, bits in fields:
        value = values.get(name, 0)
        if not -(1 << (bits - 1)) <= value < (1 << bits):
            raise SternaError(
                "does not fit the tape format",
                attribute=name,
                value=value,
                allowed=f"{bits} bits",
                remedy="use a smaller layer or input",
            )
        word |= (value & ((1 << bits) - 1)) << position
        position += bits
    return word


def pack_step(**values: int) -> bytes:
    """Payload of a STEP segment."""
    return pack_fields(STEP_FIELDS, values).to_bytes(STEP_BITS // 8, "little")


def unpack_step(payload: bytes) -> dict[str, int]:
    """Fields of a STEP payload; `pad_value` signed, all others unsigned."""
    word, step = int.from_bytes(payload, "little"), {}
    for name, bits in STEP_FIELDS:
        step[name] = word & ((1 << bits) - 1)
        word >>= bits
    step["pad_value"] -= (step["pad_value"] & 0x80) << 1
    return step


def pad(payload: bytes, multiple: int = ALIGN) -> bytes:
    """`payload` with zeros up to a multiple of `multiple` bytes."""
    return payload + bytes(-len(payload) % multiple)


def write(config_hash: int, segments: Iterable[Segment]) -> bytes:
    """The bytes of a tape."""
    parts = []
    steps = 0
    for index, segment in enumerate(segments):
        payload = pad(segment.payload)
        steps += segment.kind is SegmentKind.STEP
        parts.append(_with_crc(_SEGMENT, segment.kind, index, len(payload), zlib.crc32(payload)))
        parts.append(payload)
    total = _HEADER.size + sum(map(len, parts))
    header = _with_crc(_HEADER, MAGIC, VERSION, config_hash, total, len(parts) // 2, steps)
    return b"".join([header, *parts])


def _with_crc(layout: struct.Struct, *values: int) -> bytes:
    body = layout.pack(*values, 0)[:-4]
    return body + struct.pack("<I", zlib.crc32(body))


def _checked(layout: struct.Struct, data: bytes, where: str) -> tuple[int, ...]:
    if len(data) < layout.size:
        raise SternaError("the tape ends too early", where=where, remedy="copy or compile the tape again")
    if zlib.crc32(data[:60]) != int.from_bytes(data[60:64], "little"):
        raise SternaError("header checksum is wrong", where=where, remedy="copy or compile the tape again")
    return layout.unpack(data[: layout.size])


def read(data: bytes) -> Tape:
    """Parse and verify a tape. Raises SternaError naming the segment at fault."""
    again = "copy or compile the tape again"
    if len(data) < _HEADER.size or int.from_bytes(data[:8], "little") != MAGIC:
        raise SternaError("not a tape (wrong magic)", where="tape", remedy="give a tape made by sterna compile")
    _, version, config_hash, total, count, _, _ = _checked(_HEADER, data, "tape header")
    if version != VERSION:
        raise SternaError(
            "unknown tape version",
            where="tape header",
            attribute="version",
            value=version,
            allowed=str(VERSION),
            remedy="compile it again with this version",
        )
    if total != len(data):
        raise SternaError(
            "the tape is truncated or has extra bytes",
            where="tape header",
            attribute="bytes",
            value=len(data),
            allowed=str(total),
            remedy=again,
        )
    segments, position = [], _HEADER.size
    for index in range(count):
        where = f"tape segment {index}"
        kind, found, size, crc, _ = _checked(_SEGMENT, data[position : position + ALIGN], where)
        payload = data[position + ALIGN : position + ALIGN + size]
        if found != index or kind not in list(SegmentKind) or size % ALIGN or len(payload) != size:
            raise SternaError("segment header is inconsistent", where=where, remedy=again)
        if zlib.crc32(payload) != crc:
            raise SternaError(f"{SegmentKind(kind).name} checksum is wrong", where=where, remedy=again)
        segments.append(Segment(SegmentKind(kind), payload))
        position += ALIGN + size
    if position != total:
        raise SternaError("bytes behind the last segment", where="tape", remedy=again)
    return Tape(config_hash, tuple(segments))
