// SPDX-License-Identifier: Apache-2.0

/// FIFO in block RAM: valid/ready on both sides, one item per cycle. The oldest items wait in the
/// RAM's read register and in the one after it, so an item appears three cycles after it was
/// taken, and two more than `Depth` items fit.
module sterna_ram_fifo #(
  /// Bits of an item.
  parameter int unsigned Width = 64,
  /// Items in the RAM; a power of two.
  parameter int unsigned Depth = 32
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
  output logic [Width-1:0] data_o,
  /// No item is held.
  output logic             empty_o
);
  localparam int unsigned IndexW = $clog2(Depth);

  generate
    if (Depth < 2 || (1 << IndexW) != Depth) begin : gen_bad_depth
      initial $error("sterna_ram_fifo: Depth = %0d must be a power of two of at least 2", Depth);
    end
  endgenerate

  (* ramstyle = "no_rw_check" *) logic [Width-1:0] memory [Depth];
  logic [IndexW-1:0] write_q, read_q;
  // Items in the RAM. That it holds none or is full is known a cycle ahead, as both open long
  // paths.
  logic [IndexW:0] held_d, held_q;
  logic none_d, none_q, full_d, full_q;
  logic push, fetch, move, read_valid_q;
  logic [Width-1:0] read_data_q;

  assign ready_o = !full_q;
  assign push = valid_i && ready_o;
  assign move = read_valid_q && (!valid_o || ready_i);
  assign fetch = !none_q && (!read_valid_q || move);
  assign empty_o = none_q && !read_valid_q && !valid_o;

  always_comb begin
    held_d = held_q;
    none_d = none_q;
    full_d = full_q;
    if (push && !fetch) begin
      held_d = held_q + 1'b1;
      none_d = 1'b0;
      full_d = held_q == (IndexW + 1)'(Depth - 1);
    end else if (fetch && !push) begin
      held_d = held_q - 1'b1;
      none_d = held_q == (IndexW + 1)'(1);
      full_d = 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (push) memory[write_q] <= data_i;
    if (fetch) read_data_q <= memory[read_q];
    if (move) data_o <= read_data_q;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q <= '0;
      held_q <= '0;
      none_q <= 1'b1;
      full_q <= 1'b0;
      read_valid_q <= 1'b0;
      valid_o <= 1'b0;
    end else if (clear_i) begin
      write_q <= '0;
      read_q <= '0;
      held_q <= '0;
      none_q <= 1'b1;
      full_q <= 1'b0;
      read_valid_q <= 1'b0;
      valid_o <= 1'b0;
    end else begin
      write_q <= write_q + IndexW'(push);
      read_q <= read_q + IndexW'(fetch);
      held_q <= held_d;
      none_q <= none_d;
      full_q <= full_d;
      read_valid_q <= fetch || (read_valid_q && !move);
      valid_o <= move || (valid_o && !ready_i);
    end
  end

`ifdef VERILATOR
  Input_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i && !ready_o |=> valid_i && $stable(data_i));
  Flags_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    none_q == (held_q == '0) && full_q == held_q[IndexW]);
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    push && fetch |-> write_q != read_q);
`endif
endmodule
