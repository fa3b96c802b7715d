// SPDX-License-Identifier: Apache-2.0

/// The same inputs to the source and to the netlist.
module everything_bench (
  input  logic       clk_i,
  input  logic       rst_i,
  input  logic [7:0] a_i,
  input  logic [7:0] b_i,
  input  logic       we_i,
  input  logic       d_i,
  output logic       differ_o
);
  wire [1:0] d;
  wire [15:0] y, y_routed;
  wire [8:0] q, q_routed;
  wire [3:0] z, z_routed;

  assign d = a_i[1] ? 2'bzz : {2{d_i}};
  assign differ_o = {y, q, z} != {y_routed, q_routed, z_routed};

  everything u_source (
    .clk(clk_i), .rst(rst_i), .a(a_i), .b(b_i), .we(we_i), .d(d[0]), .y, .q, .z
  );
  routed u_routed (
    .clk(clk_i), .rst(rst_i), .a(a_i), .b(b_i), .we(we_i), .d(d[1]), .y(y_routed), .q(q_routed), .z(z_routed)
  );
endmodule
