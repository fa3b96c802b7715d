// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// The write channels of an AXI4 manager with one ID whose data follow their address, after the
/// AMBA AXI and ACE Protocol Specification, IHI 0022E, whose sections the properties name. What
/// the manager owes is asserted, what the memory owes is assumed.
module formal_axi_write #(
  /// Bits of a beat.
  parameter int unsigned DataW = 64,
  /// Bursts that the manager may have outstanding.
  parameter int unsigned Outstanding = 2
) (
  input logic                             clk_i,
  input logic                             rst_ni,
  input logic                             aw_valid_i,
  input logic                             aw_ready_i,
  input axi_address_t                     aw_i,
  input logic                             w_valid_i,
  input logic                             w_ready_i,
  input logic [DataW-1:0]                 w_data_i,
  input logic [DataW/8-1:0]               w_strb_i,
  input logic                             w_last_i,
  input logic                             b_valid_i,
  input logic                             b_ready_i,
  input axi_written_t                     b_i,
  /// Bursts whose address is taken and whose response has not come.
  output logic [$clog2(Outstanding+1)-1:0] addressed_o,
  /// Bursts whose last beat is taken and whose response has not come.
  output logic [$clog2(Outstanding+1)-1:0] written_o,
  /// Beats to come of the burst that is written.
  output logic [8:0]                      left_o,
  /// Those of the burst after it, whose address is shown already.
  output logic [8:0]                      next_o,
  /// An address was shown in the cycle before and not taken.
  output logic                            shown_o
);
  localparam int unsigned CountW = $clog2(Outstanding + 1);

  logic first, taken, answered;
  logic [8:0] left_q, next_q, beats;
  logic [12:0] bytes;

  // The first cycle of an address: its beats are to come.
  assign first = aw_valid_i && !shown_o;
  assign beats = 9'(aw_i.len) + 9'd1;
  assign left_o = first && left_q == '0 ? beats : left_q;
  assign next_o = first && left_q != '0 ? beats : next_q;
  assign taken = w_valid_i && w_ready_i;
  assign answered = b_valid_i && b_ready_i;
  assign bytes = (13'(aw_i.len) + 13'd1) * 13'(DataW / 8);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      addressed_o <= '0;
      written_o <= '0;
      left_q <= '0;
      next_q <= '0;
      shown_o <= 1'b0;
    end else begin
      addressed_o <= addressed_o + CountW'(aw_valid_i && aw_ready_i) - CountW'(answered);
      written_o <= written_o + CountW'(taken && w_last_i) - CountW'(answered);
      if (taken && left_o == 9'd1) {left_q, next_q} <= {next_o, 9'd0};
      else {left_q, next_q} <= {left_o - 9'(taken), next_o};
      shown_o <= aw_valid_i && !aw_ready_i;
    end
  end

  // A3.1.2: a manager must drive AWVALID and WVALID low during reset.
  Reset_A: assert property (@(posedge clk_i) !rst_ni |-> !aw_valid_i && !w_valid_i);
  // A3.2.1: once VALID is asserted it stays until the handshake, and the information stays stable.
  AwHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    aw_valid_i && !aw_ready_i |=> aw_valid_i && $stable(aw_i));
  WHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    w_valid_i && !w_ready_i |=> w_valid_i && $stable({w_data_i, w_strb_i, w_last_i}));
  // A3.4.1: a burst must not cross a 4 KB address boundary.
  AwPage_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    aw_valid_i |-> 13'(aw_i.addr[11:0]) + bytes <= 13'd4096);
  // A3.4.1: the size of a transfer must not exceed the data bus width; here it is the bus.
  AwSize_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    aw_valid_i |-> 1 << aw_i.size == DataW / 8 && aw_i.addr % (DataW / 8) == '0);
  // A3.4.1: AWBURST 0b11 is reserved; a burst of type FIXED or WRAP is at most 16 long.
  AwBurst_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    aw_valid_i |-> aw_i.burst == 2'b01);
  // A4.4: without the Modifiable bit, AWCACHE[1], the allocate bits are 0.
  AwCache_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    aw_valid_i |-> aw_i.cache[1] || aw_i.cache[3:2] == '0);
  // A7.2.4: an exclusive burst is at most 16 long; there is none here.
  AwLock_A: assert property (@(posedge clk_i) disable iff (!rst_ni) aw_valid_i |-> !aw_i.lock);
  // A3.4.1: a burst has as many transfers as its length says, and cannot end early. Here at most
  // one address is shown before the data of the burst before it are written.
  Whole_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    first |-> next_q == '0);
  WBurst_A: assert property (@(posedge clk_i) disable iff (!rst_ni) w_valid_i |-> left_o != '0);
  // A3.4.3: WLAST with the final transfer of the burst, and with no other.
  WLast_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    w_valid_i |-> w_last_i == (left_o == 9'd1));
  // Responses that may come at any time find room.
  Outstanding_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    32'(addressed_o) + 32'(aw_valid_i) <= Outstanding && 32'(written_o) <= Outstanding);

  // A3.3.1: BVALID only after the handshakes of the address and of the last transfer.
  BAsked_M: assume property (@(posedge clk_i) disable iff (!rst_ni)
    b_valid_i |-> addressed_o != '0 && written_o != '0);
  // A3.2.1, as above.
  BHeld_M: assume property (@(posedge clk_i) disable iff (!rst_ni)
    b_valid_i && !b_ready_i |=> b_valid_i && $stable(b_i));

  Full_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    32'(addressed_o) == Outstanding && b_valid_i);
  Early_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    w_valid_i && w_ready_i && w_last_i && aw_valid_i && !aw_ready_i);
endmodule
