// Formats of tape and registers. Written by `make package-sv` from python/sterna/spec: change them there.
package sterna_pkg;

  localparam logic [63:0] TapeMagic = 64'h5054414e52455453;
  localparam logic [31:0] TapeVersion = 32'h2;
  localparam logic [31:0] CrcResidue = 32'hdebb20e3;
  localparam logic [31:0] EngineIdentity = 32'h5354524e;
  localparam logic [31:0] EngineVersion = 32'h20000;
  localparam int unsigned RegisterAddrW = 12;
  localparam int unsigned ProfileSteps = 256;
  localparam int unsigned WordChannels = 4;
  localparam int unsigned RequantMultiplierW = 18;
  localparam int unsigned RequantBiasW = 46;
  localparam logic [9:0] AfterAll = 10'h3ff;

  localparam logic [31:0] SegmentStep = 32'h1;
  localparam logic [31:0] SegmentRequant = 32'h2;
  localparam logic [31:0] SegmentWeights = 32'h3;

  localparam logic [7:0] OpLoad = 8'h1;
  localparam logic [7:0] OpConv = 8'h2;
  localparam logic [7:0] OpStore = 8'h3;

  localparam logic [1:0] ActivationLinear = 2'h0;
  localparam logic [1:0] ActivationRelu = 2'h1;
  localparam logic [1:0] ActivationLeaky = 2'h2;

  localparam logic [7:0] RecordFetch = 8'h1;
  localparam logic [7:0] RecordRounds = 8'h2;

  localparam logic [1:0] EntryControl = 2'h3;
  localparam logic [4:0] CommandNop = 5'h0;
  localparam logic [4:0] CommandPad = 5'h1;
  localparam logic [4:0] CommandEndPass = 5'h4;
  localparam logic [4:0] CommandSkip = 5'h8;

  localparam logic [1:0] PoolNone = 2'h0;
  localparam logic [1:0] PoolMax = 2'h1;
  localparam logic [1:0] PoolKeep = 2'h2;

  localparam logic [7:0] ErrorNone = 8'h0;
  localparam logic [7:0] ErrorBadMagic = 8'h1;
  localparam logic [7:0] ErrorBadVersion = 8'h2;
  localparam logic [7:0] ErrorBadConfig = 8'h3;
  localparam logic [7:0] ErrorBadLength = 8'h4;
  localparam logic [7:0] ErrorHeaderCrc = 8'h5;
  localparam logic [7:0] ErrorSegmentHeader = 8'h6;
  localparam logic [7:0] ErrorSegmentCrc = 8'h7;
  localparam logic [7:0] ErrorBadStep = 8'h8;
  localparam logic [7:0] ErrorBusRead = 8'h9;
  localparam logic [7:0] ErrorBusWrite = 8'ha;
  localparam logic [7:0] ErrorStall = 8'hb;
  localparam logic [7:0] ErrorAborted = 8'hc;

  localparam logic [31:0] ControlStart = 32'h1;
  localparam logic [31:0] ControlAbort = 32'h2;
  localparam logic [31:0] ControlIrqEnable = 32'h4;

  localparam logic [31:0] StatusBusy = 32'h1;
  localparam logic [31:0] StatusDone = 32'h2;
  localparam logic [31:0] StatusError = 32'h4;
  localparam logic [31:0] StatusIrq = 32'h8;
  localparam logic [31:0] StatusQueued = 32'h10;

  localparam logic [11:0] RegIdentity = 12'h0;
  localparam logic [11:0] RegVersion = 12'h4;
  localparam logic [11:0] RegConfigHash = 12'h8;
  localparam logic [11:0] RegCapabilityTile = 12'hc;
  localparam logic [11:0] RegCapabilityUnit = 12'h10;
  localparam logic [11:0] RegCapabilityWords = 12'h14;
  localparam logic [11:0] RegControl = 12'h20;
  localparam logic [11:0] RegStatus = 12'h24;
  localparam logic [11:0] RegErrorCode = 12'h28;
  localparam logic [11:0] RegErrorSegment = 12'h2c;
  localparam logic [11:0] RegTapeAddrLo = 12'h30;
  localparam logic [11:0] RegTapeAddrHi = 12'h34;
  localparam logic [11:0] RegTapeBytes = 12'h38;
  localparam logic [11:0] RegWatchdog = 12'h3c;
  localparam logic [11:0] RegFrameAddrLo = 12'h40;
  localparam logic [11:0] RegFrameAddrHi = 12'h44;
  localparam logic [11:0] RegResultAddrLo = 12'h48;
  localparam logic [11:0] RegResultAddrHi = 12'h4c;
  localparam logic [11:0] RegCyclesLo = 12'h80;
  localparam logic [11:0] RegCyclesHi = 12'h84;
  localparam logic [11:0] RegBusyLo = 12'h88;
  localparam logic [11:0] RegBusyHi = 12'h8c;
  localparam logic [11:0] RegWaitLinesLo = 12'h90;
  localparam logic [11:0] RegWaitLinesHi = 12'h94;
  localparam logic [11:0] RegWaitWeightsLo = 12'h98;
  localparam logic [11:0] RegWaitWeightsHi = 12'h9c;
  localparam logic [11:0] RegWaitDrainLo = 12'ha0;
  localparam logic [11:0] RegWaitDrainHi = 12'ha4;
  localparam logic [11:0] RegBeatsReadLo = 12'ha8;
  localparam logic [11:0] RegBeatsReadHi = 12'hac;
  localparam logic [11:0] RegBeatsWrittenLo = 12'hb0;
  localparam logic [11:0] RegBeatsWrittenHi = 12'hb4;
  localparam logic [11:0] RegSteps = 12'hb8;
  localparam logic [11:0] RegStepsNow = 12'hbc;
  localparam logic [11:0] RegFrames = 12'hc0;
  localparam logic [11:0] RegProfileIndex = 12'h100;
  localparam logic [11:0] RegProfileCycles = 12'h104;
  localparam logic [11:0] RegProfileBusy = 12'h108;
  localparam logic [11:0] RegProfileWaitLines = 12'h10c;
  localparam logic [11:0] RegProfileWaitWeights = 12'h110;
  localparam logic [11:0] RegProfileWaitDrain = 12'h114;

  typedef struct packed {
    logic [47:0] unused;
    logic [31:0] weights_bytes;
    logic [31:0] requant_bytes;
    logic [31:0] keep_base;
    logic [15:0] group_words;
    logic [15:0] filters;
    logic [31:0] tile_groups;
    logic [31:0] out_plane;
    logic [15:0] out_tiles_w;
    logic [15:0] out_tiles_h;
    logic [15:0] in_tiles_w;
    logic [15:0] in_extra_cols;
    logic [15:0] in_full_cols;
    logic [15:0] in_extra_rows;
    logic [15:0] in_full_rows;
    logic [31:0] dram_offset;
    logic [31:0] fm_words;
    logic [31:0] fm_base;
    logic [7:0] tiles_at_once;
    logic signed [7:0] pad_value;
    logic [7:0] shift;
    logic [7:0] activation;
    logic [7:0] gather_stride;
    logic [7:0] pool;
    logic [7:0] next;
    logic [7:0] op;
  } step_t;

  typedef struct packed {
    logic [0:0] unused;
    logic [9:0] after;
    logic [0:0] last_in_pass;
    logic [3:0] mask;
    logic [3:0] col;
    logic signed [7:0] tile_col;
    logic [3:0] row;
    logic signed [7:0] tile_row;
    logic [23:0] plane;
  } fetch_t;

  typedef struct packed {
    logic [3:0] col;
    logic signed [15:0] tile_col;
    logic [3:0] row;
    logic signed [15:0] tile_row;
    logic [23:0] plane;
  } gather_t;

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

endpackage
