// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// The read channels of an AXI4 manager with one ID, after the AMBA AXI and ACE Protocol
/// Specification, IHI 0022E, whose sections the properties name. What the manager owes is asserted,
/// what the memory owes is assumed.
module formal_axi_read #(
  /// Bits of a beat.
  parameter int unsigned DataW = 64,
  /// Bursts that the manager may have outstanding; a power of two.
  parameter int unsigned Outstanding = 2
) (
  input logic                         clk_i,
  input logic                         rst_ni,
  input logic                         ar_valid_i,
  input logic                         ar_ready_i,
  input axi_address_t                 ar_i,
  input logic                         r_valid_i,
  input logic                         r_ready_i,
  input axi_read_t                    r_i,
  /// Bursts that the memory has taken and not answered in full.
  output logic [$clog2(Outstanding):0] count_o,
  /// Where the oldest of them is.
  output logic [$clog2(Outstanding)-1:0] oldest_o,
  /// Length of each.
  output logic [7:0]                  len_o [Outstanding],
  /// Beats of the oldest that have come.
  output logic [7:0]                  done_o
);
  localparam int unsigned PtrW = $clog2(Outstanding);

  logic asked, answered;
  logic [12:0] bytes;

  assign asked = ar_valid_i && ar_ready_i;
  assign answered = r_valid_i && r_ready_i;
  assign bytes = (13'(ar_i.len) + 13'd1) * 13'(DataW / 8);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_o <= '0;
      oldest_o <= '0;
      done_o <= '0;
    end else begin
      count_o <= count_o + (PtrW + 1)'(asked) - (PtrW + 1)'(answered && r_i.last);
      oldest_o <= oldest_o + PtrW'(answered && r_i.last);
      if (answered) done_o <= r_i.last ? '0 : done_o + 8'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (asked) len_o[PtrW'(oldest_o + PtrW'(count_o))] <= ar_i.len;
  end

  // A3.1.2: a manager must drive ARVALID low during reset.
  ArReset_A: assert property (@(posedge clk_i) !rst_ni |-> !ar_valid_i);
  // A3.2.1: once VALID is asserted it stays until the handshake, and the information stays stable.
  ArHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ar_valid_i && !ar_ready_i |=> ar_valid_i && $stable(ar_i));
  // A3.4.1: a burst must not cross a 4 KB address boundary.
  ArPage_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ar_valid_i |-> 13'(ar_i.addr[11:0]) + bytes <= 13'd4096);
  // A3.4.1: the size of a transfer must not exceed the data bus width; here it is the bus.
  ArSize_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ar_valid_i |-> 1 << ar_i.size == DataW / 8 && ar_i.addr % (DataW / 8) == '0);
  // A3.4.1: ARBURST 0b11 is reserved; a burst of type FIXED or WRAP is at most 16 long.
  ArBurst_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ar_valid_i |-> ar_i.burst == 2'b01);
  // A4.4: without the Modifiable bit, ARCACHE[1], the allocate bits are 0.
  ArCache_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ar_valid_i |-> ar_i.cache[1] || ar_i.cache[3:2] == '0);
  // A7.2.4: an exclusive burst is at most 16 long; there is none here.
  ArLock_A: assert property (@(posedge clk_i) disable iff (!rst_ni) ar_valid_i |-> !ar_i.lock);
  // A5.3: what has one ID comes back in order, so that the port's account is a queue.
  Outstanding_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    32'(count_o) + 32'(ar_valid_i) <= Outstanding);

  // A3.3.1: RVALID only after the handshake of its address.
  RAsked_M: assume property (@(posedge clk_i) disable iff (!rst_ni) r_valid_i |-> count_o != '0);
  // A3.4.3: RLAST with the final transfer of the burst, whose number ARLEN gives (A3.4.1).
  RLast_M: assume property (@(posedge clk_i) disable iff (!rst_ni)
    r_valid_i |-> r_i.last == (done_o == len_o[oldest_o]));
  // A3.2.1, as above.
  RHeld_M: assume property (@(posedge clk_i) disable iff (!rst_ni)
    r_valid_i && !r_ready_i |=> r_valid_i && $stable(r_i));

  // The account itself, for the induction.
  Done_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    count_o == '0 ? done_o == '0 : done_o <= len_o[oldest_o]);

  Full_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    32'(count_o) == Outstanding && r_valid_i);
  Last_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    r_valid_i && r_i.last && done_o != '0);
endmodule
