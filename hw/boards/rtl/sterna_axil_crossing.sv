// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// The channels of an AXI4-Lite slave in another clock: the host's side at ports `s_*`, the
/// engine's registers at ports `m_*`.
module sterna_axil_crossing (
  input  logic          clk_i,
  input  logic          rst_ni,
  /// Clock of the ports `m_*`.
  input  logic          m_clk_i,
  /// Reset in step with it.
  input  logic          m_rst_ni,
  /// Write address, from the host.
  input  logic          s_aw_valid_i,
  /// It is taken.
  output logic          s_aw_ready_o,
  /// The address.
  input  axil_address_t s_aw_i,
  /// Write data, from the host.
  input  logic          s_w_valid_i,
  /// They are taken.
  output logic          s_w_ready_o,
  /// The data.
  input  axil_write_t   s_w_i,
  /// Write response, to the host.
  output logic          s_b_valid_o,
  /// It is taken.
  input  logic          s_b_ready_i,
  /// The response.
  output logic [1:0]    s_b_resp_o,
  /// Read address, from the host.
  input  logic          s_ar_valid_i,
  /// It is taken.
  output logic          s_ar_ready_o,
  /// The address.
  input  axil_address_t s_ar_i,
  /// Read data, to the host.
  output logic          s_r_valid_o,
  /// They are taken.
  input  logic          s_r_ready_i,
  /// The data.
  output axil_read_t    s_r_o,
  /// Write address, to the registers.
  output logic          m_aw_valid_o,
  /// It is taken.
  input  logic          m_aw_ready_i,
  /// The address.
  output axil_address_t m_aw_o,
  /// Write data, to the registers.
  output logic          m_w_valid_o,
  /// They are taken.
  input  logic          m_w_ready_i,
  /// The data.
  output axil_write_t   m_w_o,
  /// Write response, from the registers.
  input  logic          m_b_valid_i,
  /// It is taken.
  output logic          m_b_ready_o,
  /// The response.
  input  logic [1:0]    m_b_resp_i,
  /// Read address, to the registers.
  output logic          m_ar_valid_o,
  /// It is taken.
  input  logic          m_ar_ready_i,
  /// The address.
  output axil_address_t m_ar_o,
  /// Read data, from the registers.
  input  logic          m_r_valid_i,
  /// They are taken.
  output logic          m_r_ready_o,
  /// The data.
  input  axil_read_t    m_r_i
);
  /// A host waits for each answer.
  localparam int unsigned Depth = 4;

  sterna_async_fifo #(
    .Width($bits(axil_address_t)),
    .Depth(Depth)
  ) u_aw (
    .write_clk_i (clk_i),
    .write_rst_ni(rst_ni),
    .valid_i     (s_aw_valid_i),
    .ready_o     (s_aw_ready_o),
    .data_i      (s_aw_i),
    .read_clk_i  (m_clk_i),
    .read_rst_ni (m_rst_ni),
    .valid_o     (m_aw_valid_o),
    .ready_i     (m_aw_ready_i),
    .data_o      (m_aw_o)
  );

  sterna_async_fifo #(
    .Width($bits(axil_write_t)),
    .Depth(Depth)
  ) u_w (
    .write_clk_i (clk_i),
    .write_rst_ni(rst_ni),
    .valid_i     (s_w_valid_i),
    .ready_o     (s_w_ready_o),
    .data_i      (s_w_i),
    .read_clk_i  (m_clk_i),
    .read_rst_ni (m_rst_ni),
    .valid_o     (m_w_valid_o),
    .ready_i     (m_w_ready_i),
    .data_o      (m_w_o)
  );

  sterna_async_fifo #(
    .Width(2),
    .Depth(Depth)
  ) u_b (
    .write_clk_i (m_clk_i),
    .write_rst_ni(m_rst_ni),
    .valid_i     (m_b_valid_i),
    .ready_o     (m_b_ready_o),
    .data_i      (m_b_resp_i),
    .read_clk_i  (clk_i),
    .read_rst_ni (rst_ni),
    .valid_o     (s_b_valid_o),
    .ready_i     (s_b_ready_i),
    .data_o      (s_b_resp_o)
  );

  sterna_async_fifo #(
    .Width($bits(axil_address_t)),
    .Depth(Depth)
  ) u_ar (
    .write_clk_i (clk_i),
    .write_rst_ni(rst_ni),
    .valid_i     (s_ar_valid_i),
    .ready_o     (s_ar_ready_o),
    .data_i      (s_ar_i),
    .read_clk_i  (m_clk_i),
    .read_rst_ni (m_rst_ni),
    .valid_o     (m_ar_valid_o),
    .ready_i     (m_ar_ready_i),
    .data_o      (m_ar_o)
  );

  sterna_async_fifo #(
    .Width($bits(axil_read_t)),
    .Depth(Depth)
  ) u_r (
    .write_clk_i (m_clk_i),
    .write_rst_ni(m_rst_ni),
    .valid_i     (m_r_valid_i),
    .ready_o     (m_r_ready_o),
    .data_i      (m_r_i),
    .read_clk_i  (clk_i),
    .read_rst_ni (rst_ni),
    .valid_o     (s_r_valid_o),
    .ready_i     (s_r_ready_i),
    .data_o      (s_r_o)
  );
endmodule
