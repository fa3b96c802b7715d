// SPDX-License-Identifier: Apache-2.0

/// Formats of tape, registers and bus.
// Written by `make spec-files` from python/sterna/spec: change it there.
package sterna_pkg;

  /// What the register IDENTITY reads.
  localparam logic [31:0] EngineIdentity = 32'h5354524e;
  /// What the register VERSION reads.
  localparam logic [31:0] EngineVersion = 32'h30000;
  /// Bits of a register's address.
  localparam int unsigned RegisterAddrW = 12;
  /// Steps of a frame that the profile keeps.
  localparam int unsigned ProfileSteps = 256;
  /// Bits of a counter in the profile; it stays at the largest value.
  localparam int unsigned ProfileW = 28;
  /// WATCHDOG after reset.
  localparam logic [31:0] WatchdogCycles = 32'hf4240;
  /// The first bytes of a tape, the letters "STERNATP".
  localparam logic [63:0] TapeMagic = 64'h5054414e52455453;
  /// Version of the tape's format.
  localparam logic [31:0] TapeVersion = 32'h5;
  /// Headers and payloads are multiples of this many bytes.
  localparam int unsigned TapeAlign = 128;
  /// CRC-32 as in zlib, lowest bit first.
  localparam logic [31:0] CrcPolynomial = 32'hedb88320;
  /// The CRC register, not yet inverted, after a message followed by its own CRC.
  localparam logic [31:0] CrcResidue = 32'hdebb20e3;
  /// Channels in a word of the feature memory.
  localparam int unsigned WordChannels = 4;
  /// Bits of the multiplier in a requantisation word.
  localparam int unsigned RequantMultiplierW = 18;
  /// Bits of the bias in a requantisation word.
  localparam int unsigned RequantBiasW = 46;
  /// Waits until all earlier steps are written, in a fetch word.
  localparam logic [9:0] AfterAll = 10'h3ff;
  /// Words of a pass that a PE keeps: word w in slot w mod so many.
  localparam int unsigned WindowWords = 31;
  /// Slot of an absent operand, which always reads as zero.
  localparam logic [4:0] AbsentSlot = 5'h1f;
  /// Rounds from the last that reads a word to that which overwrites it.
  localparam int unsigned WindowGuard = 5;
  /// Rounds between operations on an accumulator, at least.
  localparam int unsigned RepeatDistance = 2;
  /// Fetch words that wait in the engine, at most.
  localparam int unsigned FetchQueue = 128;
  /// Rounds that wait in the engine, at most, or ROUND_QUEUE_BEATS.
  localparam int unsigned RoundQueue = 32;
  /// Beats of rounds that wait, if these are more rounds.
  localparam int unsigned RoundQueueBeats = 8;
  /// Stream whose control bit says that the round takes a word.
  localparam int unsigned WordStream = 0;
  /// Stream whose control bit says that the round ends the pass.
  localparam int unsigned EndStream = 1;
  /// Filters of a first layer that LOAD can compute.
  localparam int unsigned FirstFilters = 32;
  /// Words of each of them in the payload of a FIRST step.
  localparam int unsigned FirstWords = 5;
  /// AWBURST and ARBURST: INCR.
  localparam logic [1:0] AxiBurst = 2'h1;
  /// AWCACHE and ARCACHE: normal, non-cacheable, bufferable.
  localparam logic [3:0] AxiCache = 4'h3;

  // Byte address of each 32-bit register. A _LO and the _HI after it are one 64-bit value.
  /// R, reset 0x5354524e. The letters "STRN": this is a Sterna engine.
  localparam logic [11:0] RegIdentity = 12'h0;
  /// R, reset 0x30000. Version of registers and behaviour.
  localparam logic [11:0] RegVersion = 12'h4;
  /// R. CRC-32 of the engine's config; a tape carries that of its own.
  localparam logic [11:0] RegConfigHash = 12'h8;
  /// R. tile_h, tile_w, clusters, pes, one byte each from the lowest.
  localparam logic [11:0] RegCapabilityTile = 12'hc;
  /// R. accumulators, act_w, acc_w, one byte each from the lowest.
  localparam logic [11:0] RegCapabilityPe = 12'h10;
  /// R. fm_words: words in each bank of the feature memory.
  localparam logic [11:0] RegCapabilityWords = 12'h14;
  /// R/W, reset 0. Starts and aborts frames, see Control. Only IRQ_ENABLE reads back.
  localparam logic [11:0] RegControl = 12'h20;
  /// R/W1C, reset 0. What the engine does, see Status. Writing ones clears DONE, ERROR and IRQ.
  localparam logic [11:0] RegStatus = 12'h24;
  /// R, reset 0. Why the frame ended in ERROR, see ErrorCode.
  localparam logic [11:0] RegErrorCode = 12'h28;
  /// R, reset 0. Segment of the tape at which it ended.
  localparam logic [11:0] RegErrorSegment = 12'h2c;
  /// R/W, reset 0. First byte of the tape, a multiple of 128. Writes while BUSY are ignored.
  localparam logic [11:0] RegTapeAddrLo = 12'h30;
  /// R/W, reset 0. Upper half of it.
  localparam logic [11:0] RegTapeAddrHi = 12'h34;
  /// R/W, reset 0. Bytes of the tape. Writes while BUSY are ignored.
  localparam logic [11:0] RegTapeBytes = 12'h38;
  /// R/W, reset 0xf4240. Cycles without progress before the engine gives up; 0: never, but after as
  /// many as at reset on what is left of a frame that failed.
  localparam logic [11:0] RegWatchdog = 12'h3c;
  /// R/W, reset 0. First byte of the frame, a multiple of 128. Taken at START.
  localparam logic [11:0] RegFrameAddrLo = 12'h40;
  /// R/W, reset 0. Upper half of it.
  localparam logic [11:0] RegFrameAddrHi = 12'h44;
  /// R/W, reset 0. First byte of the result, a multiple of 128. Taken at START.
  localparam logic [11:0] RegResultAddrLo = 12'h48;
  /// R/W, reset 0. Upper half of it.
  localparam logic [11:0] RegResultAddrHi = 12'h4c;
  /// R/W, reset 0. How the frame's bytes lie and count, see FrameLayout. Taken at START.
  localparam logic [11:0] RegFrameLayout = 12'h50;
  /// R/W, reset 0. First byte of its scratch memory, a multiple of 128. Taken at START.
  localparam logic [11:0] RegScratchAddrLo = 12'h58;
  /// R/W, reset 0. Upper half of it.
  localparam logic [11:0] RegScratchAddrHi = 12'h5c;
  /// R, reset 0. Cycles of the frame that ended last.
  localparam logic [11:0] RegCyclesLo = 12'h80;
  /// R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
  /// _HI.
  localparam logic [11:0] RegCyclesHi = 12'h84;
  /// R, reset 0. Cycles, summed over all PEs, in which an addition was issued, of the frame that
  /// ended last.
  localparam logic [11:0] RegBusyLo = 12'h88;
  /// R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
  /// _HI.
  localparam logic [11:0] RegBusyHi = 12'h8c;
  /// R, reset 0. Cycles, summed over all PEs, spent waiting for vectors, of the frame that ended
  /// last.
  localparam logic [11:0] RegWaitVectorsLo = 12'h90;
  /// R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
  /// _HI.
  localparam logic [11:0] RegWaitVectorsHi = 12'h94;
  /// R, reset 0. Cycles, summed over all PEs, spent waiting for weights, of the frame that ended
  /// last.
  localparam logic [11:0] RegWaitWeightsLo = 12'h98;
  /// R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
  /// _HI.
  localparam logic [11:0] RegWaitWeightsHi = 12'h9c;
  /// R, reset 0. Cycles, summed over all PEs, spent waiting for the drain, of the frame that ended
  /// last.
  localparam logic [11:0] RegWaitDrainLo = 12'ha0;
  /// R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
  /// _HI.
  localparam logic [11:0] RegWaitDrainHi = 12'ha4;
  /// R, reset 0. Beats read from memory, of the frame that ended last.
  localparam logic [11:0] RegBeatsReadLo = 12'ha8;
  /// R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
  /// _HI.
  localparam logic [11:0] RegBeatsReadHi = 12'hac;
  /// R, reset 0. Beats written to memory, of the frame that ended last.
  localparam logic [11:0] RegBeatsWrittenLo = 12'hb0;
  /// R, reset 0. Upper half of it, from when a counter's lower half was last read: read _LO, then
  /// _HI.
  localparam logic [11:0] RegBeatsWrittenHi = 12'hb4;
  /// R, reset 0. Steps that had ended, of the frame that ended last.
  localparam logic [11:0] RegSteps = 12'hb8;
  /// R, reset 0. Steps of the running frame that have ended.
  localparam logic [11:0] RegStepsNow = 12'hbc;
  /// R, reset 0. Frames that ended well since reset, modulo 2^32.
  localparam logic [11:0] RegFrames = 12'hc0;
  /// R/W, reset 0. Which step of the frame that ended last the PROFILE registers show, below 256.
  localparam logic [11:0] RegProfileIndex = 12'h100;
  /// R. Of the step that PROFILE_INDEX names: its cycles, at most 2^28 - 1.
  localparam logic [11:0] RegProfileCycles = 12'h104;
  /// R. Of the step that PROFILE_INDEX names: as BUSY, at most 2^28 - 1.
  localparam logic [11:0] RegProfileBusy = 12'h108;
  /// R. Of the step that PROFILE_INDEX names: as WAIT_VECTORS, at most 2^28 - 1.
  localparam logic [11:0] RegProfileWaitVectors = 12'h10c;
  /// R. Of the step that PROFILE_INDEX names: as WAIT_WEIGHTS, at most 2^28 - 1.
  localparam logic [11:0] RegProfileWaitWeights = 12'h110;
  /// R. Of the step that PROFILE_INDEX names: as WAIT_DRAIN, at most 2^28 - 1.
  localparam logic [11:0] RegProfileWaitDrain = 12'h114;

  // Bits of CONTROL.
  /// Starts a frame; while one runs, queues one more to follow it. Ignored while ERROR is set.
  localparam logic [31:0] ControlStart = 32'h1;
  /// Ends the frame in ERROR with code ABORTED, and drops the one that is queued.
  localparam logic [31:0] ControlAbort = 32'h2;
  /// The interrupt output follows STATUS.IRQ.
  localparam logic [31:0] ControlIrqEnable = 32'h4;

  // Bits of FRAME_LAYOUT. A frame is a byte per channel of each pixel, by rows.
  /// The three channels of a pixel lie side by side; otherwise plane after plane.
  localparam logic [31:0] FrameLayoutInterleaved = 32'h1;
  /// A byte is the value plus 128; otherwise the value itself, signed.
  localparam logic [31:0] FrameLayoutUnsigned = 32'h2;

  // Bits of STATUS.
  /// A frame runs.
  localparam logic [31:0] StatusBusy = 32'h1;
  /// The last frame ended well.
  localparam logic [31:0] StatusDone = 32'h2;
  /// The last frame failed; see ERROR_CODE. No frame starts until it is cleared.
  localparam logic [31:0] StatusError = 32'h4;
  /// A frame has ended.
  localparam logic [31:0] StatusIrq = 32'h8;
  /// A frame waits for the one that runs.
  localparam logic [31:0] StatusQueued = 32'h10;

  // Why a frame ended in ERROR. Members are written `NAME = code, "sentence", "remedy"`.
  /// no error
  localparam logic [7:0] ErrorNone = 8'h0;
  /// the memory holds no tape
  localparam logic [7:0] ErrorBadMagic = 8'h1;
  /// the tape has another format version
  localparam logic [7:0] ErrorBadVersion = 8'h2;
  /// the tape is for another engine config
  localparam logic [7:0] ErrorBadConfig = 8'h3;
  /// a length is not what the driver was given or the tape says
  localparam logic [7:0] ErrorBadLength = 8'h4;
  /// the tape's header checksum is wrong
  localparam logic [7:0] ErrorHeaderCrc = 8'h5;
  /// a segment header is wrong
  localparam logic [7:0] ErrorSegmentHeader = 8'h6;
  /// a segment's checksum is wrong
  localparam logic [7:0] ErrorSegmentCrc = 8'h7;
  /// a step asks for what this engine cannot do
  localparam logic [7:0] ErrorBadStep = 8'h8;
  /// the memory refused a read
  localparam logic [7:0] ErrorBusRead = 8'h9;
  /// the memory refused a write
  localparam logic [7:0] ErrorBusWrite = 8'ha;
  /// nothing moved for the watchdog's cycles
  localparam logic [7:0] ErrorStall = 8'hb;
  /// the frame was aborted
  localparam logic [7:0] ErrorAborted = 8'hc;
  /// the first layer needs pixels whose channels lie side by side
  localparam logic [7:0] ErrorBadLayout = 8'hd;

  // What a segment's payload holds.
  /// one step
  localparam logic [31:0] SegmentStep = 32'h1;
  /// a requantisation word for each drained filter, or the words of a TABLE or FIRST step
  localparam logic [31:0] SegmentRequant = 32'h2;
  /// fetch and round records
  localparam logic [31:0] SegmentWeights = 32'h3;

  // What a step does.
  /// frame memory to feature memory
  localparam logic [7:0] OpLoad = 8'h1;
  /// one part of a layer, over all tiles of a map
  localparam logic [7:0] OpConv = 8'h2;
  /// feature memory to result memory
  localparam logic [7:0] OpStore = 8'h3;
  /// input tables to the engine
  localparam logic [7:0] OpTable = 8'h4;
  /// numbers of the first layer to the engine
  localparam logic [7:0] OpFirst = 8'h5;

  // What the drain does with the four phases of a filter.
  /// no phases: each accumulator of each PE is a channel
  localparam logic [1:0] PoolNone = 2'h0;
  /// keep the maximum
  localparam logic [1:0] PoolMax = 2'h1;
  /// as MAX, and write the four phases as well
  localparam logic [1:0] PoolKeep = 2'h2;

  // What requantisation does before it rounds: a value of 0 or more stays, a negative one is
  // multiplied by a slope.
  /// multiplies negative values by 1
  localparam logic [1:0] ActivationLinear = 2'h0;
  /// multiplies negative values by 0
  localparam logic [1:0] ActivationRelu = 2'h1;
  /// multiplies negative values by 0.125
  localparam logic [1:0] ActivationLeaky = 2'h2;

  // Records of a WEIGHTS payload.
  /// `count` fetch words
  localparam logic [7:0] RecordFetch = 8'h1;
  /// `count` rounds, each an entry for each PE stream
  localparam logic [7:0] RecordRounds = 8'h2;

  // What an entry of a round does.
  /// nothing
  localparam logic [1:0] EntryNone = 2'h0;
  /// add the operands to the accumulator
  localparam logic [1:0] EntryAdd = 2'h1;
  /// set the accumulator to the sum of the operands; the first of each accumulator in a pass
  localparam logic [1:0] EntrySet = 2'h2;
  /// double the accumulator; the operands are absent
  localparam logic [1:0] EntryDouble = 2'h3;

  /// The first bytes of a tape.
  typedef struct packed {
    /// CRC-32 of the bytes before it
    logic [31:0] crc;
    logic [735:0] unused;
    /// number of STEP segments among them
    logic [31:0] steps;
    /// number of segments that follow
    logic [31:0] segments;
    /// length of the whole tape in bytes
    logic [63:0] bytes;
    /// hash of the engine config that the tape is for
    logic [31:0] config_hash;
    /// version of the format
    logic [31:0] version;
    /// the letters "STERNATP"
    logic [63:0] magic;
  } tape_header_t;

  /// Comes before each segment's payload.
  typedef struct packed {
    /// CRC-32 of the bytes before it
    logic [31:0] crc;
    logic [831:0] unused;
    /// CRC-32 of the payload
    logic [31:0] payload_crc;
    /// length of the payload in bytes, with its padding
    logic [63:0] bytes;
    /// 0 for the first segment of the tape
    logic [31:0] index;
    /// what the payload holds
    logic [31:0] kind;
  } segment_header_t;

  /// The payload of a STEP segment.
  typedef struct packed {
    logic [511:0] unused;
    /// CONV, LOAD: what may go on when it begins; bits 0, 1: number of STOREs, bit 2: LOADs
    logic [7:0] beside;
    /// LOAD without next, STORE: 1 moves words from or to the frame's scratch memory
    logic [7:0] scratch;
    /// bytes that LOAD and STORE move, whole bus beats
    logic [31:0] dram_bytes;
    /// CONV: length of the WEIGHTS payload that follows it
    logic [31:0] weights_bytes;
    /// CONV, TABLE, FIRST: length of the REQUANT payload that follows
    logic [31:0] requant_bytes;
    /// 1: ties of requantisation go to the even result
    logic [7:0] half_even;
    /// Pool KEEP: first feature memory word of the phases
    logic [23:0] keep_base;
    /// channel words between cluster groups: ceil(filters / 4); LOAD: of the first layer
    logic [15:0] group_words;
    /// channels that each cluster drains and writes for each tile; LOAD: of the frame
    logic [15:0] filters;
    /// ceil(out_plane / tiles_at_once): times the WEIGHTS payload is streamed
    logic [31:0] tile_groups;
    /// out_tiles_h * out_tiles_w: words from one output channel word to the next
    logic [31:0] out_plane;
    /// tiles in a row of the output
    logic [15:0] out_tiles_w;
    /// rows of tiles of the output
    logic [15:0] out_tiles_h;
    /// words in a row of tiles of the input
    logic [15:0] in_tiles_w;
    /// input width mod tile_w
    logic [15:0] in_extra_cols;
    /// input width div tile_w
    logic [15:0] in_full_cols;
    /// input height mod tile_h
    logic [15:0] in_extra_rows;
    /// input height div tile_h; LOAD: of the frame, and so on
    logic [15:0] in_full_rows;
    /// bytes from the frame (LOAD), result (STORE) or scratch address
    logic [31:0] dram_offset;
    /// largest result of requantisation
    logic signed [7:0] clamp_high;
    /// words that LOAD fills and STORE moves
    logic [23:0] fm_words;
    /// least result of requantisation
    logic signed [7:0] clamp_low;
    /// LOAD target, STORE source, CONV output: feature memory word
    logic [23:0] fm_base;
    /// distinct tiles that the clusters work on, a divisor of clusters
    logic [7:0] tiles_at_once;
    /// what pixels outside the input map read as
    logic signed [7:0] pad_value;
    /// right shift of requantisation
    logic [7:0] shift;
    /// activation of requantisation
    logic [7:0] activation;
    /// 1 or 2: input pixels from lane to lane
    logic [7:0] gather_stride;
    /// what the drain does; unless NONE, the phases of a filter are four accumulators of a PE
    logic [7:0] pool;
    /// LOAD: 1 loads the frame that is queued, in the background; nothing if none is
    logic [7:0] next;
    /// what the step does
    logic [7:0] op;
  } step_t;

  /// A word of a REQUANT payload, one for each drained filter.
  typedef struct packed {
    /// added to the product
    logic signed [45:0] bias;
    /// multiplies the filter's sums
    logic [17:0] multiplier;
  } requant_word_t;

  /// A word of the REQUANT payload of a TABLE step, one for each byte value 0 .. 255 of an unsigned
  /// image.
  typedef struct packed {
    logic [39:0] unused;
    /// value of channel 2
    logic signed [7:0] channel_2;
    /// value of channel 1
    logic signed [7:0] channel_1;
    /// value of channel 0
    logic signed [7:0] channel_0;
  } input_word_t;

  /// The first word of a record of a WEIGHTS payload, alone in its bus beat.
  typedef struct packed {
    logic [31:0] unused;
    /// how many of them follow
    logic [23:0] count;
    /// what follows; a header of zeros is padding
    logic [7:0] kind;
  } record_header_t;

  /// A word of a FETCH record.
  typedef struct packed {
    logic [4:0] unused;
    /// words that each drain must have written of the last tiles of the step before
    logic [9:0] after;
    /// no fetch word of the pass follows
    logic [0:0] last_in_pass;
    /// window column offset mod tile_w
    logic [3:0] col;
    /// floor(window column offset / tile_w)
    logic signed [7:0] tile_col;
    /// window row offset mod tile_h
    logic [3:0] row;
    /// floor(window row offset / tile_h)
    logic signed [7:0] tile_row;
    /// feature memory word of tile (0, 0) of the channel word
    logic [23:0] plane;
  } fetch_t;

  /// A vector that an entry adds: a channel of a word in the window.
  typedef struct packed {
    /// add the bitwise inverse, -x - 1; 0 if it is absent
    logic [0:0] subtract;
    /// place of the word in the window; ABSENT_SLOT reads as zero
    logic [4:0] slot;
  } operand_t;

  /// An operation of a PE, one for each PE stream in a round.
  typedef struct packed {
    /// of the round: in WORD_STREAM it takes a word, in END_STREAM it is the last; else 0
    logic [0:0] control;
    /// what the entry does
    logic [1:0] kind;
    /// accumulator of the half that the pass uses
    logic [4:0] acc_index;
    /// an operand for each channel of a word, that of channel 0 in the low bits
    logic [23:0] operands;
  } entry_t;

  /// What the gather reads of a word: the window of a tile.
  typedef struct packed {
    logic [3:0] col;
    logic signed [15:0] tile_col;
    logic [3:0] row;
    logic signed [15:0] tile_row;
    logic [23:0] plane;
  } gather_t;

  /// What a drain does for one cluster at the end of a tile pass.
  typedef struct packed {
    logic [31:0] plane;
    logic [31:0] keep_address;
    logic [31:0] address;
    logic [15:0] filters;
    logic [5:0] shift;
    logic [1:0] activation;
    logic [1:0] pool;
    logic [0:0] table_half;
    logic [0:0] write;
  } pass_t;

  /// The limits of a step's results, and how ties are rounded.
  typedef struct packed {
    logic [0:0] half_even;
    logic signed [7:0] high;
    logic signed [7:0] low;
  } general_t;

  /// AXI4 write and read address.
  typedef struct packed {
    logic [0:0] id;
    logic [63:0] addr;
    logic [7:0] len;
    logic [2:0] size;
    logic [1:0] burst;
    logic [0:0] lock;
    logic [3:0] cache;
    logic [2:0] prot;
    logic [3:0] qos;
  } axi_address_t;

  /// AXI4 write response.
  typedef struct packed {
    logic [0:0] id;
    logic [1:0] resp;
  } axi_written_t;

  /// AXI4 read data, but for the data.
  typedef struct packed {
    logic [0:0] id;
    logic [1:0] resp;
    logic [0:0] last;
  } axi_read_t;

  /// AXI4-Lite write and read address.
  typedef struct packed {
    logic [11:0] addr;
    logic [2:0] prot;
  } axil_address_t;

  /// AXI4-Lite write data.
  typedef struct packed {
    logic [31:0] data;
    logic [3:0] strb;
  } axil_write_t;

  /// AXI4-Lite read data.
  typedef struct packed {
    logic [31:0] data;
    logic [1:0] resp;
  } axil_read_t;

endpackage
