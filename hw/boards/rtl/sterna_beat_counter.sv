// SPDX-License-Identifier: Apache-2.0

/// Counts the beats of bursts, one burst after the other, without a cycle between them.
module sterna_beat_counter #(
  /// Bits of what is known of a burst besides.
  parameter int unsigned Width = 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  /// A burst is to come.
  input  logic             valid_i,
  /// It is under way from the next cycle on.
  output logic             ready_o,
  /// Its beats less one.
  input  logic [7:0]       len_i,
  /// What is known of it besides.
  input  logic [Width-1:0] data_i,
  /// A burst is under way.
  output logic             valid_o,
  /// What is known of it besides.
  output logic [Width-1:0] data_o,
  /// Its next beat is the first one.
  output logic             first_o,
  /// Its next beat is the last one.
  output logic             last_o,
  /// Its next beat is moved.
  input  logic             next_i
);
  logic valid_q, first_q, last_q;
  logic [7:0] left_q;
  logic [Width-1:0] data_q;

  assign ready_o = !valid_q || (next_i && last_q);
  assign valid_o = valid_q;
  assign data_o = data_q;
  assign first_o = first_q;
  assign last_o = last_q;

  always_ff @(posedge clk_i) begin
    if (ready_o) begin
      data_q <= data_i;
      left_q <= len_i;
      first_q <= 1'b1;
      last_q <= len_i == '0;
    end else if (next_i) begin
      left_q <= left_q - 1'b1;
      first_q <= 1'b0;
      last_q <= left_q == 8'd1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= valid_i || !ready_o;
  end

`ifdef VERILATOR
  UnderWay_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    next_i |-> valid_q);
`endif
endmodule
