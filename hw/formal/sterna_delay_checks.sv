// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_delay`: what comes out is what came in `Cycles` cycles before.
module sterna_delay_checks #(
  /// As the delay's.
  parameter int unsigned Width = 8,
  /// As the delay's.
  parameter int unsigned Cycles = 4
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic [Width-1:0] data_i,
  input logic [Width-1:0] data_o
);
  localparam int unsigned CountW = $clog2(Cycles + 1);

  // The items of the last cycles, the oldest one highest, and how many there are.
  logic [Cycles-1:0][Width-1:0] items_q;
  logic [CountW-1:0] count_q;

  always_ff @(posedge clk_i) items_q <= {items_q[Cycles-2:0], data_i};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= '0;
    else if (count_q != CountW'(Cycles)) count_q <= count_q + 1'b1;
  end

  Delay_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    count_q == CountW'(Cycles) |-> data_o == items_q[Cycles-1]);
  Changes_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    count_q == CountW'(Cycles) && data_o != items_q[0]);
endmodule

bind sterna_delay sterna_delay_checks #(
  .Width (Width),
  .Cycles(Cycles)
) u_checks (.*);
