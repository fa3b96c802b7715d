/// Requantisation of a group of lanes with one channel's numbers:
///   t = acc*multiplier + bias; relu: max(t, 0); leaky: t >>> 3 if negative;
///   y = clamp((t + half) >>> shift), half = 1 << shift >> 1.
///
/// A new group can come every cycle; its result follows four cycles later. Rounding adds the bit below the
/// result (`half` is that bit's weight), so no lane needs a wide rounding adder; the shift is done in a coarse
/// and a fine step, with saturation in between, so that no lane needs a wide shifter.
module sterna_requant
  import sterna_pkg::*;
#(
  /// Lanes, at most 64.
  parameter int unsigned Lanes = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bits of a multiplier.
  parameter int unsigned MulW = 18
) (
  /// Clock.
  input  logic                           clk_i,
  /// A group comes in.
  input  logic                           valid_i,
  /// Signed accumulators.
  input  logic [Lanes-1:0][AccW-1:0]     acc_i,
  /// Unsigned multiplier.
  input  logic [MulW-1:0]                multiplier_i,
  /// Bias.
  input  logic signed [RequantBiasW-1:0] bias_i,
  /// One of the Activation codes.
  input  logic [1:0]                     activation_i,
  /// Bits to shift right, 0 to 40.
  input  logic [5:0]                     shift_i,
  /// Signed activations.
  output logic [Lanes-1:0][ActW-1:0]     data_o
);
  /* verilator no_inline_module */

  localparam int unsigned ProductW = AccW + MulW;
  localparam int unsigned TotalW = (ProductW > RequantBiasW ? ProductW : RequantBiasW) + 1;
  /// Bits of the fine shift, and what it takes: a result, its rounding bit and one to see saturation, at the
  /// largest fine shift.
  localparam int unsigned FineShiftW = 4;
  localparam int unsigned FineW = ActW + 2 + (1 << FineShiftW) - 1;

  if (Lanes < 1 || Lanes > 64) begin : gen_bad_lanes
    $error("sterna_requant: Lanes = %0d must be 1 to 64", Lanes);
  end
  if (MulW > RequantMultiplierW) begin : gen_bad_mul_w
    $error("sterna_requant: MulW = %0d must be at most %0d", MulW, RequantMultiplierW);
  end

  /// Signed value cut to FineW bits, at the ends of their range if it does not fit.
  function automatic logic signed [FineW-1:0] saturate_fine(logic signed [TotalW:0] value);
    logic negative;
    negative = value[TotalW];
    if (value[TotalW:FineW-1] == {(TotalW - FineW + 2){negative}}) return value[FineW-1:0];
    return {negative, {(FineW - 1){!negative}}};
  endfunction

  /// `value` (with one bit below the point) rounded and clamped.
  function automatic logic [ActW-1:0] round(logic signed [FineW-1:0] value, logic up);
    logic negative;
    negative = value[FineW-1];
    if (value[FineW-1:ActW] != {(FineW - ActW){negative}}) return {negative, {(ActW - 1){!negative}}};
    if (up && value[ActW:0] == {1'b0, {ActW{1'b1}}}) return value[ActW:1];
    return value[ActW:1] + ActW'(up && value[0]);
  endfunction

  // Suffixes count the cycles since the group came in.
  logic [3:1]                     valid_q;
  logic signed [RequantBiasW-1:0] bias_q1;
  logic                           relu_q1, leaky_q1, leaky_q2, leaky_q3;
  logic [5:0]                     shift_q1, shift_q2, shift_q3;
  logic [5:0]                     leaky_shift_q2;
  logic [FineShiftW-1:0]          leaky_fine_q3;
  logic signed [ProductW-1:0]     product_q1 [Lanes];
  logic signed [TotalW-1:0]       total_q2   [Lanes];
  logic signed [FineW-1:0]        coarse_q3  [Lanes];

  always_ff @(posedge clk_i) begin
    valid_q  <= {valid_q[2:1], valid_i};
    bias_q1  <= bias_i;
    relu_q1  <= activation_i == ActivationRelu;
    leaky_q1 <= activation_i == ActivationLeaky;
    leaky_q2 <= leaky_q1;
    leaky_q3 <= leaky_q2;
    shift_q1 <= shift_i;
    shift_q2 <= shift_q1;
    shift_q3 <= shift_q2;
    leaky_shift_q2 <= shift_q1 + 6'd3;
    leaky_fine_q3  <= leaky_shift_q2[FineShiftW-1:0];
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        product_q1[i] <= ProductW'(signed'(acc_i[i])) * ProductW'(signed'({1'b0, multiplier_i}));
      end
    end
  end

  logic signed [TotalW-1:0] total [Lanes];

  always_comb begin
    for (int unsigned i = 0; i < Lanes; i++) total[i] = TotalW'(product_q1[i]) + TotalW'(bias_q1);
  end

  always_ff @(posedge clk_i) begin
    if (valid_q[1]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        total_q2[i] <= relu_q1 && total[i][TotalW-1] ? '0 : total[i];
      end
    end
  end

  logic [1:0] coarse, leaky_coarse;

  assign coarse       = shift_q2[5:FineShiftW];
  assign leaky_coarse = leaky_shift_q2[5:FineShiftW];

  always_ff @(posedge clk_i) begin
    if (valid_q[2]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        coarse_q3[i] <= saturate_fine($signed({total_q2[i], 1'b0}) >>>
            {leaky_q2 && total_q2[i][TotalW-1] ? leaky_coarse : coarse, {FineShiftW{1'b0}}});
      end
    end
  end

  logic [FineShiftW-1:0] fine;
  logic                  up;

  assign fine = shift_q3[FineShiftW-1:0];
  assign up   = shift_q3 != '0;

  always_ff @(posedge clk_i) begin
    if (valid_q[3]) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        data_o[i] <= round(coarse_q3[i] >>>
            (leaky_q3 && coarse_q3[i][FineW-1] ? leaky_fine_q3 : fine), up);
      end
    end
  end

endmodule
