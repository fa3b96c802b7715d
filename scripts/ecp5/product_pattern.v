// SPDX-License-Identifier: Apache-2.0
// What `product.v` replaces: a product of the requantiser and its register, of which the next stage uses 24 bits and the
// rest apart.
module sterna_product (input CLK, input EN, input signed [19:0] A, input signed [26:0] B, output signed [45:0] Q);
  wire [45:0] product;

  \$mul #(.A_SIGNED(1), .B_SIGNED(1), .A_WIDTH(20), .B_WIDTH(27), .Y_WIDTH(46)) multiply (.A(A), .B(B), .Y(product));
  \$dffe #(.CLK_POLARITY(1), .EN_POLARITY(1), .WIDTH(24)) low (
    .CLK(CLK), .EN(EN), .D(product[23:0]), .Q(Q[23:0])
  );
  \$dffe #(.CLK_POLARITY(1), .EN_POLARITY(1), .WIDTH(22)) high (
    .CLK(CLK), .EN(EN), .D(product[45:24]), .Q(Q[45:24])
  );
endmodule
