// What synthesis leaves as a shape: memories and multipliers.

(* blackbox, keep *)
module STERNA_MEMORY #(
  parameter SIZE = 1, ABITS = 1, WIDTH = 1, RD_PORTS = 1, WR_PORTS = 1, CLOCKED = 0
) (
  input CLK,
  input [RD_PORTS-1:0] RD_EN, RD_SRST,
  input [RD_PORTS*ABITS-1:0] RD_ADDR,
  output [RD_PORTS*WIDTH-1:0] RD_DATA,
  input [WR_PORTS*WIDTH-1:0] WR_EN, WR_DATA,
  input [WR_PORTS*ABITS-1:0] WR_ADDR
);
endmodule

(* blackbox *)
module STERNA_MULTIPLIER #(
  parameter A_WIDTH = 1, B_WIDTH = 1, Y_WIDTH = 1
) (
  input [A_WIDTH-1:0] A,
  input [B_WIDTH-1:0] B,
  output [Y_WIDTH-1:0] Y
);
endmodule
