// SPDX-License-Identifier: Apache-2.0

/// Goes through the bursts of a plan, beat by beat, as a bus has them that may be of another
/// width and have shorter bursts: a burst of the plan becomes bursts of whole beats of this bus
/// that end at multiples of their own largest size.
module formal_bursts #(
  /// Bursts of the plan.
  parameter int unsigned Plan = 2,
  /// Bits of a beat of the plan.
  parameter int unsigned FromDataW = 64,
  /// Bits of a beat of this bus.
  parameter int unsigned DataW = 64,
  /// Beats of its longest burst, a power of two.
  parameter int unsigned Beats = 512 * 64 / DataW
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  /// The plan: the first byte of each burst, and its beats less one.
  input  logic [Plan-1:0][63:0]      addr_i,
  input  logic [Plan-1:0][7:0]       len_i,
  /// On to the next beat.
  input  logic                       beat_i,
  /// On to the first beat of the next burst.
  input  logic                       burst_i,
  /// There is a beat.
  output logic                       valid_o,
  /// Its first byte.
  output logic [63:0]                addr_o,
  /// Beats of its burst that follow it.
  output logic [7:0]                 len_o,
  /// Its burst is the last one of a burst of the plan.
  output logic                       final_o,
  /// First and last byte of that burst of the plan.
  output logic [63:0]                from_o,
  output logic [63:0]                to_o
);
  localparam int unsigned ByteW = $clog2(DataW / 8);
  localparam int unsigned IndexW = $clog2(Plan + 1);

  logic [IndexW-1:0] index_q;
  // The next beat of the burst of the plan, counted from its first one on; all of it is in 4 KB.
  logic [11:ByteW] done_q, beat, last, block, end_of_burst;
  logic [11:0] to;

  assign valid_o = index_q != IndexW'(Plan);
  assign from_o = addr_i[index_q];
  assign to = from_o[11:0] + (12'(len_i[index_q]) + 12'd1) * 12'(FromDataW / 8) - 12'd1;
  assign to_o = {from_o[63:12], to};
  assign beat = from_o[11:ByteW] + done_q;
  assign last = to[11:ByteW];
  assign block = beat | (12 - ByteW)'(Beats - 1);
  assign end_of_burst = block < last ? block : last;
  assign addr_o = {from_o[63:12], beat, ByteW'(0)};
  assign len_o = 8'(end_of_burst - beat);
  assign final_o = end_of_burst == last;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      index_q <= '0;
      done_q <= '0;
    end else if (beat_i || burst_i) begin
      if (final_o && (burst_i || len_o == '0)) begin
        index_q <= index_q + 1'b1;
        done_q <= '0;
      end else begin
        done_q <= done_q + 1'b1 + (burst_i ? (12 - ByteW)'(len_o) : '0);
      end
    end
  end
endmodule
