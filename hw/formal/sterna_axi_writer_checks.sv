// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// What is proved of `sterna_axi_writer`: it is an AXI4 manager, and what it writes is each
/// transfer's beats in order, at the transfer's addresses, as many as were asked for.
module sterna_axi_writer_checks #(
  /// As the writer's.
  parameter int unsigned DataW = 64,
  /// As the writer's.
  parameter int unsigned BurstBeats = 64,
  /// As the writer's.
  parameter int unsigned Outstanding = 8
) (
  input logic                             clk_i,
  input logic                             rst_ni,
  input logic                             flush_i,
  input logic                             idle_o,
  input logic                             error_o,
  input logic                             command_valid_i,
  input logic                             command_ready_o,
  input logic [63:0]                      command_addr_i,
  input logic [31:0]                      command_bytes_i,
  input logic                             beat_valid_i,
  input logic                             beat_ready_o,
  input logic [DataW-1:0]                 beat_data_i,
  input logic                             aw_valid_o,
  input logic                             aw_ready_i,
  input axi_address_t                     aw_o,
  input logic                             w_valid_o,
  input logic                             w_ready_i,
  input logic [DataW-1:0]                 w_data_o,
  input logic [DataW/8-1:0]               w_strb_o,
  input logic                             w_last_o,
  input logic                             b_valid_i,
  input logic                             b_ready_o,
  input axi_written_t                     b_i,
  input logic                             burst_taken,
  input logic [63:0]                      burst_addr,
  input logic [7:0]                       burst_len,
  input logic                             open_q,
  input logic [7:0]                       left_q,
  input logic [$clog2(Outstanding+1)-1:0] outstanding_q,
  input logic                             w_strobe_q,
  /// Beats that the splitter has not given a burst for.
  input logic [31:0]                      unasked
);
  localparam int unsigned ByteW = $clog2(DataW / 8);

  logic [$clog2(Outstanding+1)-1:0] addressed, written;
  logic [8:0] left, next;
  logic shown, followed, ahead, held;
  logic [DataW-1:0] item;

  formal_axi_write #(
    .DataW      (DataW),
    .Outstanding(Outstanding)
  ) u_axi (
    .clk_i,
    .rst_ni,
    .aw_valid_i(aw_valid_o),
    .aw_ready_i,
    .aw_i      (aw_o),
    .w_valid_i (w_valid_o),
    .w_ready_i,
    .w_data_i  (w_data_o),
    .w_strb_i  (w_strb_o),
    .w_last_i  (w_last_o),
    .b_valid_i,
    .b_ready_i (b_ready_o),
    .b_i,
    .addressed_o(addressed),
    .written_o  (written),
    .left_o     (left),
    .next_o     (next),
    .shown_o    (shown)
  );

  formal_order #(
    .Width(DataW),
    .Room (1)
  ) u_order (
    .clk_i,
    .rst_ni,
    .clear_i   (flush_i),
    .push_i    (beat_valid_i && beat_ready_o),
    .in_i      (beat_data_i),
    .valid_i   (w_valid_o && w_strobe_q),
    .pop_i     (w_valid_o && w_strobe_q && w_ready_i),
    .out_i     (w_data_o),
    .held_o    (held),
    .followed_o(followed),
    .ahead_o   (ahead),
    .item_o    (item)
  );

  // Beats of the transfer that have not been taken.
  logic [31:0] beats_q;
  logic flushed_q, was_idle_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      beats_q <= '0;
      flushed_q <= 1'b0;
      was_idle_q <= 1'b1;
    end else begin
      if (flush_i) beats_q <= '0;
      else beats_q <= beats_q - 32'(beat_valid_i && beat_ready_o) +
                      (command_valid_i && command_ready_o ? command_bytes_i >> ByteW : '0);
      flushed_q <= flush_i;
      was_idle_q <= idle_o;
    end
  end

  // What the user owes: whole beats, and a flush that lasts until nothing is under way.
  Aligned_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    command_valid_i |-> command_addr_i[ByteW-1:0] == '0 && command_bytes_i[ByteW-1:0] == '0);
  Flush_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    flushed_q && !was_idle_q |-> flush_i);

  Address_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    burst_taken |=> aw_valid_o && aw_o.addr == $past(burst_addr) && aw_o.len == $past(burst_len));
  Beats_A: assert property (@(posedge clk_i) disable iff (!rst_ni || flush_i || flushed_q)
    beats_q == unasked + (open_q ? 32'(left_q) + 32'd1 : '0));
  Strobes_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    w_valid_o |-> w_strb_o == '1 || w_strb_o == '0);
  Idle_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    idle_o |-> !aw_valid_o && !w_valid_o && !open_q && addressed == '0 && written == '0);
  Error_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    error_o == (b_valid_i && b_i.resp[1]));

  // What makes the induction close: the writer's own account is the same.
  Count_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    32'(outstanding_q) == 32'(addressed) + 32'(aw_valid_o) &&
    32'(outstanding_q) == 32'(written) + 32'(open_q) + 32'(w_valid_o && w_last_o));
  Left_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    w_valid_o && w_last_o ?
      left == 9'd1 && next == (open_q ? 9'(left_q) + 9'd1 : '0) :
      next == '0 && left == (open_q ? 9'(left_q) + 9'd1 : '0) + 9'(w_valid_o) &&
      (!w_valid_o || open_q));
  Held_A: assert property (@(posedge clk_i) disable iff (!rst_ni || flushed_q)
    held == (w_valid_o && w_strobe_q));
  Flushed_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    flushed_q && was_idle_q |-> outstanding_q == '0);
  FlushedBeats_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    flushed_q |-> beats_q == '0 && unasked == '0 && held == '0);

  Flush_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    flushed_q && w_valid_o && !w_strobe_q && w_last_o);
  Long_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    w_valid_o && w_ready_i && 32'(left) == BurstBeats);
endmodule

bind sterna_axi_writer sterna_axi_writer_checks #(
  .DataW      (DataW),
  .BurstBeats (BurstBeats),
  .Outstanding(Outstanding)
) u_checks (
  .unasked(u_splitter.busy_q ? 32'(u_splitter.left_q) : '0),
  .*
);
