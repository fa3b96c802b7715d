// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// The same inputs to the requantiser and to what synthesis makes of it.
module requant_bench (
  /// Clock.
  input  logic clk_i,
  /// Cycles in which they differ.
  output int   differ_o,
  /// Cycles with a result that is no end of its range.
  output int   inside_o
);
  logic valid_q;
  logic [2:0][19:0] acc_q;
  logic [25:0] multiplier_q;
  logic [RequantBiasW+7:0] bias_q;
  logic [1:0] activation_q;
  logic [2:0] bytes_q;
  logic [2:0][7:0] data, data_built;
  int cycles_q;

  requant u_source (
    .clk_i,
    .valid_i     (valid_q),
    .acc_i       (acc_q),
    .multiplier_i(multiplier_q),
    .bias_i      (bias_q),
    .activation_i(activation_q),
    .bytes_i     (bytes_q),
    .data_o      (data)
  );

  requant_built u_built (
    .clk_i,
    .valid_i     (valid_q),
    .acc_i       (acc_q),
    .multiplier_i(multiplier_q),
    .bias_i      (bias_q),
    .activation_i(activation_q),
    .bytes_i     (bytes_q),
    .data_o      (data_built)
  );

  initial {cycles_q, differ_o, inside_o} = '0;

  always_ff @(posedge clk_i) begin
    cycles_q <= cycles_q + 1;
    // The first sixteen fill the pipeline.
    valid_q <= cycles_q < 16 || $urandom_range(3) != 0;
    for (int i = 0; i < 3; i++) acc_q[i] <= 20'(signed'($urandom) >>> (12 + $urandom_range(18)));
    multiplier_q <= 26'($urandom) >> $urandom_range(25);
    bias_q <= (RequantBiasW + 8)'(signed'($urandom) >>> $urandom_range(31));
    activation_q <= 2'($urandom_range(2));
    bytes_q <= 3'($urandom_range(4, 1));
    if (cycles_q > 32) begin
      if (data != data_built) differ_o <= differ_o + 1;
      if (data[0] != 8'h7F && data[0] != 8'h80 && data[0] != '0) inside_o <= inside_o + 1;
    end
  end
endmodule
