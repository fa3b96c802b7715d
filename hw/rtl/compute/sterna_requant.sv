// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Requantisation of a group of lanes with one channel's numbers:
///   t = acc*multiplier + bias; relu: max(t, 0); leaky: t >>> 3 if negative;
///   y = clamp((t + half) >>> shift), half = 1 << shift >> 1.
///
/// Lanes shift by whole bytes only: the caller rounds the shift up to `8*bytes_i`, 8 to 40, and
/// multiplies multiplier and bias by the power of two that is missing. Rounding adds the bit below
/// the result (`half` is that bit's weight); with shift 0 that bit is 0, but not for the three bits
/// more of a negative leaky total, so `leaky_round_i` says whether those are rounded. A new group
/// can come every cycle; its result follows eight cycles later.
module sterna_requant #(
  /// Lanes, at most 64.
  parameter int unsigned Lanes = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bits of a multiplier.
  parameter int unsigned MulW = 18
) (
  input  logic                           clk_i,
  /// A group comes in.
  input  logic                           valid_i,
  /// Signed accumulators.
  input  logic [Lanes-1:0][AccW-1:0]     acc_i,
  /// Unsigned multiplier.
  input  logic [MulW+7:0]                multiplier_i,
  /// Bias.
  input  logic signed [RequantBiasW+7:0] bias_i,
  /// One of the Activation codes.
  input  logic [1:0]                     activation_i,
  /// Bytes to shift right, 1 to 5.
  input  logic [2:0]                     bytes_i,
  /// Round negative leaky totals.
  input  logic                           leaky_round_i,
  /// Signed activations.
  output logic [Lanes-1:0][ActW-1:0]     data_o
);
  /* verilator no_inline_module */

  localparam int unsigned FullMulW = MulW + 8;
  localparam int unsigned FullBiasW = RequantBiasW + 8;
  localparam int unsigned ProductW = AccW + FullMulW + 1;
  localparam int unsigned TotalW = (ProductW > FullBiasW ? ProductW : FullBiasW) + 1;
  /// Bytes of the largest shift.
  localparam int unsigned MaxBytes = 5;
  /// A result, its rounding bit, and the bits that leaky totals are shifted by.
  localparam int unsigned WindowW = ActW + 4;
  /// Bits of the low half of a total.
  localparam int unsigned LowW = 28;
  /// Lowest bit above all windows.
  localparam int unsigned AboveBit = 8 * MaxBytes + ActW + 3;

  generate
    if (Lanes < 1 || Lanes > 64) begin : gen_bad_lanes
      initial $error("sterna_requant: Lanes = %0d must be 1 to 64", Lanes);
    end
    if (MulW > RequantMultiplierW) begin : gen_bad_mul_w
      initial $error("sterna_requant: MulW = %0d must be at most %0d", MulW, RequantMultiplierW);
    end
  endgenerate

  /// What a shift by `bytes` leaves, from the rounding bit up, of the bits from the lowest rounding
  /// bit up.
  function automatic logic [WindowW-1:0] window(logic [AboveBit-1:7] bits, logic [2:0] bytes);
    unique case (bytes)
      3'd2: return bits[15+:WindowW];
      3'd3: return bits[23+:WindowW];
      3'd4: return bits[31+:WindowW];
      3'd5: return bits[39+:WindowW];
      default: return bits[7+:WindowW];
    endcase
  endfunction

  /// Whether the bits above that window are copies of the sign.
  function automatic logic fits(logic [TotalW-1:0] total, logic [2:0] bytes);
    logic result, sign;
    sign = total[TotalW-1];
    result = total[TotalW-1:AboveBit] == {(TotalW - AboveBit){sign}};
    for (int unsigned i = 1; i < MaxBytes; i++) begin
      result &= 32'(bytes) > i || total[8*i+ActW+3+:8] == {8{sign}};
    end
    return result;
  endfunction

  // Suffixes count the cycles since the group was taken into the registers `_q0`. The total is
  // summed in two halves, the low one a cycle ahead.
  logic [6:0] valid_q;
  logic signed [AccW-1:0] acc_q0 [Lanes];
  logic [FullMulW-1:0] multiplier_q0;
  logic signed [FullBiasW-1:0] bias_q0, bias_q1;
  logic [TotalW-1:LowW] bias_q2;
  logic [1:0] activation_q0;
  logic round_q0;
  logic [2:0] bytes_q0;
  logic relu_q1, relu_q2, relu_q3, relu_q4, relu_q5, relu_q6;
  logic leaky_q1, leaky_q2, leaky_q3, leaky_q4;
  logic round_q1, round_q2, round_q3, round_q4;
  logic [2:0] bytes_q1, bytes_q2, bytes_q3;
  logic signed [ProductW-1:0] product_q1 [Lanes];
  logic [ProductW-1:LowW] product_q2 [Lanes];
  logic [LowW:0] low_q2 [Lanes];
  logic [LowW-1:0] low_q3 [Lanes];
  logic [TotalW-1:LowW] high_q3 [Lanes];
  logic [WindowW-1:0] window_q4 [Lanes];
  logic [Lanes-1:0] negative_q4, negative_q5, negative_q6;
  logic [Lanes-1:0] fits_q4, clamp_q5, clamp_q6;
  logic [ActW:0] value_q5 [Lanes];
  logic [ActW-1:0] rounded_q6 [Lanes];

  always_ff @(posedge clk_i) begin
    valid_q <= {valid_q[5:0], valid_i};
    {multiplier_q0, bias_q0} <= {multiplier_i, bias_i};
    {activation_q0, round_q0, bytes_q0} <= {activation_i, leaky_round_i, bytes_i};
    bias_q1 <= bias_q0;
    bias_q2 <= (TotalW - LowW)'(bias_q1 >>> LowW);
    {relu_q1, leaky_q1} <= {activation_q0 == ActivationRelu, activation_q0 == ActivationLeaky};
    {round_q1, bytes_q1} <= {round_q0, bytes_q0};
    {relu_q2, leaky_q2, round_q2, bytes_q2} <= {relu_q1, leaky_q1, round_q1, bytes_q1};
    {relu_q3, leaky_q3, round_q3, bytes_q3} <= {relu_q2, leaky_q2, round_q2, bytes_q2};
    {relu_q4, leaky_q4, round_q4} <= {relu_q3, leaky_q3, round_q3};
    {relu_q5, relu_q6} <= {relu_q4, relu_q5};
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      for (int unsigned i = 0; i < Lanes; i++) acc_q0[i] <= acc_i[i];
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_q[0]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        product_q1[i] <= ProductW'(acc_q0[i]) * ProductW'(signed'({1'b0, multiplier_q0}));
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_q[1]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        low_q2[i] <= (LowW + 1)'(product_q1[i][LowW-1:0]) + (LowW + 1)'(bias_q1[LowW-1:0]);
        product_q2[i] <= product_q1[i][ProductW-1:LowW];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_q[2]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        low_q3[i] <= low_q2[i][LowW-1:0];
        high_q3[i] <= (TotalW - LowW)'(signed'(product_q2[i])) + bias_q2 +
            (TotalW - LowW)'(low_q2[i][LowW]);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_q[3]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        window_q4[i] <= window({high_q3[i][AboveBit-1:LowW], low_q3[i][LowW-1:7]}, bytes_q3);
        fits_q4[i] <= fits({high_q3[i], low_q3[i]}, bytes_q3);
        negative_q4[i] <= high_q3[i][TotalW-1];
      end
    end
  end

  // The three bits more of a negative leaky total; the result's bits above its sign must be copies
  // of it.
  always_ff @(posedge clk_i) begin
    if (valid_q[4]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        if (leaky_q4 && negative_q4[i]) begin
          value_q5[i] <= {window_q4[i][WindowW-1:4], window_q4[i][3] && round_q4};
          clamp_q5[i] <= !fits_q4[i] || !window_q4[i][WindowW-1];
        end else begin
          value_q5[i] <= window_q4[i][ActW:0];
          clamp_q5[i] <= !fits_q4[i] || window_q4[i][WindowW-1:ActW] != {4{negative_q4[i]}};
        end
      end
      negative_q5 <= negative_q4;
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_q[5]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        rounded_q6[i] <= value_q5[i][ActW:1] + ActW'(value_q5[i][0]);
      end
      clamp_q6 <= clamp_q5;
      negative_q6 <= negative_q5;
    end
  end

  // A total that is not negative but becomes so was rounded up beyond the range.
  always_ff @(posedge clk_i) begin
    if (valid_q[6]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        if (negative_q6[i] && relu_q6) begin
          data_o[i] <= '0;
        end else if (clamp_q6[i] || (!negative_q6[i] && rounded_q6[i][ActW-1])) begin
          data_o[i] <= {negative_q6[i], {(ActW - 1){!negative_q6[i]}}};
        end else begin
          data_o[i] <= rounded_q6[i];
        end
      end
    end
  end

endmodule
