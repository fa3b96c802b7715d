// SPDX-License-Identifier: Apache-2.0

/// A FIFO from one clock to another gives what it took, all of it, once, in order. One item, any, is
/// followed from its entry to its exit: what holds for it holds for all.
module formal_crossing #(
  /// Bits of an item.
  parameter int unsigned Width = 8,
  /// Items it may hold.
  parameter int unsigned Room = 5,
  /// Edges of the reader's clock at which it may hold items and offer none.
  parameter int unsigned Latency = 6,
  /// Bits in which items are counted.
  parameter int unsigned CountW = $clog2(Room + 1)
) (
  input  logic              write_clk_i,
  input  logic              write_rst_ni,
  /// An item goes in.
  input  logic              push_i,
  /// The item.
  input  logic [Width-1:0]  in_i,
  input  logic              read_clk_i,
  input  logic              read_rst_ni,
  /// An item is offered.
  input  logic              valid_i,
  /// It goes out.
  input  logic              pop_i,
  /// The item.
  input  logic [Width-1:0]  out_i,
  /// Items that went in and out, in the lowest bits of their number.
  output logic [CountW-1:0] pushed_o,
  output logic [CountW-1:0] popped_o,
  /// An item is followed, and not out yet.
  output logic              followed_o,
  /// Items that went in before it.
  output logic [CountW-1:0] place_o,
  /// The item.
  output logic [Width-1:0]  item_o,
  /// Edges at which items have waited.
  output logic [$clog2(Latency + 2)-1:0] waited_o
);
  logic choose, follow, chosen_q, out_q;
  logic [CountW-1:0] held;

  formal_input u_choose (.Y(choose));

  assign follow = push_i && choose && !chosen_q;
  assign followed_o = chosen_q && !out_q;
  assign held = pushed_o - popped_o;

  always_ff @(posedge write_clk_i or negedge write_rst_ni) begin
    if (!write_rst_ni) begin
      pushed_o <= '0;
      chosen_q <= 1'b0;
    end else begin
      pushed_o <= pushed_o + CountW'(push_i);
      chosen_q <= chosen_q || follow;
    end
  end

  always_ff @(posedge write_clk_i) begin
    if (follow) {place_o, item_o} <= {pushed_o, in_i};
  end

  always_ff @(posedge read_clk_i or negedge read_rst_ni) begin
    if (!read_rst_ni) begin
      popped_o <= '0;
      out_q <= 1'b0;
      waited_o <= '0;
    end else begin
      popped_o <= popped_o + CountW'(pop_i);
      out_q <= out_q || (followed_o && popped_o == place_o && pop_i);
      waited_o <= held != '0 && !valid_i ? waited_o + 1'b1 : '0;
    end
  end

  Order_A: assert property (@(posedge read_clk_i) disable iff (!read_rst_ni)
    followed_o && popped_o == place_o && valid_i |-> out_i == item_o);
  Nothing_A: assert property (@(posedge read_clk_i) disable iff (!read_rst_ni)
    valid_i |-> held != '0);
  Room_A: assert property (@(posedge write_clk_i) disable iff (!write_rst_ni)
    held <= CountW'(Room));
  Ahead_A: assert property (@(posedge write_clk_i) disable iff (!write_rst_ni)
    followed_o |-> CountW'(place_o - popped_o) < held);
  Offered_A: assert property (@(posedge read_clk_i) disable iff (!read_rst_ni)
    32'(waited_o) <= Latency);

  // A reset that has begun on one side has begun on the other one as well.
  Chosen_A: assert property (@(posedge read_clk_i) out_q |-> chosen_q);

  Held_C: cover property (@(posedge write_clk_i) disable iff (!write_rst_ni)
    held == CountW'(Room));
  Out_C: cover property (@(posedge read_clk_i) disable iff (!read_rst_ni)
    followed_o && popped_o == place_o && pop_i && place_o == CountW'(1));
endmodule
