"""The engine's AXI4-Lite register map and error codes.

`sterna.generate.spec` makes the RTL's package, the C header and the tables of the documentation from this.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from sterna.spec.described import DescribedFlag

IDENTITY = 0x5354524E  # "STRN"
ENGINE_VERSION = 0x0003_0000
ADDRESS_BITS = 12
#: Steps whose counters the profile memory keeps.
PROFILE_STEPS = 256
#: Bits of each of them.
PROFILE_BITS = 28
#: WATCHDOG after reset.
WATCHDOG_CYCLES = 1_000_000

#: What software may do: read; read and write; read, and clear bits by writing ones.
READ, READ_WRITE, CLEAR = "R", "R/W", "R/W1C"

_LAST = "of the frame that ended last"
_SUM = "summed over all PEs,"
_STEP = "Of the step that PROFILE_INDEX names:"
_MOST = f"at most 2^{PROFILE_BITS} - 1"
_WATCHDOG = (
    "Cycles without progress before the engine gives up; 0: never, but after as many as at reset on what is left of a "
    "frame that failed."
)
_UPPER = "Upper half of it, from when a counter's lower half was last read: read _LO, then _HI."


class Register(IntEnum):
    """Byte address of each 32-bit register. A _LO and the _HI after it are one 64-bit value.

    Members are written `NAME = address, access, value after reset, "sentence"`. The reset is None where it depends on
    the config.
    """

    access: str
    reset: int | None
    description: str

    def __new__(cls, address: int, access: str = READ, reset: int | None = None, description: str = "") -> Self:
        """A register with what is known of it."""
        member = int.__new__(cls, address)
        member._value_ = address
        member.access, member.reset, member.description = access, reset, description
        return member

    IDENTITY = 0x000, READ, IDENTITY, 'The letters "STRN": this is a Sterna engine.'
    VERSION = 0x004, READ, ENGINE_VERSION, "Version of registers and behaviour."
    CONFIG_HASH = 0x008, READ, None, "CRC-32 of the engine's config; a tape carries that of its own."
    CAPABILITY_TILE = 0x00C, READ, None, "tile_h, tile_w, clusters, pes, one byte each from the lowest."
    CAPABILITY_PE = 0x010, READ, None, "accumulators, act_w, acc_w, one byte each from the lowest."
    CAPABILITY_WORDS = 0x014, READ, None, "fm_words: words in each bank of the feature memory."
    CONTROL = 0x020, READ_WRITE, 0, "Starts and aborts frames, see Control. Only IRQ_ENABLE reads back."
    STATUS = 0x024, CLEAR, 0, "What the engine does, see Status. Writing ones clears DONE, ERROR and IRQ."
    ERROR_CODE = 0x028, READ, 0, "Why the frame ended in ERROR, see ErrorCode."
    ERROR_SEGMENT = 0x02C, READ, 0, "Segment of the tape at which it ended."
    TAPE_ADDR_LO = 0x030, READ_WRITE, 0, "First byte of the tape, a multiple of 128. Writes while BUSY are ignored."
    TAPE_ADDR_HI = 0x034, READ_WRITE, 0, "Upper half of it."
    TAPE_BYTES = 0x038, READ_WRITE, 0, "Bytes of the tape. Writes while BUSY are ignored."
    WATCHDOG = 0x03C, READ_WRITE, WATCHDOG_CYCLES, _WATCHDOG
    FRAME_ADDR_LO = 0x040, READ_WRITE, 0, "First byte of the frame, a multiple of 128. Taken at START."
    FRAME_ADDR_HI = 0x044, READ_WRITE, 0, "Upper half of it."
    RESULT_ADDR_LO = 0x048, READ_WRITE, 0, "First byte of the result, a multiple of 128. Taken at START."
    RESULT_ADDR_HI = 0x04C, READ_WRITE, 0, "Upper half of it."
    FRAME_LAYOUT = 0x050, READ_WRITE, 0, "How the frame's bytes lie and count, see FrameLayout. Taken at START."
    SCRATCH_ADDR_LO = 0x058, READ_WRITE, 0, "First byte of its scratch memory, a multiple of 128. Taken at START."
    SCRATCH_ADDR_HI = 0x05C, READ_WRITE, 0, "Upper half of it."
    CYCLES_LO = 0x080, READ, 0, f"Cycles {_LAST}."
    CYCLES_HI = 0x084, READ, 0, _UPPER
    BUSY_LO = 0x088, READ, 0, f"Cycles, {_SUM} in which an addition was issued, {_LAST}."
    BUSY_HI = 0x08C, READ, 0, _UPPER
    WAIT_VECTORS_LO = 0x090, READ, 0, f"Cycles, {_SUM} spent waiting for vectors, {_LAST}."
    WAIT_VECTORS_HI = 0x094, READ, 0, _UPPER
    WAIT_WEIGHTS_LO = 0x098, READ, 0, f"Cycles, {_SUM} spent waiting for weights, {_LAST}."
    WAIT_WEIGHTS_HI = 0x09C, READ, 0, _UPPER
    WAIT_DRAIN_LO = 0x0A0, READ, 0, f"Cycles, {_SUM} spent waiting for the drain, {_LAST}."
    WAIT_DRAIN_HI = 0x0A4, READ, 0, _UPPER
    BEATS_READ_LO = 0x0A8, READ, 0, f"Beats read from memory, {_LAST}."
    BEATS_READ_HI = 0x0AC, READ, 0, _UPPER
    BEATS_WRITTEN_LO = 0x0B0, READ, 0, f"Beats written to memory, {_LAST}."
    BEATS_WRITTEN_HI = 0x0B4, READ, 0, _UPPER
    STEPS = 0x0B8, READ, 0, f"Steps that had ended, {_LAST}."
    STEPS_NOW = 0x0BC, READ, 0, "Steps of the running frame that have ended."
    FRAMES = 0x0C0, READ, 0, "Frames that ended well since reset, modulo 2^32."
    PROFILE_INDEX = 0x100, READ_WRITE, 0, f"Which step {_LAST} the PROFILE registers show, below {PROFILE_STEPS}."
    PROFILE_CYCLES = 0x104, READ, None, f"{_STEP} its cycles, {_MOST}."
    PROFILE_BUSY = 0x108, READ, None, f"{_STEP} as BUSY, {_MOST}."
    PROFILE_WAIT_VECTORS = 0x10C, READ, None, f"{_STEP} as WAIT_VECTORS, {_MOST}."
    PROFILE_WAIT_WEIGHTS = 0x110, READ, None, f"{_STEP} as WAIT_WEIGHTS, {_MOST}."
    PROFILE_WAIT_DRAIN = 0x114, READ, None, f"{_STEP} as WAIT_DRAIN, {_MOST}."


class Control(DescribedFlag):
    """Bits of CONTROL."""

    START = 1, "Starts a frame; while one runs, queues one more to follow it. Ignored while ERROR is set."
    ABORT = 2, "Ends the frame in ERROR with code ABORTED, and drops the one that is queued."
    IRQ_ENABLE = 4, "The interrupt output follows STATUS.IRQ."


class FrameLayout(DescribedFlag):
    """Bits of FRAME_LAYOUT. A frame is a byte per channel of each pixel, by rows."""

    INTERLEAVED = 1, "The three channels of a pixel lie side by side; otherwise plane after plane."
    UNSIGNED = 2, "A byte is the value plus 128; otherwise the value itself, signed."


class Status(DescribedFlag):
    """Bits of STATUS."""

    BUSY = 1, "A frame runs."
    DONE = 2, "The last frame ended well."
    ERROR = 4, "The last frame failed; see ERROR_CODE. No frame starts until it is cleared."
    IRQ = 8, "A frame has ended."
    QUEUED = 16, "A frame waits for the one that runs."


_COPY = "copy or compile the package again"
_MEMORY = "check the memory's size and addresses"


class ErrorCode(IntEnum):
    """Why a frame ended in ERROR. Members are written `NAME = code, "sentence", "remedy"`."""

    description: str
    remedy: str

    def __new__(cls, value: int, description: str = "", remedy: str = "") -> Self:
        """A code with what it means and what helps."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.description, member.remedy = description, remedy
        return member

    NONE = 0, "no error", ""
    BAD_MAGIC = 1, "the memory holds no tape", _COPY
    BAD_VERSION = 2, "the tape has another format version", "compile it again with this version"
    BAD_CONFIG = 3, "the tape is for another engine config", "compile the graph for this engine"
    BAD_LENGTH = 4, "a length is not what the driver was given or the tape says", _COPY
    HEADER_CRC = 5, "the tape's header checksum is wrong", _COPY
    SEGMENT_HEADER = 6, "a segment header is wrong", _COPY
    SEGMENT_CRC = 7, "a segment's checksum is wrong", _COPY
    BAD_STEP = 8, "a step asks for what this engine cannot do", "compile the graph for this engine"
    BUS_READ = 9, "the memory refused a read", _MEMORY
    BUS_WRITE = 10, "the memory refused a write", _MEMORY
    STALL = 11, "nothing moved for the watchdog's cycles", "raise the watchdog for a slow memory"
    ABORTED = 12, "the frame was aborted", "start it again"
    BAD_LAYOUT = 13, "the first layer needs pixels whose channels lie side by side", "set INTERLEAVED in FRAME_LAYOUT"
