/// Walks the segments of a tape: asks for their bytes, checks headers, order, lengths and CRCs, and hands on
/// the payloads. A STEP is handed on after its CRC was right; REQUANT and WEIGHTS stream through, WEIGHTS once
/// for each tile group of its step.
module sterna_tape_reader
  import sterna_pkg::*;
#(
  /// Bits of a bus beat.
  parameter int unsigned DataW = 64,
  /// Clusters of the engine.
  parameter int unsigned Clusters = 2,
  /// Entries of a requantisation table: channels that a cluster can drain.
  parameter int unsigned TableEntries = 64,
  /// Config hash that the tape must carry.
  parameter logic [31:0] ConfigHash = '0
) (
  /// Clock.
  input  logic             clk_i,
  /// Reset, active low, released synchronously.
  input  logic             rst_ni,
  /// Back to the reset state.
  input  logic             clear_i,
  /// Starts on the tape (pulse).
  input  logic             start_i,
  /// First byte of the tape, a multiple of 64; stable while the tape is read.
  input  logic [63:0]      tape_addr_i,
  /// Bytes of the tape; stable while the tape is read.
  input  logic [31:0]      tape_bytes_i,
  /// Asks the AXI reader for bytes of the tape.
  output logic             command_valid_o,
  /// The AXI reader takes the command.
  input  logic             command_ready_i,
  /// First byte.
  output logic [63:0]      command_addr_o,
  /// Bytes.
  output logic [31:0]      command_bytes_o,
  /// A beat from the AXI reader.
  input  logic             beat_valid_i,
  /// The beat is taken.
  output logic             beat_ready_o,
  /// The beat; payloads are handed on as they are.
  input  logic [DataW-1:0] beat_data_i,
  /// A checked step is offered.
  output logic             step_valid_o,
  /// The step is taken.
  input  logic             step_ready_i,
  /// The step.
  output step_t            step_o,
  /// `beat_data_i` is a beat of a REQUANT payload.
  output logic             requant_valid_o,
  /// The REQUANT beat is taken.
  input  logic             requant_ready_i,
  /// The REQUANT payload has passed and its CRC was right (pulse).
  output logic             requant_done_o,
  /// `beat_data_i` is a beat of a WEIGHTS payload.
  output logic             weights_valid_o,
  /// The WEIGHTS beat is taken.
  input  logic             weights_ready_i,
  /// The WEIGHTS payload has passed for the last time and its CRC was right (pulse).
  output logic             weights_done_o,
  /// While high, no bytes behind the next segment header are asked for.
  input  logic             hold_i,
  /// Drop what is left of the REQUANT or WEIGHTS payload, but check it; nothing follows.
  input  logic             discard_i,
  /// No payload is left to drop.
  output logic             discarded_o,
  /// Every byte that was asked for has been taken.
  output logic             bus_free_o,
  /// All segments have passed.
  output logic             done_o,
  /// A check failed; stays until clear_i.
  output logic             error_o,
  /// Which check, an error code.
  output logic [7:0]       error_code_o,
  /// The segment that is read.
  output logic [31:0]      segment_o
);
  localparam int unsigned HeaderBytes = 64;
  localparam int unsigned ByteW = $clog2(DataW / 8);
  localparam int unsigned LeftW = 32 - ByteW;
  localparam logic [LeftW-1:0] HeaderBeats = LeftW'(HeaderBytes * 8 / DataW);
  /// Bytes that surely follow a WEIGHTS payload if anything does: a STEP segment and one more header.
  localparam logic [31:0] StepAhead = 32'd192;
  localparam logic [31:0] HeaderAhead = 32'd64;

  // The fields of a header that are looked at; its CRC is checked by the residue.
  typedef struct packed {
    logic [31:0] segments;
    logic [63:0] bytes;
    logic [31:0] config_hash;
    logic [31:0] version;
    logic [63:0] magic;
  } tape_header_t;

  typedef struct packed {
    logic [31:0] payload_crc;
    logic [63:0] bytes;
    logic [31:0] index;
    logic [31:0] kind;
  } segment_header_t;

  typedef enum logic [3:0] {
    StIdle,
    StTapeHeader,
    StTapeCheck,
    StNext,
    StHeader,
    StHeaderCheck,
    StPayload,
    StPayloadCheck,
    StStep,
    StDone,
    StError
  } state_e;

  state_e state_d, state_q;
  logic [7:0] error_d, error_q;
  /// The last 64 bytes that were read: a header or a STEP payload when it is looked at.
  logic [511:0] buffer_d, buffer_q;
  /// Beats left of the header or payload that is read.
  logic [LeftW-1:0] left_d, left_q;
  /// Offset behind the last payload, or of the payload that is read.
  logic [31:0] position_d, position_q;
  logic [31:0] segments_d, segments_q, segment_d, segment_q;
  /// Kind of the segment that must come next, or is read.
  logic [31:0] kind_d, kind_q;
  logic [31:0] payload_bytes_d, payload_bytes_q, payload_crc_d, payload_crc_q;
  /// Times that WEIGHTS is still to stream, and least beats of REQUANT, both from the last step.
  logic [31:0] repeats_d, repeats_q;
  logic [31:0] requant_bytes_d, requant_bytes_q;

  tape_header_t tape_header;
  segment_header_t header;
  step_t step;
  logic take, last_beat, crc_clear;
  logic [31:0] crc;
  logic [7:0] tape_fault, header_fault, step_fault;

  sterna_crc32 #(
    .DataW(DataW)
  ) u_crc (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .clear_i(crc_clear),
    .valid_i(take),
    .data_i (beat_data_i),
    .crc_o  (crc)
  );

  // ---------------------------------------------------------------------------------------------- beats

  logic streaming, is_requant, is_weights;

  assign streaming = state_q == StPayload && !discard_i;
  assign is_requant = kind_q == SegmentRequant;
  assign is_weights = kind_q == SegmentWeights;
  assign requant_valid_o = streaming && is_requant && beat_valid_i;
  assign weights_valid_o = streaming && is_weights && beat_valid_i;
  assign take = beat_valid_i && beat_ready_o;
  assign last_beat = take && left_q == LeftW'(1);
  assign crc_clear = state_q inside {StIdle, StNext} || (state_q != StPayload && state_d == StPayload);

  always_comb begin
    unique case (state_q)
      StTapeHeader, StHeader: beat_ready_o = 1'b1;
      StPayload: begin
        beat_ready_o = 1'b1;
        if (is_requant && !discard_i) beat_ready_o = requant_ready_i;
        if (is_weights && !discard_i) beat_ready_o = weights_ready_i;
      end
      default: beat_ready_o = 1'b0;
    endcase
  end

  assign buffer_d = take ? 512'({beat_data_i, buffer_q} >> DataW) : buffer_q;

  // --------------------------------------------------------------------------------------------- checks

  assign tape_header = tape_header_t'(buffer_q[$bits(tape_header_t)-1:0]);
  assign header = segment_header_t'(buffer_q[$bits(segment_header_t)-1:0]);
  assign step = step_t'(buffer_q);

  always_comb begin
    tape_fault = ErrorNone;
    if (tape_header.magic != TapeMagic) tape_fault = ErrorBadMagic;
    else if (tape_header.version != TapeVersion) tape_fault = ErrorBadVersion;
    else if (tape_header.config_hash != ConfigHash) tape_fault = ErrorBadConfig;
    else if (tape_header.bytes != 64'(tape_bytes_i)) tape_fault = ErrorBadLength;
    else if (crc != CrcResidue) tape_fault = ErrorHeaderCrc;
  end

  // position_q is that of the payload; the tape's end lies at or behind it.
  always_comb begin
    header_fault = ErrorNone;
    if (crc != CrcResidue || header.index != segment_q) header_fault = ErrorSegmentHeader;
    else if (header.kind != kind_q) header_fault = ErrorBadStep;
    else if (header.bytes == '0 || header.bytes[5:0] != '0 ||
             header.bytes > 64'(tape_bytes_i - position_q)) header_fault = ErrorBadLength;
    else if (kind_q == SegmentStep && header.bytes != 64'(HeaderBytes)) header_fault = ErrorBadLength;
    else if (is_requant && header.bytes[31:0] < requant_bytes_q) header_fault = ErrorBadLength;
  end

  logic legal_tiles, legal_filters;
  assign legal_filters = step.filters != '0 && step.filters <= 16'(TableEntries);
  assign legal_tiles = $onehot(step.tiles_at_once) && step.tiles_at_once <= 8'(Clusters);

  always_comb begin
    step_fault = ErrorBadStep;
    unique case (step.op)
      OpLoad, OpStore: if (step.fm_words != '0) step_fault = ErrorNone;
      OpConv: begin
        if (legal_tiles && legal_filters && step.tile_groups != '0) step_fault = ErrorNone;
      end
      default: ;
    endcase
  end

  // ----------------------------------------------------------------------------------------------- walk

  // The clusters form clusters / tiles_at_once filter groups, both powers of two.
  logic [31:0] filter_groups;
  assign filter_groups = 32'(Clusters) >> {step.tiles_at_once[2], step.tiles_at_once[1]};

  always_comb begin
    state_d = state_q;
    error_d = error_q;
    left_d = left_q - LeftW'(take);
    position_d = position_q;
    segments_d = segments_q;
    segment_d = segment_q;
    kind_d = kind_q;
    payload_bytes_d = payload_bytes_q;
    payload_crc_d = payload_crc_q;
    repeats_d = repeats_q;
    requant_bytes_d = requant_bytes_q;
    unique case (state_q)
      StIdle: begin
        left_d = HeaderBeats;
        kind_d = SegmentStep;
        segment_d = '0;
        position_d = 32'(HeaderBytes);
        if (start_i) begin
          state_d = StTapeHeader;
          if (tape_bytes_i < 32'(HeaderBytes) || tape_bytes_i[5:0] != '0) error_d = ErrorBadLength;
        end
      end
      StTapeHeader: if (last_beat) state_d = StTapeCheck;
      StTapeCheck: begin
        error_d = tape_fault;
        segments_d = tape_header.segments;
        state_d = StNext;
      end
      StNext: begin
        left_d = HeaderBeats;
        state_d = StHeader;
        position_d = position_q + 32'(HeaderBytes);
        if (segment_q == segments_q) begin
          state_d = StDone;
          if (kind_q != SegmentStep) error_d = ErrorBadStep;
          else if (position_q != tape_bytes_i) error_d = ErrorBadLength;
        end else if (position_q == tape_bytes_i) begin
          error_d = ErrorBadLength;
        end
      end
      StHeader: if (last_beat) state_d = StHeaderCheck;
      StHeaderCheck: begin
        payload_bytes_d = header.bytes[31:0];
        payload_crc_d = header.payload_crc;
        left_d = header.bytes[31:ByteW];
        error_d = header_fault;
        if (!hold_i) state_d = StPayload;
      end
      StPayload: if (last_beat) state_d = StPayloadCheck;
      StPayloadCheck: begin
        state_d = StNext;
        unique case (kind_q)
          SegmentStep: state_d = StStep;
          SegmentRequant: kind_d = SegmentWeights;
          default: begin
            kind_d = SegmentStep;
            repeats_d = repeats_q - 32'd1;
            if (repeats_q != 32'd1) begin
              kind_d = SegmentWeights;
              state_d = StPayload;
              left_d = payload_bytes_q[31:ByteW];
            end
          end
        endcase
        if (state_d == StNext) begin
          segment_d = segment_q + 32'd1;
          position_d = position_q + payload_bytes_q;
        end
        if (discard_i) state_d = StDone;
        if (crc != ~payload_crc_q) error_d = ErrorSegmentCrc;
        else if (state_d == StStep) error_d = step_fault;
      end
      StStep: begin
        repeats_d = step.tile_groups;
        requant_bytes_d = 32'(step.filters) * (filter_groups << 3);
        if (step_ready_i) begin
          state_d = StNext;
          if (step.op == OpConv) kind_d = SegmentRequant;
          segment_d = segment_q + 32'd1;
          position_d = position_q + payload_bytes_q;
        end
      end
      default: ;
    endcase
    if (error_d != ErrorNone) begin
      state_d = StError;
      segment_d = segment_q;
    end
    if (clear_i) begin
      state_d = StIdle;
      error_d = ErrorNone;
    end
  end

  assign step_valid_o = state_q == StStep;
  assign step_o = step;
  assign requant_done_o = state_q == StPayloadCheck && state_d == StNext && is_requant;
  assign weights_done_o = state_q == StPayloadCheck && state_d == StNext && is_weights;
  assign discarded_o = discard_i && !(state_q inside {StPayload, StPayloadCheck});
  assign done_o = state_q == StDone;
  assign error_o = state_q == StError;
  assign error_code_o = error_q;
  assign segment_o = segment_q;

  // ------------------------------------------------------------------------------------------- requests

  // Bytes up to limit_q have been asked for at least once. A command moves it to the end of the payload and
  // a little further; WEIGHTS that stream more than once are asked for again each time.
  logic [31:0] limit_d, limit_q, payload_end, wanted_end, room, ahead;
  logic [31:0] offset_d, offset_q, each_d, each_q, final_d, final_q, commands_d, commands_q;
  logic [LeftW-1:0] unread_d, unread_q;
  logic ask_header, ask_payload, command_taken;

  assign ask_header = state_q == StIdle && state_d == StTapeHeader;
  assign ask_payload = state_q == StHeaderCheck && state_d == StPayload;
  assign payload_end = position_q + header.bytes[31:0];
  assign ahead = is_weights || ask_header ? StepAhead : HeaderAhead;
  assign room = ask_header ? tape_bytes_i - 32'(HeaderBytes) : tape_bytes_i - payload_end;
  assign wanted_end = (ask_header ? 32'(HeaderBytes) : payload_end) + (room < ahead ? room : ahead);

  assign command_valid_o = commands_q != '0;
  assign command_addr_o = tape_addr_i + 64'(offset_q);
  assign command_bytes_o = commands_q == 32'd1 ? final_q : each_q;
  assign command_taken = command_valid_o && command_ready_i;
  assign bus_free_o = commands_q == '0 && unread_q == '0;

  always_comb begin
    limit_d = limit_q;
    offset_d = offset_q;
    each_d = each_q;
    final_d = final_q;
    commands_d = commands_q - 32'(command_taken);
    unread_d = unread_q - LeftW'(take);
    if (command_taken) unread_d = unread_d + command_bytes_o[31:ByteW];
    if (state_q == StIdle) limit_d = '0;
    if (ask_header || ask_payload && wanted_end > limit_q) begin
      limit_d = wanted_end;
      offset_d = ask_header ? '0 : limit_q;
      each_d = header.bytes[31:0];
      final_d = wanted_end - offset_d;
      commands_d = ask_payload && is_weights ? repeats_q : 32'd1;
    end
    if (clear_i) begin
      commands_d = '0;
      unread_d = '0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      error_q <= ErrorNone;
      buffer_q <= '0;
      left_q <= '0;
      position_q <= '0;
      segments_q <= '0;
      segment_q <= '0;
      kind_q <= SegmentStep;
      payload_bytes_q <= '0;
      payload_crc_q <= '0;
      repeats_q <= '0;
      requant_bytes_q <= '0;
      limit_q <= '0;
      offset_q <= '0;
      each_q <= '0;
      final_q <= '0;
      commands_q <= '0;
      unread_q <= '0;
    end else begin
      state_q <= state_d;
      error_q <= error_d;
      buffer_q <= buffer_d;
      left_q <= left_d;
      position_q <= position_d;
      segments_q <= segments_d;
      segment_q <= segment_d;
      kind_q <= kind_d;
      payload_bytes_q <= payload_bytes_d;
      payload_crc_q <= payload_crc_d;
      repeats_q <= repeats_d;
      requant_bytes_q <= requant_bytes_d;
      limit_q <= limit_d;
      offset_q <= offset_d;
      each_q <= each_d;
      final_q <= final_d;
      commands_q <= commands_d;
      unread_q <= unread_d;
    end
  end
endmodule
