// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// What is proved of `ulx3s_axi`: it is an AXI4 subordinate, after the AMBA AXI and ACE Protocol
/// Specification, IHI 0022E, whose sections the properties name; the words that it asks for are
/// those of the bursts, once each, in order; every word finds room; and neither side waits for
/// more than one burst of the other. What manager and memory owe is assumed.
module ulx3s_axi_checks #(
  /// As the module's.
  parameter int unsigned Depth = 16
) (
  input logic                       clk_i,
  input logic                       rst_ni,
  input logic                       aw_valid_i,
  input logic                       aw_ready_o,
  input axi_address_t               aw_i,
  input logic                       w_valid_i,
  input logic                       w_ready_o,
  input logic                       w_last_i,
  input logic                       b_valid_o,
  input logic                       b_ready_i,
  input logic                       ar_valid_i,
  input logic                       ar_ready_o,
  input axi_address_t               ar_i,
  input logic                       r_valid_o,
  input logic                       r_ready_i,
  input logic [63:0]                r_data_o,
  input logic                       r_last_o,
  input logic                       valid_o,
  input logic                       ready_i,
  input logic                       write_o,
  input logic [21:0]                addr_o,
  input logic                       read_valid_i,
  input logic [63:0]                read_data_i,
  input logic                       writes_next_q,
  input logic [7:0]                 left_q,
  /// Its state.
  input logic                       reading,
  input logic                       writing,
  /// The queue of words that were asked for, and that of those that came.
  input logic [$clog2(Depth+1)-1:0] lasts,
  input logic [$clog2(Depth)-1:0]   lasts_oldest,
  input logic [$clog2(Depth)-1:0]   lasts_newest,
  input logic [0:0]                 last_of [Depth],
  input logic [$clog2(Depth+1)-1:0] words,
  input logic [$clog2(Depth)-1:0]   words_oldest,
  input logic [$clog2(Depth)-1:0]   words_newest,
  input logic [63:0]                word_of [Depth]
);
  localparam int unsigned CountW = $clog2(Depth + 1);
  localparam int unsigned PtrW = $clog2(Depth);

  // The burst under way: words to come, the next one of them; a write that is not answered.
  logic [8:0] reads_q, writes_q;
  logic [21:0] next_q;
  logic answer_q;
  // A burst of the other side was taken while this one waited.
  logic read_passed_q, write_passed_q;
  logic asked, given, aw_taken, ar_taken;
  logic [CountW-1:0] asked_held, asked_ahead, came_held, came_ahead;
  logic asked_followed, came_followed, asked_last;
  logic [63:0] came_word;

  assign aw_taken = aw_valid_i && aw_ready_o;
  assign ar_taken = ar_valid_i && ar_ready_o;
  assign asked = valid_o && ready_i;
  assign given = r_valid_o && r_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {reads_q, writes_q, answer_q, read_passed_q, write_passed_q} <= '0;
    end else begin
      reads_q <= ar_taken ? 9'(ar_i.len) + 9'd1 : reads_q - 9'(asked && !write_o);
      writes_q <= aw_taken ? 9'(aw_i.len) + 9'd1 : writes_q - 9'(asked && write_o);
      answer_q <= aw_taken || (answer_q && !(b_valid_o && b_ready_i));
      read_passed_q <= aw_valid_i && !aw_taken && (ar_taken || read_passed_q);
      write_passed_q <= ar_valid_i && !ar_taken && (aw_taken || write_passed_q);
    end
  end

  always_ff @(posedge clk_i) begin
    if (aw_taken) next_q <= aw_i.addr[24:3];
    else if (ar_taken) next_q <= ar_i.addr[24:3];
    else next_q <= next_q + 22'(asked);
  end

  // What manager and memory owe. A3.2.1: VALID stays until the handshake. A3.4.3: WLAST with the
  // final transfer of the burst, and with no other. No word that nobody asked for.
  AwHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    aw_valid_i && !aw_ready_o |=> aw_valid_i && $stable(aw_i));
  ArHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ar_valid_i && !ar_ready_o |=> ar_valid_i && $stable(ar_i));
  WLast_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    w_valid_i && writes_q != '0 |-> w_last_i == (writes_q == 9'd1));
  Asked_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    read_valid_i |-> asked_held != came_held);

  // A3.1.2: a subordinate must drive RVALID and BVALID low during reset.
  Reset_A: assert property (@(posedge clk_i) !rst_ni |-> !r_valid_o && !b_valid_o);
  // A3.2.1: once VALID is asserted it stays until the handshake, and the information stays stable.
  RHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    r_valid_o && !r_ready_i |=> r_valid_o && $stable({r_data_o, r_last_o}));
  BHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    b_valid_o && !b_ready_i |=> b_valid_o);
  // A3.3.1: BVALID only after the handshakes of the address and of the last transfer.
  BAsked_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    b_valid_o == (answer_q && writes_q == '0));

  // The words of a burst, and no others: a beat that is written is the word that is taken.
  Asks_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o |-> addr_o == next_q && (write_o ? writes_q : reads_q) != '0);
  Write_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    (w_valid_i && w_ready_o) == (asked && write_o));
  One_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    (reads_q == '0 || !answer_q) && (writes_q == '0 || answer_q));
  // Nothing waits but for its data, for room, or for an answer to be taken.
  Soon_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    reads_q != '0 && asked_held != CountW'(Depth) |-> valid_o);
  Idle_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    reads_q == '0 && !answer_q && (aw_valid_i || ar_valid_i) |-> aw_taken || ar_taken);
  ReadTurn_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    write_passed_q |-> !aw_taken);
  WriteTurn_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    read_passed_q |-> !ar_taken);

  // A3.3.1: RVALID only after the handshake of its address; A3.4.3: RLAST with the final transfer
  // of the burst. Each word that is asked for is a beat, in order, with the mark of the last one.
  formal_order #(
    .Width(1),
    .Room (Depth)
  ) u_asked (
    .clk_i,
    .rst_ni,
    .clear_i   (1'b0),
    .push_i    (asked && !write_o),
    .in_i      (reads_q == 9'd1),
    .valid_i   (r_valid_o),
    .pop_i     (given),
    .out_i     (r_last_o),
    .held_o    (asked_held),
    .followed_o(asked_followed),
    .ahead_o   (asked_ahead),
    .item_o    (asked_last)
  );

  // Each word that comes is the data of a beat, in order; none of them is lost.
  formal_order #(
    .Width(64),
    .Room (Depth)
  ) u_came (
    .clk_i,
    .rst_ni,
    .clear_i   (1'b0),
    .push_i    (read_valid_i),
    .in_i      (read_data_i),
    .valid_i   (r_valid_o),
    .pop_i     (given),
    .out_i     (r_data_o),
    .held_o    (came_held),
    .followed_o(came_followed),
    .ahead_o   (came_ahead),
    .item_o    (came_word)
  );

  // What makes the induction close: the module's own account is the same, and where words lie.
  State_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    reading == (reads_q != '0) && writing == (writes_q != '0));
  Left_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    reads_q != '0 |-> reads_q == 9'(left_q) + 9'd1);
  Next_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    reads_q != '0 || writes_q != '0 |-> addr_o == next_q);
  Turn_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    (!read_passed_q || writes_next_q) && (!write_passed_q || !writes_next_q));
  Lasts_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    lasts == asked_held && asked_held <= CountW'(Depth) &&
    lasts_newest == PtrW'(lasts_oldest + PtrW'(asked_held)));
  Words_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    words == came_held && came_held <= asked_held &&
    words_newest == PtrW'(words_oldest + PtrW'(came_held)));
  LastOf_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    asked_followed |-> asked_last ==
      (asked_ahead == '0 ? r_last_o : last_of[PtrW'(lasts_oldest + PtrW'(asked_ahead))]));
  WordOf_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    came_followed |-> came_word ==
      (came_ahead == '0 ? r_data_o : word_of[PtrW'(words_oldest + PtrW'(came_ahead))]));

  Full_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    came_held == CountW'(Depth) && reads_q != '0);
  Turns_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    aw_taken && read_passed_q && ar_valid_i);
  Answer_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    b_valid_o && !b_ready_i && r_valid_o);
endmodule

bind ulx3s_axi ulx3s_axi_checks #(
  .Depth(Depth)
) u_checks (
  .reading     (state_q == Reading),
  .writing     (state_q == Writing),
  .lasts       (u_lasts.count),
  .lasts_oldest(u_lasts.read_q),
  .lasts_newest(u_lasts.write_q),
  .last_of     (u_lasts.mem_q),
  .words       (u_words.count),
  .words_oldest(u_words.read_q),
  .words_newest(u_words.write_q),
  .word_of     (u_words.mem_q),
  .*
);
