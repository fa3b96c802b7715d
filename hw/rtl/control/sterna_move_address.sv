// SPDX-License-Identifier: Apache-2.0

/// Address of a LOAD or STORE in memory, two cycles after the step: one for each half of it.
module sterna_move_address (
  input  logic        clk_i,
  /// First byte of the frame's or result's memory.
  input  logic [63:0] base_i,
  /// Offset in it.
  input  logic [31:0] offset_i,
  /// First byte.
  output logic [63:0] addr_o
);
  logic [31:0] high_q, low_q;
  logic carry_q;

  always_ff @(posedge clk_i) begin
    {carry_q, low_q} <= {1'b0, base_i[31:0]} + {1'b0, offset_i};
    high_q <= base_i[63:32];
    addr_o <= {high_q + 32'(carry_q), low_q};
  end
endmodule
