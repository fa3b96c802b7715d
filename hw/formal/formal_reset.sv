// SPDX-License-Identifier: Apache-2.0

/// The first cycle is one of reset. After it, reset comes and goes as it likes.
module formal_reset (
  input logic clk_i,
  input logic rst_ni
);
  logic begun_q;
  initial begun_q = 1'b0;
  always_ff @(posedge clk_i) begun_q <= 1'b1;

  Reset_M: assume property (@(posedge clk_i) begun_q || !rst_ni);
endmodule
