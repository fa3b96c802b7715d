"""The engine's AXI4-Lite register map and error codes (docs/engine.md, "Registers")."""

from __future__ import annotations

from enum import IntEnum, IntFlag

IDENTITY = 0x5354524E  # "STRN"
ENGINE_VERSION = 0x0002_0000
ADDRESS_BITS = 12
#: Steps whose counters the profile memory keeps.
PROFILE_STEPS = 256


class Register(IntEnum):
    """Byte address of each 32-bit register. *_LO/_HI pairs are 64-bit values."""

    IDENTITY = 0x000
    VERSION = 0x004
    CONFIG_HASH = 0x008
    CAPABILITY_TILE = 0x00C  # tile_h | tile_w << 8 | clusters << 16 | units << 24
    CAPABILITY_UNIT = 0x010  # slots | act_w << 8 | acc_w << 16 | log2(buffer_lines) << 24
    CAPABILITY_WORDS = 0x014  # fm_words
    CONTROL = 0x020  # write; see Control
    STATUS = 0x024  # read; see Status. Writing ones clears DONE, ERROR and IRQ
    ERROR_CODE = 0x028
    ERROR_SEGMENT = 0x02C
    TAPE_ADDR_LO = 0x030
    TAPE_ADDR_HI = 0x034
    TAPE_BYTES = 0x038
    WATCHDOG = 0x03C  # cycles without progress before the engine gives up
    FRAME_ADDR_LO = 0x040  # taken at START, like RESULT_ADDR
    FRAME_ADDR_HI = 0x044
    RESULT_ADDR_LO = 0x048
    RESULT_ADDR_HI = 0x04C
    CYCLES_LO = 0x080  # counters up to STEPS and the profile are those of the frame that ended last
    CYCLES_HI = 0x084
    BUSY_LO = 0x088  # sum over units of cycles in which an addition was issued
    BUSY_HI = 0x08C
    WAIT_LINES_LO = 0x090  # sums over units of cycles spent waiting
    WAIT_LINES_HI = 0x094
    WAIT_WEIGHTS_LO = 0x098
    WAIT_WEIGHTS_HI = 0x09C
    WAIT_DRAIN_LO = 0x0A0
    WAIT_DRAIN_HI = 0x0A4
    BEATS_READ_LO = 0x0A8
    BEATS_READ_HI = 0x0AC
    BEATS_WRITTEN_LO = 0x0B0
    BEATS_WRITTEN_HI = 0x0B4
    STEPS = 0x0B8  # steps that had ended
    STEPS_NOW = 0x0BC  # steps of the running frame that have ended
    FRAMES = 0x0C0  # frames that ended well since reset
    PROFILE_INDEX = 0x100  # write: which step the PROFILE_ registers show
    PROFILE_CYCLES = 0x104
    PROFILE_BUSY = 0x108
    PROFILE_WAIT_LINES = 0x10C
    PROFILE_WAIT_WEIGHTS = 0x110
    PROFILE_WAIT_DRAIN = 0x114


class Control(IntFlag):
    """Bits of CONTROL."""

    START = 1  # while a frame runs: queue one more behind it; ignored while ERROR is set
    ABORT = 2
    IRQ_ENABLE = 4


class Status(IntFlag):
    """Bits of STATUS."""

    BUSY = 1
    DONE = 2
    ERROR = 4
    IRQ = 8  # a frame has ended
    QUEUED = 16  # a frame waits for the one that runs


class ErrorCode(IntEnum):
    """Why a frame ended in ERROR."""

    NONE = 0
    BAD_MAGIC = 1
    BAD_VERSION = 2
    BAD_CONFIG = 3
    BAD_LENGTH = 4
    HEADER_CRC = 5
    SEGMENT_HEADER = 6
    SEGMENT_CRC = 7
    BAD_STEP = 8
    BUS_READ = 9
    BUS_WRITE = 10
    STALL = 11
    ABORTED = 12
