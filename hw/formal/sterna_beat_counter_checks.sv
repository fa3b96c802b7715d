// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_beat_counter`: a burst is under way for as many beats as it has, its
/// first and its last one are marked, and the next burst follows without a cycle between them.
module sterna_beat_counter_checks #(
  /// As the counter's.
  parameter int unsigned Width = 1
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic             valid_i,
  input logic             ready_o,
  input logic [7:0]       len_i,
  input logic [Width-1:0] data_i,
  input logic             valid_o,
  input logic [Width-1:0] data_o,
  input logic             first_o,
  input logic             last_o,
  input logic             next_i,
  input logic [7:0]       left_q
);
  // Beats that the burst under way has, and those of them to come; 0: none is under way.
  logic [8:0] beats_q, to_come_q;
  logic [Width-1:0] item_q;
  logic begins;

  assign begins = valid_i && ready_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) to_come_q <= '0;
    else if (begins) to_come_q <= 9'(len_i) + 9'd1;
    else to_come_q <= to_come_q - 9'(next_i);
  end

  always_ff @(posedge clk_i) begin
    if (begins) {beats_q, item_q} <= {9'(len_i) + 9'd1, data_i};
  end

  Valid_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o == (to_come_q != '0));
  First_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o |-> first_o == (to_come_q == beats_q));
  Last_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o |-> last_o == (to_come_q == 9'd1));
  Data_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o |-> data_o == item_q);
  Ready_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ready_o == (to_come_q == 9'(next_i)));

  // What makes the induction close: the counter's own account is the same.
  Left_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o |-> to_come_q == 9'(left_q) + 9'd1 && to_come_q <= beats_q);

  Next_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    begins && next_i && beats_q == 9'd2 && len_i == '0);
  Longest_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    to_come_q == 9'd255 && next_i);
endmodule

bind sterna_beat_counter sterna_beat_counter_checks #(
  .Width(Width)
) u_checks (.*);
