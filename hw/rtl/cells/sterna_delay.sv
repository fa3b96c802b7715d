// SPDX-License-Identifier: Apache-2.0

/// Shows what came in some cycles ago. The items lie in a memory that goes round, so that a long
/// delay of a wide item takes few registers.
module sterna_delay #(
  /// Bits of an item.
  parameter int unsigned Width = 8,
  /// Cycles from an item to when it is shown, at least 2.
  parameter int unsigned Cycles = 4
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  /// The item.
  input  logic [Width-1:0] data_i,
  /// That of `Cycles` cycles ago.
  output logic [Width-1:0] data_o
);
  localparam int unsigned IndexW = $clog2(Cycles);

  generate
    if (Cycles < 2) begin : gen_bad_cycles
      initial $error("sterna_delay: Cycles = %0d must be at least 2", Cycles);
    end
  endgenerate

  (* ramstyle = "MLAB, no_rw_check" *) logic [Width-1:0] mem_q [Cycles];
  logic [IndexW-1:0] index_q, next;

  assign next = index_q == IndexW'(Cycles - 1) ? '0 : index_q + IndexW'(1);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) index_q <= '0;
    else index_q <= next;
  end

  always_ff @(posedge clk_i) begin
    mem_q[index_q] <= data_i;
    data_o <= mem_q[next];
  end

`ifdef VERILATOR
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    next != index_q)
    else $error("an item is read while it is written");
`endif
endmodule
