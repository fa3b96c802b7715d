// SPDX-License-Identifier: Apache-2.0

/// Small valid/ready FIFO. The oldest item is visible without a read cycle, so the storage is
/// registers or distributed RAM.
module sterna_fifo #(
  /// Bits of an item.
  parameter int unsigned Width = 8,
  /// Items it holds; a power of two.
  parameter int unsigned Depth = 4
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  /// Empties the FIFO.
  input  logic                         clear_i,
  /// An item is offered.
  input  logic                         valid_i,
  /// There is room.
  output logic                         ready_o,
  /// The offered item.
  input  logic [Width-1:0]             data_i,
  /// An item is there.
  output logic                         valid_o,
  /// The item is taken.
  input  logic                         ready_i,
  /// The oldest item.
  output logic [Width-1:0]             data_o,
  /// Items held.
  output logic [$clog2(Depth + 1)-1:0] count_o
);
  localparam int unsigned CountW = $clog2(Depth + 1);
  localparam int unsigned PtrW = $clog2(Depth);

  generate
    if (Depth < 2 || (1 << PtrW) != Depth) begin : gen_bad_depth
      initial $error("sterna_fifo: Depth = %0d must be a power of two of at least 2", Depth);
    end
  endgenerate

  (* ramstyle = "MLAB, no_rw_check" *) logic [Width-1:0] mem_q [Depth];
  logic [PtrW-1:0] write_q, read_q;
  logic [CountW-1:0] count_q, count_d;
  logic push, pop;

  assign ready_o = count_q != CountW'(Depth);
  assign valid_o = count_q != '0;
  assign push = valid_i & ready_o;
  assign pop = valid_o & ready_i;
  assign data_o = mem_q[read_q];
  assign count_o = count_q;
  assign count_d = count_q + CountW'(push) - CountW'(pop);

  always_ff @(posedge clk_i) begin
    if (push) mem_q[write_q] <= data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q <= '0;
      count_q <= '0;
    end else if (clear_i) begin
      write_q <= '0;
      read_q <= '0;
      count_q <= '0;
    end else begin
      write_q <= write_q + PtrW'(push);
      read_q <= read_q + PtrW'(pop);
      count_q <= count_d;
    end
  end

`ifdef VERILATOR
  InputStable_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i && !ready_o |=> valid_i && $stable(data_i))
    else $error("an item changed or vanished while it waited");
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    push && valid_o |-> write_q != read_q);
`endif

endmodule
