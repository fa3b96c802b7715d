// SPDX-License-Identifier: Apache-2.0

/// Rotates N elements down: output i is input (i + amount) mod N, three cycles later. The amount
/// comes as digits, ones + 3*threes + 9*nines: a choice of three or two packs two bits into an ALM,
/// one of four only one.
module sterna_rotate #(
  /// Elements, at most 18.
  parameter int unsigned N = 5,
  /// Bits of an element.
  parameter int unsigned Width = 8
) (
  input  logic             clk_i,
  /// Each stage takes its data when its bit is set: bit 0 with the input, bit 1 a cycle later, bit
  /// 2 another one.
  input  logic [2:0]       enable_i,
  /// Ones of the amount, 0 to 2, given with the data.
  input  logic [1:0]       ones_i,
  /// Threes of the amount, 0 to 2, given a cycle later.
  input  logic [1:0]       threes_i,
  /// Nines of the amount, given another cycle later.
  input  logic             nines_i,
  /// Elements.
  input  logic [Width-1:0] data_i [N],
  /// Elements, rotated.
  output logic [Width-1:0] data_o [N]
); /* verilator no_inline_module */
  logic [Width-1:0] by_ones_q [N];
  logic [Width-1:0] by_threes_q [N];

  genvar i;
  generate
    for (i = 0; i < N; i++) begin : gen_element
      logic [Width-1:0] by_ones_d, by_threes_d, by_nines_d;

      assign by_ones_d = ones_i[1] ? data_i[(i+2)%N] : ones_i[0] ? data_i[(i+1)%N] : data_i[i];
      assign by_threes_d = threes_i[1] ? by_ones_q[(i+6)%N] :
                           threes_i[0] ? by_ones_q[(i+3)%N] : by_ones_q[i];
      assign by_nines_d = N > 9 && nines_i ? by_threes_q[(i+9)%N] : by_threes_q[i];

      always_ff @(posedge clk_i) begin
        if (enable_i[0]) by_ones_q[i] <= by_ones_d;
        if (enable_i[1]) by_threes_q[i] <= by_threes_d;
        if (enable_i[2]) data_o[i] <= by_nines_d;
      end
    end
  endgenerate
endmodule
