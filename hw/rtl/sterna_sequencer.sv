/// Runs a frame: takes the steps of the tape in order, waits for what each needs, starts the parts that do it,
/// and ends the frame when everything is written or a check failed.
module sterna_sequencer
  import sterna_pkg::*;
#(
  /// Bus bytes of one feature memory word of all banks.
  parameter int unsigned WordBytes = 104
) (
  /// Clock.
  input  logic        clk_i,
  /// Reset, active low, released synchronously.
  input  logic        rst_ni,

  /// Starts a frame (pulse, only when not busy).
  input  logic        start_i,
  /// Ends the frame (pulse).
  input  logic        abort_i,
  /// Cycles without activity before the frame is given up; 0: never.
  input  logic [31:0] watchdog_i,
  /// First byte of the frame, a multiple of 64.
  input  logic [63:0] frame_addr_i,
  /// First byte of the result, a multiple of 64.
  input  logic [63:0] result_addr_i,
  /// A frame runs.
  output logic        busy_o,
  /// The frame ends in this cycle.
  output logic        finish_o,
  /// Why the frame ends, with `finish_o`.
  output logic [7:0]  error_code_o,
  /// Segment at which the frame ended in error.
  output logic [31:0] error_segment_o,
  /// The barrier of a step is satisfied and it starts (pulse).
  output logic        step_begin_o,

  /// Returns all other parts to their reset state.
  output logic        clear_o,
  /// The AXI reader and writer complete what the bus has seen.
  output logic        flush_o,
  /// The AXI reader has nothing to do.
  input  logic        reader_idle_i,
  /// The AXI writer has nothing to do and all responses.
  input  logic        writer_idle_i,
  /// A read response was an error (pulse).
  input  logic        read_error_i,
  /// A write response was an error (pulse).
  input  logic        write_error_i,
  /// Something in the engine moved.
  input  logic        activity_i,

  /// Starts the tape reader (pulse).
  output logic        tape_start_o,
  /// The next step.
  input  logic        step_valid_i,
  /// The step is taken.
  output logic        step_ready_o,
  /// The step.
  input  step_t       step_i,
  /// The REQUANT payload has passed and was right (pulse).
  input  logic        requant_done_i,
  /// All WEIGHTS have passed and were right (pulse).
  input  logic        weights_done_i,
  /// The tape reader leaves the bus alone behind the next segment header.
  output logic        hold_o,
  /// The tape reader drops the payload that is read.
  output logic        discard_o,
  /// It has dropped it.
  input  logic        discarded_i,
  /// The tape reader waits for no bytes.
  input  logic        bus_free_i,
  /// All segments have passed.
  input  logic        tape_done_i,
  /// A check of the tape failed.
  input  logic        tape_error_i,
  /// Which check.
  input  logic [7:0]  tape_error_code_i,
  /// Segment that the tape reader reads.
  input  logic [31:0] tape_segment_i,

  /// The next REQUANT word is the first of a payload.
  output logic        table_start_o,
  /// REQUANT words may pass to `table_half_o`.
  output logic        table_enable_o,
  /// Channels of each cluster in the tables that are written.
  output logic [15:0] table_filters_o,
  /// Logarithm of tiles_at_once of the step whose tables are written.
  output logic [1:0]  table_tiles_log2_o,
  /// Half of the tables that is written, or used by the step that runs.
  output logic        table_half_o,
  /// No REQUANT word is on its way.
  input  logic        tables_idle_i,

  /// The step that runs; stable while any part but the drain works on it.
  output step_t       step_o,
  /// Logarithm of its tiles_at_once.
  output logic [1:0]  tiles_log2_o,
  /// The first cycle of a CONV step (pulse).
  output logic        conv_start_o,
  /// WEIGHTS may pass.
  output logic        weights_enable_o,
  /// Passes are still to be given to clusters.
  input  logic        issuing_i,
  /// All passes are drained.
  input  logic        drained_i,
  /// The passes of all steps before the last CONV step are drained.
  input  logic        earlier_drained_i,
  /// The distributor holds nothing.
  input  logic        distributor_idle_i,
  /// The line loader has delivered all lines.
  input  logic        loader_idle_i,

  /// The first cycle of a LOAD step (pulse).
  output logic        load_start_o,
  /// The words of the LOAD are written.
  input  logic        load_done_i,
  /// The first cycle of a STORE step (pulse).
  output logic        store_start_o,
  /// The beats of the STORE are given to the writer.
  input  logic        store_done_i,
  /// The reader's commands and beats belong to a LOAD.
  output logic        load_active_o,
  /// The gather belongs to a STORE.
  output logic        store_active_o,
  /// Transfer of a LOAD, to the AXI reader.
  output logic        load_command_valid_o,
  /// The AXI reader takes it.
  input  logic        load_command_ready_i,
  /// Transfer of a STORE, to the AXI writer.
  output logic        store_command_valid_o,
  /// The AXI writer takes it.
  input  logic        store_command_ready_i,
  /// First byte of the transfer.
  output logic [63:0] move_addr_o,
  /// Bytes of the transfer.
  output logic [31:0] move_bytes_o
);
  typedef enum logic [3:0] {
    StIdle,
    StClear,
    StStart,
    StStep,
    StTable,
    StTableWords,
    StBarrier,
    StConv,
    StQuiet,
    StMove,
    StWritten,
    StFlush
  } state_e;

  state_e state_d, state_q;
  step_t next_d, next_q, step_d, step_q;
  logic half_d, half_q, first_d, first_q, asked_d, asked_q;
  logic [31:0] segment_d, segment_q;
  logic lines_done, quiet, move_done, is_load;

  assign is_load = step_q.op == OpLoad;
  assign lines_done = !issuing_i && distributor_idle_i && loader_idle_i;
  assign quiet = lines_done && drained_i;
  assign move_done = is_load ? load_done_i : store_done_i;

  // --------------------------------------------------------------------------------- errors and watchdog

  logic [31:0] still_d, still_q;
  logic discard_d, discard_q, expired, stalled, running, failed;
  logic [7:0] fault, error_d, error_q;
  logic [31:0] error_segment_d, error_segment_q;

  assign running = !(state_q inside {StIdle, StFlush});
  assign expired = busy_o && watchdog_i != '0 && still_q >= watchdog_i;
  assign stalled = discard_q && (discarded_i || expired);
  assign failed = running && fault != ErrorNone;

  always_comb begin
    fault = ErrorNone;
    if (abort_i) fault = ErrorAborted;
    else if (read_error_i) fault = ErrorBusRead;
    else if (write_error_i) fault = ErrorBusWrite;
    else if (tape_error_i) fault = tape_error_code_i;
    else if (stalled) fault = ErrorStall;
  end

  always_comb begin
    still_d = activity_i || expired || !busy_o ? '0 : still_q + 32'd1;
    discard_d = running && (discard_q || expired);
    error_d = error_q;
    error_segment_d = error_segment_q;
    if (failed) begin
      error_d = fault;
      error_segment_d = hold_o && !tape_error_i ? segment_q : tape_segment_i;
    end else if (start_i) begin
      error_d = ErrorNone;
      error_segment_d = '0;
    end
  end

  // ----------------------------------------------------------------------------------------------- steps

  always_comb begin
    state_d = state_q;
    next_d = next_q;
    step_d = step_q;
    half_d = half_q;
    segment_d = segment_q;
    first_d = 1'b0;
    asked_d = asked_q;
    step_begin_o = 1'b0;
    unique case (state_q)
      StIdle: if (start_i) state_d = StClear;
      StClear: if (reader_idle_i && writer_idle_i) state_d = StStart;
      // A cycle after the last of clear_o, which would undo the start.
      StStart: state_d = StStep;
      StStep: begin
        if (step_valid_i) begin
          next_d = step_i;
          segment_d = tape_segment_i;
          state_d = step_i.op == OpConv ? StTable : StQuiet;
        end else if (tape_done_i && quiet && writer_idle_i && !discard_q) begin
          state_d = StIdle;
        end
      end
      StTable: begin
        if (!issuing_i && earlier_drained_i) begin
          half_d = !half_q;
          state_d = StTableWords;
        end
      end
      StTableWords: if (requant_done_i) state_d = StBarrier;
      StBarrier: begin
        if (tables_idle_i && lines_done && (drained_i || next_q.barrier == '0)) begin
          step_begin_o = 1'b1;
          state_d = StConv;
        end
      end
      StConv: if (weights_done_i) state_d = StStep;
      StQuiet: begin
        if (quiet && bus_free_i && reader_idle_i) begin
          step_begin_o = 1'b1;
          asked_d = 1'b0;
          state_d = StMove;
        end
      end
      StMove: begin
        asked_d = asked_q || load_command_ready_i && is_load || store_command_ready_i && !is_load;
        if (move_done) state_d = StWritten;
      end
      StWritten: if (writer_idle_i) state_d = StStep;
      StFlush: if (reader_idle_i && writer_idle_i || expired) state_d = StIdle;
      default: ;
    endcase
    if (step_begin_o) begin
      step_d = next_q;
      first_d = 1'b1;
    end
    if (failed) state_d = StFlush;
  end

  assign busy_o = state_q != StIdle;
  assign finish_o = busy_o && state_d == StIdle;
  assign error_code_o = error_q;
  assign error_segment_o = error_segment_q;

  assign clear_o = state_q inside {StClear, StFlush};
  // Also when idle: a bus that was given up on may come back.
  assign flush_o = clear_o || state_q == StIdle;
  assign tape_start_o = state_q == StStart;

  assign step_ready_o = state_q == StStep;
  assign hold_o = state_q inside {StQuiet, StMove, StWritten};
  assign discard_o = discard_q;

  assign table_start_o = state_q == StTable;
  assign table_enable_o = state_q == StTableWords;
  assign table_filters_o = next_q.filters;
  assign table_tiles_log2_o = {next_q.tiles_at_once[2], next_q.tiles_at_once[1]};
  assign table_half_o = half_q;

  assign step_o = step_q;
  assign tiles_log2_o = {step_q.tiles_at_once[2], step_q.tiles_at_once[1]};
  assign conv_start_o = first_q && state_q == StConv;
  assign weights_enable_o = state_q == StConv;

  assign load_active_o = state_q == StMove && is_load;
  assign store_active_o = state_q == StMove && !is_load;
  assign load_start_o = first_q && load_active_o;
  assign store_start_o = first_q && store_active_o;
  assign load_command_valid_o = load_active_o && !asked_q;
  assign store_command_valid_o = store_active_o && !asked_q;
  assign move_addr_o = (is_load ? frame_addr_i : result_addr_i) + 64'(step_q.dram_offset);
  assign move_bytes_o = step_q.fm_words * WordBytes;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      next_q <= '0;
      step_q <= '0;
      half_q <= 1'b0;
      first_q <= 1'b0;
      asked_q <= 1'b0;
      segment_q <= '0;
      still_q <= '0;
      discard_q <= 1'b0;
      error_q <= ErrorNone;
      error_segment_q <= '0;
    end else begin
      state_q <= state_d;
      next_q <= next_d;
      step_q <= step_d;
      half_q <= half_d;
      first_q <= first_d;
      asked_q <= asked_d;
      segment_q <= segment_d;
      still_q <= still_d;
      discard_q <= discard_d;
      error_q <= error_d;
      error_segment_q <= error_segment_d;
    end
  end
endmodule
