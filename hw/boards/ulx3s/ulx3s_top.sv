// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// The engine on a ULX3S: tape, frames and results lie in the board's SDRAM, and a host reaches
/// memory and registers over the board's USB serial port. `sterna_top` is that of a generated
/// folder, with a bus of 64 bits.
module ulx3s_top #(
  /// Cycles of a bit on the serial line: 3,000,000 bits per second, 1.2 % less.
  parameter int unsigned BitCycles = 27,
  /// Cycles until the SDRAM may be used after its clock has started.
  parameter int unsigned PowerCycles = 16000
) (
  /// The oscillator.
  input  logic        clk_25mhz,
  /// FIRE1 resets.
  input  logic        btn1,
  /// From the host.
  input  logic        ftdi_txd,
  /// To the host.
  output logic        ftdi_rxd,
  /// Out of reset; interrupt.
  output logic [1:0]  led,
  /// Keeps the processor beside the FPGA from changing its configuration.
  output logic        wifi_gpio0,
  /// Clock of the SDRAM.
  output logic        sdram_clk,
  /// It counts.
  output logic        sdram_cke,
  /// Chip select.
  output logic        sdram_csn,
  /// Row strobe.
  output logic        sdram_rasn,
  /// Column strobe.
  output logic        sdram_casn,
  /// Write enable.
  output logic        sdram_wen,
  /// Row or column.
  output logic [12:0] sdram_a,
  /// Bank.
  output logic [1:0]  sdram_ba,
  /// Bytes not to write.
  output logic [1:0]  sdram_dqm,
  /// Data.
  inout  wire  [15:0] sdram_d
);
  // Who asks for words of memory.
  localparam int unsigned Host = 0;
  localparam int unsigned Engine = 1;

  logic clk, locked, rst_n, irq;

  assign sdram_cke = 1'b1;
  assign wifi_gpio0 = 1'b1;
  assign led = {irq, rst_n};

  ulx3s_clocks u_clocks (
    .clk_i      (clk_25mhz),
    .clk_o      (clk),
    .sdram_clk_o(sdram_clk),
    .locked_o   (locked)
  );

  sterna_reset_sync u_reset (
    .clk_i (clk),
    .rst_ni(locked && !btn1),
    .rst_no(rst_n)
  );

  logic [1:0] valid, ready, write, read_valid;
  logic [1:0][21:0] addr;
  logic [1:0][63:0] data;
  logic [1:0][7:0] strb;
  logic chosen_valid, chosen_ready, chosen_write;
  logic [21:0] chosen_addr;
  logic [63:0] chosen_data;
  logic [7:0] chosen_strb;
  logic memory_valid, memory_ready, memory_write, memory_read_valid;
  logic [21:0] memory_addr;
  logic [63:0] memory_data, memory_read_data;
  logic [7:0] memory_strb;
  logic [15:0] dq_out;
  logic dq_en;

  assign sdram_d = dq_en ? dq_out : 'z;

  ulx3s_sdram #(
    .PowerCycles(PowerCycles)
  ) u_sdram (
    .clk_i       (clk),
    .rst_ni      (rst_n),
    .valid_i     (memory_valid),
    .ready_o     (memory_ready),
    .write_i     (memory_write),
    .addr_i      (memory_addr),
    .data_i      (memory_data),
    .strb_i      (memory_strb),
    .read_valid_o(memory_read_valid),
    .read_data_o (memory_read_data),
    .command_no  ({sdram_csn, sdram_rasn, sdram_casn, sdram_wen}),
    .a_o         (sdram_a),
    .ba_o        (sdram_ba),
    .dqm_o       (sdram_dqm),
    .dq_o        (dq_out),
    .dq_en_o     (dq_en),
    .dq_i        (sdram_d)
  );

  // The controller compares rows, so no path goes on from there to those who ask.
  sterna_fifo #(
    .Width     (1 + 22 + 64 + 8),
    .Depth     (2),
    .Registered(1'b1)
  ) u_chosen (
    .clk_i  (clk),
    .rst_ni (rst_n),
    .clear_i(1'b0),
    .valid_i(chosen_valid && chosen_ready),
    .ready_o(chosen_ready),
    .data_i ({chosen_write, chosen_addr, chosen_data, chosen_strb}),
    .valid_o(memory_valid),
    .ready_i(memory_ready),
    .data_o ({memory_write, memory_addr, memory_data, memory_strb}),
    .count_o()
  );

  ulx3s_arbiter u_arbiter (
    .clk_i       (clk),
    .rst_ni      (rst_n),
    .valid_i     (valid),
    .ready_o     (ready),
    .write_i     (write),
    .addr_i      (addr),
    .data_i      (data),
    .strb_i      (strb),
    .read_valid_o(read_valid),
    .valid_o     (chosen_valid),
    .ready_i     (chosen_ready),
    .write_o     (chosen_write),
    .addr_o      (chosen_addr),
    .data_o      (chosen_data),
    .strb_o      (chosen_strb),
    .read_valid_i(memory_read_valid)
  );

  logic [RegisterAddrW-1:0] register_addr;
  logic aw_valid, aw_ready, w_valid, w_ready, b_valid, b_ready;
  logic ar_valid, ar_ready, r_valid, r_ready;
  logic [31:0] w_data, r_data;

  assign strb[Host] = '1;

  ulx3s_serial #(
    .BitCycles(BitCycles)
  ) u_serial (
    .clk_i       (clk),
    .rst_ni      (rst_n),
    .rx_i        (ftdi_txd),
    .tx_o        (ftdi_rxd),
    .irq_i       (irq),
    .aw_valid_o  (aw_valid),
    .aw_ready_i  (aw_ready),
    .w_valid_o   (w_valid),
    .w_ready_i   (w_ready),
    .w_data_o    (w_data),
    .b_valid_i   (b_valid),
    .b_ready_o   (b_ready),
    .ar_valid_o  (ar_valid),
    .ar_ready_i  (ar_ready),
    .r_valid_i   (r_valid),
    .r_ready_o   (r_ready),
    .r_data_i    (r_data),
    .register_o  (register_addr),
    .valid_o     (valid[Host]),
    .ready_i     (ready[Host]),
    .write_o     (write[Host]),
    .addr_o      (addr[Host]),
    .data_o      (data[Host]),
    .read_valid_i(read_valid[Host]),
    .read_data_i (memory_read_data)
  );

  axi_address_t aw, ar;
  logic bus_aw_valid, bus_aw_ready, bus_w_valid, bus_w_ready, bus_w_last, bus_b_valid, bus_b_ready;
  logic bus_ar_valid, bus_ar_ready, bus_r_valid, bus_r_ready, bus_r_last;
  logic [63:0] bus_r_data;

  ulx3s_axi u_axi (
    .clk_i       (clk),
    .rst_ni      (rst_n),
    .aw_valid_i  (bus_aw_valid),
    .aw_ready_o  (bus_aw_ready),
    .aw_i        (aw),
    .w_valid_i   (bus_w_valid),
    .w_ready_o   (bus_w_ready),
    .w_last_i    (bus_w_last),
    .b_valid_o   (bus_b_valid),
    .b_ready_i   (bus_b_ready),
    .ar_valid_i  (bus_ar_valid),
    .ar_ready_o  (bus_ar_ready),
    .ar_i        (ar),
    .r_valid_o   (bus_r_valid),
    .r_ready_i   (bus_r_ready),
    .r_data_o    (bus_r_data),
    .r_last_o    (bus_r_last),
    .valid_o     (valid[Engine]),
    .ready_i     (ready[Engine]),
    .write_o     (write[Engine]),
    .addr_o      (addr[Engine]),
    .read_valid_i(read_valid[Engine]),
    .read_data_i (memory_read_data)
  );

  sterna_top u_engine (
    .clk_i         (clk),
    .rst_ni        (rst_n),
    .irq_o         (irq),
    .s_axil_awaddr (register_addr),
    .s_axil_awprot ('0),
    .s_axil_awvalid(aw_valid),
    .s_axil_awready(aw_ready),
    .s_axil_wdata  (w_data),
    .s_axil_wstrb  ('1),
    .s_axil_wvalid (w_valid),
    .s_axil_wready (w_ready),
    .s_axil_bresp  (),
    .s_axil_bvalid (b_valid),
    .s_axil_bready (b_ready),
    .s_axil_araddr (register_addr),
    .s_axil_arprot ('0),
    .s_axil_arvalid(ar_valid),
    .s_axil_arready(ar_ready),
    .s_axil_rdata  (r_data),
    .s_axil_rresp  (),
    .s_axil_rvalid (r_valid),
    .s_axil_rready (r_ready),
    .m_axi_awid    (aw.id),
    .m_axi_awaddr  (aw.addr),
    .m_axi_awlen   (aw.len),
    .m_axi_awsize  (aw.size),
    .m_axi_awburst (aw.burst),
    .m_axi_awlock  (aw.lock),
    .m_axi_awcache (aw.cache),
    .m_axi_awprot  (aw.prot),
    .m_axi_awqos   (aw.qos),
    .m_axi_awvalid (bus_aw_valid),
    .m_axi_awready (bus_aw_ready),
    .m_axi_wdata   (data[Engine]),
    .m_axi_wstrb   (strb[Engine]),
    .m_axi_wlast   (bus_w_last),
    .m_axi_wvalid  (bus_w_valid),
    .m_axi_wready  (bus_w_ready),
    .m_axi_bid     ('0),
    .m_axi_bresp   ('0),
    .m_axi_bvalid  (bus_b_valid),
    .m_axi_bready  (bus_b_ready),
    .m_axi_arid    (ar.id),
    .m_axi_araddr  (ar.addr),
    .m_axi_arlen   (ar.len),
    .m_axi_arsize  (ar.size),
    .m_axi_arburst (ar.burst),
    .m_axi_arlock  (ar.lock),
    .m_axi_arcache (ar.cache),
    .m_axi_arprot  (ar.prot),
    .m_axi_arqos   (ar.qos),
    .m_axi_arvalid (bus_ar_valid),
    .m_axi_arready (bus_ar_ready),
    .m_axi_rid     ('0),
    .m_axi_rdata   (bus_r_data),
    .m_axi_rresp   ('0),
    .m_axi_rlast   (bus_r_last),
    .m_axi_rvalid  (bus_r_valid),
    .m_axi_rready  (bus_r_ready)
  );
endmodule
