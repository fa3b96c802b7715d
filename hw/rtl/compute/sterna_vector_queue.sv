// SPDX-License-Identifier: Apache-2.0

/// Vectors read ahead for a PE: a chain of registers, each moving on as soon as the next is free,
/// so that no multiplexer is needed. The user keeps count: it takes a vector Depth cycles after the
/// vector came in, or later, and a vector comes in only when there is room or in the cycle in which
/// one is taken.
module sterna_vector_queue #(
  /// Bits of a vector.
  parameter int unsigned Width = 200,
  /// Vectors it holds.
  parameter int unsigned Depth = 2
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  /// Empties the queue.
  input  logic             clear_i,
  /// A vector comes in.
  input  logic             valid_i,
  /// The vector.
  input  logic [Width-1:0] data_i,
  /// The oldest vector is taken.
  input  logic             take_i,
  /// The oldest vector.
  output logic [Width-1:0] data_o
);

  // Rank 0 is the input, rank Depth the output.
  logic [Depth:0] valid;
  logic [Depth-1:0] valid_q, move;
  logic [Width-1:0] data [Depth + 1];

  assign valid = {valid_q, valid_i};
  assign data[0] = data_i;
  assign data_o = data[Depth];

  genvar i;
  generate
    for (i = 0; i < Depth; i++) begin : gen_rank
      logic [Width-1:0] data_q;

      // This rank takes over the one before when there is a gap from here on or the end is taken.
      assign move[i] = take_i || !(&valid_q[Depth-1:i]);
      assign data[i + 1] = data_q;

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          valid_q[i] <= 1'b0;
        end else if (clear_i) begin
          valid_q[i] <= 1'b0;
        end else if (move[i]) begin
          valid_q[i] <= valid[i];
        end
      end

      always_ff @(posedge clk_i) begin
        if (move[i] && valid[i]) data_q <= data[i];
      end
    end
  endgenerate

`ifdef VERILATOR
  NoLoss_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i |-> move[0])
    else $error("a vector came into a full queue");
  Arrived_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    take_i |-> valid[Depth])
    else $error("a vector is taken that has not arrived");
`endif

endmodule
