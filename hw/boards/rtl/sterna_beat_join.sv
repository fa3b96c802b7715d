// SPDX-License-Identifier: Apache-2.0

/// Joins beats to wide ones, the first in the lowest bits. A transfer may begin and end within a
/// wide beat.
module sterna_beat_join #(
  /// Bits of a beat.
  parameter int unsigned DataW = 64,
  /// Beats in a wide one; a power of two.
  parameter int unsigned Parts = 2
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  /// A beat is offered.
  input  logic                         valid_i,
  /// The beat is taken.
  output logic                         ready_o,
  /// The beat.
  input  logic [DataW-1:0]             data_i,
  /// A mark of the beat.
  input  logic                         mark_i,
  /// It is the first of a transfer, which begins at `place_i`.
  input  logic                         first_i,
  /// Its place in the wide beat.
  input  logic [$clog2(Parts)-1:0]     place_i,
  /// It is the last of a transfer.
  input  logic                         last_i,
  /// A wide beat is offered.
  output logic                         valid_o,
  /// The wide beat is taken.
  input  logic                         ready_i,
  /// The wide beat.
  output logic [Parts-1:0][DataW-1:0]  data_o,
  /// The marks of its beats; 0 where there is none.
  output logic [Parts-1:0]             mark_o
);
  localparam int unsigned PlaceW = $clog2(Parts);

  generate
    if (Parts < 2 || Parts != 2 ** PlaceW) begin : gen_bad_parts
      initial $error("sterna_beat_join: Parts = %0d must be a power of two of at least 2", Parts);
    end
  endgenerate

  logic take, valid_q;
  logic [PlaceW-1:0] place, place_q;
  logic [Parts-1:0][DataW-1:0] data_q;
  logic [Parts-1:0] mark_d, mark_q;

  assign ready_o = !valid_q || ready_i;
  assign take = valid_i && ready_o;
  assign place = first_i ? place_i : place_q;
  assign valid_o = valid_q;
  assign data_o = data_q;
  assign mark_o = mark_q;

  always_comb begin
    mark_d = valid_q && ready_i ? '0 : mark_q;
    if (take) mark_d[place] = mark_i;
  end

  always_ff @(posedge clk_i) begin
    if (take) data_q[place] <= data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      place_q <= '0;
      mark_q <= '0;
    end else begin
      valid_q <= take ? last_i || place == '1 : valid_q && !ready_i;
      if (take) place_q <= place + 1'b1;
      mark_q <= mark_d;
    end
  end

`ifdef VERILATOR
  Held_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o && !ready_i |=> valid_o && $stable({data_o, mark_o}));
`endif
endmodule
