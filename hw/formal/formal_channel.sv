// SPDX-License-Identifier: Apache-2.0

/// A channel of AXI that a FIFO carries to another clock, after the AMBA AXI and ACE Protocol
/// Specification, IHI 0022E, whose sections the properties name. An answer comes after what it
/// answers on both sides, as A3.3.1 asks, since a FIFO gives nothing that it was not given.
module formal_channel #(
  /// Bits of what the channel carries.
  parameter int unsigned Width = 8
) (
  input logic             write_clk_i,
  /// What goes in is the item that the FIFO's proof follows.
  input logic             follow_i,
  /// It, as the channel has it on this side.
  input logic [Width-1:0] in_i,
  input logic             read_clk_i,
  input logic             read_rst_ni,
  /// That item is in the FIFO.
  input logic             followed_i,
  /// It is the next one to come out.
  input logic             next_i,
  /// It, as the FIFO has it.
  input logic [Width-1:0] item_i,
  /// The channel on the other side.
  input logic             valid_i,
  input logic             ready_i,
  input logic [Width-1:0] out_i
);
  logic [Width-1:0] in_q;

  always_ff @(posedge write_clk_i) begin
    if (follow_i) in_q <= in_i;
  end

  // What goes in comes out, every field in its place.
  Same_A: assert property (@(posedge read_clk_i) disable iff (!read_rst_ni)
    followed_i && next_i && valid_i |-> out_i == in_q);
  // A3.1.2: VALID must be low during reset.
  Valid_A: assert property (@(posedge read_clk_i) !read_rst_ni |-> !valid_i);
  // A3.2.1: once VALID is asserted it stays until the handshake, and the information stays stable.
  Stays_A: assert property (@(posedge read_clk_i) disable iff (!read_rst_ni)
    valid_i && !ready_i |=> valid_i && $stable(out_i));

  // What makes the induction close.
  Item_A: assert property (@(posedge read_clk_i) followed_i |-> item_i == in_q);

  Next_C: cover property (@(posedge read_clk_i) disable iff (!read_rst_ni)
    followed_i && next_i && valid_i && !ready_i && in_q != '0);
endmodule
