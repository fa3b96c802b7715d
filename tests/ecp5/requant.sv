// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// The requantiser for a few lanes.
module requant (
  /// Clock.
  input  logic              clk_i,
  /// A group comes in.
  input  logic              valid_i,
  /// Accumulators.
  input  logic [2:0][19:0]  acc_i,
  /// Multiplier.
  input  logic [25:0]       multiplier_i,
  /// Bias.
  input  logic signed [RequantBiasW+7:0] bias_i,
  /// Activation.
  input  logic [1:0]        activation_i,
  /// Bytes to shift.
  input  logic [2:0]        bytes_i,
  /// Activations.
  output logic [2:0][7:0]   data_o
);
  sterna_requant #(
    .Lanes(3)
  ) u_requant (
    .clk_i,
    .valid_i,
    .acc_i,
    .multiplier_i,
    .bias_i,
    .activation_i,
    .half_even_i(1'b0),
    .low_i('0),
    .high_i('0),
    .bytes_i,
    .round_i(1'b1),
    .data_o
  );
endmodule
