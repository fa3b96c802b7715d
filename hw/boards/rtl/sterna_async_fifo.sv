// SPDX-License-Identifier: Apache-2.0

/// FIFO from one clock to another: valid/ready on both sides, one item per cycle of the slower one.
/// Places are told to the other side in a Gray code, of which one bit changes at a time (Cummings,
/// "Simulation and Synthesis Techniques for Asynchronous FIFO Design", SNUG 2002, style 1). An item
/// appears five or six cycles of the reader's clock after it was taken. Both resets must be active
/// at the same time.
module sterna_async_fifo #(
  /// Bits of an item.
  parameter int unsigned Width = 8,
  /// Items in the memory, a power of two; one more waits at the output. 16 are needed for an item
  /// per cycle.
  parameter int unsigned Depth = 16
) (
  /// Clock of `valid_i`, `ready_o` and `data_i`.
  input  logic             write_clk_i,
  /// Reset in step with it.
  input  logic             write_rst_ni,
  /// An item is offered.
  input  logic             valid_i,
  /// There is room.
  output logic             ready_o,
  /// The offered item.
  input  logic [Width-1:0] data_i,
  /// Clock of `valid_o`, `ready_i` and `data_o`.
  input  logic             read_clk_i,
  /// Reset in step with it.
  input  logic             read_rst_ni,
  /// An item is there.
  output logic             valid_o,
  /// The item is taken.
  input  logic             ready_i,
  /// The oldest item.
  output logic [Width-1:0] data_o
);
  localparam int unsigned IndexW = $clog2(Depth);

  generate
    if (Depth < 4 || (1 << IndexW) != Depth) begin : gen_bad_depth
      initial $error("sterna_async_fifo: Depth = %0d must be a power of two of at least 4", Depth);
    end
  endgenerate

  (* ramstyle = "MLAB, no_rw_check" *) logic [Width-1:0] memory [Depth];

  // Places are counted modulo 2 * Depth. `write_code_q` and `read_code_q` are read by the other
  // clock, so they are registers and nothing else. The codes of the places after those are there as
  // well, so that no path goes through a count and its code.
  logic [IndexW:0] write_q, read_q;
  (* preserve *) logic [IndexW:0] write_code_q;
  (* preserve *) logic [IndexW:0] read_code_q;
  logic [IndexW:0] write_after, write_after_code_q, read_after, read_after_code_q;
  logic [IndexW:0] write_code_seen, read_code_seen, full_code;

  // ---------------------------------------------------------------------------------------- writer

  logic push, room_q;

  assign ready_o = room_q;
  assign push = valid_i && room_q;
  assign write_after = write_q + (IndexW + 1)'(2);
  // The code of the place that is `Depth` before.
  assign full_code = {~read_code_seen[IndexW-:2], read_code_seen[IndexW-2:0]};

  sterna_sync #(
    .Width(IndexW + 1)
  ) u_read_code (
    .clk_i (write_clk_i),
    .rst_ni(write_rst_ni),
    .bits_i(read_code_q),
    .bits_o(read_code_seen)
  );

  always_ff @(posedge write_clk_i) begin
    if (push) memory[write_q[IndexW-1:0]] <= data_i;
  end

  always_ff @(posedge write_clk_i or negedge write_rst_ni) begin
    if (!write_rst_ni) begin
      write_q <= '0;
      write_code_q <= '0;
      write_after_code_q <= (IndexW + 1)'(1);
      room_q <= 1'b0;
    end else begin
      if (push) begin
        write_q <= write_q + 1'b1;
        write_code_q <= write_after_code_q;
        write_after_code_q <= write_after ^ (write_after >> 1);
      end
      room_q <= push ? write_after_code_q != full_code : write_code_q != full_code;
    end
  end

  // ---------------------------------------------------------------------------------------- reader

  logic pop, some_q, valid_q;
  logic [Width-1:0] data_q;

  assign valid_o = valid_q;
  assign data_o = data_q;
  assign pop = some_q && (!valid_q || ready_i);
  assign read_after = read_q + (IndexW + 1)'(2);

  sterna_sync #(
    .Width(IndexW + 1)
  ) u_write_code (
    .clk_i (read_clk_i),
    .rst_ni(read_rst_ni),
    .bits_i(write_code_q),
    .bits_o(write_code_seen)
  );

  always_ff @(posedge read_clk_i) begin
    if (pop) data_q <= memory[read_q[IndexW-1:0]];
  end

  always_ff @(posedge read_clk_i or negedge read_rst_ni) begin
    if (!read_rst_ni) begin
      read_q <= '0;
      read_code_q <= '0;
      read_after_code_q <= (IndexW + 1)'(1);
      some_q <= 1'b0;
      valid_q <= 1'b0;
    end else begin
      if (pop) begin
        read_q <= read_q + 1'b1;
        read_code_q <= read_after_code_q;
        read_after_code_q <= read_after ^ (read_after >> 1);
      end
      some_q <= pop ? read_after_code_q != write_code_seen : read_code_q != write_code_seen;
      valid_q <= pop || (valid_q && !ready_i);
    end
  end

`ifdef VERILATOR
  logic [IndexW:0] write_next, read_next;

  assign write_next = write_q + 1'b1;
  assign read_next = read_q + 1'b1;

  WriteCodes_A: assert property (@(posedge write_clk_i) disable iff (!write_rst_ni)
    write_code_q == (write_q ^ (write_q >> 1)) &&
    write_after_code_q == (write_next ^ (write_next >> 1)));
  ReadCodes_A: assert property (@(posedge read_clk_i) disable iff (!read_rst_ni)
    read_code_q == (read_q ^ (read_q >> 1)) &&
    read_after_code_q == (read_next ^ (read_next >> 1)));
  InputStable_A: assert property (@(posedge write_clk_i) disable iff (!write_rst_ni)
    valid_i && !ready_o |=> valid_i && $stable(data_i));
  // What is written has been read before, and what is read has been written.
  NoCollision_A: assert property (@(posedge write_clk_i) disable iff (!write_rst_ni)
    push |-> (IndexW + 1)'(write_q - read_q) < (IndexW + 1)'(Depth));
  Written_A: assert property (@(posedge read_clk_i) disable iff (!read_rst_ni)
    pop |-> write_q != read_q);
`endif
endmodule
