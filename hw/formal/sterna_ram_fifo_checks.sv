// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_ram_fifo`.
module sterna_ram_fifo_checks #(
  /// As the FIFO's.
  parameter int unsigned Width = 64,
  /// As the FIFO's.
  parameter int unsigned Depth = 32
) (
  input logic                     clk_i,
  input logic                     rst_ni,
  input logic                     clear_i,
  input logic                     ready_o,
  input logic [Width-1:0]         data_i,
  input logic                     valid_o,
  input logic                     ready_i,
  input logic [Width-1:0]         data_o,
  input logic                     empty_o,
  input logic                     push,
  input logic                     read_valid_q,
  input logic [Width-1:0]         read_data_q,
  input logic [$clog2(Depth):0]   held_q,
  input logic [$clog2(Depth)-1:0] write_q,
  input logic [$clog2(Depth)-1:0] read_q,
  input logic [Width-1:0]         memory [Depth]
);
  localparam int unsigned Room = Depth + 2;
  localparam int unsigned CountW = $clog2(Room + 1);
  localparam int unsigned IndexW = $clog2(Depth);

  logic followed;
  logic [CountW-1:0] held, ahead, front;
  logic [Width-1:0] item;

  formal_order #(
    .Width  (Width),
    .Room   (Room),
    .Latency(2)
  ) u_order (
    .clk_i,
    .rst_ni,
    .clear_i,
    .push_i    (push),
    .in_i      (data_i),
    .valid_i   (valid_o),
    .pop_i     (valid_o && ready_i),
    .out_i     (data_o),
    .held_o    (held),
    .followed_o(followed),
    .ahead_o   (ahead),
    .item_o    (item)
  );

  Empty_A: assert property (@(posedge clk_i) disable iff (!rst_ni) empty_o == (held == '0));
  Ready_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    held < CountW'(Depth) |-> ready_o);

  // What makes the induction close: where items lie. Those in the two registers come first.
  assign front = CountW'(valid_o) + CountW'(read_valid_q);

  Held_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    held_q <= (IndexW + 1)'(Depth) && held == CountW'(held_q) + front);
  Pointers_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    write_q == IndexW'(read_q + IndexW'(held_q)));
  Second_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    followed && read_valid_q && ahead == CountW'(valid_o) |-> read_data_q == item);
  Place_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    followed && ahead >= front |-> memory[IndexW'(read_q + IndexW'(ahead - front))] == item);
  Waits_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    u_order.waited_q == 2'd1 |-> valid_o || read_valid_q);
  Waited_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    u_order.waited_q == 2'd2 |-> valid_o);
endmodule

bind sterna_ram_fifo sterna_ram_fifo_checks #(
  .Width(Width),
  .Depth(Depth)
) u_checks (.*);
