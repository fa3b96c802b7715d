// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Walks a tape: checks its header and each segment, offers the steps and hands on the payloads of
/// REQUANT and WEIGHTS as they come, WEIGHTS once for each tile group of its step. A step tells the
/// lengths of its segments, so when it is taken everything up to the step after the next one is
/// asked for at once.
module sterna_tape_reader #(
  /// Bits of a bus beat.
  parameter int unsigned DataW = 64,
  /// Clusters of the engine.
  parameter int unsigned Clusters = 2,
  /// Entries of a requantisation table: channels that a cluster can drain.
  parameter int unsigned TableEntries = 64,
  /// The engine has input tables.
  parameter bit InputTable = 0,
  /// LOAD can compute the first layer.
  parameter bit FirstLayer = 0,
  /// Config hash that the tape must carry.
  parameter logic [31:0] ConfigHash = '0
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  /// Back to the reset state.
  input  logic             clear_i,
  /// Starts on the tape (pulse).
  input  logic             start_i,
  /// First byte of the tape, a multiple of TapeAlign; stable while the tape is read.
  input  logic [63:0]      tape_addr_i,
  /// Bytes of the tape; stable while the tape is read.
  input  logic [31:0]      tape_bytes_i,
  /// Asks for bytes of the tape.
  output logic             command_valid_o,
  /// The command is taken.
  input  logic             command_ready_i,
  /// First byte.
  output logic [63:0]      command_addr_o,
  /// Bytes.
  output logic [31:0]      command_bytes_o,
  /// A beat of the tape, as asked for.
  input  logic             beat_valid_i,
  /// The beat is taken.
  output logic             beat_ready_o,
  /// The beat.
  input  logic [DataW-1:0] beat_data_i,
  /// A checked step is offered.
  output logic             step_valid_o,
  /// The step is taken; only then is more asked for than the next step.
  input  logic             step_ready_i,
  /// The step.
  output step_t            step_o,
  /// A beat of a payload, as it is.
  output logic [DataW-1:0] payload_o,
  /// `payload_o` is a beat of a REQUANT payload.
  output logic             requant_valid_o,
  /// The REQUANT beat is taken.
  input  logic             requant_ready_i,
  /// `payload_o` is a beat of a WEIGHTS payload.
  output logic             weights_valid_o,
  /// The WEIGHTS beat is taken.
  input  logic             weights_ready_i,
  /// WEIGHTS may pass; stays until they are done.
  input  logic             weights_enable_i,
  /// The WEIGHTS payload has passed for the last time and its CRC was right (pulse).
  output logic             weights_done_o,
  /// Drop what is left of the REQUANT or WEIGHTS payload, but check it; nothing follows.
  input  logic             discard_i,
  /// No payload is left to drop.
  output logic             discarded_o,
  /// All segments have passed.
  output logic             done_o,
  /// A check failed; stays until clear_i.
  output logic             error_o,
  /// Which check, an error code.
  output logic [7:0]       error_code_o,
  /// The segment that is read.
  output logic [31:0]      segment_o
);
  /// Steps other than CONV may have a payload.
  localparam bit HasTables = InputTable || FirstLayer;
  localparam int unsigned ByteW = $clog2(DataW / 8);
  /// Everything on a tape is a multiple of TapeAlign bytes: places and lengths count these.
  localparam int unsigned LineByteW = $clog2(TapeAlign);
  localparam int unsigned LineW = 32 - LineByteW;
  localparam int unsigned LineBits = 8 * TapeAlign;
  localparam int unsigned LineBeats = LineBits / DataW;
  localparam int unsigned BeatsW = 32 - ByteW;

  typedef enum logic [4:0] {
    StIdle,          // no tape
    StTapeHeader,    // takes the header of the tape
    StTapeSum,       // its CRC is there in the next cycle,
    StTapeMatch,     // is compared,
    StTapeCheck,     // and looked at with the rest
    StNext,          // a segment, or the end of the tape
    StHeader,        // takes the header of a segment
    StHeaderSum,     // its CRC is there in the next cycle,
    StHeaderMatch,   // is compared,
    StHeaderCheck,   // and looked at with the rest
    StHeaderPass,    // goes on if nothing was wrong
    StPayload,       // takes the payload; that of REQUANT and WEIGHTS goes on to others
    StPayloadSum,    // its CRC is there in the next cycle,
    StPayloadMatch,  // is compared,
    StPayloadCheck,  // and looked at; WEIGHTS may come again
    StStepEnd,       // a step: the end of its payloads is summed,
    StStepFit,       // compared with that of the tape,
    StStepCheck,     // all checks of the step are made,
    StStepFault,     // and looked at
    StStepPass,      // goes on if nothing was wrong
    StStep,          // offers the step
    StDone,          // all segments have passed
    StError          // a check failed
  } state_e;

  state_e state_d, state_q;
  // A check that fails stops the walk in the next cycle, in which nothing passes, at the segment
  // that was checked.
  logic [7:0] fault_d, fault_q, error_d, error_q;
  logic faulty;
  /// The last line of headers and steps: a header or a step when it is looked at.
  logic [LineBits-1:0] buffer_q;
  /// Beats left of the header or payload that is read, and whether it is one.
  logic [BeatsW-1:0] left_d, left_q;
  logic last_d, last_q;
  /// Lines before the header of the segment that is read, or comes next; lines of its payload, and
  /// before the header after it, both known when its own header has been read.
  logic [LineW-1:0] place_d, place_q, lines_q, after_q, tape_lines;
  logic [31:0] segments_d, segments_q, segment_d, segment_q, checked_q;
  /// The segment after the one that is read, known a cycle after it.
  logic [31:0] following_q;
  /// Kind of the segment that must come next, or is read.
  logic [1:0] kind_d, kind_q;
  logic [31:0] payload_crc_d, payload_crc_q;
  /// From the last CONV step: lengths of its payloads, times that WEIGHTS is still to stream.
  logic [LineW-1:0] requant_lines_d, requant_lines_q, weights_lines_d, weights_lines_q;
  logic [31:0] repeats_d, repeats_q;
  logic last_repeat_q;

  // What is read: headers and steps, which stay here, or a payload for others.
  logic own_d, own_q, requant_d, requant_q, weights_d, weights_q;
  // The payload goes to others, or nowhere.
  logic to_requant_q, to_weights_q, dropped_q;
  // A step is offered; one was taken in the last cycle, which the requests look at then.
  logic step_valid_d, step_valid_q, step_taken_q;

  // The CRC of a header is checked by the residue.
  tape_header_t tape_header;
  segment_header_t header;
  step_t step;
  logic take, own_ends, requant_ends, weights_ends;
  logic crc_clear, step_taken, weights_done_d, weights_done_q;
  // The last beat was taken in the last cycle, and is on its way to the sum.
  logic taken_q;
  logic [31:0] crc;
  logic [7:0] tape_fault, header_fault, step_fault, step_fault_q;
  // The CRC is that of a right header, that of the payload.
  logic residue_q, match_q;

  sterna_crc32 #(
    .DataW(DataW)
  ) u_crc (
    .clk_i,
    .rst_ni,
    .clear_i(crc_clear),
    .valid_i(take),
    .data_i (payload_o),
    .crc_o  (crc)
  );

  // ----------------------------------------------------------------------------------------- beats

  // Keeps the walk away from the bus.
  logic beat_valid, beat_ready;

  sterna_fifo #(
    .Width(DataW),
    .Depth(2)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(beat_valid_i),
    .ready_o(beat_ready_o),
    .data_i (beat_data_i),
    .valid_o(beat_valid),
    .ready_i(beat_ready),
    .data_o (payload_o),
    .count_o()
  );

  logic is_step, is_requant, is_weights;

  assign is_step = kind_q == 2'(SegmentStep);
  assign is_requant = kind_q == 2'(SegmentRequant);
  assign is_weights = kind_q == 2'(SegmentWeights);
  assign requant_valid_o = to_requant_q && beat_valid;
  assign weights_valid_o = to_weights_q && beat_valid;
  assign beat_ready = own_q || dropped_q || (to_requant_q && requant_ready_i) ||
                      (to_weights_q && weights_ready_i);
  assign take = beat_valid && beat_ready;
  // Each kind of payload ends by itself, as whether its beats are taken opens a long path.
  assign own_ends = own_q && beat_valid && last_q;
  assign requant_ends = (dropped_q || (to_requant_q && requant_ready_i)) && beat_valid && last_q;
  assign weights_ends = (dropped_q || (to_weights_q && weights_ready_i)) && beat_valid && last_q;
  assign crc_clear = state_q == StIdle || state_q == StNext || state_q == StHeaderPass;

  // ---------------------------------------------------------------------------------------- checks

  assign tape_header = tape_header_t'(buffer_q);
  assign header = segment_header_t'(buffer_q);
  assign step = step_t'(buffer_q);
  assign tape_lines = tape_bytes_i[31:LineByteW];

  always_comb begin
    tape_fault = ErrorNone;
    if (tape_header.magic != TapeMagic) tape_fault = ErrorBadMagic;
    else if (tape_header.version != TapeVersion) tape_fault = ErrorBadVersion;
    else if (tape_header.config_hash != ConfigHash) tape_fault = ErrorBadConfig;
    else if (tape_header.bytes != 64'(tape_bytes_i)) tape_fault = ErrorBadLength;
    else if (!residue_q) tape_fault = ErrorHeaderCrc;
  end

  always_comb begin
    header_fault = ErrorNone;
    if (!residue_q || header.index != segment_q) header_fault = ErrorSegmentHeader;
    else if (header.kind != 32'(kind_q)) header_fault = ErrorBadStep;
    else if (header.bytes != 64'({lines_q, LineByteW'(0)})) header_fault = ErrorBadLength;
  end

  // The step stays in the buffer while it is checked.
  logic is_conv, checked_table, is_table, one_group, has_weights_q;
  logic [LineW+1:0] step_end;

  sterna_step_checker #(
    .Clusters    (Clusters),
    .TableEntries(TableEntries),
    .InputTable  (InputTable),
    .FirstLayer  (FirstLayer)
  ) u_step_checker (
    .clk_i,
    .step_i      (step),
    .place_i     (place_q),
    .tape_lines_i(tape_lines),
    .is_conv_o   (is_conv),
    .is_table_o  (checked_table),
    .one_group_o (one_group),
    .end_o       (step_end),
    .fault_o     (step_fault)
  );

  // Without tables a constant, even where this module is synthesised by itself.
  assign is_table = HasTables && checked_table;

  // The last line, and whether a step with its header that comes next reaches beyond it.
  logic [LineW-1:0] last_line_q;
  logic beyond_q;

  always_ff @(posedge clk_i) begin
    last_line_q <= tape_lines - 1'b1;
    beyond_q <= place_q >= last_line_q;
  end

  // ------------------------------------------------------------------------------------------ walk

  assign faulty = fault_q != ErrorNone;
  assign step_taken = step_valid_o && step_ready_i;
  assign weights_done_d = state_q == StPayloadCheck && is_weights && last_repeat_q &&
                          match_q && !discard_i;

  always_ff @(posedge clk_i) begin
    residue_q <= crc == CrcResidue;
    match_q <= crc == ~payload_crc_q;
    step_fault_q <= step_fault;
    lines_q <= LineW'(1);
    if (is_requant) lines_q <= requant_lines_q;
    if (is_weights) lines_q <= weights_lines_q;
    after_q <= place_q - ~lines_q;
    last_repeat_q <= repeats_q == 32'd1;
    checked_q <= segment_q;
    following_q <= segment_q + 32'd1;
    if (step_taken) has_weights_q <= is_conv;
  end

  always_comb begin
    state_d = state_q;
    fault_d = ErrorNone;
    error_d = error_q;
    left_d = left_q;
    last_d = last_q;
    place_d = place_q;
    segments_d = segments_q;
    segment_d = segment_q;
    kind_d = kind_q;
    payload_crc_d = payload_crc_q;
    requant_lines_d = requant_lines_q;
    weights_lines_d = weights_lines_q;
    repeats_d = repeats_q;
    own_d = own_q && !own_ends;
    requant_d = requant_q && !requant_ends;
    weights_d = weights_q && !weights_ends;
    step_valid_d = step_valid_q && !step_ready_i;
    if (take) begin
      left_d = left_q - 1'b1;
      last_d = left_q == BeatsW'(2);
    end
    unique case (state_q)
      StIdle: begin
        left_d = BeatsW'(LineBeats);
        last_d = LineBeats == 1;
        kind_d = 2'(SegmentStep);
        segment_d = '0;
        place_d = LineW'(1);
        if (start_i) begin
          state_d = StTapeHeader;
          own_d = 1'b1;
          if (tape_lines == '0 || tape_bytes_i[LineByteW-1:0] != '0) fault_d = ErrorBadLength;
        end
      end
      StTapeHeader: if (taken_q) state_d = StTapeSum;
      StTapeSum: state_d = StTapeMatch;
      StTapeMatch: state_d = StTapeCheck;
      StTapeCheck: begin
        fault_d = tape_fault;
        segments_d = tape_header.segments;
        state_d = StNext;
      end
      StNext: begin
        left_d = BeatsW'(LineBeats);
        last_d = LineBeats == 1;
        state_d = StHeader;
        own_d = 1'b1;
        if (segment_q == segments_q) begin
          state_d = StDone;
          own_d = 1'b0;
          if (!is_step) fault_d = ErrorBadStep;
          else if (place_q != tape_lines) fault_d = ErrorBadLength;
        end
      end
      StHeader: begin
        if (taken_q) state_d = StHeaderSum;
        if (is_step && beyond_q) fault_d = ErrorBadLength;
      end
      StHeaderSum: state_d = StHeaderMatch;
      StHeaderMatch: state_d = StHeaderCheck;
      StHeaderCheck: begin
        payload_crc_d = header.payload_crc;
        left_d = BeatsW'(lines_q) * BeatsW'(LineBeats);
        last_d = LineBeats == 1 && lines_q == LineW'(1);
        fault_d = header_fault;
        state_d = StHeaderPass;
      end
      StHeaderPass: begin
        if (!is_weights || weights_enable_i || discard_i) begin
          state_d = StPayload;
          own_d = is_step;
          requant_d = is_requant;
          weights_d = is_weights;
        end
      end
      StPayload: if (taken_q) state_d = StPayloadSum;
      StPayloadSum: state_d = StPayloadMatch;
      StPayloadMatch: state_d = StPayloadCheck;
      StPayloadCheck: begin
        state_d = StNext;
        unique case (kind_q)
          2'(SegmentStep): state_d = StStepEnd;
          2'(SegmentRequant): begin
            kind_d = !HasTables || has_weights_q ? 2'(SegmentWeights) : 2'(SegmentStep);
          end
          default: begin
            kind_d = 2'(SegmentStep);
            repeats_d = repeats_q - 32'd1;
            if (!last_repeat_q) begin
              kind_d = 2'(SegmentWeights);
              state_d = StHeaderPass;
              left_d = BeatsW'(lines_q) * BeatsW'(LineBeats);
              last_d = LineBeats == 1 && lines_q == LineW'(1);
            end
          end
        endcase
        if (state_d != StHeaderPass) place_d = after_q;
        if (state_d == StNext) segment_d = following_q;
        if (discard_i) state_d = StDone;
        if (!match_q) fault_d = ErrorSegmentCrc;
      end
      StStepEnd: state_d = StStepFit;
      StStepFit: state_d = StStepCheck;
      StStepCheck: state_d = StStepFault;
      StStepFault: begin
        fault_d = step_fault_q;
        state_d = StStepPass;
      end
      StStepPass: begin
        state_d = StStep;
        step_valid_d = 1'b1;
      end
      StStep: begin
        requant_lines_d = step.requant_bytes[31:LineByteW];
        weights_lines_d = step.weights_bytes[31:LineByteW];
        repeats_d = step.tile_groups;
        if (step_taken) begin
          state_d = StNext;
          if (is_conv || is_table) kind_d = 2'(SegmentRequant);
          segment_d = following_q;
        end
      end
      default: ;
    endcase
    if (faulty) begin
      state_d = StError;
      fault_d = ErrorNone;
      error_d = fault_q;
      segment_d = checked_q;
    end
    if (clear_i) begin
      state_d = StIdle;
      fault_d = ErrorNone;
      error_d = ErrorNone;
    end
    if (faulty || clear_i) {own_d, requant_d, weights_d, step_valid_d} = '0;
  end

  assign step_valid_o = step_valid_q;
  assign step_o = step;
  assign weights_done_o = weights_done_q;
  assign discarded_o = discard_i && state_q != StHeaderPass && state_q != StPayload &&
                       state_q != StPayloadSum && state_q != StPayloadMatch &&
                       state_q != StPayloadCheck && !faulty;
  assign done_o = state_q == StDone && !faulty;
  assign error_o = state_q == StError;
  assign error_code_o = error_q;
  assign segment_o = segment_q;

  // -------------------------------------------------------------------------------------- requests

  sterna_tape_requester u_requester (
    .clk_i,
    .rst_ni,
    .clear_i,
    .start_i        (state_q == StIdle && start_i),
    .tape_addr_i,
    .tape_lines_i   (tape_lines),
    .step_summed_i  (state_q == StStepFit),
    .step_taken_i   (step_taken_q),
    .has_payload_i  (is_conv || is_table),
    .one_group_i    (one_group || is_table),
    .tile_groups_i  (step.tile_groups),
    .weights_lines_i(step.weights_bytes[31:LineByteW]),
    .step_end_i     (step_end),
    .command_valid_o,
    .command_ready_i,
    .command_addr_o,
    .command_bytes_o
  );

  always_ff @(posedge clk_i) begin
    if (beat_valid && own_q) begin
      buffer_q <= LineBits'({payload_o, buffer_q} >> DataW);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      {own_q, requant_q, weights_q, step_valid_q, step_taken_q} <= '0;
      {to_requant_q, to_weights_q, dropped_q} <= '0;
      fault_q <= ErrorNone;
      error_q <= ErrorNone;
      left_q <= '0;
      last_q <= 1'b0;
      place_q <= '0;
      segments_q <= '0;
      segment_q <= '0;
      kind_q <= 2'(SegmentStep);
      payload_crc_q <= '0;
      requant_lines_q <= '0;
      weights_lines_q <= '0;
      repeats_q <= '0;
      weights_done_q <= 1'b0;
      taken_q <= 1'b0;
    end else begin
      state_q <= state_d;
      {own_q, requant_q, weights_q} <= {own_d, requant_d, weights_d};
      to_requant_q <= requant_d && !discard_i;
      to_weights_q <= weights_d && !discard_i;
      dropped_q <= (requant_d || weights_d) && discard_i;
      step_valid_q <= step_valid_d;
      step_taken_q <= step_taken && !clear_i;
      fault_q <= fault_d;
      error_q <= error_d;
      left_q <= left_d;
      last_q <= last_d;
      place_q <= place_d;
      segments_q <= segments_d;
      segment_q <= segment_d;
      kind_q <= kind_d;
      payload_crc_q <= payload_crc_d;
      requant_lines_q <= requant_lines_d;
      weights_lines_q <= weights_lines_d;
      repeats_q <= repeats_d;
      weights_done_q <= weights_done_d && !clear_i;
      taken_q <= (own_ends || requant_ends || weights_ends) && !clear_i;
    end
  end
endmodule
