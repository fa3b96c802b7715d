// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// What is proved of `sterna_axil_regs`: it is an AXI4-Lite subordinate, registers keep what was
/// written, no start, end of a frame or interrupt is lost, and the two halves of a counter that are
/// read one after the other belong to one frame. One register, any, and one counter, any, are
/// watched.
module sterna_axil_regs_checks #(
  /// As the registers'.
  parameter int unsigned AllPes = 8
) (
  input logic                          clk_i,
  input logic                          rst_ni,
  input logic                          aw_valid_i,
  input logic                          aw_ready_o,
  input logic                          w_valid_i,
  input logic                          w_ready_o,
  input logic                          b_valid_o,
  input logic                          b_ready_i,
  input logic [1:0]                    b_resp_o,
  input logic                          ar_valid_i,
  input logic                          ar_ready_o,
  input logic                          r_valid_o,
  input logic                          r_ready_i,
  input axil_read_t                    r_o,
  input logic                          irq_o,
  input logic                          start_o,
  input logic                          abort_o,
  input logic                          busy_i,
  input logic                          queued_i,
  input logic                          finish_i,
  input logic [7:0]                    error_code_i,
  input logic                          aw_held_q,
  input logic                          w_held_q,
  input logic                          ar_held_q,
  input logic                          aw_ready_q,
  input logic                          w_ready_q,
  input logic                          ar_ready_q,
  input logic                          write,
  input logic                          read,
  input logic [RegisterAddrW-1:0]      write_addr,
  input logic [RegisterAddrW-1:0]      read_addr,
  input axil_write_t                   w_q,
  input logic [31:0]                   write_mask,
  input logic                          busy,
  input logic                          start_q,
  input logic                          irq_enable_q,
  input logic                          done_q,
  input logic                          error_q,
  input logic                          irq_q,
  input logic [63:0]                   tape_addr_q,
  input logic [63:0]                   frame_addr_q,
  input logic [63:0]                   result_addr_q,
  input logic [63:0]                   scratch_addr_q,
  input logic [31:0]                   tape_bytes_q,
  input logic [31:0]                   watchdog_q,
  input logic [1:0]                    frame_layout_q,
  input logic [6:0][$clog2(AllPes+1)-1:0] amount_q,
  input logic                          begins_q,
  input logic                          began_q,
  input logic                          finish_q,
  input logic                          finished_q,
  input logic [6:0][31:0]              low_q,
  input logic [6:0][31:0]              high_q,
  input logic [6:0]                    carry_q,
  input logic [6:0][31:0]              last_low_q,
  input logic [6:0][31:0]              last_high_q,
  input logic [31:0]                   upper_q
);
  logic [1:0] addressed, written, asked, write_waited, read_waited;

  formal_axi_lite #(
    .Latency(2)
  ) u_axi (
    .clk_i,
    .rst_ni,
    .aw_valid_i,
    .aw_ready_i    (aw_ready_o),
    .w_valid_i,
    .w_ready_i     (w_ready_o),
    .b_valid_i     (b_valid_o),
    .b_ready_i,
    .b_resp_i      (b_resp_o),
    .ar_valid_i,
    .ar_ready_i    (ar_ready_o),
    .r_valid_i     (r_valid_o),
    .r_ready_i,
    .r_i           (r_o),
    .addressed_o   (addressed),
    .written_o     (written),
    .asked_o       (asked),
    .write_waited_o(write_waited),
    .read_waited_o (read_waited)
  );

  // What makes the induction close: what is taken lies in one of two registers.
  Held_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    addressed == 2'(aw_held_q) + 2'(b_valid_o) && written == 2'(w_held_q) + 2'(b_valid_o) &&
    asked == 2'(ar_held_q) + 2'(r_valid_o));
  Ready_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !(aw_held_q && aw_ready_q) && !(w_held_q && w_ready_q) && !(ar_held_q && ar_ready_q));
  Waits_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    (write_waited == '0 || b_valid_o) && (read_waited == '0 || r_valid_o ||
    (read_waited == 2'd1 && ar_held_q && !finished_q)) && !(finish_q && finished_q));

  // What the user owes: a frame takes more than a cycle.
  Frame_A: assert property (@(posedge clk_i) disable iff (!rst_ni) finish_q |-> !finish_i);

  // ------------------------------------------------------------------------------------- registers

  // The register that is watched: what it keeps, by the writes to it, and which bits can be set.
  logic [RegisterAddrW-1:0] where;
  logic [31:0] kept_q, settable, initially, register;
  logic watched, tape;

  formal_constant #(.WIDTH(RegisterAddrW)) u_where (.Y(where));

  always_comb begin
    watched = 1'b1;
    tape = 1'b0;
    settable = '1;
    initially = '0;
    register = '0;
    case (where)
      RegTapeAddrLo: {tape, settable, register} = {1'b1, ~32'h3f, tape_addr_q[31:0]};
      RegTapeAddrHi: {tape, register} = {1'b1, tape_addr_q[63:32]};
      RegTapeBytes: {tape, register} = {1'b1, tape_bytes_q};
      RegFrameAddrLo: {settable, register} = {~32'h3f, frame_addr_q[31:0]};
      RegFrameAddrHi: register = frame_addr_q[63:32];
      RegResultAddrLo: {settable, register} = {~32'h3f, result_addr_q[31:0]};
      RegResultAddrHi: register = result_addr_q[63:32];
      RegScratchAddrLo: {settable, register} = {~32'h3f, scratch_addr_q[31:0]};
      RegScratchAddrHi: register = scratch_addr_q[63:32];
      RegFrameLayout: {settable, register} = {32'h3, 30'd0, frame_layout_q};
      RegWatchdog: {initially, register} = {WatchdogCycles, watchdog_q};
      default: watched = 1'b0;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) kept_q <= initially;
    else if (write && write_addr == where && !(tape && busy)) begin
      kept_q <= (kept_q & ~(write_mask & settable)) | (w_q.data & write_mask & settable);
    end
  end

  Read_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    watched && read && read_addr == where |=> r_valid_o && r_o.data == $past(kept_q));
  // For the induction.
  Kept_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    watched |-> register == kept_q);

  // ------------------------------------------------------------------------------------------ bits

  logic command, clear;
  logic [31:0] bits;
  assign bits = w_q.data & write_mask;
  assign command = write && write_addr == RegControl;
  assign clear = write && write_addr == RegStatus;

  // A START is lost only while a frame is queued or an error is not cleared.
  Start_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    command && |(bits & ControlStart) && !queued_i && !(busy_i && start_q) && !error_q |=>
    start_o || error_q);
  Queued_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    start_o |-> !$past(queued_i) && !error_q);
  Abort_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    command && |(bits & ControlAbort) && busy_i |=> abort_o);
  // The end of a frame is never lost, even in the cycle in which the one before is cleared.
  Finish_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    finish_i |=> irq_q && error_q == $past(error_code_i != ErrorNone) &&
                 (done_q || $past(error_code_i != ErrorNone || command)));
  Irq_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    irq_q && !(clear && |(bits & StatusIrq)) |=> irq_q);
  IrqOut_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    irq_o == (irq_q && irq_enable_q));
  Error_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    error_q && !finish_i && !(clear && |(bits & StatusError)) |=> error_q);

  // -------------------------------------------------------------------------------------- counters

  // The counter that is watched, of a frame that runs, of the last frame, and of the one before.
  logic [2:0] which;
  logic [63:0] count_q, last_q, before_q;
  logic [RegisterAddrW-1:0] low_addr;

  formal_constant #(.WIDTH(3)) u_which (.Y(which));
  Which_M: assume property (@(posedge clk_i) which < 3'd7);

  always_comb begin
    case (which)
      3'd0: low_addr = RegCyclesLo;
      3'd1: low_addr = RegBusyLo;
      3'd2: low_addr = RegWaitVectorsLo;
      3'd3: low_addr = RegWaitWeightsLo;
      3'd4: low_addr = RegWaitDrainLo;
      3'd5: low_addr = RegBeatsReadLo;
      default: low_addr = RegBeatsWrittenLo;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q <= '0;
      last_q <= '0;
      before_q <= '0;
    end else begin
      count_q <= begins_q ? '0 : count_q + 64'(amount_q[which]);
      if (finish_q) {before_q, last_q} <= {last_q, count_q + 64'(amount_q[which])};
    end
  end

  Halves_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    read && read_addr == low_addr |=>
    {upper_q, r_o.data} == $past(last_q) || {upper_q, r_o.data} == $past(before_q));

  // For the induction: the upper halves are a cycle behind.
  Began_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    (!finish_q || begins_q) && (!finished_q || began_q));
  Count_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    low_q[which] == count_q[31:0] &&
    (began_q ? count_q == '0 && low_q[which] == '0 : high_q[which] + 32'(carry_q[which]) == count_q[63:32]));
  Last_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    last_low_q[which] == last_q[31:0] && (finished_q ?
      last_high_q[which] == before_q[63:32] &&
      high_q[which] + 32'(carry_q[which]) == last_q[63:32] :
      last_high_q[which] == last_q[63:32]));

  Both_C: cover property (@(posedge clk_i) disable iff (!rst_ni) start_o && finish_q);
  Clear_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    finish_i && clear && |(bits & StatusIrq));
endmodule

bind sterna_axil_regs sterna_axil_regs_checks #(
  .AllPes(AllPes)
) u_checks (.*);
