// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// What is proved of `sterna_drain_reader`: the handshake between the drain and the PEs. The halves
/// of the accumulators are drained in turn, each only while its pass has ended, and freed once a
/// pass, with the last row that is read. Passes are taken in order, words begin only with room, and
/// a word that is complete has begun.
module sterna_drain_reader_checks #(
  /// As the reader's.
  parameter int unsigned Clusters = 2,
  /// As the reader's.
  parameter int unsigned Pes = 4,
  /// As the reader's.
  parameter int unsigned Accumulators = 16
) (
  input logic                           clk_i,
  input logic                           rst_ni,
  input logic                           clear_i,
  input logic                           pass_valid_i,
  input logic                           pass_ready_o,
  input pass_t [Clusters-1:0]           pass_i,
  input logic [1:0]                     ended_i,
  input logic [1:0]                     free_o,
  input logic                           room_i,
  input logic                           begin_o,
  input logic                           step_o,
  input logic                           read_o,
  input logic [$clog2(Accumulators):0]  read_address_o,
  input logic                           shift_o,
  input logic                           word_o,
  input logic [3:0]                     strobe_o,
  input logic                           channel_o,
  input logic                           end_o,
  input logic                           active_q,
  input logic                           half_q,
  input logic                           empty_q,
  input logic                           keep_q,
  input logic                           channel_begin,
  input logic                           last_phase,
  input logic [$clog2(Pes)-1:0]         pe_q,
  input logic [(Clusters > 1 ? $clog2(Clusters) : 1)-1:0] cluster_q,
  input logic [$clog2(Accumulators)-1:0] row_q,
  input logic [$clog2(Accumulators)-1:0] left_q
);
  localparam int unsigned Values = Clusters * Pes;

  // The pass that is walked has been freed; a word has begun and is not complete; values of the row
  // that was read which are still to be shifted out.
  logic freed_q, open_q;
  logic [$clog2(Values)-1:0] shifts_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      freed_q <= 1'b0;
      open_q <= 1'b0;
      shifts_q <= '0;
    end else if (clear_i) begin
      freed_q <= 1'b0;
      open_q <= 1'b0;
      shifts_q <= '0;
    end else begin
      freed_q <= (freed_q || free_o != '0) && !pass_ready_o;
      if (step_o) open_q <= (open_q || begin_o) && !word_o;
      if (read_o) shifts_q <= ($bits(shifts_q))'(Values - 1);
      else if (shift_o) shifts_q <= shifts_q - 1'b1;
    end
  end

  // What the user owes: a pass stays until it is taken, and fits; all clusters have the same
  // shape; a half that has ended stays so until it is freed.
  Stable_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    pass_valid_i && !pass_ready_o |=> pass_valid_i && $stable(pass_i));
  Ended_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    ended_i[0] && !free_o[0] |=> ended_i[0]);
  EndedOther_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    ended_i[1] && !free_o[1] |=> ended_i[1]);

  Turn_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    free_o == '0 || free_o == 2'b01 << half_q);
  Freed_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    free_o != '0 |-> ended_i[half_q] && !freed_q);
  Once_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    pass_ready_o |-> freed_q || free_o != '0);
  Read_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    read_o |-> ended_i[half_q] && !freed_q &&
               read_address_o[$clog2(Accumulators)] == half_q);
  Row_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    read_o |-> shifts_q == '0);
  Shift_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    shift_o |-> shifts_q != '0 && !read_o);
  Whole_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    pass_ready_o && !empty_q |-> shifts_q == ($bits(shifts_q))'(1));
  Room_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    begin_o |-> room_i);
  Begun_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    step_o && (word_o || channel_o) |-> open_q || begin_o);
  Again_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    begin_o |-> !open_q);
  Taken_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    pass_ready_o |-> pass_valid_i && step_o && end_o && word_o);
  Alternate_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    pass_ready_o |=> half_q == $past(!half_q));

  // What makes the induction close: where in the row the reader is.
  Place_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    active_q ? pass_valid_i && (freed_q || ended_i[half_q]) :
               !freed_q && !open_q && shifts_q == '0);
  Open_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    active_q |-> open_q == (!empty_q && channel_o && !channel_begin));
  Shifts_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    active_q && !empty_q |-> 32'(cluster_q) < Clusters &&
      32'(shifts_q) == (32'(cluster_q) == 0 && pe_q == '0 ? 0 :
                        Values - 32'(cluster_q) * Pes - 32'(pe_q)));
  Empty_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    active_q && empty_q |-> shifts_q == '0 && !freed_q && cluster_q == '0 && pe_q[$clog2(Pes)-1:1] == '0);
  Last_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    active_q && !empty_q |-> freed_q == (left_q == '0 && last_phase && !keep_q &&
                                              (cluster_q != '0 || pe_q != '0)));

  Pooled_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    pass_ready_o && pass_i[0].pool != PoolNone && !empty_q);
  Empty_C: cover property (@(posedge clk_i) disable iff (!rst_ni) pass_ready_o && empty_q && half_q);
endmodule

bind sterna_drain_reader sterna_drain_reader_checks #(
  .Clusters    (Clusters),
  .Pes         (Pes),
  .Accumulators(Accumulators)
) u_checks (.*);
