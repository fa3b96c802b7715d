// SPDX-License-Identifier: Apache-2.0

/// A filter of the first layer at two pixels: the sums of the products of its weights, each in a
/// chain of DSP blocks.
module sterna_first_filter #(
  /// Weights.
  parameter int unsigned Taps = 27,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of a sum.
  parameter int unsigned SumW = 20
) (
  input  logic                              clk_i,
  /// Eight of the weights are given, by eights from the first one on.
  input  logic [(Taps+7)/8-1:0]             weights_valid_i,
  /// Signed weights; those after the last one are 0.
  input  logic [7:0][7:0]                   weights_i,
  /// Signed values at each pixel; two more of them come with each cycle.
  input  logic [1:0][Taps-1:0][ActW-1:0]    values_i,
  /// Sums, `(Taps+1)/2 + 2` cycles after the first values.
  output logic [1:0][SumW-1:0]              sums_o
);
  /* verilator no_inline_module */

  /// Blocks in a chain.
  localparam int unsigned Pairs = (Taps + 1) / 2;

  genvar p, k;
  generate
    for (p = 0; p < 2; p++) begin : gen_pixel
      logic signed [SumW-1:0] sums [Pairs + 1];
      logic [2*Pairs-1:0][ActW-1:0] values;

      assign values = (2 * Pairs * ActW)'(values_i[p]);
      assign sums[0] = '0;
      assign sums_o[p] = sums[Pairs];

      for (k = 0; k < Pairs; k++) begin : gen_pair
        sterna_product_pair #(
          .ValueW (ActW),
          .FactorW(8),
          .SumW   (SumW)
        ) u_pair (
          .clk_i,
          .load_i  (weights_valid_i[k/4]),
          .factor_i(weights_i[2*(k%4)+:2]),
          .value_i (values[2*k+:2]),
          .sum_i   (sums[k]),
          .sum_o   (sums[k+1])
        );
      end
    end
  endgenerate

  // Of the last eight, those after the last weight.
  logic unused;
  assign unused = ^weights_i;
endmodule
