// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_burst_splitter`: the bursts of a transfer follow each other without
/// gap from its first byte to its last, none too long or across a boundary of 4 KB, and as long as
/// they may be.
module sterna_burst_splitter_checks #(
  /// As the splitter's.
  parameter int unsigned DataW = 64,
  /// As the splitter's.
  parameter int unsigned BurstBeats = 64
) (
  input logic        clk_i,
  input logic        rst_ni,
  input logic        clear_i,
  input logic        command_valid_i,
  input logic        command_ready_o,
  input logic [63:0] command_addr_i,
  input logic [31:0] command_bytes_i,
  input logic        burst_valid_o,
  input logic        burst_ready_i,
  input logic [63:0] burst_addr_o,
  input logic [7:0]  burst_len_o,
  input logic        last_q,
  input logic        busy_q,
  input logic [63:0] asked_addr,
  input logic [31:0] asked_beats
);
  localparam int unsigned ByteW = $clog2(DataW / 8);
  localparam int unsigned SizeW = ByteW + $clog2(BurstBeats);

  // First byte that no burst has asked for, and beats from there on.
  logic [63:0] next_q;
  logic [31:0] left_q, beats;
  logic [SizeW-1:0] after;
  logic taken, followed_q;
  logic [1:0] waited_q;

  assign beats = 32'(burst_len_o) + 32'd1;
  assign after = SizeW'(burst_addr_o + (64'(beats) << ByteW));
  assign taken = burst_valid_o && burst_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q <= '0;
      waited_q <= '0;
    end else begin
      if (command_valid_i && command_ready_o) left_q <= command_bytes_i >> ByteW;
      if (taken) left_q <= left_q - beats;
      if (clear_i) left_q <= '0;
      waited_q <= command_ready_o || burst_valid_o || clear_i ? '0 : waited_q + 2'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (command_valid_i && command_ready_o) next_q <= command_addr_i;
    followed_q <= (taken && !last_q) || (followed_q && !command_ready_o);
    if (taken) next_q <= next_q + (64'(beats) << ByteW);
  end

  Next_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    burst_valid_o |-> burst_addr_o == next_q);
  Left_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    burst_valid_o |-> beats <= left_q && beats <= BurstBeats);
  // IHI 0022E A3.4.1: a burst must not cross a 4 KB address boundary.
  Page_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    burst_valid_o |-> 32'(burst_addr_o[11:0]) + (beats << ByteW) <= 32'd4096);
  Longest_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    burst_valid_o |-> beats == left_q || after == '0);
  Done_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    command_ready_o == (left_q == '0));
  Soon_A: assert property (@(posedge clk_i) disable iff (!rst_ni) waited_q <= 2'd1);

  // What makes the induction close: the splitter's own account is the same.
  Account_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    busy_q |-> asked_beats == left_q && asked_addr == next_q && next_q[ByteW-1:0] == '0 &&
    left_q < 32'd1 << (32 - ByteW));
  Last_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    burst_valid_o |-> busy_q && asked_addr == burst_addr_o && last_q == (beats == left_q));
  Waits_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    waited_q == 2'd1 |-> burst_valid_o || command_ready_o);

  Second_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    taken && last_q && followed_q && beats < BurstBeats);
  Whole_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    taken && beats == BurstBeats && !last_q);
endmodule

bind sterna_burst_splitter sterna_burst_splitter_checks #(
  .DataW     (DataW),
  .BurstBeats(BurstBeats)
) u_checks (
  .asked_addr ({high_q + (BlockW - LowW)'(carry_q), low_q, offset_q, ByteW'(0)}),
  .asked_beats(32'(left_q)),
  .*
);
