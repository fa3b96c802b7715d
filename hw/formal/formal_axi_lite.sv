// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// An AXI4-Lite subordinate, after the AMBA AXI and ACE Protocol Specification, IHI 0022E, whose
/// sections the properties name. Of the manager nothing is assumed.
module formal_axi_lite #(
  /// Transactions of a direction that it may have taken and not answered.
  parameter int unsigned Outstanding = 2,
  /// Cycles in which it may owe an answer and offer none.
  parameter int unsigned Latency = 1
) (
  input logic       clk_i,
  input logic       rst_ni,
  input logic       aw_valid_i,
  input logic       aw_ready_i,
  input logic       w_valid_i,
  input logic       w_ready_i,
  input logic       b_valid_i,
  input logic       b_ready_i,
  input logic [1:0] b_resp_i,
  input logic       ar_valid_i,
  input logic       ar_ready_i,
  input logic       r_valid_i,
  input logic       r_ready_i,
  input axil_read_t r_i,
  /// Addresses and data taken, and not answered.
  output logic [$clog2(Outstanding + 1)-1:0] addressed_o,
  output logic [$clog2(Outstanding + 1)-1:0] written_o,
  output logic [$clog2(Outstanding + 1)-1:0] asked_o,
  /// Cycles that a write and a read have waited for their answers.
  output logic [$clog2(Latency + 2)-1:0]     write_waited_o,
  output logic [$clog2(Latency + 2)-1:0]     read_waited_o
);
  localparam int unsigned CountW = $clog2(Outstanding + 1);

  logic write_owed, read_owed;
  assign write_owed = addressed_o != '0 && written_o != '0;
  assign read_owed = asked_o != '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      addressed_o <= '0;
      written_o <= '0;
      asked_o <= '0;
      write_waited_o <= '0;
      read_waited_o <= '0;
    end else begin
      addressed_o <= addressed_o + CountW'(aw_valid_i && aw_ready_i) -
                     CountW'(b_valid_i && b_ready_i);
      written_o <= written_o + CountW'(w_valid_i && w_ready_i) - CountW'(b_valid_i && b_ready_i);
      asked_o <= asked_o + CountW'(ar_valid_i && ar_ready_i) - CountW'(r_valid_i && r_ready_i);
      write_waited_o <= write_owed && !b_valid_i ? write_waited_o + 1'b1 : '0;
      read_waited_o <= read_owed && !r_valid_i ? read_waited_o + 1'b1 : '0;
    end
  end

  // A3.1.2: a subordinate must drive RVALID and BVALID low during reset.
  Reset_A: assert property (@(posedge clk_i) !rst_ni |-> !b_valid_i && !r_valid_i);
  // A3.2.1: once VALID is asserted it stays until the handshake, and the information stays stable.
  BHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    b_valid_i && !b_ready_i |=> b_valid_i && $stable(b_resp_i));
  RHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    r_valid_i && !r_ready_i |=> r_valid_i && $stable(r_i));
  // A3.3.1: BVALID only after the handshakes of address and data, RVALID after that of its address.
  BAsked_A: assert property (@(posedge clk_i) disable iff (!rst_ni) b_valid_i |-> write_owed);
  RAsked_A: assert property (@(posedge clk_i) disable iff (!rst_ni) r_valid_i |-> read_owed);
  // A3.3.1: neither waits for its READY: what is owed is offered, one answer for each.
  BOffered_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    32'(write_waited_o) <= Latency);
  ROffered_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    32'(read_waited_o) <= Latency);
  // B1.1.1: there are no exclusive accesses, so no response says EXOKAY.
  Resp_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    (!b_valid_i || b_resp_i != 2'b01) && (!r_valid_i || r_i.resp != 2'b01));
  // The account fits its registers.
  Outstanding_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    32'(addressed_o) <= Outstanding && 32'(written_o) <= Outstanding &&
    32'(asked_o) <= Outstanding);

  Write_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    b_valid_i && b_ready_i && 32'(addressed_o) == Outstanding);
  Read_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    r_valid_i && r_ready_i && 32'(asked_o) == Outstanding);
endmodule
