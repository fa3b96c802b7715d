// SPDX-License-Identifier: Apache-2.0

/// Sends an interrupt over PCIe: writes a message to where the host asked for it, when the
/// interrupt rises and again and again while it stays.
module sterna_msi_sender #(
  /// Logarithm of the cycles between two messages of an interrupt that stays.
  parameter int unsigned AgainLog2 = 16
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  /// The interrupt.
  input  logic        irq_i,
  /// The host's MSI registers as the hard IP shows them: address, data, whether the card may write
  /// to the host, whether messages are wanted.
  input  logic [81:0] msi_intfc_i,
  /// Avalon-MM: first byte of the message.
  output logic [63:0] m_msi_address,
  /// It is to be written.
  output logic        m_msi_write,
  /// The message.
  output logic [31:0] m_msi_writedata,
  /// All of its bytes.
  output logic [3:0]  m_msi_byteenable,
  /// It is not taken yet.
  input  logic        m_msi_waitrequest
);
  generate
    if (AgainLog2 < 1 || AgainLog2 > 31) begin : gen_bad_again
      initial $error("sterna_msi_sender: AgainLog2 = %0d must be 1 to 31", AgainLog2);
    end
  endgenerate

  logic enabled, begins, wanted_d, wanted_q, irq_q, write_d, write_q;
  logic [AgainLog2-1:0] wait_q;
  logic [63:0] address_q;
  logic [31:0] data_q;

  assign enabled = msi_intfc_i[80] && msi_intfc_i[81];
  // A frame may end in the cycle in which the host ends the interrupt of the one before. So a level
  // that stays may be new.
  assign wanted_d = irq_i && (!irq_q || wait_q == '1 || (wanted_q && !begins));
  assign begins = irq_i && wanted_q && enabled && !write_q;
  assign write_d = begins || (write_q && m_msi_waitrequest);

  assign m_msi_address = address_q;
  assign m_msi_write = write_q;
  assign m_msi_writedata = data_q;
  assign m_msi_byteenable = '1;

  always_ff @(posedge clk_i) begin
    if (!write_q) begin
      address_q <= msi_intfc_i[63:0];
      data_q <= 32'(msi_intfc_i[79:64]);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      irq_q <= 1'b0;
      wait_q <= '0;
      wanted_q <= 1'b0;
      write_q <= 1'b0;
    end else begin
      irq_q <= irq_i;
      wait_q <= irq_i ? wait_q + 1'b1 : '0;
      wanted_q <= wanted_d;
      write_q <= write_d;
    end
  end

`ifdef VERILATOR
  Held_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_msi_write && m_msi_waitrequest |=>
      m_msi_write && $stable({m_msi_address, m_msi_writedata}));
`endif
endmodule
