/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's registers, their bits and its error codes.
 *
 * Each register has 32 bits; its address is in bytes from the engine's base. R: read only;
 * R/W: read and write; R/W1C: read, and clear bits by writing ones.
 *
 * Written by `make spec-files` from python/sterna/spec: change it there.
 */

#ifndef STERNA_REGISTERS_H
#define STERNA_REGISTERS_H

#include <stdint.h>

/* What the register IDENTITY reads. */
#define STERNA_ENGINE_IDENTITY UINT32_C(0x5354524e)
/* What the register VERSION reads. */
#define STERNA_ENGINE_VERSION UINT32_C(0x30000)
/* Bits of a register's address. */
#define STERNA_REGISTER_ADDR_W 12
/* Steps of a frame that the profile keeps. */
#define STERNA_PROFILE_STEPS 256
/* Bits of a counter in the profile; it stays at the largest value. */
#define STERNA_PROFILE_W 28
/* WATCHDOG after reset. */
#define STERNA_WATCHDOG_CYCLES UINT32_C(0xf4240)

/* Byte address of each 32-bit register. A _LO and the _HI after it are one 64-bit value. */
/* R, reset 0x5354524e. The letters "STRN": this is a Sterna engine. */
#define STERNA_REGISTER_IDENTITY UINT32_C(0x0)
/* R, reset 0x30000. Version of registers and behaviour. */
#define STERNA_REGISTER_VERSION UINT32_C(0x4)
/* R. CRC-32 of the engine's config; a tape carries that of its own. */
#define STERNA_REGISTER_CONFIG_HASH UINT32_C(0x8)
/* R. tile_h, tile_w, clusters, pes, one byte each from the lowest. */
#define STERNA_REGISTER_CAPABILITY_TILE UINT32_C(0xc)
/* R. accumulators, act_w, acc_w, one byte each from the lowest. */
#define STERNA_REGISTER_CAPABILITY_PE UINT32_C(0x10)
/* R. fm_words: words in each bank of the feature memory. */
#define STERNA_REGISTER_CAPABILITY_WORDS UINT32_C(0x14)
/* R/W, reset 0. Starts and aborts frames, see Control. Only IRQ_ENABLE reads back. */
#define STERNA_REGISTER_CONTROL UINT32_C(0x20)
/* R/W1C, reset 0. What the engine does, see Status. Writing ones clears DONE, ERROR and IRQ. */
#define STERNA_REGISTER_STATUS UINT32_C(0x24)
/* R, reset 0. Why the frame ended in ERROR, see ErrorCode. */
#define STERNA_REGISTER_ERROR_CODE UINT32_C(0x28)
/* R, reset 0. Segment of the tape at which it ended. */
#define STERNA_REGISTER_ERROR_SEGMENT UINT32_C(0x2c)
/* R/W, reset 0. First byte of the tape, a multiple of 128. Writes while BUSY are ignored. */
#define STERNA_REGISTER_TAPE_ADDR_LO UINT32_C(0x30)
/* R/W, reset 0. Upper half of it. */
#define STERNA_REGISTER_TAPE_ADDR_HI UINT32_C(0x34)
/* R/W, reset 0. Bytes of the tape. Writes while BUSY are ignored. */
#define STERNA_REGISTER_TAPE_BYTES UINT32_C(0x38)
/* R/W, reset 0xf4240. Cycles without progress before the engine gives up; 0: never, but after as
 * many as at reset on what is left of a frame that failed. */
#define STERNA_REGISTER_WATCHDOG UINT32_C(0x3c)
/* R/W, reset 0. First byte of the frame, a multiple of 128. Taken at START. */
#define STERNA_REGISTER_FRAME_ADDR_LO UINT32_C(0x40)
/* R/W, reset 0. Upper half of it. */
#define STERNA_REGISTER_FRAME_ADDR_HI UINT32_C(0x44)
/* R/W, reset 0. First byte of the result, a multiple of 128. Taken at START. */
#define STERNA_REGISTER_RESULT_ADDR_LO UINT32_C(0x48)
/* R/W, reset 0. Upper half of it. */
#define STERNA_REGISTER_RESULT_ADDR_HI UINT32_C(0x4c)
/* R/W, reset 0. How the frame's bytes lie and count, see FrameLayout. Taken at START. */
#define STERNA_REGISTER_FRAME_LAYOUT UINT32_C(0x50)
/* R/W, reset 0. First byte of its scratch memory, a multiple of 128. Taken at START. */
#define STERNA_REGISTER_SCRATCH_ADDR_LO UINT32_C(0x58)
/* R/W, reset 0. Upper half of it. */
#define STERNA_REGISTER_SCRATCH_ADDR_HI UINT32_C(0x5c)
/* R, reset 0. Cycles of the frame that ended last. */
#define STERNA_REGISTER_CYCLES_LO UINT32_C(0x80)
/* R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
 * _HI. */
#define STERNA_REGISTER_CYCLES_HI UINT32_C(0x84)
/* R, reset 0. Cycles, summed over all PEs, in which an addition was issued, of the frame that
 * ended last. */
#define STERNA_REGISTER_BUSY_LO UINT32_C(0x88)
/* R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
 * _HI. */
#define STERNA_REGISTER_BUSY_HI UINT32_C(0x8c)
/* R, reset 0. Cycles, summed over all PEs, spent waiting for vectors, of the frame that ended
 * last. */
#define STERNA_REGISTER_WAIT_VECTORS_LO UINT32_C(0x90)
/* R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
 * _HI. */
#define STERNA_REGISTER_WAIT_VECTORS_HI UINT32_C(0x94)
/* R, reset 0. Cycles, summed over all PEs, spent waiting for weights, of the frame that ended
 * last. */
#define STERNA_REGISTER_WAIT_WEIGHTS_LO UINT32_C(0x98)
/* R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
 * _HI. */
#define STERNA_REGISTER_WAIT_WEIGHTS_HI UINT32_C(0x9c)
/* R, reset 0. Cycles, summed over all PEs, spent waiting for the drain, of the frame that ended
 * last. */
#define STERNA_REGISTER_WAIT_DRAIN_LO UINT32_C(0xa0)
/* R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
 * _HI. */
#define STERNA_REGISTER_WAIT_DRAIN_HI UINT32_C(0xa4)
/* R, reset 0. Beats read from memory, of the frame that ended last. */
#define STERNA_REGISTER_BEATS_READ_LO UINT32_C(0xa8)
/* R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
 * _HI. */
#define STERNA_REGISTER_BEATS_READ_HI UINT32_C(0xac)
/* R, reset 0. Beats written to memory, of the frame that ended last. */
#define STERNA_REGISTER_BEATS_WRITTEN_LO UINT32_C(0xb0)
/* R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
 * _HI. */
#define STERNA_REGISTER_BEATS_WRITTEN_HI UINT32_C(0xb4)
/* R, reset 0. Steps that had ended, of the frame that ended last. */
#define STERNA_REGISTER_STEPS UINT32_C(0xb8)
/* R, reset 0. Steps of the running frame that have ended. */
#define STERNA_REGISTER_STEPS_NOW UINT32_C(0xbc)
/* R, reset 0. Frames that ended well since reset, modulo 2^32. */
#define STERNA_REGISTER_FRAMES UINT32_C(0xc0)
/* R/W, reset 0. Which step of the frame that ended last the PROFILE registers show, below 256. */
#define STERNA_REGISTER_PROFILE_INDEX UINT32_C(0x100)
/* R. Of the step that PROFILE_INDEX names: its cycles, at most 2^28 - 1. */
#define STERNA_REGISTER_PROFILE_CYCLES UINT32_C(0x104)
/* R. Of the step that PROFILE_INDEX names: as BUSY, at most 2^28 - 1. */
#define STERNA_REGISTER_PROFILE_BUSY UINT32_C(0x108)
/* R. Of the step that PROFILE_INDEX names: as WAIT_VECTORS, at most 2^28 - 1. */
#define STERNA_REGISTER_PROFILE_WAIT_VECTORS UINT32_C(0x10c)
/* R. Of the step that PROFILE_INDEX names: as WAIT_WEIGHTS, at most 2^28 - 1. */
#define STERNA_REGISTER_PROFILE_WAIT_WEIGHTS UINT32_C(0x110)
/* R. Of the step that PROFILE_INDEX names: as WAIT_DRAIN, at most 2^28 - 1. */
#define STERNA_REGISTER_PROFILE_WAIT_DRAIN UINT32_C(0x114)

/* Bits of CONTROL. */
/* Starts a frame; while one runs, queues one more to follow it. Ignored while ERROR is set. */
#define STERNA_CONTROL_START UINT32_C(0x1)
/* Ends the frame in ERROR with code ABORTED, and drops the one that is queued. */
#define STERNA_CONTROL_ABORT UINT32_C(0x2)
/* The interrupt output follows STATUS.IRQ. */
#define STERNA_CONTROL_IRQ_ENABLE UINT32_C(0x4)

/* Bits of FRAME_LAYOUT. A frame is a byte per channel of each pixel, by rows. */
/* The three channels of a pixel lie side by side; otherwise plane after plane. */
#define STERNA_FRAME_LAYOUT_INTERLEAVED UINT32_C(0x1)
/* A byte is the value plus 128; otherwise the value itself, signed. */
#define STERNA_FRAME_LAYOUT_UNSIGNED UINT32_C(0x2)

/* Bits of STATUS. */
/* A frame runs. */
#define STERNA_STATUS_BUSY UINT32_C(0x1)
/* The last frame ended well. */
#define STERNA_STATUS_DONE UINT32_C(0x2)
/* The last frame failed; see ERROR_CODE. No frame starts until it is cleared. */
#define STERNA_STATUS_ERROR UINT32_C(0x4)
/* A frame has ended. */
#define STERNA_STATUS_IRQ UINT32_C(0x8)
/* A frame waits for the one that runs. */
#define STERNA_STATUS_QUEUED UINT32_C(0x10)

/* Why a frame ended in ERROR. Members are written `NAME = code, "sentence", "remedy"`. */
enum sterna_error_code {
  /* no error */
  STERNA_ERROR_CODE_NONE = 0,
  /* the memory holds no tape */
  STERNA_ERROR_CODE_BAD_MAGIC = 1,
  /* the tape has another format version */
  STERNA_ERROR_CODE_BAD_VERSION = 2,
  /* the tape is for another engine config */
  STERNA_ERROR_CODE_BAD_CONFIG = 3,
  /* a length is not what the driver was given or the tape says */
  STERNA_ERROR_CODE_BAD_LENGTH = 4,
  /* the tape's header checksum is wrong */
  STERNA_ERROR_CODE_HEADER_CRC = 5,
  /* a segment header is wrong */
  STERNA_ERROR_CODE_SEGMENT_HEADER = 6,
  /* a segment's checksum is wrong */
  STERNA_ERROR_CODE_SEGMENT_CRC = 7,
  /* a step asks for what this engine cannot do */
  STERNA_ERROR_CODE_BAD_STEP = 8,
  /* the memory refused a read */
  STERNA_ERROR_CODE_BUS_READ = 9,
  /* the memory refused a write */
  STERNA_ERROR_CODE_BUS_WRITE = 10,
  /* nothing moved for the watchdog's cycles */
  STERNA_ERROR_CODE_STALL = 11,
  /* the frame was aborted */
  STERNA_ERROR_CODE_ABORTED = 12,
  /* the first layer needs pixels whose channels lie side by side */
  STERNA_ERROR_CODE_BAD_LAYOUT = 13
};

/* The name of an error code. */
static inline const char *sterna_error_code_name(uint32_t code) {
  switch (code) {
    case STERNA_ERROR_CODE_NONE: return "NONE";
    case STERNA_ERROR_CODE_BAD_MAGIC: return "BAD_MAGIC";
    case STERNA_ERROR_CODE_BAD_VERSION: return "BAD_VERSION";
    case STERNA_ERROR_CODE_BAD_CONFIG: return "BAD_CONFIG";
    case STERNA_ERROR_CODE_BAD_LENGTH: return "BAD_LENGTH";
    case STERNA_ERROR_CODE_HEADER_CRC: return "HEADER_CRC";
    case STERNA_ERROR_CODE_SEGMENT_HEADER: return "SEGMENT_HEADER";
    case STERNA_ERROR_CODE_SEGMENT_CRC: return "SEGMENT_CRC";
    case STERNA_ERROR_CODE_BAD_STEP: return "BAD_STEP";
    case STERNA_ERROR_CODE_BUS_READ: return "BUS_READ";
    case STERNA_ERROR_CODE_BUS_WRITE: return "BUS_WRITE";
    case STERNA_ERROR_CODE_STALL: return "STALL";
    case STERNA_ERROR_CODE_ABORTED: return "ABORTED";
    case STERNA_ERROR_CODE_BAD_LAYOUT: return "BAD_LAYOUT";
    default: return "unknown error code";
  }
}

/* The meaning of an error code. */
static inline const char *sterna_error_code_text(uint32_t code) {
  switch (code) {
    case STERNA_ERROR_CODE_NONE: return "no error";
    case STERNA_ERROR_CODE_BAD_MAGIC: return "the memory holds no tape";
    case STERNA_ERROR_CODE_BAD_VERSION: return "the tape has another format version";
    case STERNA_ERROR_CODE_BAD_CONFIG: return "the tape is for another engine config";
    case STERNA_ERROR_CODE_BAD_LENGTH: return "a length is not what the driver was given or the tape says";
    case STERNA_ERROR_CODE_HEADER_CRC: return "the tape's header checksum is wrong";
    case STERNA_ERROR_CODE_SEGMENT_HEADER: return "a segment header is wrong";
    case STERNA_ERROR_CODE_SEGMENT_CRC: return "a segment's checksum is wrong";
    case STERNA_ERROR_CODE_BAD_STEP: return "a step asks for what this engine cannot do";
    case STERNA_ERROR_CODE_BUS_READ: return "the memory refused a read";
    case STERNA_ERROR_CODE_BUS_WRITE: return "the memory refused a write";
    case STERNA_ERROR_CODE_STALL: return "nothing moved for the watchdog's cycles";
    case STERNA_ERROR_CODE_ABORTED: return "the frame was aborted";
    case STERNA_ERROR_CODE_BAD_LAYOUT: return "the first layer needs pixels whose channels lie side by side";
    default: return "unknown error code";
  }
}

/* The remedy for an error. */
static inline const char *sterna_error_code_remedy(uint32_t code) {
  switch (code) {
    case STERNA_ERROR_CODE_NONE: return "";
    case STERNA_ERROR_CODE_BAD_MAGIC: return "copy or compile the package again";
    case STERNA_ERROR_CODE_BAD_VERSION: return "compile it again with this version";
    case STERNA_ERROR_CODE_BAD_CONFIG: return "compile the graph for this engine";
    case STERNA_ERROR_CODE_BAD_LENGTH: return "copy or compile the package again";
    case STERNA_ERROR_CODE_HEADER_CRC: return "copy or compile the package again";
    case STERNA_ERROR_CODE_SEGMENT_HEADER: return "copy or compile the package again";
    case STERNA_ERROR_CODE_SEGMENT_CRC: return "copy or compile the package again";
    case STERNA_ERROR_CODE_BAD_STEP: return "compile the graph for this engine";
    case STERNA_ERROR_CODE_BUS_READ: return "check the memory's size and addresses";
    case STERNA_ERROR_CODE_BUS_WRITE: return "check the memory's size and addresses";
    case STERNA_ERROR_CODE_STALL: return "raise the watchdog for a slow memory";
    case STERNA_ERROR_CODE_ABORTED: return "start it again";
    case STERNA_ERROR_CODE_BAD_LAYOUT: return "set INTERLEAVED in FRAME_LAYOUT";
    default: return "unknown error code";
  }
}

#endif /* STERNA_REGISTERS_H */
