// SPDX-License-Identifier: Apache-2.0

/// Hands on the 64-bit words of a beat one by one, lowest first.
module sterna_word_serializer #(
  /// Bits of a beat, a multiple of 64.
  parameter int unsigned DataW = 64
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  /// Drops the beat that is held.
  input  logic                            clear_i,
  /// No beat is held.
  output logic                            idle_o,
  /// A beat is offered.
  input  logic                            beat_valid_i,
  /// The beat is taken.
  output logic                            beat_ready_o,
  /// The beat.
  input  logic [DataW-1:0]                beat_data_i,
  /// Words of the beat to hand on, at least one; the rest is dropped.
  input  logic [$clog2(DataW/64 + 1)-1:0] beat_words_i,
  /// A word is offered.
  output logic                            word_valid_o,
  /// The word is taken.
  input  logic                            word_ready_i,
  /// The word.
  output logic [63:0]                     word_data_o
);
  /// Bits of a count of words.
  localparam int unsigned CountW = $clog2(DataW / 64 + 1);

  generate
    if (DataW % 64 != 0) begin : gen_bad_width
      initial $error("sterna_word_serializer: DataW = %0d must be a multiple of 64", DataW);
    end
  endgenerate

  logic [DataW-1:0] data_d, data_q;
  logic [CountW-1:0] left_d, left_q;

  assign idle_o = left_q == '0;
  assign beat_ready_o = left_q == '0 || (left_q == CountW'(1) && word_ready_i);
  assign word_valid_o = left_q != '0;
  assign word_data_o = data_q[63:0];

  always_comb begin
    data_d = data_q;
    left_d = left_q;
    if (beat_valid_i && beat_ready_o) begin
      data_d = beat_data_i;
      left_d = beat_words_i;
    end else if (word_valid_o && word_ready_i) begin
      data_d = data_q >> 64;
      left_d = left_q - 1'b1;
    end
    if (clear_i) left_d = '0;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      data_q <= '0;
      left_q <= '0;
    end else begin
      data_q <= data_d;
      left_q <= left_d;
    end
  end

`ifdef VERILATOR
  Words_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    beat_valid_i |-> beat_words_i != '0);
  WordHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    word_valid_o && !word_ready_i |=> word_valid_o && $stable(word_data_o));
`endif
endmodule
