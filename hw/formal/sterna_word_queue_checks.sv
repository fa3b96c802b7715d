// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// What is proved of `sterna_word_queue`: words leave in order and in turn, each to its address, with
/// all of its channels in their places, and the last one of a pass is told. One word, any, is
/// followed.
module sterna_word_queue_checks #(
  /// As the queue's.
  parameter int unsigned Lanes = 25,
  /// As the queue's.
  parameter int unsigned ActW = 8,
  /// As the queue's.
  parameter int unsigned FmAddrW = 12,
  /// As the queue's.
  parameter int unsigned Depth = 8
) (
  input logic                                         clk_i,
  input logic                                         rst_ni,
  input logic                                         clear_i,
  input logic                                         valid_i,
  input logic [Lanes-1:0][ActW-1:0]                   data_i,
  input logic                                         word_i,
  input logic [WordChannels-1:0]                      strobe_i,
  input logic [FmAddrW-1:0]                           address_i,
  input logic                                         last_i,
  input logic                                         release_o,
  input logic                                         turn_i,
  input logic                                         write_next_o,
  input logic                                         write_valid_o,
  input logic [FmAddrW-1:0]                           write_addr_o,
  input logic [WordChannels-1:0]                      write_strobe_o,
  input logic [Lanes-1:0][WordChannels-1:0][ActW-1:0] write_data_o,
  input logic                                         done_o
);
  localparam int unsigned CountW = $clog2(Depth + 1);
  localparam int unsigned ChannelW = $clog2(WordChannels + 1);

  // Words that have begun and were not released; channels of the one that comes in.
  logic [CountW-1:0] words_q, ahead_q;
  logic [ChannelW-1:0] channels_q;
  logic begins, choose;
  // The followed word: it comes in, it waits, it is written, it was written in the last cycle.
  logic comes_q, waits_q, written_q, late_q, comes, free;
  logic [WordChannels-1:0] strobe_q;
  logic [FmAddrW-1:0] address_q;
  logic last_q, released, right;
  logic [ActW-1:0] item_q [WordChannels];
  // One lane, any.
  logic [$clog2(Lanes + 1)-1:0] lane;

  formal_input u_choose (.Y(choose));
  formal_constant #(.WIDTH($clog2(Lanes + 1))) u_lane (.Y(lane));
  Lane_M: assume property (@(posedge clk_i) 32'(lane) < Lanes);

  assign begins = (valid_i || word_i) && channels_q == '0;
  assign free = !comes_q && !waits_q && !written_q && !late_q;
  assign comes = comes_q || (begins && choose && free);
  assign released = release_o && waits_q && ahead_q == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {words_q, channels_q, ahead_q} <= '0;
      {comes_q, waits_q, written_q, late_q} <= '0;
    end else if (clear_i) begin
      {words_q, channels_q, ahead_q} <= '0;
      {comes_q, waits_q, written_q, late_q} <= '0;
    end else begin
      words_q <= words_q + CountW'(begins) - CountW'(release_o);
      channels_q <= word_i ? '0 : channels_q + ChannelW'(valid_i);
      if (comes && !comes_q) ahead_q <= words_q - CountW'(release_o);
      else if (release_o && (comes_q || waits_q)) ahead_q <= ahead_q - 1'b1;
      comes_q <= comes && !word_i;
      waits_q <= (comes && word_i) || (waits_q && !released);
      written_q <= released && strobe_q != '0;
      late_q <= written_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (comes && valid_i) item_q[channels_q[ChannelW-2:0]] <= data_i[lane];
    if (comes && word_i) {strobe_q, address_q, last_q} <= {strobe_i, address_i, last_i};
  end

  // What the user owes: room for each word that begins, and as many channels as the word says.
  Begin_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    begins |-> 32'(words_q) < Depth);
  Channels_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    word_i |-> $countones(strobe_i) == 32'(channels_q) + 32'(valid_i));
  First_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    word_i |-> (strobe_i & WordChannels'(strobe_i + 1'b1)) == '0);
  Most_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i |-> 32'(channels_q) < WordChannels);

  Word_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    written_q |-> write_valid_o && write_addr_o == address_q && write_strobe_o == strobe_q);
  Turn_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    released && strobe_q != '0 |-> $past(turn_i) && write_next_o);
  Next_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    write_next_o |=> write_valid_o);
  None_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    !write_next_o |=> !write_valid_o);

  always_comb begin
    right = 1'b1;
    for (int unsigned c = 0; c < WordChannels; c++) begin
      if (strobe_q[c] && write_data_o[lane][c] !=
          item_q[2'($countones(strobe_q & ((WordChannels'(1) << c) - 1'b1)))]) right = 1'b0;
    end
  end
  Data_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i) late_q |-> right);
  Done_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    late_q |-> done_o == last_q);
  Released_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    release_o |-> words_q > CountW'(channels_q != '0));

  Whole_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    late_q && strobe_q == '1 && done_o);
  Second_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    late_q && write_valid_o && $countones(strobe_q) == 2);
endmodule

bind sterna_word_queue sterna_word_queue_checks #(
  .Lanes  (Lanes),
  .ActW   (ActW),
  .FmAddrW(FmAddrW),
  .Depth  (Depth)
) u_checks (.*);
