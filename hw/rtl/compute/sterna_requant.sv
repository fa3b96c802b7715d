// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Requantisation of a group of lanes with one channel's numbers:
///   t = acc*multiplier + bias; relu: max(t, 0); leaky: t >>> 3 if negative;
///   y = clamp((t + half) >>> shift), half = 1 << shift >> 1.
/// With `General` the limits of the clamp are the step's, and a tie may go to the even result.
///
/// Lanes shift by whole bytes only: the caller rounds the shift up to `8*bytes_i`, 8 to 32, and
/// multiplies multiplier and bias by the power of two that is missing. The bias takes `half` along,
/// for all lanes at once. That is right for every total but a negative leaky one:
///   ((t >>> 3) + half) >>> shift = (t + half + 7*half) >>> (shift + 3),
/// which adds seven to the bits from the weight of `half` up. (A total that only `half` lifts to 0
/// or above gives 0 in both ways, and so with relu.) With shift 0 there is no `half`, so `round_i`
/// says whether there is one. Of a tie the sum with `half` has no lower bits, and if the result is
/// odd it is one too large. A bias so large that no accumulator can bring the result back into its
/// range is cut to fewer bits, so that the sums are shorter. A new group can come every cycle; its
/// result follows eight cycles later.
module sterna_requant #(
  /// Lanes, at most 64.
  parameter int unsigned Lanes = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bits of a multiplier.
  parameter int unsigned MulW = 18,
  /// Has limits and ties to even.
  parameter bit General = 0
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
  /// Ties go to the even result.
  input  logic                           half_even_i,
  /// Least result, of the group that came in seven cycles before.
  input  logic signed [7:0]              low_i,
  /// Largest result, of the same.
  input  logic signed [7:0]              high_i,
  /// Bytes to shift right, 1 to 4.
  input  logic [2:0]                     bytes_i,
  /// The shift is not 0, so that there is a half.
  input  logic                           round_i,
  /// Signed activations.
  output logic [Lanes-1:0][ActW-1:0]     data_o
);
  /* verilator no_inline_module */

  localparam int unsigned FullMulW = MulW + 8;
  localparam int unsigned FullBiasW = RequantBiasW + 8;
  /// Bytes of the largest shift.
  localparam int unsigned MaxBytes = 4;
  /// A result, its rounding bit, and the bits that leaky totals are shifted by.
  localparam int unsigned WindowW = ActW + 4;
  /// Lowest bit above all windows.
  localparam int unsigned AboveBit = 8 * MaxBytes + WindowW - 1;
  localparam int unsigned ProductW = AccW + FullMulW;
  /// A bias of more bits outweighs any product and the largest window.
  localparam int unsigned EnoughW = (ProductW > AboveBit ? ProductW : AboveBit) + 1;
  localparam int unsigned BiasW = EnoughW <= FullBiasW ? EnoughW : FullBiasW + 1;
  localparam int unsigned TotalW = (ProductW > BiasW ? ProductW : BiasW) + 1;
  /// Bits of the low half of a total.
  localparam int unsigned LowW = 24;

  generate
    if (Lanes < 1 || Lanes > 64) begin : gen_bad_lanes
      initial $error("sterna_requant: Lanes = %0d must be 1 to 64", Lanes);
    end
    if (MulW > RequantMultiplierW) begin : gen_bad_mul_w
      initial $error("sterna_requant: MulW = %0d must be at most %0d", MulW, RequantMultiplierW);
    end
  endgenerate

  /// Half a result, for a shift by `bytes`.
  function automatic logic [FullBiasW-1:0] half_of(logic [2:0] bytes, logic round);
    logic [FullBiasW-1:0] result;
    result = '0;
    for (int unsigned i = 1; i <= MaxBytes; i++) result[8*i-1] = round && 32'(bytes) == i;
    return result;
  endfunction

  /// What a shift by `bytes` leaves, from the rounding bit up, of the bits from the lowest rounding
  /// bit up.
  function automatic logic [WindowW-1:0] window(logic [AboveBit-1:7] bits, logic [1:0] bytes);
    unique case (bytes)
      2'd1: return bits[7+:WindowW];
      2'd2: return bits[15+:WindowW];
      2'd3: return bits[23+:WindowW];
      default: return bits[31+:WindowW];
    endcase
  endfunction

  /// The bias in fewer bits, or the end of their range.
  function automatic logic [BiasW-1:0] cut(logic [FullBiasW:0] bias);
    logic sign;
    sign = bias[FullBiasW];
    return bias[FullBiasW:BiasW-1] == {(FullBiasW + 2 - BiasW){sign}} ? bias[BiasW-1:0] :
        {sign, {(BiasW - 1){!sign}}};
  endfunction

  /// Whether the bits above that window are copies of the sign.
  function automatic logic fits(logic [TotalW-1:0] total, logic [2:0] bytes);
    logic result, sign;
    sign = total[TotalW-1];
    result = total[TotalW-1:AboveBit] == {(TotalW - AboveBit){sign}};
    for (int unsigned i = 1; i < MaxBytes; i++) begin
      result &= 32'(bytes) > i || total[8*i+WindowW-1+:8] == {8{sign}};
    end
    return result;
  endfunction

  /// Whether the bits below that window are 0; `lowest`: those below the lowest window are.
  function automatic logic clean(logic [30:7] bits, logic lowest, logic [2:0] bytes);
    logic result;
    result = lowest;
    for (int unsigned i = 1; i < MaxBytes; i++) begin
      result &= 32'(bytes) <= i || bits[8*i-1+:8] == '0;
    end
    return result;
  endfunction

  // Suffixes count the cycles since the group was taken into the registers `_q0`. The total is
  // summed in two halves, the low one a cycle ahead.
  logic [6:0] valid_q;
  logic signed [AccW-1:0] acc_q0 [Lanes];
  logic [FullMulW-1:0] multiplier_q0;
  logic signed [FullBiasW:0] bias_q0;
  logic signed [BiasW-1:0] bias_q1;
  logic signed [TotalW-1:LowW] bias_q2;
  logic [1:0] activation_q0;
  logic [2:0] bytes_q0, bytes_q1, bytes_q2, bytes_q3;
  logic relu_q1, relu_q2, relu_q3, relu_q4;
  logic leaky_q1, leaky_q2, leaky_q3, leaky_q4;
  logic round_q0, round_q1, round_q2, round_q3, round_q4;
  logic signed [ProductW-1:0] product_q1 [Lanes];
  logic [ProductW-1:LowW] product_q2 [Lanes];
  logic [LowW:0] low_q2 [Lanes];
  logic [LowW-1:7] low_q3 [Lanes];
  logic [TotalW-1:LowW] high_q3 [Lanes];
  logic [WindowW-1:0] window_q4 [Lanes];
  logic [WindowW-1:0] window_q5 [Lanes];
  logic [Lanes-1:0] negative_q4, fits_q4, even_q4, beyond;
  logic [Lanes-1:0] eighth_q5, add_q5, no_value_q5, most_q5, least_q5;
  logic [ActW-1:0] value_q6 [Lanes];

  always_ff @(posedge clk_i) begin
    valid_q <= {valid_q[5:0], valid_i};
    multiplier_q0 <= multiplier_i;
    bias_q0 <= (FullBiasW + 1)'(bias_i) + (FullBiasW + 1)'(half_of(bytes_i, round_i));
    bias_q1 <= cut(bias_q0);
    bias_q2 <= (TotalW - LowW)'(bias_q1 >>> LowW);
    {activation_q0, round_q0, bytes_q0} <= {activation_i, round_i, bytes_i};
    {relu_q1, leaky_q1} <= {activation_q0 == ActivationRelu, activation_q0 == ActivationLeaky};
    {round_q1, bytes_q1} <= {round_q0, bytes_q0};
    {relu_q2, leaky_q2, round_q2, bytes_q2} <= {relu_q1, leaky_q1, round_q1, bytes_q1};
    {relu_q3, leaky_q3, round_q3, bytes_q3} <= {relu_q2, leaky_q2, round_q2, bytes_q2};
    {relu_q4, leaky_q4, round_q4} <= {relu_q3, leaky_q3, leaky_q3 && round_q3};
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
        low_q3[i] <= low_q2[i][LowW-1:7];
        high_q3[i] <= (TotalW - LowW)'(signed'(product_q2[i])) + bias_q2 +
            (TotalW - LowW)'(low_q2[i][LowW]);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_q[3]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        window_q4[i] <= window({high_q3[i][AboveBit-1:LowW], low_q3[i]}, bytes_q3[1:0]);
        fits_q4[i] <= fits({high_q3[i], low_q3[i], 7'd0}, bytes_q3);
        negative_q4[i] <= high_q3[i][TotalW-1];
      end
    end
  end

  // A result is an eighth or the whole of the total, or nothing to which the end of the range is
  // added. Its bits above the sign must be copies of the sign.
  always_comb begin
    for (int unsigned i = 0; i < Lanes; i++) begin
      beyond[i] = !fits_q4[i] || (leaky_q4 && negative_q4[i] ? !window_q4[i][WindowW-1] :
          window_q4[i][WindowW-1:ActW] != {4{negative_q4[i]}});
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_q[4]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        window_q5[i] <= window_q4[i];
        window_q5[i][1] <= window_q4[i][1] && !(even_q4[i] && !window_q4[i][0]);
        eighth_q5[i] <= leaky_q4 && negative_q4[i];
        add_q5[i] <= round_q4 && negative_q4[i] && !beyond[i] &&
            window_q4[i][3:0] > {3'b100, even_q4[i] && !window_q4[i][4]};
        no_value_q5[i] <= beyond[i] || (relu_q4 && negative_q4[i]);
        most_q5[i] <= beyond[i] && !negative_q4[i];
        least_q5[i] <= beyond[i] && negative_q4[i] && !relu_q4;
      end
    end
  end

  // All of this is one adder with a LUT before each bit.
  always_ff @(posedge clk_i) begin
    if (valid_q[5]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        value_q6[i] <= ({ActW{!no_value_q5[i]}} &
            (eighth_q5[i] ? window_q5[i][4+:ActW] : window_q5[i][1+:ActW])) +
            {least_q5[i], {(ActW - 1){most_q5[i]}}} + ActW'(add_q5[i]);
      end
    end
  end

  generate
    if (General) begin : gen_general
      logic even_q0, even_q1, even_q2, even_q3;
      logic [Lanes-1:0] clean_q3;

      always_ff @(posedge clk_i) begin
        {even_q0, even_q1} <= {half_even_i && round_i, even_q0};
        {even_q2, even_q3} <= {even_q1, even_q2};
      end

      always_ff @(posedge clk_i) begin
        if (valid_q[2]) begin
          for (int unsigned i = 0; i < Lanes; i++) clean_q3[i] <= low_q2[i][6:0] == '0;
        end
      end

      // Nothing is below the window, so that it alone tells a tie.
      always_ff @(posedge clk_i) begin
        if (valid_q[3]) begin
          for (int unsigned i = 0; i < Lanes; i++) begin
            even_q4[i] <= even_q3 &&
                clean({high_q3[i][30:LowW], low_q3[i]}, clean_q3[i], bytes_q3);
          end
        end
      end

      always_ff @(posedge clk_i) begin
        if (valid_q[6]) begin
          for (int unsigned i = 0; i < Lanes; i++) begin
            if (signed'(value_q6[i]) < signed'(low_i[ActW-1:0])) begin
              data_o[i] <= low_i[ActW-1:0];
            end else if (signed'(value_q6[i]) > signed'(high_i[ActW-1:0])) begin
              data_o[i] <= high_i[ActW-1:0];
            end else begin
              data_o[i] <= value_q6[i];
            end
          end
        end
      end
    end else begin : gen_plain
      logic unused_general;

      assign even_q4 = '0;
      assign unused_general = ^{half_even_i, low_i, high_i};

      always_ff @(posedge clk_i) begin
        if (valid_q[6]) begin
          for (int unsigned i = 0; i < Lanes; i++) data_o[i] <= value_q6[i];
        end
      end
    end
  endgenerate

endmodule
