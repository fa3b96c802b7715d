// SPDX-License-Identifier: Apache-2.0
// A product of 20 by 27 bits with the register between its parts and their sum. Multipliers of an ECP5 have 18 bits a
// side and are slow, and far from the logic; the stage after the register has time for the sum.
module sterna_product (input CLK, input EN, input signed [19:0] A, input signed [26:0] B, output signed [45:0] Q);
  wire signed [17:0] a = A[19:2];
  reg signed [34:0] low;
  reg signed [27:0] high;
  // Of the two lowest bits of A, which need no multiplier.
  reg signed [28:0] rest;

  always @(posedge CLK) begin
    if (EN) begin
      low <= a * $signed({1'b0, B[16:0]});
      high <= a * $signed(B[26:17]);
      rest <= $signed(B & {27{A[0]}}) + ($signed(B & {27{A[1]}}) <<< 1);
    end
  end

  assign Q = (high <<< 19) + (low <<< 2) + rest;
endmodule
