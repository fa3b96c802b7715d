// SPDX-License-Identifier: Apache-2.0
// Something of everything that an engine consists of.
module everything (
  input clk, input rst, input [7:0] a, input [7:0] b, input we, inout d, output reg [15:0] y, output [8:0] q,
  output [3:0] z
);
  reg [7:0] x;
  reg [31:0] count;
  reg [8:0] block [0:1023];
  reg [8:0] read;
  reg [3:0] few [0:15];
  reg half;
  integer i;

  initial begin
    for (i = 0; i < 16; i = i + 1) few[i] = 0;
    for (i = 0; i < 1024; i = i + 1) block[i] = 0;
    half = 0;
  end

  assign d = a[1] ? half : 1'bz;
  assign q = read;
  assign z = few[b[7:4]] ^ {4{d}};

  always @(posedge clk or posedge rst) begin
    if (rst) count <= 32'h5;
    else if (we) count <= count + {a, b};
  end
  always @(posedge clk) begin
    x <= a;
    y <= x * b + count[31:16];
    if (we) block[count[9:0]] <= {1'b1, x};
    read <= block[{a, b[1:0]}];
    if (we) few[a[3:0]] <= b[3:0];
  end
  always @(negedge clk) half <= d & a[0];
endmodule
