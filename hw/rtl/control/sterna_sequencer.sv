// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Runs frames: takes the steps of the tape in order, starts the parts that do them as soon as
/// these are free, and ends a frame when everything is written or a check failed. One more frame
/// can wait; its image may be loaded already.
///
/// LOAD and STORE go on beside the steps after them. A STORE starts when it is the oldest step that
/// has not ended, so all that it may read is written; until then it waits in a register, and no
/// second one is taken into it. What a step must wait for besides, its `beside` says.
module sterna_sequencer #(
  /// Bits of a feature memory address.
  parameter int unsigned FmAddrW = 12,
  /// The engine has input tables.
  parameter bit InputTable = 0,
  /// LOAD can compute the first layer.
  parameter bit FirstLayer = 0
) (
  input  logic               clk_i,
  input  logic               rst_ni,

  /// Starts a frame, or queues it if one runs (pulse, only when none is queued).
  input  logic               start_i,
  /// Ends the frame (pulse).
  input  logic               abort_i,
  /// Cycles without activity before the frame is given up; 0: never.
  input  logic [31:0]        watchdog_i,
  /// First byte of the frame, a multiple of 128, taken at the start.
  input  logic [63:0]        frame_addr_i,
  /// First byte of the result, a multiple of 128, taken at the start.
  input  logic [63:0]        result_addr_i,
  /// First byte of the scratch memory, a multiple of 128, taken at the start.
  input  logic [63:0]        scratch_addr_i,
  /// How the frame's bytes lie and count, taken at the start.
  input  logic [1:0]         frame_layout_i,
  /// A frame runs.
  output logic               busy_o,
  /// Another one is queued.
  output logic               queued_o,
  /// The frame ends in this cycle.
  output logic               finish_o,
  /// Why the frame ends, with `finish_o`.
  output logic [7:0]         error_code_o,
  /// Segment at which the frame ended in error.
  output logic [31:0]        error_segment_o,
  /// The oldest step that had not ended has ended: everything that it writes is written (pulse).
  output logic               step_end_o,

  /// Returns all other parts to their reset state.
  output logic               clear_o,
  /// The AXI reader and writer complete what the bus has seen.
  output logic               flush_o,
  /// The AXI reader has nothing to do.
  input  logic               reader_idle_i,
  /// The AXI writer has nothing to do and all responses.
  input  logic               writer_idle_i,
  /// A read response to the tape was an error (pulse).
  input  logic               tape_read_error_i,
  /// A read response to a LOAD was an error (pulse).
  input  logic               load_read_error_i,
  /// A write response was an error (pulse).
  input  logic               write_error_i,
  /// Something in the engine moved.
  input  logic               activity_i,

  /// Starts the tape reader (pulse).
  output logic               tape_start_o,
  /// The next step.
  input  logic               step_valid_i,
  /// The step is taken.
  output logic               step_ready_o,
  /// The step, there a cycle before it is offered.
  input  step_t              step_i,
  /// All WEIGHTS have passed and were right (pulse).
  input  logic               weights_done_i,
  /// The tape reader drops the payload that is read.
  output logic               discard_o,
  /// It has dropped it.
  input  logic               discarded_i,
  /// All segments have passed.
  input  logic               tape_done_i,
  /// A check of the tape failed.
  input  logic               tape_error_i,
  /// Which check.
  input  logic [7:0]         tape_error_code_i,
  /// Segment that the tape reader reads.
  input  logic [31:0]        tape_segment_i,

  /// The next REQUANT word is the first of a payload (pulse).
  output logic               table_start_o,
  /// REQUANT words are still to be written.
  input  logic               table_busy_i,
  /// Half of the tables to write.
  output logic               table_half_o,
  /// Channels that each cluster drains in their step.
  output logic [15:0]        table_filters_o,
  /// Logarithm of tiles_at_once of their step.
  output logic [1:0]         table_tiles_log2_o,
  /// Half of the tables for `step_o`.
  output logic               half_o,

  /// The CONV step that runs; stable while any part but the drain works on it.
  output step_t              step_o,
  /// Logarithm of its tiles_at_once.
  output logic [1:0]         tiles_log2_o,
  /// The first cycle of `step_o` (pulse).
  output logic               conv_start_o,
  /// WEIGHTS may pass.
  output logic               weights_enable_o,
  /// Passes are still to be given to clusters.
  input  logic               issuing_i,
  /// All passes are drained.
  input  logic               drained_i,
  /// The passes of all steps before `step_o` are drained.
  input  logic               earlier_drained_i,
  /// The oldest CONV step that was not noted is drained.
  input  logic               step_drained_i,
  /// It is noted.
  output logic               step_noted_o,
  /// The distributor holds nothing.
  input  logic               distributor_idle_i,
  /// All rounds are issued, and their words read.
  input  logic               issuer_idle_i,

  /// The words of the REQUANT payload go to the input tables.
  output logic               input_table_o,
  /// They go to the first layer; `load_step_o` is the step that they belong to.
  output logic               first_layer_o,
  /// The last one of either does (pulse).
  input  logic               table_done_i,

  /// A LOAD starts (pulse).
  output logic               load_start_o,
  /// The words of the LOAD are written (pulse).
  input  logic               load_done_i,
  /// A STORE starts (pulse).
  output logic               store_start_o,
  /// The beats of the STORE are given to the writer (pulse).
  input  logic               store_done_i,
  /// Transfer of a LOAD, to the AXI reader.
  output logic               load_command_valid_o,
  /// The AXI reader takes it.
  input  logic               load_command_ready_i,
  /// First byte of the transfer.
  output logic [63:0]        load_addr_o,
  /// The LOAD step.
  output step_t              load_step_o,
  /// Layout of the frame that it loads.
  output logic [1:0]         load_layout_o,
  /// Transfer of a STORE, to the AXI writer.
  output logic               store_command_valid_o,
  /// The AXI writer takes it.
  input  logic               store_command_ready_i,
  /// First byte of the transfer.
  output logic [63:0]        store_addr_o,
  /// Bytes of the transfer.
  output logic [31:0]        store_bytes_o,
  /// First feature memory word of the transfer.
  output logic [FmAddrW-1:0] store_base_o,
  /// Words of the transfer.
  output logic [31:0]        store_words_o
);
  /// Steps that may have begun and not ended.
  localparam int unsigned OpenSteps = 4;

  typedef enum logic [3:0] {
    StIdle,      // no frame
    StClear,     // a frame begins: all parts are reset until the bus is idle
    StStart,     // starts the tape reader
    StStep,      // takes the next step, or ends the frame
    StNextConv,  // CONV: until the vectors of the step before are read and its tables are begun
    StConv,      // CONV: its WEIGHTS pass
    StQuiet,     // TABLE, FIRST: until everything is written
    StTable,     // TABLE, FIRST: its words pass
    StMayMove,   // LOAD: until it may write; STORE: until its register is free
    StSum,       // LOAD, STORE: its address is summed
    StAsk,       // LOAD: asks the bus; STORE: goes to its register
    StFlush      // the frame failed: until the bus is idle
  } state_e;

  state_e state_d, state_q;
  step_t next_d, next_q, step_d, step_q;
  logic half_d, half_q, next_half_d, next_half_q, table_wanted_d, table_wanted_q, first_d, first_q;
  logic [31:0] segment_d, segment_q, load_segment_d, load_segment_q;
  // Of the step in `next_q`: a LOAD, one of the next frame's image, a TABLE or FIRST, a FIRST.
  logic is_load_d, is_load_q, is_background_d, is_background_q, is_table_d, is_table_q;
  logic is_first_d, is_first_q;
  // And, a cycle late: a LOAD of the first layer, for which its frame does not lie as it has to.
  logic wrong_layout_q, bad_layout;
  // TABLE or FIRST takes its words, CONV its WEIGHTS.
  logic input_table_q, first_layer_q, weights_enable_q, table_done_q;
  logic vectors_done_q, quiet_q, earlier_drained_q, all_done;
  // Of the state, for the many that look at them.
  logic clear_q, flush_q;

  // What the other parts say is looked at a cycle late, which is never when a step has just
  // started.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      vectors_done_q <= 1'b0;
      quiet_q <= 1'b0;
      earlier_drained_q <= 1'b0;
    end else begin
      vectors_done_q <= !issuing_i && distributor_idle_i && issuer_idle_i;
      quiet_q <= !issuing_i && distributor_idle_i && issuer_idle_i && drained_i;
      earlier_drained_q <= earlier_drained_i;
    end
  end

  // ---------------------------------------------------------------------------------------- frames

  logic is_queued, queued_has_image, has_image;
  logic [63:0] queued_frame, current_frame, current_result, current_scratch;
  logic [1:0] queued_layout, current_layout;
  logic busy_q, good_end, good_end_q, bad_end, failed;
  // A LOAD runs; one of the current frame does. A STORE waits in its register; one runs; not all of
  // its beats are given to the writer.
  // The step that is offered need not wait for it.
  logic load_busy_d, load_busy_q, load_open_d, load_open_q, may_step_q;
  logic store_waits_d, store_waits_q, store_busy_d, store_busy_q, store_moves_d, store_moves_q;
  logic store_ends;

  assign finish_o = good_end || bad_end;
  assign busy_o = busy_q;
  assign queued_o = is_queued;

  sterna_frame_queue u_frame_queue (
    .clk_i,
    .rst_ni,
    .start_i,
    .frame_addr_i,
    .result_addr_i,
    .scratch_addr_i,
    .frame_layout_i,
    .take_i             (state_q == StIdle || good_end_q),
    .drop_i             (state_q == StFlush),
    .load_i             (load_start_o && is_background_q),
    .queued_o           (is_queued),
    .queued_frame_addr_o(queued_frame),
    .queued_layout_o    (queued_layout),
    .queued_has_image_o (queued_has_image),
    .frame_addr_o       (current_frame),
    .result_addr_o      (current_result),
    .scratch_addr_o     (current_scratch),
    .frame_layout_o     (current_layout),
    .has_image_o        (has_image)
  );

  // --------------------------------------------------------------------------- errors and watchdog

  logic running, moving, expired;
  logic [31:0] store_segment_q, move_segment;

  assign running = state_q != StIdle && state_q != StFlush;
  assign moving = store_busy_q || store_waits_q || load_open_q || state_q == StQuiet ||
                  state_q == StMayMove || state_q == StSum || state_q == StAsk;

  always_comb begin
    move_segment = segment_q;
    if (store_waits_q) move_segment = store_segment_q;
    if (load_open_q) move_segment = load_segment_q;
    if (store_busy_q) move_segment = store_segment_q;
  end

  // Errors of the bus come from far away, and a frame that fails stops much at once, so a register
  // divides the path. The frame cannot end well in the meantime: the writer was not idle, and what
  // was read is not used yet.
  logic tape_read_error_q, load_read_error_q, write_error_q, tape_error_q, tape_done_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {tape_read_error_q, load_read_error_q, write_error_q} <= '0;
      {tape_error_q, tape_done_q} <= '0;
    end else begin
      tape_error_q <= tape_error_i && !clear_o;
      tape_done_q <= tape_done_i && !clear_o;
      {tape_read_error_q, load_read_error_q, write_error_q} <=
          {tape_read_error_i, load_read_error_i, write_error_i};
    end
  end

  sterna_faults u_faults (
    .clk_i,
    .rst_ni,
    .running_i        (running),
    .busy_i           (busy_q),
    .start_i          (start_i && state_q == StIdle),
    .watchdog_i,
    .activity_i,
    .discarded_i,
    .abort_i,
    .tape_read_error_i(tape_read_error_q),
    .load_read_error_i(load_read_error_q),
    .write_error_i    (write_error_q),
    .bad_layout_i     (bad_layout),
    .tape_error_i     (tape_error_q),
    .tape_error_code_i,
    .tape_segment_i,
    .moving_i         (moving),
    .move_segment_i   (move_segment),
    .load_segment_i   (load_segment_q),
    .failed_o         (failed),
    .expired_o        (expired),
    .discard_o,
    .error_code_o,
    .error_segment_o
  );

  // ----------------------------------------------------------------------------------------- steps

  // What the steps that have begun and not ended wait for, oldest first.
  typedef enum logic [1:0] {
    UntilNow,      // has ended
    UntilDrained,  // CONV: its passes are drained
    UntilLoaded,   // LOAD: its words are written
    UntilStored    // STORE: the bus has answered all writes
  } until_e;

  until_e note, oldest;
  logic [$bits(until_e)-1:0] oldest_bits;
  logic note_valid, note_ready, oldest_valid, oldest_ends, step_end_q;

  assign oldest = until_e'(oldest_bits);

  always_comb begin
    unique case (oldest)
      UntilDrained: oldest_ends = step_drained_i;
      UntilLoaded: oldest_ends = !load_open_q;
      UntilStored: oldest_ends = store_ends;
      default: oldest_ends = 1'b1;
    endcase
  end

  sterna_fifo #(
    .Width($bits(until_e)),
    .Depth(OpenSteps)
  ) u_open (
    .clk_i,
    .rst_ni,
    .clear_i(clear_o),
    .valid_i(note_valid),
    .ready_o(note_ready),
    .data_i (note),
    .valid_o(oldest_valid),
    .ready_i(oldest_ends),
    .data_o (oldest_bits),
    .count_o()
  );

  assign step_noted_o = oldest_valid && oldest == UntilDrained;
  assign step_end_o = step_end_q;
  assign all_done = quiet_q && writer_idle_i && !load_busy_q && !oldest_valid;

  // Tables of two steps exist, so those of the next one can be written when the one before this one
  // is drained.
  assign table_start_o = state_q == StNextConv && table_wanted_q && earlier_drained_q;

  // No more STOREs go on than may go on beside the step in `next_q`.
  logic stores_fit;

  always_comb begin
    stores_fit = !store_waits_q && !store_busy_q;
    if (next_q.beside[0]) stores_fit = !store_waits_q || !store_busy_q;
    if (next_q.beside[1]) stores_fit = 1'b1;
  end

  // The state is StStep, for the many registers that take the step.
  (* preserve, dont_merge *) logic in_step_q;

  always_comb begin
    state_d = state_q;
    next_d = next_q;
    is_load_d = is_load_q;
    is_background_d = is_background_q;
    is_table_d = is_table_q;
    is_first_d = is_first_q;
    step_d = step_q;
    half_d = half_q;
    next_half_d = next_half_q;
    table_wanted_d = table_wanted_q && !table_start_o;
    segment_d = segment_q;
    load_segment_d = load_segment_q;
    first_d = 1'b0;
    load_busy_d = (load_busy_q || load_start_o) && !load_done_i;
    load_open_d = (load_open_q || (load_start_o && !is_background_q)) && !load_done_i;
    store_waits_d = store_waits_q && !store_start_o;
    store_busy_d = (store_busy_q || store_start_o) && !store_ends;
    store_moves_d = (store_moves_q || store_start_o) && !store_done_i;
    note_valid = 1'b0;
    note = UntilNow;
    good_end = 1'b0;
    bad_end = 1'b0;
    // What is offered, if there is a step.
    if (in_step_q) begin
      next_d = step_i;
      is_load_d = step_i.op == OpLoad;
      is_background_d = step_i.op == OpLoad && step_i.next[0];
      is_first_d = FirstLayer && step_i.op == OpFirst;
      is_table_d = (InputTable && step_i.op == OpTable) || is_first_d;
    end
    unique case (state_q)
      StIdle: if (start_i) state_d = StClear;
      StClear: if (reader_idle_i && writer_idle_i) state_d = StStart;
      // A cycle after the last of clear_o, which would undo the start.
      StStart: state_d = StStep;
      StStep: begin
        if (step_valid_i) begin
          segment_d = tape_segment_i;
          if (step_ready_o) begin
            state_d = is_table_d ? StQuiet : StMayMove;
            if (step_i.op == OpConv) begin
              state_d = StNextConv;
              table_wanted_d = 1'b1;
              next_half_d = !half_q;
            end
          end
        end else if (tape_done_q && all_done && !discard_o && !failed) begin
          good_end = 1'b1;
          state_d = is_queued || start_i ? StClear : StIdle;
        end
      end
      StNextConv: begin
        if (vectors_done_q && !table_wanted_q && stores_fit && note_ready) begin
          note_valid = 1'b1;
          note = UntilDrained;
          step_d = next_q;
          half_d = next_half_q;
          first_d = 1'b1;
          state_d = StConv;
        end
      end
      StConv: if (weights_done_i) state_d = StStep;
      StQuiet: if (quiet_q && !load_busy_q && note_ready) state_d = StTable;
      StTable: begin
        if (table_done_q) begin
          note_valid = 1'b1;
          state_d = StStep;
        end
      end
      // A LOAD writes when the vectors of all earlier steps are read. It has nothing to do if its
      // image is there already, or if no frame is queued whose image it is.
      StMayMove: begin
        if (!is_load_q) begin
          if (!store_waits_q && note_ready) state_d = StSum;
        end else if (vectors_done_q && !load_busy_q && stores_fit && note_ready) begin
          state_d = StSum;
          if (is_background_q ? !is_queued || queued_has_image :
              has_image && !next_q.scratch[0]) begin
            note_valid = 1'b1;
            state_d = StStep;
          end
        end
      end
      // The upper half of the address is summed. An image that lies wrongly is not loaded ahead:
      // its own frame will fail.
      StSum: begin
        state_d = StAsk;
        if (wrong_layout_q && is_background_q) begin
          note_valid = 1'b1;
          state_d = StStep;
        end
      end
      StAsk: begin
        if (load_start_o || !is_load_q) begin
          note_valid = 1'b1;
          state_d = StStep;
        end
        if (!is_load_q) begin
          note = UntilStored;
          store_waits_d = 1'b1;
        end else begin
          if (load_start_o) load_segment_d = segment_q;
          if (!is_background_q) note = UntilLoaded;
        end
      end
      StFlush: begin
        if (reader_idle_i && writer_idle_i || expired) begin
          bad_end = 1'b1;
          state_d = StIdle;
        end
      end
      default: ;
    endcase
    if (failed) state_d = StFlush;
    if (clear_o) begin
      {load_busy_d, load_open_d} = '0;
      {store_waits_d, store_busy_d, store_moves_d} = '0;
    end
  end

  // Of the next state, but without the paths of the steps.
  logic clear_d, idle_d;

  assign clear_d = failed || (state_q == StFlush && !bad_end) || (state_q == StIdle && start_i) ||
                   (state_q == StClear && !(reader_idle_i && writer_idle_i)) ||
                   (good_end && (is_queued || start_i));
  assign idle_d = (state_q == StIdle && !start_i) || bad_end ||
                  (good_end && !is_queued && !start_i);

  assign clear_o = clear_q;
  // Also when idle: a bus that was given up on may come back.
  assign flush_o = flush_q;
  assign tape_start_o = state_q == StStart;

  // The words of the last table must have left the queue before those of the next one enter it. A
  // step that must wait for a LOAD is not even taken: its payloads would keep the bus from it.
  assign step_ready_o = state_q == StStep && !table_busy_i && may_step_q;

  assign table_half_o = next_half_q;
  assign table_filters_o = next_q.filters;
  assign table_tiles_log2_o = {next_q.tiles_at_once[2], next_q.tiles_at_once[1]};
  assign half_o = half_q;
  assign step_o = step_q;
  assign tiles_log2_o = {step_q.tiles_at_once[2], step_q.tiles_at_once[1]};
  assign conv_start_o = first_q;
  assign weights_enable_o = weights_enable_q;
  assign input_table_o = InputTable && input_table_q;
  assign first_layer_o = FirstLayer && first_layer_q;

  // ----------------------------------------------------------------------------------------- moves

  // The step and the frame's addresses have been here for two cycles before the transfer is asked
  // for.
  logic [63:0] move_base, move_addr;

  always_comb begin
    move_base = current_result;
    if (is_background_q) move_base = queued_frame;
    else if (next_q.scratch[0]) move_base = current_scratch;
    else if (is_load_q) move_base = current_frame;
  end

  sterna_move_address u_move_address (
    .clk_i,
    .base_i  (move_base),
    .offset_i(next_q.dram_offset),
    .addr_o  (move_addr)
  );

  assign load_command_valid_o = state_q == StAsk && is_load_q;
  assign load_start_o = load_command_valid_o && load_command_ready_i;
  assign load_addr_o = move_addr;
  assign load_step_o = next_q;
  assign load_layout_o = is_background_q ? queued_layout : current_layout;
  assign bad_layout = state_q == StSum && wrong_layout_q && !is_background_q;

  // Of the STORE that waits: its segment; it is the oldest step that has not ended.
  logic [31:0] waiting_segment_q;
  logic store_is_oldest;

  assign store_is_oldest = oldest_valid && oldest == UntilStored;
  assign store_command_valid_o = store_waits_q && !store_busy_q && store_is_oldest;
  assign store_start_o = store_command_valid_o && store_command_ready_i;
  assign store_ends = store_busy_q && !store_moves_q && writer_idle_i;

  always_ff @(posedge clk_i) begin
    if (!store_waits_q) begin
      store_addr_o <= move_addr;
      store_bytes_o <= next_q.dram_bytes;
      store_base_o <= next_q.fm_base[FmAddrW-1:0];
      store_words_o <= 32'(next_q.fm_words);
      waiting_segment_q <= segment_q;
    end
    // That of the STORE that waits, until it goes on.
    if (!store_busy_q) store_segment_q <= waiting_segment_q;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      in_step_q <= 1'b0;
      busy_q <= 1'b0;
      clear_q <= 1'b0;
      flush_q <= 1'b1;
      step_end_q <= 1'b0;
      good_end_q <= 1'b0;
      {input_table_q, first_layer_q, weights_enable_q, table_done_q} <= '0;
      may_step_q <= 1'b0;
      next_q <= '0;
      is_load_q <= 1'b0;
      is_background_q <= 1'b0;
      is_table_q <= 1'b0;
      is_first_q <= 1'b0;
      wrong_layout_q <= 1'b0;
      step_q <= '0;
      half_q <= 1'b0;
      next_half_q <= 1'b0;
      table_wanted_q <= 1'b0;
      first_q <= 1'b0;
      segment_q <= '0;
      load_segment_q <= '0;
      {load_busy_q, load_open_q} <= '0;
      {store_waits_q, store_busy_q, store_moves_q} <= '0;
    end else begin
      state_q <= state_d;
      in_step_q <= state_d == StStep;
      busy_q <= !idle_d;
      clear_q <= clear_d;
      flush_q <= clear_d || idle_d;
      step_end_q <= oldest_valid && oldest_ends && !clear_o;
      good_end_q <= good_end;
      input_table_q <= state_q == StTable && !is_first_q && !table_done_q;
      first_layer_q <= state_q == StTable && is_first_q && !table_done_q;
      weights_enable_q <= state_q == StConv && !weights_done_i;
      table_done_q <= table_done_i;
      may_step_q <= !load_open_d || step_i.beside[2];
      next_q <= next_d;
      is_load_q <= is_load_d;
      is_background_q <= is_background_d;
      is_table_q <= is_table_d;
      is_first_q <= is_first_d;
      wrong_layout_q <= FirstLayer && is_load_q && next_q.group_words != '0 &&
                        (load_layout_o & 2'(FrameLayoutInterleaved)) == '0;
      step_q <= step_d;
      half_q <= half_d;
      next_half_q <= next_half_d;
      table_wanted_q <= table_wanted_d;
      first_q <= first_d;
      segment_q <= segment_d;
      load_segment_q <= load_segment_d;
      {load_busy_q, load_open_q} <= {load_busy_d, load_open_d};
      {store_waits_q, store_busy_q, store_moves_q} <= {store_waits_d, store_busy_d, store_moves_d};
    end
  end

`ifdef VERILATOR
  Levels_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    busy_o == (state_q != StIdle) && clear_o == (state_q == StClear || state_q == StFlush) &&
    flush_o == (clear_o || !busy_o));
  Store_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_o)
    store_ends |-> oldest_valid && oldest == UntilStored);
`endif
endmodule
