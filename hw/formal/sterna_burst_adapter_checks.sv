// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_burst_adapter`: the bursts that it gives follow each other from the
/// beat with the first byte of what was asked for to the beat with its last one, the last of them is
/// marked, and none is too long or crosses a boundary of 4 KB.
module sterna_burst_adapter_checks #(
  /// As the adapter's.
  parameter int unsigned FromDataW = 64,
  /// As the adapter's.
  parameter int unsigned ToDataW = 64,
  /// As the adapter's.
  parameter int unsigned ToBeats = 16
) (
  input logic        clk_i,
  input logic        rst_ni,
  input logic        valid_i,
  input logic        ready_o,
  input logic [63:0] addr_i,
  input logic [7:0]  len_i,
  input logic        valid_o,
  input logic        ready_i,
  input logic [63:0] addr_o,
  input logic [7:0]  len_o,
  input logic        last_o,
  input logic        waiting_q,
  input logic [63:$clog2(ToDataW/8)] beat_q,
  input logic [12-$clog2(ToDataW/8):0] count_q,
  input logic [11:0] last_byte_q,
  /// The splitter's account, as its own checks keep it.
  input logic [63:0] next,
  input logic [31:0] left
);
  localparam int unsigned ToW = $clog2(ToDataW / 8);

  // The last byte of what is asked for, which is in the same 4 KB as the first one; beats of the
  // other bus, the next one and the last one.
  logic [11:0] last_byte;
  logic [63:ToW] next_q, last_q, reach;
  logic [63:0] first;
  logic [31:0] count;
  logic busy_q, taken;

  assign last_byte = addr_i[11:0] + 12'((32'(len_i) + 32'd1) * (FromDataW / 8) - 32'd1);
  assign reach = addr_o[63:ToW] + (64 - ToW)'(len_o);
  assign taken = valid_o && ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) busy_q <= 1'b0;
    else busy_q <= (valid_i && ready_o) || (busy_q && !(taken && reach == last_q));
  end

  always_ff @(posedge clk_i) begin
    if (valid_i && ready_o) {next_q, last_q} <= {addr_i[63:ToW], addr_i[63:12], last_byte[11:ToW]};
    else if (taken) next_q <= reach + 1'b1;
  end

  Next_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o |-> busy_q && addr_o == {next_q, ToW'(0)} && reach <= last_q);
  Last_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o |-> last_o == (reach == last_q));
  Ready_A: assert property (@(posedge clk_i) disable iff (!rst_ni) ready_o == !busy_q);
  // IHI 0022E A3.4.1: a burst must not cross a 4 KB address boundary.
  Page_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o |-> addr_o[63:12] == reach[63:12]);
  Longest_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o |-> 32'(len_o) < ToBeats);

  // What makes the induction close: the splitter's account is the same, or what it is to be.
  assign first = waiting_q ? {beat_q, ToW'(0)} : next;
  assign count = waiting_q ? 32'(count_q) : left;

  Left_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    busy_q ? first == {next_q, ToW'(0)} && count != '0 && count <= 4096 >> ToW &&
             last_q == next_q + (64 - ToW)'(count - 32'd1) && last_q[63:12] == next_q[63:12] &&
             last_q[11:ToW] == last_byte_q[11:ToW] : count == '0);
  Waiting_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    waiting_q |-> busy_q && left == '0);

  Several_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    taken && last_o && len_o != '0 && 32'(len_o) < ToBeats - 1 && $past(valid_o));
endmodule

bind sterna_burst_adapter sterna_burst_adapter_checks #(
  .FromDataW(FromDataW),
  .ToDataW  (ToDataW),
  .ToBeats  (ToBeats)
) u_checks (
  .next(u_splitter.u_checks.next_q),
  .left(u_splitter.u_checks.left_q),
  .*
);
