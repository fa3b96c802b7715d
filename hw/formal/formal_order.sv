// SPDX-License-Identifier: Apache-2.0

/// A FIFO gives what it took, all of it, once, in order. One item, any, is followed from its entry
/// to its exit: what holds for it holds for all.
module formal_order #(
  /// Bits of an item.
  parameter int unsigned Width = 8,
  /// Items it may hold.
  parameter int unsigned Room = 4,
  /// Cycles for which it may hold items and offer none.
  parameter int unsigned Latency = 0,
  /// Items that it is shown to hold, so that the proof is not vacuous.
  parameter int unsigned Shown = Room
) (
  input logic                        clk_i,
  input logic                        rst_ni,
  /// Drops what it holds.
  input logic                        clear_i,
  /// An item goes in.
  input logic                        push_i,
  /// The item.
  input logic [Width-1:0]            in_i,
  /// An item is offered.
  input logic                        valid_i,
  /// It goes out.
  input logic                        pop_i,
  /// The item.
  input logic [Width-1:0]            out_i,
  /// Items in it.
  output logic [$clog2(Room + 1)-1:0] held_o,
  /// An item is followed.
  output logic                        followed_o,
  /// Items in front of it.
  output logic [$clog2(Room + 1)-1:0] ahead_o,
  /// The item.
  output logic [Width-1:0]            item_o
);
  localparam int unsigned CountW = $clog2(Room + 1);
  localparam int unsigned WaitW = $clog2(Latency + 2);

  logic choose, follow;
  logic [WaitW-1:0] waited_q;

  formal_input u_choose (.Y(choose));

  assign follow = push_i && choose && !followed_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      held_o <= '0;
      followed_o <= 1'b0;
      ahead_o <= '0;
      waited_q <= '0;
    end else if (clear_i) begin
      held_o <= '0;
      followed_o <= 1'b0;
      ahead_o <= '0;
      waited_q <= '0;
    end else begin
      held_o <= held_o + CountW'(push_i) - CountW'(pop_i);
      waited_q <= held_o != '0 && !valid_i ? waited_q + 1'b1 : '0;
      if (follow) begin
        followed_o <= 1'b1;
        ahead_o <= held_o - CountW'(pop_i);
      end else if (pop_i) begin
        followed_o <= followed_o && ahead_o != '0;
        ahead_o <= ahead_o - CountW'(1);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (follow) item_o <= in_i;
  end

  Order_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    followed_o && ahead_o == '0 && valid_i |-> out_i == item_o);
  Nothing_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i |-> held_o != '0);
  Room_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    push_i && !pop_i |-> held_o != CountW'(Room));
  Ahead_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    followed_o |-> ahead_o < held_o);
  Offered_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    waited_q <= WaitW'(Latency));

  Held_C: cover property (@(posedge clk_i) disable iff (!rst_ni) held_o == CountW'(Shown));
  Out_C: cover property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    followed_o && ahead_o == '0 && pop_i && (Room == 1 || held_o > CountW'(1)));
endmodule
