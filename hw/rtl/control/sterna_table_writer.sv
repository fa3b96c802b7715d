// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::TapeAlign;

/// Writes the words of a REQUANT payload to the tables of the clusters of each filter group, and
/// drops the padding after them.
module sterna_table_writer #(
  /// Clusters; a power of two.
  parameter int unsigned Clusters = 2,
  /// Entries of a table.
  parameter int unsigned Entries = 64
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  /// Back to the reset state.
  input  logic                       clear_i,
  /// The next word is the first of a payload (pulse, only while not busy).
  input  logic                       start_i,
  /// Half of the tables to write, taken at the start like the next two.
  input  logic                       half_i,
  /// Channels that each cluster drains, at most `Entries`.
  input  logic [15:0]                filters_i,
  /// Logarithm of the distinct tiles that the clusters work on.
  input  logic [1:0]                 tiles_log2_i,
  /// Half of the tables of the step that runs.
  input  logic                       running_half_i,
  /// The table of the step that runs is filled; not yet known in the step's first cycle.
  output logic                       ready_o,
  /// Words of the payload are still to come.
  output logic                       busy_o,
  /// A word is offered.
  input  logic                       word_valid_i,
  /// It is taken.
  output logic                       word_ready_o,
  /// A word is written to the table of each cluster.
  output logic [Clusters-1:0]        table_valid_o,
  /// Half of the table.
  output logic                       table_half_o,
  /// Entry of the table.
  output logic [$clog2(Entries)-1:0] table_index_o
);
  /// Bits of an entry's index.
  localparam int unsigned IndexW = $clog2(Entries);
  localparam int unsigned GroupW = $clog2(Clusters + 1);
  /// Words of a line of the tape: payloads are a multiple of that.
  localparam int unsigned AlignWords = TapeAlign / 8;
  localparam int unsigned PlaceW = $clog2(AlignWords);

  logic [IndexW-1:0] index_d, index_q, last_d, last_q;
  logic [GroupW-1:0] group_d, group_q, groups_d, groups_q;
  logic [PlaceW-1:0] place_d, place_q;
  logic [1:0] log2_d, log2_q;
  logic half_d, half_q, busy_d, busy_q, ready_q;
  logic take, written;

  assign take = word_valid_i && busy_q;
  assign written = group_q == groups_q;
  assign busy_o = busy_q;
  assign ready_o = ready_q;
  assign word_ready_o = busy_q;
  assign table_half_o = half_q;
  assign table_index_o = index_q;

  genvar c;
  generate
    for (c = 0; c < Clusters; c++) begin : gen_cluster
      assign table_valid_o[c] = take && GroupW'(c >> log2_q) == group_q;
    end
  endgenerate

  always_comb begin
    index_d = index_q;
    group_d = group_q;
    place_d = place_q + PlaceW'(take);
    last_d = last_q;
    groups_d = groups_q;
    log2_d = log2_q;
    half_d = half_q;
    busy_d = busy_q;
    if (take && !written) begin
      index_d = index_q + 1'b1;
      if (index_q == last_q) begin
        index_d = '0;
        group_d = group_q + 1'b1;
      end
    end
    if (take && place_q == PlaceW'(AlignWords - 1) && group_d == groups_q) busy_d = 1'b0;
    if (start_i) begin
      index_d = '0;
      group_d = '0;
      place_d = '0;
      last_d = IndexW'(filters_i - 16'd1);
      groups_d = GroupW'(Clusters) >> tiles_log2_i;
      log2_d = tiles_log2_i;
      half_d = half_i;
      busy_d = 1'b1;
    end
    if (clear_i) busy_d = 1'b0;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      index_q <= '0;
      group_q <= '0;
      place_q <= '0;
      last_q <= '0;
      groups_q <= '0;
      log2_q <= '0;
      half_q <= 1'b0;
      busy_q <= 1'b0;
      ready_q <= 1'b0;
    end else begin
      index_q <= index_d;
      group_q <= group_d;
      place_q <= place_d;
      last_q <= last_d;
      groups_q <= groups_d;
      log2_q <= log2_d;
      half_q <= half_d;
      busy_q <= busy_d;
      ready_q <= !busy_d || half_d != running_half_i;
    end
  end

`ifdef VERILATOR
  Start_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start_i |-> !busy_q && filters_i != '0 && 32'(filters_i) <= Entries);
`endif
endmodule
