"""The tape: the instruction and weight stream that the engine reads from memory (docs/reference/tape.md).

Everything is little-endian. A tape is a header and a list of segments; each segment is a header and a payload.
All of them are multiples of ALIGN bytes. The last four bytes of a header are the CRC-32 of the bytes before it; a
segment header carries the CRC-32 of its payload. `sterna.generate.spec` makes the RTL's package, the C header and the
tables of the documentation from this.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from sterna.errors import SternaError
from sterna.spec.described import DescribedEnum
from sterna.spec.fields import UNUSED, Field, Layout

MAGIC = int.from_bytes(b"STERNATP", "little")
VERSION = 5
ALIGN = 128
#: CRC-32 as in zlib: this polynomial, lowest bit first; the register starts as all ones and is inverted at the end.
CRC_POLYNOMIAL = 0xEDB88320
#: The register (before the final inversion) after a message followed by its own CRC-32.
CRC_RESIDUE = 0xDEBB20E3

TAPE_HEADER = Layout(
    "tape_header",
    (
        Field("magic", 64, 'the letters "STERNATP"'),
        Field("version", 32, "version of the format"),
        Field("config_hash", 32, "hash of the engine config that the tape is for"),
        Field("bytes", 64, "length of the whole tape in bytes"),
        Field("segments", 32, "number of segments that follow"),
        Field("steps", 32, "number of STEP segments among them"),
        Field(UNUSED, 736),
        Field("crc", 32, "CRC-32 of the bytes before it"),
    ),
    "The first bytes of a tape.",
)
SEGMENT_HEADER = Layout(
    "segment_header",
    (
        Field("kind", 32, "what the payload holds"),
        Field("index", 32, "0 for the first segment of the tape"),
        Field("bytes", 64, "length of the payload in bytes, with its padding"),
        Field("payload_crc", 32, "CRC-32 of the payload"),
        Field(UNUSED, 832),
        Field("crc", 32, "CRC-32 of the bytes before it"),
    ),
    "Comes before each segment's payload.",
)


class SegmentKind(DescribedEnum):
    """What a segment's payload holds."""

    STEP = 1, "one step"
    REQUANT = 2, "a requantisation word for each drained filter, or the words of a TABLE or FIRST step"
    WEIGHTS = 3, "fetch and round records"


class Op(DescribedEnum):
    """What a step does."""

    LOAD = 1, "frame memory to feature memory"
    CONV = 2, "one part of a layer, over all tiles of a map"
    STORE = 3, "feature memory to result memory"
    TABLE = 4, "input tables to the engine"
    FIRST = 5, "numbers of the first layer to the engine"


class RecordKind(DescribedEnum):
    """Records of a WEIGHTS payload."""

    FETCH = 1, "`count` fetch words"
    ROUNDS = 2, "`count` rounds, each an entry for each PE stream"


class EntryKind(DescribedEnum):
    """What an entry of a round does."""

    NONE = 0, "nothing"
    ADD = 1, "add the operands to the accumulator"
    SET = 2, "set the accumulator to the sum of the operands; the first of each accumulator in a pass"
    DOUBLE = 3, "double the accumulator; the operands are absent"


#: Channel words that a PE keeps: word w of a pass lies in slot w mod WINDOW_WORDS of the window.
WINDOW_WORDS = 31
#: The slot of an absent operand, which always reads as zero.
ABSENT_SLOT = WINDOW_WORDS
#: Rounds from the last that reads a word to the first that may take the word that overwrites it; as many cycles pass
#: between the last round of a pass and the next round.
WINDOW_GUARD = 5
#: Rounds between two operations on one accumulator, at least.
REPEAT_DISTANCE = 2
#: Fetch words and rounds that wait in the engine, at most; of rounds as many beats, if these are more.
FETCH_QUEUE = 128
ROUND_QUEUE = 32
ROUND_QUEUE_BEATS = 8
#: Fetch words that come together, and how many words their first one is ahead of the next word of the rounds.
FETCH_GROUP = 64
FETCH_AHEAD = 16
#: Streams whose entries' control bits are those of the round: it takes a word, it is the last one of the pass.
WORD_STREAM = 0
END_STREAM = 1


class Pool(DescribedEnum):
    """What the drain does with the four phases of a filter."""

    NONE = 0, "no phases: each accumulator of each PE is a channel"
    MAX = 1, "keep the maximum"
    KEEP = 2, "as MAX, and write the four phases as well"


STEP = Layout(
    "step",
    (
        Field("op", 8, "what the step does"),
        Field("next", 8, "LOAD: 1 loads the frame that is queued, in the background; nothing if none is"),
        Field("pool", 8, "what the drain does; unless NONE, the phases of a filter are four accumulators of a PE"),
        Field("gather_stride", 8, "1 or 2: input pixels from lane to lane"),
        Field("activation", 8, "activation of requantisation"),
        Field("shift", 8, "right shift of requantisation"),
        Field("pad_value", 8, "what pixels outside the input map read as", signed=True),
        Field("tiles_at_once", 8, "distinct tiles that the clusters work on, a divisor of clusters"),
        Field("fm_base", 24, "LOAD target, STORE source, CONV output: feature memory word"),
        Field("clamp_low", 8, "least result of requantisation", signed=True),
        Field("fm_words", 24, "words that LOAD fills and STORE moves"),
        Field("clamp_high", 8, "largest result of requantisation", signed=True),
        Field("dram_offset", 32, "bytes from the frame (LOAD), result (STORE) or scratch address"),
        Field("in_full_rows", 16, "input height div tile_h; LOAD: of the frame, and so on"),
        Field("in_extra_rows", 16, "input height mod tile_h"),
        Field("in_full_cols", 16, "input width div tile_w"),
        Field("in_extra_cols", 16, "input width mod tile_w"),
        Field("in_tiles_w", 16, "words in a row of tiles of the input"),
        Field("out_tiles_h", 16, "rows of tiles of the output"),
        Field("out_tiles_w", 16, "tiles in a row of the output"),
        Field("out_plane", 32, "out_tiles_h * out_tiles_w: words from one output channel word to the next"),
        Field("tile_groups", 32, "ceil(out_plane / tiles_at_once): times the WEIGHTS payload is streamed"),
        Field("filters", 16, "channels that each cluster drains and writes for each tile; LOAD: of the frame"),
        Field("group_words", 16, "channel words between cluster groups: ceil(filters / 4); LOAD: of the first layer"),
        Field("keep_base", 24, "Pool KEEP: first feature memory word of the phases"),
        Field("half_even", 8, "1: ties of requantisation go to the even result"),
        Field("requant_bytes", 32, "CONV, TABLE, FIRST: length of the REQUANT payload that follows"),
        Field("weights_bytes", 32, "CONV: length of the WEIGHTS payload that follows it"),
        Field("dram_bytes", 32, "bytes that LOAD and STORE move, whole bus beats"),
        Field("scratch", 8, "LOAD without next, STORE: 1 moves words from or to the frame's scratch memory"),
        Field("beside", 8, "CONV, LOAD: what may go on when it begins; bits 0, 1: number of STOREs, bit 2: LOADs"),
        Field(UNUSED, 512),
    ),
    "The payload of a STEP segment.",
)
#: `beside`: the most STORE steps that may go on, and all LOAD steps without `next`.
MOST_BESIDE_STORES = 2
BESIDE_LOADS = 1 << 2
REQUANT_MULTIPLIER_BITS = 18
REQUANT_BIAS_BITS = 64 - REQUANT_MULTIPLIER_BITS
REQUANT_WORD = Layout(
    "requant_word",
    (
        Field("multiplier", REQUANT_MULTIPLIER_BITS, "multiplies the filter's sums"),
        Field("bias", REQUANT_BIAS_BITS, "added to the product", signed=True),
    ),
    "A word of a REQUANT payload, one for each drained filter.",
)
#: Channels of an image that an engine has input tables for.
INPUT_TABLES = 3
INPUT_WORD = Layout(
    "input_word",
    (
        *(Field(f"channel_{c}", 8, f"value of channel {c}", signed=True) for c in range(INPUT_TABLES)),
        Field(UNUSED, 64 - 8 * INPUT_TABLES),
    ),
    "A word of the REQUANT payload of a TABLE step, one for each byte value 0 .. 255 of an unsigned image.",
)
#: Filters of a first layer that LOAD can compute, and the words of each in the REQUANT payload of a FIRST step: its
#: requantisation word, then its weights by channels, rows and columns, eight to a word, and zeros.
FIRST_FILTERS = 32
FIRST_WORDS = 5
#: Its rows and columns, the channels of its image, and the columns of the widest one.
FIRST_KERNEL, FIRST_CHANNELS, FIRST_WIDTH = 3, 3, 2048
RECORD_HEADER = Layout(
    "record_header",
    (
        Field("kind", 8, "what follows; a header of zeros is padding"),
        Field("count", 24, "how many of them follow"),
        Field(UNUSED, 32),
    ),
    "The first word of a record of a WEIGHTS payload, alone in its bus beat.",
)
FETCH_WORD = Layout(
    "fetch",
    (
        Field("plane", 24, "feature memory word of tile (0, 0) of the channel word"),
        Field("tile_row", 8, "floor(window row offset / tile_h)", signed=True),
        Field("row", 4, "window row offset mod tile_h"),
        Field("tile_col", 8, "floor(window column offset / tile_w)", signed=True),
        Field("col", 4, "window column offset mod tile_w"),
        Field("last_in_pass", 1, "no fetch word of the pass follows"),
        Field("after", 10, "words that each drain must have written of the last tiles of the step before"),
        Field(UNUSED, 5),
    ),
    "A word of a FETCH record.",
)
OPERAND = Layout(
    "operand",
    (
        Field("slot", 5, "place of the word in the window; ABSENT_SLOT reads as zero"),
        Field("subtract", 1, "add the bitwise inverse, -x - 1; 0 if it is absent"),
    ),
    "A vector that an entry adds: a channel of a word in the window.",
)
ENTRY = Layout(
    "entry",
    (
        Field("operands", 24, "an operand for each channel of a word, that of channel 0 in the low bits"),
        Field("acc_index", 5, "accumulator of the half that the pass uses"),
        Field("kind", 2, "what the entry does"),
        Field("control", 1, "of the round: in WORD_STREAM it takes a word, in END_STREAM it is the last; else 0"),
    ),
    "An operation of a PE, one for each PE stream in a round.",
)
LAYOUTS = (
    TAPE_HEADER, SEGMENT_HEADER, STEP, REQUANT_WORD, INPUT_WORD, RECORD_HEADER, FETCH_WORD, OPERAND, ENTRY,
)  # fmt: skip
#: `after` of a fetch word that waits until all earlier steps are written.
AFTER_ALL = (1 << 10) - 1


@dataclass(frozen=True)
class Segment:
    """One segment: its kind and its payload, a multiple of ALIGN bytes."""

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


def pack_step(**values: int) -> bytes:
    """Payload of a STEP segment. Raises SternaError if a value does not fit."""
    return STEP.to_bytes(**values)


def unpack_step(payload: bytes) -> dict[str, int]:
    """Fields of a STEP payload."""
    return STEP.from_bytes(payload)


def pad(payload: bytes, multiple: int = ALIGN) -> bytes:
    """`payload` with zeros up to a multiple of `multiple` bytes."""
    return payload + bytes(-len(payload) % multiple)


def write(config_hash: int, segments: Iterable[Segment]) -> bytes:
    """The bytes of a tape. Those that are compiled come from libsterna; this is for benches and for changing a tape."""
    parts = []
    steps = 0
    for index, segment in enumerate(segments):
        payload = pad(segment.payload)
        steps += segment.kind is SegmentKind.STEP
        parts.append(
            SEGMENT_HEADER.with_crc(kind=segment.kind, index=index, bytes=len(payload), payload_crc=zlib.crc32(payload))
        )
        parts.append(payload)
    header = TAPE_HEADER.with_crc(
        magic=MAGIC,
        version=VERSION,
        config_hash=config_hash,
        bytes=TAPE_HEADER.size + sum(map(len, parts)),
        segments=len(parts) // 2,
        steps=steps,
    )
    return b"".join([header, *parts])


def _checked(layout: Layout, data: bytes, where: str) -> dict[str, int]:
    if len(data) < layout.size:
        raise SternaError("the tape ends too early", where=where, remedy="copy or compile the tape again")
    header = data[: layout.size]
    if not layout.has_crc(header):
        raise SternaError("header checksum is wrong", where=where, remedy="copy or compile the tape again")
    return layout.from_bytes(header)


def read(data: bytes) -> Tape:
    """Parse and verify a tape. Raises SternaError naming the segment at fault."""
    again = "copy or compile the tape again"
    if len(data) < TAPE_HEADER.size or int.from_bytes(data[:8], "little") != MAGIC:
        raise SternaError("not a tape (wrong magic)", where="tape", remedy="give a tape made by sterna compile")
    header = _checked(TAPE_HEADER, data, "tape header")
    if header["version"] != VERSION:
        raise SternaError(
            "unknown tape version",
            where="tape header",
            attribute="version",
            value=header["version"],
            allowed=str(VERSION),
            remedy="compile it again with this version",
        )
    if header["bytes"] != len(data):
        raise SternaError(
            "the tape is truncated or has extra bytes",
            where="tape header",
            attribute="bytes",
            value=len(data),
            allowed=str(header["bytes"]),
            remedy=again,
        )
    segments, position = [], TAPE_HEADER.size
    for index in range(header["segments"]):
        where = f"tape segment {index}"
        fields = _checked(SEGMENT_HEADER, data[position : position + SEGMENT_HEADER.size], where)
        kind, size = fields["kind"], fields["bytes"]
        position += SEGMENT_HEADER.size
        payload = data[position : position + size]
        if fields["index"] != index or kind not in list(SegmentKind) or size % ALIGN or len(payload) != size:
            raise SternaError("segment header is inconsistent", where=where, remedy=again)
        if zlib.crc32(payload) != fields["payload_crc"]:
            raise SternaError(f"{SegmentKind(kind).name} checksum is wrong", where=where, remedy=again)
        segments.append(Segment(SegmentKind(kind), payload))
        position += size
    if position != len(data):
        raise SternaError("bytes after the last segment", where="tape", remedy=again)
    return Tape(header["config_hash"], tuple(segments))
