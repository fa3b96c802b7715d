// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_msi_sender`: a message for each interrupt that rises, again while it
/// stays, none without one or against the host's will, and each as the host asked for it.
module sterna_msi_sender_checks #(
  /// As the sender's.
  parameter int unsigned AgainLog2 = 16
) (
  input logic                 clk_i,
  input logic                 rst_ni,
  input logic                 irq_i,
  input logic [81:0]          msi_intfc_i,
  input logic [63:0]          m_msi_address,
  input logic                 m_msi_write,
  input logic [31:0]          m_msi_writedata,
  input logic                 m_msi_waitrequest,
  input logic                 irq_q,
  input logic [AgainLog2-1:0] wait_q,
  input logic                 wanted_q
);
  // An interrupt has risen, and no message was begun since; cycles in which a message was possible
  // and none was begun.
  logic risen_q, before_q, begins, may;
  logic [AgainLog2:0] since_q;

  // The host lets the card write, and wants messages.
  assign may = msi_intfc_i[80] && msi_intfc_i[81] && !m_msi_write;
  assign begins = irq_i && may && (risen_q || wanted_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {risen_q, before_q, since_q} <= '0;
    end else begin
      before_q <= irq_i;
      risen_q <= irq_i && (!before_q || (risen_q && !begins));
      since_q <= irq_i && may && !begins ? since_q + 1'b1 : '0;
    end
  end

  Rises_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    risen_q && irq_i && may |=> m_msi_write);
  Again_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    32'(since_q) <= 32'(1 << AgainLog2));
  Only_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !m_msi_write && !(irq_i && may) |=> !m_msi_write);
  Message_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !m_msi_write |=> !m_msi_write || (m_msi_address == $past(msi_intfc_i[63:0]) &&
                                      m_msi_writedata == $past(32'(msi_intfc_i[79:64]))));
  Taken_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_msi_write && !m_msi_waitrequest |=> !m_msi_write);

  // What makes the induction close.
  Wanted_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    before_q == irq_q && (!risen_q || wanted_q) &&
    (wanted_q || since_q <= (AgainLog2 + 1)'(wait_q)));

  Again_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    begins && !risen_q && wait_q == '0);
  Late_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    risen_q && m_msi_write && m_msi_waitrequest);
endmodule

bind sterna_msi_sender sterna_msi_sender_checks #(
  .AgainLog2(AgainLog2)
) u_checks (.*);
