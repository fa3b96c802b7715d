/* SPDX-License-Identifier: Apache-2.0 */
/* The tape: the instruction and weight stream that the engine reads.
 *
 * Everything is little-endian. Fields of headers and steps have offsets and sizes in bytes (_OFFSET,
 * _SIZE), those of 64-bit words have positions and widths in bits (_SHIFT, _WIDTH).
 *
 * Written by `make spec-files` from python/sterna/spec: change it there.
 */

#ifndef STERNA_TAPE_H
#define STERNA_TAPE_H

#include <stdint.h>

/* The first bytes of a tape, the letters "STERNATP". */
#define STERNA_TAPE_MAGIC UINT64_C(0x5054414e52455453)
/* Version of the tape's format. */
#define STERNA_TAPE_VERSION UINT32_C(0x5)
/* Headers and payloads are multiples of this many bytes. */
#define STERNA_TAPE_ALIGN 128
/* CRC-32 as in zlib, lowest bit first. */
#define STERNA_CRC_POLYNOMIAL UINT32_C(0xedb88320)
/* The CRC register, not yet inverted, after a message followed by its own CRC. */
#define STERNA_CRC_RESIDUE UINT32_C(0xdebb20e3)
/* Channels in a word of the feature memory. */
#define STERNA_WORD_CHANNELS 4
/* Bits of the multiplier in a requantisation word. */
#define STERNA_REQUANT_MULTIPLIER_W 18
/* Bits of the bias in a requantisation word. */
#define STERNA_REQUANT_BIAS_W 46
/* Waits until all earlier steps are written, in a fetch word. */
#define STERNA_AFTER_ALL UINT32_C(0x3ff)
/* Words of a pass that a PE keeps: word w in slot w mod so many. */
#define STERNA_WINDOW_WORDS 31
/* Slot of an absent operand, which always reads as zero. */
#define STERNA_ABSENT_SLOT UINT32_C(0x1f)
/* Rounds from the last that reads a word to that which overwrites it. */
#define STERNA_WINDOW_GUARD 5
/* Rounds between operations on an accumulator, at least. */
#define STERNA_REPEAT_DISTANCE 2
/* Fetch words that wait in the engine, at most. */
#define STERNA_FETCH_QUEUE 128
/* Rounds that wait in the engine, at most, or ROUND_QUEUE_BEATS. */
#define STERNA_ROUND_QUEUE 32
/* Beats of rounds that wait, if these are more rounds. */
#define STERNA_ROUND_QUEUE_BEATS 8
/* Stream whose control bit says that the round takes a word. */
#define STERNA_WORD_STREAM 0
/* Stream whose control bit says that the round ends the pass. */
#define STERNA_END_STREAM 1
/* Filters of a first layer that LOAD can compute. */
#define STERNA_FIRST_FILTERS 32
/* Words of each of them in the payload of a FIRST step. */
#define STERNA_FIRST_WORDS 5
/* Fetch words of a FETCH record. */
#define STERNA_FETCH_GROUP 64
/* Words from the next one of the rounds to a record's first fetch word. */
#define STERNA_FETCH_AHEAD 16
/* Channels of an image that an engine has input tables for. */
#define STERNA_INPUT_TABLES 3
/* STORE steps that may go on beside another step, at most. */
#define STERNA_MOST_BESIDE_STORES 2
/* Rows and columns of a filter of a first layer. */
#define STERNA_FIRST_KERNEL 3
/* Channels of the image of a first layer. */
#define STERNA_FIRST_CHANNELS 3
/* Columns of its widest image. */
#define STERNA_FIRST_WIDTH 2048
/* The bit of `beside` that lets the LOAD steps without `next` go on. */
#define STERNA_BESIDE_LOADS 4

/* What a segment's payload holds. */
enum sterna_segment_kind {
  /* one step */
  STERNA_SEGMENT_KIND_STEP = 1,
  /* a requantisation word for each drained filter, or the words of a TABLE or FIRST step */
  STERNA_SEGMENT_KIND_REQUANT = 2,
  /* fetch and round records */
  STERNA_SEGMENT_KIND_WEIGHTS = 3
};

/* What a step does. */
enum sterna_op {
  /* frame memory to feature memory */
  STERNA_OP_LOAD = 1,
  /* one part of a layer, over all tiles of a map */
  STERNA_OP_CONV = 2,
  /* feature memory to result memory */
  STERNA_OP_STORE = 3,
  /* input tables to the engine */
  STERNA_OP_TABLE = 4,
  /* numbers of the first layer to the engine */
  STERNA_OP_FIRST = 5
};

/* What the drain does with the four phases of a filter. */
enum sterna_pool {
  /* no phases: each accumulator of each PE is a channel */
  STERNA_POOL_NONE = 0,
  /* keep the maximum */
  STERNA_POOL_MAX = 1,
  /* as MAX, and write the four phases as well */
  STERNA_POOL_KEEP = 2
};

/* What requantisation does before it rounds: a value of 0 or more stays, a negative one is
 * multiplied by a slope. */
enum sterna_activation {
  /* multiplies negative values by 1 */
  STERNA_ACTIVATION_LINEAR = 0,
  /* multiplies negative values by 0 */
  STERNA_ACTIVATION_RELU = 1,
  /* multiplies negative values by 0.125 */
  STERNA_ACTIVATION_LEAKY = 2
};

/* Records of a WEIGHTS payload. */
enum sterna_record_kind {
  /* `count` fetch words */
  STERNA_RECORD_KIND_FETCH = 1,
  /* `count` rounds, each an entry for each PE stream */
  STERNA_RECORD_KIND_ROUNDS = 2
};

/* What an entry of a round does. */
enum sterna_entry_kind {
  /* nothing */
  STERNA_ENTRY_KIND_NONE = 0,
  /* add the operands to the accumulator */
  STERNA_ENTRY_KIND_ADD = 1,
  /* set the accumulator to the sum of the operands; the first of each accumulator in a pass */
  STERNA_ENTRY_KIND_SET = 2,
  /* double the accumulator; the operands are absent */
  STERNA_ENTRY_KIND_DOUBLE = 3
};

/* The first bytes of a tape. */
#define STERNA_TAPE_HEADER_SIZE 128
/* the letters "STERNATP" */
#define STERNA_TAPE_HEADER_MAGIC_OFFSET 0
#define STERNA_TAPE_HEADER_MAGIC_SIZE 8
/* version of the format */
#define STERNA_TAPE_HEADER_VERSION_OFFSET 8
#define STERNA_TAPE_HEADER_VERSION_SIZE 4
/* hash of the engine config that the tape is for */
#define STERNA_TAPE_HEADER_CONFIG_HASH_OFFSET 12
#define STERNA_TAPE_HEADER_CONFIG_HASH_SIZE 4
/* length of the whole tape in bytes */
#define STERNA_TAPE_HEADER_BYTES_OFFSET 16
#define STERNA_TAPE_HEADER_BYTES_SIZE 8
/* number of segments that follow */
#define STERNA_TAPE_HEADER_SEGMENTS_OFFSET 24
#define STERNA_TAPE_HEADER_SEGMENTS_SIZE 4
/* number of STEP segments among them */
#define STERNA_TAPE_HEADER_STEPS_OFFSET 28
#define STERNA_TAPE_HEADER_STEPS_SIZE 4
/* CRC-32 of the bytes before it */
#define STERNA_TAPE_HEADER_CRC_OFFSET 124
#define STERNA_TAPE_HEADER_CRC_SIZE 4

/* Comes before each segment's payload. */
#define STERNA_SEGMENT_HEADER_SIZE 128
/* what the payload holds */
#define STERNA_SEGMENT_HEADER_KIND_OFFSET 0
#define STERNA_SEGMENT_HEADER_KIND_SIZE 4
/* 0 for the first segment of the tape */
#define STERNA_SEGMENT_HEADER_INDEX_OFFSET 4
#define STERNA_SEGMENT_HEADER_INDEX_SIZE 4
/* length of the payload in bytes, with its padding */
#define STERNA_SEGMENT_HEADER_BYTES_OFFSET 8
#define STERNA_SEGMENT_HEADER_BYTES_SIZE 8
/* CRC-32 of the payload */
#define STERNA_SEGMENT_HEADER_PAYLOAD_CRC_OFFSET 16
#define STERNA_SEGMENT_HEADER_PAYLOAD_CRC_SIZE 4
/* CRC-32 of the bytes before it */
#define STERNA_SEGMENT_HEADER_CRC_OFFSET 124
#define STERNA_SEGMENT_HEADER_CRC_SIZE 4

/* The payload of a STEP segment. */
#define STERNA_STEP_SIZE 128
/* what the step does */
#define STERNA_STEP_OP_OFFSET 0
#define STERNA_STEP_OP_SIZE 1
/* LOAD: 1 loads the frame that is queued, in the background; nothing if none is */
#define STERNA_STEP_NEXT_OFFSET 1
#define STERNA_STEP_NEXT_SIZE 1
/* what the drain does; unless NONE, the phases of a filter are four accumulators of a PE */
#define STERNA_STEP_POOL_OFFSET 2
#define STERNA_STEP_POOL_SIZE 1
/* 1 or 2: input pixels from lane to lane */
#define STERNA_STEP_GATHER_STRIDE_OFFSET 3
#define STERNA_STEP_GATHER_STRIDE_SIZE 1
/* activation of requantisation */
#define STERNA_STEP_ACTIVATION_OFFSET 4
#define STERNA_STEP_ACTIVATION_SIZE 1
/* right shift of requantisation */
#define STERNA_STEP_SHIFT_OFFSET 5
#define STERNA_STEP_SHIFT_SIZE 1
/* what pixels outside the input map read as; two's complement */
#define STERNA_STEP_PAD_VALUE_OFFSET 6
#define STERNA_STEP_PAD_VALUE_SIZE 1
/* distinct tiles that the clusters work on, a divisor of clusters */
#define STERNA_STEP_TILES_AT_ONCE_OFFSET 7
#define STERNA_STEP_TILES_AT_ONCE_SIZE 1
/* LOAD target, STORE source, CONV output: feature memory word */
#define STERNA_STEP_FM_BASE_OFFSET 8
#define STERNA_STEP_FM_BASE_SIZE 3
/* least result of requantisation; two's complement */
#define STERNA_STEP_CLAMP_LOW_OFFSET 11
#define STERNA_STEP_CLAMP_LOW_SIZE 1
/* words that LOAD fills and STORE moves */
#define STERNA_STEP_FM_WORDS_OFFSET 12
#define STERNA_STEP_FM_WORDS_SIZE 3
/* largest result of requantisation; two's complement */
#define STERNA_STEP_CLAMP_HIGH_OFFSET 15
#define STERNA_STEP_CLAMP_HIGH_SIZE 1
/* bytes from the frame (LOAD), result (STORE) or scratch address */
#define STERNA_STEP_DRAM_OFFSET_OFFSET 16
#define STERNA_STEP_DRAM_OFFSET_SIZE 4
/* input height div tile_h; LOAD: of the frame, and so on */
#define STERNA_STEP_IN_FULL_ROWS_OFFSET 20
#define STERNA_STEP_IN_FULL_ROWS_SIZE 2
/* input height mod tile_h */
#define STERNA_STEP_IN_EXTRA_ROWS_OFFSET 22
#define STERNA_STEP_IN_EXTRA_ROWS_SIZE 2
/* input width div tile_w */
#define STERNA_STEP_IN_FULL_COLS_OFFSET 24
#define STERNA_STEP_IN_FULL_COLS_SIZE 2
/* input width mod tile_w */
#define STERNA_STEP_IN_EXTRA_COLS_OFFSET 26
#define STERNA_STEP_IN_EXTRA_COLS_SIZE 2
/* words in a row of tiles of the input */
#define STERNA_STEP_IN_TILES_W_OFFSET 28
#define STERNA_STEP_IN_TILES_W_SIZE 2
/* rows of tiles of the output */
#define STERNA_STEP_OUT_TILES_H_OFFSET 30
#define STERNA_STEP_OUT_TILES_H_SIZE 2
/* tiles in a row of the output */
#define STERNA_STEP_OUT_TILES_W_OFFSET 32
#define STERNA_STEP_OUT_TILES_W_SIZE 2
/* out_tiles_h * out_tiles_w: words from one output channel word to the next */
#define STERNA_STEP_OUT_PLANE_OFFSET 34
#define STERNA_STEP_OUT_PLANE_SIZE 4
/* ceil(out_plane / tiles_at_once): times the WEIGHTS payload is streamed */
#define STERNA_STEP_TILE_GROUPS_OFFSET 38
#define STERNA_STEP_TILE_GROUPS_SIZE 4
/* channels that each cluster drains and writes for each tile; LOAD: of the frame */
#define STERNA_STEP_FILTERS_OFFSET 42
#define STERNA_STEP_FILTERS_SIZE 2
/* channel words between cluster groups: ceil(filters / 4); LOAD: of the first layer */
#define STERNA_STEP_GROUP_WORDS_OFFSET 44
#define STERNA_STEP_GROUP_WORDS_SIZE 2
/* Pool KEEP: first feature memory word of the phases */
#define STERNA_STEP_KEEP_BASE_OFFSET 46
#define STERNA_STEP_KEEP_BASE_SIZE 3
/* 1: ties of requantisation go to the even result */
#define STERNA_STEP_HALF_EVEN_OFFSET 49
#define STERNA_STEP_HALF_EVEN_SIZE 1
/* CONV, TABLE, FIRST: length of the REQUANT payload that follows */
#define STERNA_STEP_REQUANT_BYTES_OFFSET 50
#define STERNA_STEP_REQUANT_BYTES_SIZE 4
/* CONV: length of the WEIGHTS payload that follows it */
#define STERNA_STEP_WEIGHTS_BYTES_OFFSET 54
#define STERNA_STEP_WEIGHTS_BYTES_SIZE 4
/* bytes that LOAD and STORE move, whole bus beats */
#define STERNA_STEP_DRAM_BYTES_OFFSET 58
#define STERNA_STEP_DRAM_BYTES_SIZE 4
/* LOAD without next, STORE: 1 moves words from or to the frame's scratch memory */
#define STERNA_STEP_SCRATCH_OFFSET 62
#define STERNA_STEP_SCRATCH_SIZE 1
/* CONV, LOAD: what may go on when it begins; bits 0, 1: number of STOREs, bit 2: LOADs */
#define STERNA_STEP_BESIDE_OFFSET 63
#define STERNA_STEP_BESIDE_SIZE 1

/* A word of a REQUANT payload, one for each drained filter. */
#define STERNA_REQUANT_WORD_SIZE 8
/* multiplies the filter's sums */
#define STERNA_REQUANT_WORD_MULTIPLIER_SHIFT 0
#define STERNA_REQUANT_WORD_MULTIPLIER_WIDTH 18
/* added to the product; two's complement */
#define STERNA_REQUANT_WORD_BIAS_SHIFT 18
#define STERNA_REQUANT_WORD_BIAS_WIDTH 46

/* A word of the REQUANT payload of a TABLE step, one for each byte value 0 .. 255 of an unsigned
 * image. */
#define STERNA_INPUT_WORD_SIZE 8
/* value of channel 0; two's complement */
#define STERNA_INPUT_WORD_CHANNEL_0_SHIFT 0
#define STERNA_INPUT_WORD_CHANNEL_0_WIDTH 8
/* value of channel 1; two's complement */
#define STERNA_INPUT_WORD_CHANNEL_1_SHIFT 8
#define STERNA_INPUT_WORD_CHANNEL_1_WIDTH 8
/* value of channel 2; two's complement */
#define STERNA_INPUT_WORD_CHANNEL_2_SHIFT 16
#define STERNA_INPUT_WORD_CHANNEL_2_WIDTH 8

/* The first word of a record of a WEIGHTS payload, alone in its bus beat. */
#define STERNA_RECORD_HEADER_SIZE 8
/* what follows; a header of zeros is padding */
#define STERNA_RECORD_HEADER_KIND_SHIFT 0
#define STERNA_RECORD_HEADER_KIND_WIDTH 8
/* how many of them follow */
#define STERNA_RECORD_HEADER_COUNT_SHIFT 8
#define STERNA_RECORD_HEADER_COUNT_WIDTH 24

/* A word of a FETCH record. */
#define STERNA_FETCH_SIZE 8
/* feature memory word of tile (0, 0) of the channel word */
#define STERNA_FETCH_PLANE_SHIFT 0
#define STERNA_FETCH_PLANE_WIDTH 24
/* floor(window row offset / tile_h); two's complement */
#define STERNA_FETCH_TILE_ROW_SHIFT 24
#define STERNA_FETCH_TILE_ROW_WIDTH 8
/* window row offset mod tile_h */
#define STERNA_FETCH_ROW_SHIFT 32
#define STERNA_FETCH_ROW_WIDTH 4
/* floor(window column offset / tile_w); two's complement */
#define STERNA_FETCH_TILE_COL_SHIFT 36
#define STERNA_FETCH_TILE_COL_WIDTH 8
/* window column offset mod tile_w */
#define STERNA_FETCH_COL_SHIFT 44
#define STERNA_FETCH_COL_WIDTH 4
/* no fetch word of the pass follows */
#define STERNA_FETCH_LAST_IN_PASS_SHIFT 48
#define STERNA_FETCH_LAST_IN_PASS_WIDTH 1
/* words that each drain must have written of the last tiles of the step before */
#define STERNA_FETCH_AFTER_SHIFT 49
#define STERNA_FETCH_AFTER_WIDTH 10

/* A vector that an entry adds: a channel of a word in the window. */
#define STERNA_OPERAND_SIZE 1
/* place of the word in the window; ABSENT_SLOT reads as zero */
#define STERNA_OPERAND_SLOT_SHIFT 0
#define STERNA_OPERAND_SLOT_WIDTH 5
/* add the bitwise inverse, -x - 1; 0 if it is absent */
#define STERNA_OPERAND_SUBTRACT_SHIFT 5
#define STERNA_OPERAND_SUBTRACT_WIDTH 1

/* An operation of a PE, one for each PE stream in a round. */
#define STERNA_ENTRY_SIZE 4
/* an operand for each channel of a word, that of channel 0 in the low bits */
#define STERNA_ENTRY_OPERANDS_SHIFT 0
#define STERNA_ENTRY_OPERANDS_WIDTH 24
/* accumulator of the half that the pass uses */
#define STERNA_ENTRY_ACC_INDEX_SHIFT 24
#define STERNA_ENTRY_ACC_INDEX_WIDTH 5
/* what the entry does */
#define STERNA_ENTRY_KIND_SHIFT 29
#define STERNA_ENTRY_KIND_WIDTH 2
/* of the round: in WORD_STREAM it takes a word, in END_STREAM it is the last; else 0 */
#define STERNA_ENTRY_CONTROL_SHIFT 31
#define STERNA_ENTRY_CONTROL_WIDTH 1

#endif /* STERNA_TAPE_H */
