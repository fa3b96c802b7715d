// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// What ends a frame in an error: an abort, a bus error, a check of the tape, or the watchdog. It
/// keeps the error code and the segment.
///
/// When nothing has moved for the watchdog's cycles the tape reader first drops the rest of the
/// payload that it reads: if its checksum is wrong, that is the error. The frame has stalled when
/// this is done, or when nothing moves once more.
module sterna_faults (
  input  logic        clk_i,
  input  logic        rst_ni,
  /// A frame runs and has not failed.
  input  logic        running_i,
  /// A frame runs, or what is left of one that failed.
  input  logic        busy_i,
  /// A frame starts while none runs: forgets the last error (pulse).
  input  logic        start_i,

  /// Cycles without activity before the frame is given up; 0: never. What is left of a frame that
  /// failed is given up after `WatchdogCycles` then.
  input  logic [31:0] watchdog_i,
  /// Something in the engine moved.
  input  logic        activity_i,
  /// The tape reader has no payload left to drop.
  input  logic        discarded_i,
  /// Ends the frame (pulse).
  input  logic        abort_i,
  /// A read response to the tape was an error (pulse).
  input  logic        tape_read_error_i,
  /// A read response to a LOAD was an error (pulse).
  input  logic        load_read_error_i,
  /// A write response was an error (pulse).
  input  logic        write_error_i,
  /// A LOAD cannot use the frame as it lies.
  input  logic        bad_layout_i,
  /// A check of the tape failed.
  input  logic        tape_error_i,
  /// Which check.
  input  logic [7:0]  tape_error_code_i,

  /// Segment that the tape reader reads.
  input  logic [31:0] tape_segment_i,
  /// A LOAD or STORE goes on or waits, or the tape waits for one.
  input  logic        moving_i,
  /// Its segment: that of a STORE, if one goes on.
  input  logic [31:0] move_segment_i,
  /// Segment of the LOAD that was asked for last.
  input  logic [31:0] load_segment_i,

  /// The frame fails in this cycle.
  output logic        failed_o,
  /// Nothing has moved for the watchdog's cycles (pulse).
  output logic        expired_o,
  /// The tape reader drops the payload that is read.
  output logic        discard_o,
  /// Why the last frame failed, an error code.
  output logic [7:0]  error_code_o,
  /// The segment at which it failed.
  output logic [31:0] error_segment_o
);
  // Cycles in which nothing moved; that they are too many is known a cycle later.
  logic [31:0] still_d, still_q;
  logic late_d, late_q, expired_d, expired_q, discard_d, discard_q, stalled, watched_q, discarded_q;
  logic [31:0] limit_q;
  logic [7:0] fault, error_d, error_q;
  logic [31:0] error_segment_d, error_segment_q;

  assign stalled = discard_q && (discarded_q || expired_q);
  // No fault has the code of none.
  assign failed_o = running_i && (abort_i || tape_read_error_i || load_read_error_i ||
                                  write_error_i || bad_layout_i || tape_error_i || stalled);

  always_comb begin
    fault = ErrorNone;
    if (abort_i) fault = ErrorAborted;
    else if (tape_read_error_i || load_read_error_i) fault = ErrorBusRead;
    else if (write_error_i) fault = ErrorBusWrite;
    else if (bad_layout_i) fault = ErrorBadLayout;
    else if (tape_error_i) fault = tape_error_code_i;
    else if (stalled) fault = ErrorStall;
  end

  always_comb begin
    still_d = activity_i || expired_q || !busy_i ? '0 : still_q + 32'd1;
    late_d = busy_i && !activity_i && !expired_q && watched_q && still_q >= limit_q;
    expired_d = busy_i && !activity_i && !expired_q && late_q && !failed_o;
    discard_d = running_i && (discard_q || expired_q);
    error_d = error_q;
    error_segment_d = error_segment_q;
    if (failed_o) begin
      error_d = fault;
      error_segment_d = moving_i && !tape_read_error_i &&
                        (write_error_i || bad_layout_i || !tape_error_i) ?
                        move_segment_i : tape_segment_i;
      if (load_read_error_i) error_segment_d = load_segment_i;
    end else if (start_i) begin
      error_d = ErrorNone;
      error_segment_d = '0;
    end
  end

  always_ff @(posedge clk_i) begin
    watched_q <= watchdog_i != '0 || !running_i;
    limit_q <= watchdog_i != '0 ? watchdog_i : WatchdogCycles;
  end

  assign expired_o = expired_q;
  assign discard_o = discard_q;
  assign error_code_o = error_q;
  assign error_segment_o = error_segment_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      still_q <= '0;
      late_q <= 1'b0;
      expired_q <= 1'b0;
      discard_q <= 1'b0;
      discarded_q <= 1'b0;
      error_q <= ErrorNone;
      error_segment_q <= '0;
    end else begin
      still_q <= still_d;
      late_q <= late_d;
      expired_q <= expired_d;
      discard_q <= discard_d;
      discarded_q <= discarded_i;
      error_q <= error_d;
      error_segment_q <= error_segment_d;
    end
  end
endmodule
