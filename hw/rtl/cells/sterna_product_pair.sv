// SPDX-License-Identifier: Apache-2.0

/// Two products and the sum so far, written so that synthesis takes one DSP block of an Arria 10
/// for all of it: registers at the inputs, after the products and after the sum, and a sum that
/// comes from the output of the block before.
///
/// The block before works on values of one cycle earlier.
module sterna_product_pair #(
  /// Bits of a value.
  parameter int unsigned ValueW = 8,
  /// Bits of a factor.
  parameter int unsigned FactorW = 8,
  /// Bits of the sum.
  parameter int unsigned SumW = 20
) (
  input  logic                           clk_i,
  /// Take new factors.
  input  logic                           load_i,
  /// Signed factors.
  input  logic [1:0][FactorW-1:0]        factor_i,
  /// Signed values.
  input  logic [1:0][ValueW-1:0]         value_i,
  /// Sum of the block before, two cycles after the values.
  input  logic signed [SumW-1:0]         sum_i,
  /// It and both products, three cycles after the values.
  output logic signed [SumW-1:0]         sum_o
);
  localparam int unsigned ProductW = ValueW + FactorW;

  generate
    if (ValueW > 18 || FactorW > 18) begin : gen_bad_width
      initial $error("sterna_product_pair: ValueW = %0d and FactorW = %0d must be at most 18",
                     ValueW, FactorW);
    end
    if (SumW < ProductW + 1) begin : gen_bad_sum_w
      initial $error("sterna_product_pair: SumW = %0d must be at least %0d", SumW, ProductW + 1);
    end
  endgenerate

  logic signed [FactorW-1:0] factor_q [2];
  logic signed [ValueW-1:0] value_q [2];
  logic signed [ProductW-1:0] product_q [2];

  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < 2; i++) begin
      if (load_i) factor_q[i] <= factor_i[i];
      value_q[i] <= value_i[i];
      product_q[i] <= value_q[i] * factor_q[i];
    end
    sum_o <= sum_i + (SumW'(product_q[0]) + SumW'(product_q[1]));
  end

endmodule
