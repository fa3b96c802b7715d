// SPDX-License-Identifier: Apache-2.0

/// What is proved of `ulx3s_arbiter`: at most one is served at a time, and the first one before the
/// other; what the memory sees is what the one who is served asks for; and each word that was read
/// goes to the one who asked for it. It promises the second one no turn while the first one asks.
module ulx3s_arbiter_checks #(
  /// As the arbiter's.
  parameter int unsigned Depth = 16
) (
  input logic                       clk_i,
  input logic                       rst_ni,
  input logic [1:0]                 valid_i,
  input logic [1:0]                 ready_o,
  input logic [1:0]                 write_i,
  input logic [1:0][21:0]           addr_i,
  input logic [1:0][63:0]           data_i,
  input logic [1:0][7:0]            strb_i,
  input logic [1:0]                 read_valid_o,
  input logic                       valid_o,
  input logic                       ready_i,
  input logic                       write_o,
  input logic [21:0]                addr_o,
  input logic [63:0]                data_o,
  input logic [7:0]                 strb_o,
  input logic                       read_valid_i,
  /// The queue of owners.
  input logic [$clog2(Depth+1)-1:0] owners,
  input logic [$clog2(Depth)-1:0]   oldest,
  input logic [$clog2(Depth)-1:0]   newest,
  input logic [0:0]                 owner_of [Depth]
);
  localparam int unsigned CountW = $clog2(Depth + 1);
  localparam int unsigned PtrW = $clog2(Depth);

  // Who is served in this cycle, and words that are read and have not come, one of them followed.
  logic [1:0] served;
  logic read, followed, whose;
  logic [CountW-1:0] held, ahead;

  assign served = valid_i & ready_o;
  assign read = (served & ~write_i) != '0;

  formal_order #(
    .Width(1),
    .Room (Depth)
  ) u_order (
    .clk_i,
    .rst_ni,
    .clear_i   (1'b0),
    .push_i    (read),
    .in_i      (served[1]),
    .valid_i   (read_valid_i),
    .pop_i     (read_valid_i),
    .out_i     (read_valid_o[1]),
    .held_o    (held),
    .followed_o(followed),
    .ahead_o   (ahead),
    .item_o    (whose)
  );

  // What the memory owes: no word that nobody asked for.
  Asked_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    read_valid_i |-> held != '0);

  One_A: assert property (@(posedge clk_i) disable iff (!rst_ni) served != 2'b11);
  Served_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    (served != '0) == (valid_o && ready_i));
  First_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    served[1] |-> !valid_i[0]);
  Same_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o |-> {write_o, addr_o, data_o, strb_o} == (valid_i[0] ?
      {write_i[0], addr_i[0], data_i[0], strb_i[0]} :
      {write_i[1], addr_i[1], data_i[1], strb_i[1]}));
  // Only reads wait, and only for room.
  Waits_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_i != '0 |-> valid_o == (write_o || held != CountW'(Depth)));
  Given_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    read_valid_o == 2'b00 || (read_valid_i && read_valid_o != 2'b11));
  Comes_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    read_valid_i |-> read_valid_o != 2'b00);

  // What makes the induction close: where the owners lie.
  Owners_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    owners == held && held <= CountW'(Depth) && newest == PtrW'(oldest + PtrW'(held)));
  OwnerOf_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    followed |-> owner_of[PtrW'(oldest + PtrW'(ahead))] == whose);

  Both_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    served[0] && valid_i[1] && read_valid_o[1]);
endmodule

bind ulx3s_arbiter ulx3s_arbiter_checks #(
  .Depth(Depth)
) u_checks (
  .owners  (u_owners.count),
  .oldest  (u_owners.read_q),
  .newest  (u_owners.write_q),
  .owner_of(u_owners.mem_q),
  .*
);
