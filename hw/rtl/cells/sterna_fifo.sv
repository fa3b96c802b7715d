// SPDX-License-Identifier: Apache-2.0

/// Small valid/ready FIFO. The oldest item is visible without a read cycle, so the storage is
/// registers or distributed RAM.
module sterna_fifo #(
  /// Bits of an item.
  parameter int unsigned Width = 8,
  /// Items it holds; a power of two.
  parameter int unsigned Depth = 4,
  /// The oldest item is in a register, so that no path goes through the memory.
  parameter bit Registered = 1'b0
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
  // That there is an item, only one, and room, is known a cycle ahead, as they open long paths.
  logic [CountW-1:0] count;
  logic some_q, some_d, one_q, one_d, room_q, room_d, push, pop;

  assign ready_o = room_q;
  assign valid_o = some_q;
  assign push = valid_i & room_q;
  assign pop = some_q & ready_i;
  assign count = {!room_q, PtrW'(write_q - read_q)};
  assign count_o = count;

  always_comb begin
    some_d = some_q;
    one_d = one_q;
    room_d = room_q;
    if (push && !pop) begin
      some_d = 1'b1;
      one_d = !some_q;
      room_d = count != CountW'(Depth - 1);
    end else if (pop && !push) begin
      some_d = !one_q;
      one_d = count == CountW'(2);
      room_d = 1'b1;
    end
  end

  generate
    if (Registered) begin : gen_registered
      // The memory gives the item after the oldest. Whether an item comes makes no difference, as
      // that opens a long path: without one, what is next has no meaning.
      logic [PtrW-1:0] next;
      logic [Width-1:0] data_q;

      assign next = read_q + PtrW'(1);
      assign data_o = data_q;

      always_ff @(posedge clk_i) begin
        if (!some_q || pop) data_q <= !some_q || one_q ? data_i : mem_q[next];
      end

`ifdef VERILATOR
      NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
        push && pop && !one_q |-> write_q != next);
`endif
    end else begin : gen_direct
      assign data_o = mem_q[read_q];

`ifdef VERILATOR
      NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
        push && some_q |-> write_q != read_q);
`endif
    end
  endgenerate

  always_ff @(posedge clk_i) begin
    if (push) mem_q[write_q] <= data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q <= '0;
      some_q <= 1'b0;
      one_q <= 1'b0;
      room_q <= 1'b1;
    end else if (clear_i) begin
      write_q <= '0;
      read_q <= '0;
      some_q <= 1'b0;
      one_q <= 1'b0;
      room_q <= 1'b1;
    end else begin
      if (push) write_q <= write_q + PtrW'(1);
      if (pop) read_q <= read_q + PtrW'(1);
      some_q <= some_d;
      one_q <= one_d;
      room_q <= room_d;
    end
  end

`ifdef VERILATOR
  InputStable_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i && !ready_o |=> valid_i && $stable(data_i))
    else $error("an item changed or vanished while it waited");
  Flags_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    some_q == (count != '0) && one_q == (count == CountW'(1)));
`endif

endmodule
