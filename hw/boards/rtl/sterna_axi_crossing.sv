// SPDX-License-Identifier: Apache-2.0

/// The channels of an AXI master in another clock. What is the same in each burst is left out.
module sterna_axi_crossing #(
  /// Bits of a beat.
  parameter int unsigned DataW = 64
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  /// Clock of the ports `m_*`.
  input  logic             m_clk_i,
  /// Reset in step with it.
  input  logic             m_rst_ni,
  /// Write address, from the master.
  input  logic             s_aw_valid_i,
  /// It is taken.
  output logic             s_aw_ready_o,
  /// First byte.
  input  logic [63:0]      s_aw_addr_i,
  /// Beats less one.
  input  logic [7:0]       s_aw_len_i,
  /// Write data, from the master.
  input  logic             s_w_valid_i,
  /// It is taken.
  output logic             s_w_ready_o,
  /// A beat.
  input  logic [DataW-1:0] s_w_data_i,
  /// It is written.
  input  logic             s_w_strobe_i,
  /// It is the last of its burst.
  input  logic             s_w_last_i,
  /// Write response, to the master.
  output logic             s_b_valid_o,
  /// It is taken.
  input  logic             s_b_ready_i,
  /// The response.
  output logic [1:0]       s_b_resp_o,
  /// Read address, from the master.
  input  logic             s_ar_valid_i,
  /// It is taken.
  output logic             s_ar_ready_o,
  /// First byte.
  input  logic [63:0]      s_ar_addr_i,
  /// Beats less one.
  input  logic [7:0]       s_ar_len_i,
  /// Read data, to the master.
  output logic             s_r_valid_o,
  /// It is taken.
  input  logic             s_r_ready_i,
  /// A beat.
  output logic [DataW-1:0] s_r_data_o,
  /// Its response.
  output logic [1:0]       s_r_resp_o,
  /// It is the last of its burst.
  output logic             s_r_last_o,
  /// Write address, to the memory.
  output logic             m_aw_valid_o,
  /// It is taken.
  input  logic             m_aw_ready_i,
  /// First byte.
  output logic [63:0]      m_aw_addr_o,
  /// Beats less one.
  output logic [7:0]       m_aw_len_o,
  /// Write data, to the memory.
  output logic             m_w_valid_o,
  /// It is taken.
  input  logic             m_w_ready_i,
  /// A beat.
  output logic [DataW-1:0] m_w_data_o,
  /// It is written.
  output logic             m_w_strobe_o,
  /// It is the last of its burst.
  output logic             m_w_last_o,
  /// Write response, from the memory.
  input  logic             m_b_valid_i,
  /// It is taken.
  output logic             m_b_ready_o,
  /// The response.
  input  logic [1:0]       m_b_resp_i,
  /// Read address, to the memory.
  output logic             m_ar_valid_o,
  /// It is taken.
  input  logic             m_ar_ready_i,
  /// First byte.
  output logic [63:0]      m_ar_addr_o,
  /// Beats less one.
  output logic [7:0]       m_ar_len_o,
  /// Read data, from the memory.
  input  logic             m_r_valid_i,
  /// It is taken.
  output logic             m_r_ready_o,
  /// A beat.
  input  logic [DataW-1:0] m_r_data_i,
  /// Its response.
  input  logic [1:0]       m_r_resp_i,
  /// It is the last of its burst.
  input  logic             m_r_last_i
);
  localparam int unsigned AddressW = 64 + 8;

  /// Beats that wait for the slower side; a block of distributed RAM holds as many.
  localparam int unsigned BeatDepth = 32;

  sterna_async_fifo #(
    .Width(AddressW)
  ) u_aw (
    .write_clk_i (clk_i),
    .write_rst_ni(rst_ni),
    .valid_i     (s_aw_valid_i),
    .ready_o     (s_aw_ready_o),
    .data_i      ({s_aw_addr_i, s_aw_len_i}),
    .read_clk_i  (m_clk_i),
    .read_rst_ni (m_rst_ni),
    .valid_o     (m_aw_valid_o),
    .ready_i     (m_aw_ready_i),
    .data_o      ({m_aw_addr_o, m_aw_len_o})
  );

  sterna_async_fifo #(
    .Width(DataW + 2),
    .Depth(BeatDepth)
  ) u_w (
    .write_clk_i (clk_i),
    .write_rst_ni(rst_ni),
    .valid_i     (s_w_valid_i),
    .ready_o     (s_w_ready_o),
    .data_i      ({s_w_data_i, s_w_strobe_i, s_w_last_i}),
    .read_clk_i  (m_clk_i),
    .read_rst_ni (m_rst_ni),
    .valid_o     (m_w_valid_o),
    .ready_i     (m_w_ready_i),
    .data_o      ({m_w_data_o, m_w_strobe_o, m_w_last_o})
  );

  sterna_async_fifo #(
    .Width(2)
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
    .Width(AddressW)
  ) u_ar (
    .write_clk_i (clk_i),
    .write_rst_ni(rst_ni),
    .valid_i     (s_ar_valid_i),
    .ready_o     (s_ar_ready_o),
    .data_i      ({s_ar_addr_i, s_ar_len_i}),
    .read_clk_i  (m_clk_i),
    .read_rst_ni (m_rst_ni),
    .valid_o     (m_ar_valid_o),
    .ready_i     (m_ar_ready_i),
    .data_o      ({m_ar_addr_o, m_ar_len_o})
  );

  sterna_async_fifo #(
    .Width(DataW + 3),
    .Depth(BeatDepth)
  ) u_r (
    .write_clk_i (m_clk_i),
    .write_rst_ni(m_rst_ni),
    .valid_i     (m_r_valid_i),
    .ready_o     (m_r_ready_o),
    .data_i      ({m_r_data_i, m_r_resp_i, m_r_last_i}),
    .read_clk_i  (clk_i),
    .read_rst_ni (rst_ni),
    .valid_o     (s_r_valid_o),
    .ready_i     (s_r_ready_i),
    .data_o      ({s_r_data_o, s_r_resp_o, s_r_last_o})
  );
endmodule
