// SPDX-License-Identifier: Apache-2.0

/// The first step is one of reset. After it, reset comes and goes as it likes. Resets of more than
/// one clock begin together, and each ends with an edge of its clock.
module formal_reset #(
  /// Clocks with a reset each.
  parameter int unsigned Clocks = 1
) (
  input logic [Clocks-1:0] clk_i,
  input logic [Clocks-1:0] rst_ni
);
  logic first;

  formal_first u_first (.Y(first));
  Reset_M: assume property (@(posedge clk_i[0]) first |-> rst_ni == '0);

  generate
    if (Clocks > 1) begin : gen_many
      logic [Clocks-1:0] clk_before, rst_before;

      formal_before #(.WIDTH(Clocks)) u_clk (.D(clk_i), .Q(clk_before));
      formal_before #(.WIDTH(Clocks)) u_rst (.D(rst_ni), .Q(rst_before));

      Begin_M: assume property (@(posedge clk_i[0])
        !first && (rst_before & ~rst_ni) != '0 |-> rst_ni == '0);
      End_M: assume property (@(posedge clk_i[0])
        first || (~rst_before & rst_ni & ~(clk_i & ~clk_before)) == '0);
    end
  endgenerate
endmodule
