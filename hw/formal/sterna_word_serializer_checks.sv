// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_word_serializer`: a beat gives so many words as it says, lowest first.
/// One word of a beat, any, is followed.
module sterna_word_serializer_checks #(
  /// As the serializer's.
  parameter int unsigned DataW = 64
) (
  input logic                            clk_i,
  input logic                            rst_ni,
  input logic                            clear_i,
  input logic                            idle_o,
  input logic                            beat_valid_i,
  input logic                            beat_ready_o,
  input logic [DataW-1:0]                beat_data_i,
  input logic [$clog2(DataW/64 + 1)-1:0] beat_words_i,
  input logic                            word_valid_o,
  input logic                            word_ready_i,
  input logic [63:0]                     word_data_o,
  input logic [DataW-1:0]                data_q,
  input logic [$clog2(DataW/64 + 1)-1:0] left_q
);
  localparam int unsigned Words = DataW / 64;
  localparam int unsigned CountW = $clog2(Words + 1);

  logic [CountW-1:0] index, held_q, ahead_q;
  logic [63:0] item_q;
  logic followed_q, push, pop;

  formal_constant #(.WIDTH(CountW)) u_index (.Y(index));
  Index_M: assume property (@(posedge clk_i) 32'(index) < Words);

  assign push = beat_valid_i && beat_ready_o;
  assign pop = word_valid_o && word_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      held_q <= '0;
      followed_q <= 1'b0;
      ahead_q <= '0;
    end else if (clear_i) begin
      held_q <= '0;
      followed_q <= 1'b0;
      ahead_q <= '0;
    end else if (push) begin
      held_q <= beat_words_i;
      followed_q <= index < beat_words_i;
      ahead_q <= index;
    end else if (pop) begin
      held_q <= held_q - 1'b1;
      followed_q <= followed_q && ahead_q != '0;
      ahead_q <= ahead_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (push) item_q <= beat_data_i[64*32'(index)+:64];
  end

  Order_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    followed_q && ahead_q == '0 |-> word_valid_o && word_data_o == item_q);
  Count_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    word_valid_o == (held_q != '0) && idle_o == (held_q == '0));
  Ready_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    beat_ready_o == (held_q == '0 || (held_q == CountW'(1) && word_ready_i)));

  // What makes the induction close: where the followed word lies.
  Left_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    left_q == held_q && (!followed_q || (ahead_q < held_q && 32'(ahead_q) < Words)));
  Place_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    followed_q |-> data_q[64*32'(ahead_q)+:64] == item_q);

  Last_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    followed_q && 32'(index) == Words - 1 && ahead_q == '0 && pop && push);
endmodule

bind sterna_word_serializer sterna_word_serializer_checks #(
  .DataW(DataW)
) u_checks (.*);
