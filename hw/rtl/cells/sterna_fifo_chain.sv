// SPDX-License-Identifier: Apache-2.0

/// Deep FIFO in distributed RAM: small FIFOs in a row, for words so wide and so few
/// that block RAM would be wasted on them. One item per cycle; an item passes a stage in a cycle.
module sterna_fifo_chain #(
  /// Bits of an item.
  parameter int unsigned Width = 64,
  /// Items it holds; a power of two.
  parameter int unsigned Depth = 64
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  /// Empties the FIFO.
  input  logic             clear_i,
  /// An item is offered.
  input  logic             valid_i,
  /// There is room.
  output logic             ready_o,
  /// The offered item.
  input  logic [Width-1:0] data_i,
  /// An item is there.
  output logic             valid_o,
  /// The item is taken.
  input  logic             ready_i,
  /// The oldest item.
  output logic [Width-1:0] data_o
);
  /// Words of a distributed RAM.
  localparam int unsigned StageDepth = Depth < 32 ? Depth : 32;
  localparam int unsigned Stages = Depth / StageDepth;

  // Between the stages: stage i takes from i and gives to i + 1.
  logic [Stages:0] valid, ready;
  logic [Width-1:0] data [Stages+1];

  assign valid[0] = valid_i;
  assign data[0] = data_i;
  assign ready_o = ready[0];
  assign valid_o = valid[Stages];
  assign data_o = data[Stages];
  assign ready[Stages] = ready_i;

  genvar i;
  generate
    for (i = 0; i < Stages; i++) begin : gen_stage
      sterna_fifo #(
        .Width(Width),
        .Depth(StageDepth)
      ) u_fifo (
        .clk_i,
        .rst_ni,
        .clear_i,
        .valid_i(valid[i]),
        .ready_o(ready[i]),
        .data_i (data[i]),
        .valid_o(valid[i+1]),
        .ready_i(ready[i+1]),
        .data_o (data[i+1]),
        .count_o()
      );
    end
  endgenerate
endmodule
