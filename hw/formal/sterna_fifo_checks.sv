// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_fifo`.
module sterna_fifo_checks #(
  /// As the FIFO's.
  parameter int unsigned Width = 8,
  /// As the FIFO's.
  parameter int unsigned Depth = 4,
  /// As the FIFO's.
  parameter bit Registered = 1'b0
) (
  input logic                         clk_i,
  input logic                         rst_ni,
  input logic                         clear_i,
  input logic                         ready_o,
  input logic [Width-1:0]             data_i,
  input logic                         valid_o,
  input logic [Width-1:0]             data_o,
  input logic [$clog2(Depth + 1)-1:0] count_o,
  input logic                         push,
  input logic                         pop,
  input logic [$clog2(Depth)-1:0]     write_q,
  input logic [$clog2(Depth)-1:0]     read_q,
  input logic [Width-1:0]             mem_q [Depth]
);
  localparam int unsigned CountW = $clog2(Depth + 1);
  localparam int unsigned PtrW = $clog2(Depth);

  logic followed;
  logic [CountW-1:0] held, ahead;
  logic [Width-1:0] item;

  formal_order #(
    .Width(Width),
    .Room (Depth)
  ) u_order (
    .clk_i,
    .rst_ni,
    .clear_i,
    .push_i    (push),
    .in_i      (data_i),
    .valid_i   (valid_o),
    .pop_i     (pop),
    .out_i     (data_o),
    .held_o    (held),
    .followed_o(followed),
    .ahead_o   (ahead),
    .item_o    (item)
  );

  Count_A: assert property (@(posedge clk_i) disable iff (!rst_ni) count_o == held);
  Ready_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ready_o == (held != CountW'(Depth)));

  // What makes the induction close: where items lie.
  Pointers_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    held <= CountW'(Depth) && write_q == PtrW'(read_q + PtrW'(held)));
  Place_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    followed && (ahead != '0 || !Registered) |-> mem_q[PtrW'(read_q + PtrW'(ahead))] == item);
endmodule

bind sterna_fifo sterna_fifo_checks #(
  .Width     (Width),
  .Depth     (Depth),
  .Registered(Registered)
) u_checks (.*);
