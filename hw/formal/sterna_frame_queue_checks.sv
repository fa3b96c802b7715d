// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_frame_queue`: the frame that runs is the one queued last when it was
/// taken, all of it, and so is what is said of its image.
module sterna_frame_queue_checks (
  input logic        clk_i,
  input logic        rst_ni,
  input logic        start_i,
  input logic [63:0] frame_addr_i,
  input logic [63:0] result_addr_i,
  input logic [63:0] scratch_addr_i,
  input logic [1:0]  frame_layout_i,
  input logic        take_i,
  input logic        drop_i,
  input logic        load_i,
  input logic        queued_o,
  input logic [63:0] queued_frame_addr_o,
  input logic [1:0]  queued_layout_o,
  input logic        queued_has_image_o,
  input logic [63:0] frame_addr_o,
  input logic [63:0] result_addr_o,
  input logic [63:0] scratch_addr_o,
  input logic [1:0]  frame_layout_o,
  input logic        has_image_o,
  input logic [193:0] queued
);
  // A frame that is offered, any, until another one is; how far it has come.
  logic [193:0] offered, frame_q;
  logic choose, follow, waits_q, runs_q, loaded_q, ran_loaded_q;

  formal_input u_choose (.Y(choose));
  assign offered = {frame_addr_i, result_addr_i, scratch_addr_i, frame_layout_i};
  assign follow = start_i && choose;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      waits_q <= 1'b0;
      runs_q <= 1'b0;
      loaded_q <= 1'b0;
      ran_loaded_q <= 1'b0;
    end else begin
      if (follow) runs_q <= take_i;
      else if (take_i) runs_q <= waits_q && !start_i;
      waits_q <= (follow || (waits_q && !start_i)) && !take_i;
      loaded_q <= (loaded_q || load_i) && !take_i && !drop_i;
      if (take_i) ran_loaded_q <= loaded_q || load_i;
      if (drop_i) ran_loaded_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (follow) frame_q <= offered;
  end

  Runs_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    runs_q |-> {frame_addr_o, result_addr_o, scratch_addr_o, frame_layout_o} == frame_q);
  Waits_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    waits_q |-> queued_frame_addr_o == frame_q[193:130] && queued_layout_o == frame_q[1:0]);
  Image_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    queued_has_image_o == loaded_q && has_image_o == ran_loaded_q);
  Queued_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    start_i && !take_i && !drop_i |=> queued_o);
  Free_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    take_i || drop_i |=> !queued_o);

  // What makes the induction close.
  Place_A: assert property (@(posedge clk_i) disable iff (!rst_ni) waits_q |-> queued == frame_q);

  Next_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    runs_q && queued_o && queued_has_image_o && has_image_o);
endmodule

bind sterna_frame_queue sterna_frame_queue_checks u_checks (.queued(queued_q), .*);
