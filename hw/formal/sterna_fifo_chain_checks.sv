// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_fifo_chain` with two stages.
module sterna_fifo_chain_checks #(
  /// As the chain's.
  parameter int unsigned Width = 64,
  /// As the chain's.
  parameter int unsigned Depth = 64
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic             clear_i,
  input logic             valid_i,
  input logic             ready_o,
  input logic [Width-1:0] data_i,
  input logic             valid_o,
  input logic             ready_i,
  input logic [Width-1:0] data_o,
  /// Items of each stage, where its oldest one is, and its memory.
  input logic [5:0]       first_count,
  input logic [5:0]       second_count,
  input logic [4:0]       first_read,
  input logic [4:0]       second_read,
  input logic [4:0]       first_write,
  input logic [4:0]       second_write,
  input logic [Width-1:0] first_mem [32],
  input logic [Width-1:0] second_mem [32]
);
  localparam int unsigned CountW = $clog2(Depth + 1);

  logic followed;
  logic [CountW-1:0] held, ahead, further;
  logic [Width-1:0] item;

  formal_order #(
    .Width  (Width),
    .Room   (Depth),
    .Latency(1),
    .Shown  (33)
  ) u_order (
    .clk_i,
    .rst_ni,
    .clear_i,
    .push_i    (valid_i && ready_o),
    .in_i      (data_i),
    .valid_i   (valid_o),
    .pop_i     (valid_o && ready_i),
    .out_i     (data_o),
    .held_o    (held),
    .followed_o(followed),
    .ahead_o   (ahead),
    .item_o    (item)
  );

  Input_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i && !ready_o |=> valid_i && $stable(data_i));

  // What makes the induction close: where items lie. Those of the second stage come first.
  assign further = ahead - CountW'(second_count);

  Held_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    first_count <= 6'd32 && second_count <= 6'd32 &&
    held == CountW'(first_count) + CountW'(second_count));
  Pointers_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    first_write == 5'(first_read + 5'(first_count)) &&
    second_write == 5'(second_read + 5'(second_count)));
  FirstPlace_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    followed && ahead >= CountW'(second_count) |-> first_mem[5'(first_read + 5'(further))] == item);
  SecondPlace_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    followed && ahead < CountW'(second_count) |-> second_mem[5'(second_read + 5'(ahead))] == item);
  Waits_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    u_order.waited_q == 2'd1 |-> second_count != '0 || held == '0);
endmodule

bind sterna_fifo_chain sterna_fifo_chain_checks #(
  .Width(Width),
  .Depth(Depth)
) u_checks (
  .first_count (gen_stage[0].u_fifo.count),
  .second_count(gen_stage[1].u_fifo.count),
  .first_read  (gen_stage[0].u_fifo.read_q),
  .second_read (gen_stage[1].u_fifo.read_q),
  .first_write (gen_stage[0].u_fifo.write_q),
  .second_write(gen_stage[1].u_fifo.write_q),
  .first_mem   (gen_stage[0].u_fifo.mem_q),
  .second_mem  (gen_stage[1].u_fifo.mem_q),
  .*
);
