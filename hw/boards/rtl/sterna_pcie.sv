// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// An engine for a card: registers over AXI4-Lite, the card's memory over AXI4, interrupts as
/// messages over PCIe. `sterna_top` is the engine that was generated.
module sterna_pcie #(
  /// Bits of a beat of the engine's bus, `axi_data_w` of its config.
  parameter int unsigned EngineDataW = 128,
  /// Bits of a beat of the memory's bus.
  parameter int unsigned MemoryDataW = 512
) (
  input  logic                     clk_i,
  /// Reset of everything, active low. It may begin and end at any time.
  input  logic                     rst_ni,
  /// Clock of ports `s_axil_*` and of the interrupt.
  input  logic                     registers_clk_i,
  /// Clock of ports `m_axi_*`.
  input  logic                     memory_clk_i,
  /// Interrupt: a frame has ended.
  output logic                     irq_o,

  /// The host's MSI registers, as `sterna_msi_sender` takes them.
  input  logic [81:0]              msi_intfc_i,
  /// Avalon-MM: first byte of a message to the host.
  output logic [63:0]              m_msi_address,
  /// It is to be written.
  output logic                     m_msi_write,
  /// The message.
  output logic [31:0]              m_msi_writedata,
  /// All of its bytes.
  output logic [3:0]               m_msi_byteenable,
  /// It is not taken yet.
  input  logic                     m_msi_waitrequest,

  /// Write address, from the host.
  input  logic [RegisterAddrW-1:0] s_axil_awaddr,
  /// Its protection.
  input  logic [2:0]               s_axil_awprot,
  /// Address valid.
  input  logic                     s_axil_awvalid,
  /// Address taken.
  output logic                     s_axil_awready,
  /// Write data.
  input  logic [31:0]              s_axil_wdata,
  /// Bytes to write.
  input  logic [3:0]               s_axil_wstrb,
  /// Data valid.
  input  logic                     s_axil_wvalid,
  /// Data taken.
  output logic                     s_axil_wready,
  /// Write response.
  output logic [1:0]               s_axil_bresp,
  /// Response valid.
  output logic                     s_axil_bvalid,
  /// Response taken.
  input  logic                     s_axil_bready,
  /// Read address.
  input  logic [RegisterAddrW-1:0] s_axil_araddr,
  /// Its protection.
  input  logic [2:0]               s_axil_arprot,
  /// Address valid.
  input  logic                     s_axil_arvalid,
  /// Address taken.
  output logic                     s_axil_arready,
  /// Read data.
  output logic [31:0]              s_axil_rdata,
  /// Read response.
  output logic [1:0]               s_axil_rresp,
  /// Data valid.
  output logic                     s_axil_rvalid,
  /// Data taken.
  input  logic                     s_axil_rready,

  /// Always 0.
  output logic [0:0]               m_axi_awid,
  /// First byte of a burst that is written.
  output logic [63:0]              m_axi_awaddr,
  /// Beats less one.
  output logic [7:0]               m_axi_awlen,
  /// Logarithm of the bytes of a beat.
  output logic [2:0]               m_axi_awsize,
  /// Always INCR.
  output logic [1:0]               m_axi_awburst,
  /// Always normal access.
  output logic                     m_axi_awlock,
  /// Always normal, non-cacheable, bufferable.
  output logic [3:0]               m_axi_awcache,
  /// Always unprivileged, secure, data.
  output logic [2:0]               m_axi_awprot,
  /// Always 0.
  output logic [3:0]               m_axi_awqos,
  /// Address valid.
  output logic                     m_axi_awvalid,
  /// Address taken.
  input  logic                     m_axi_awready,
  /// Write data.
  output logic [MemoryDataW-1:0]   m_axi_wdata,
  /// Bytes to write.
  output logic [MemoryDataW/8-1:0] m_axi_wstrb,
  /// Last beat of a burst.
  output logic                     m_axi_wlast,
  /// Data valid.
  output logic                     m_axi_wvalid,
  /// Data taken.
  input  logic                     m_axi_wready,
  /// Not looked at.
  input  logic [0:0]               m_axi_bid,
  /// Write response.
  input  logic [1:0]               m_axi_bresp,
  /// Response valid.
  input  logic                     m_axi_bvalid,
  /// Response taken.
  output logic                     m_axi_bready,
  /// Always 0.
  output logic [0:0]               m_axi_arid,
  /// First byte of a burst that is read.
  output logic [63:0]              m_axi_araddr,
  /// Beats less one.
  output logic [7:0]               m_axi_arlen,
  /// Logarithm of the bytes of a beat.
  output logic [2:0]               m_axi_arsize,
  /// Always INCR.
  output logic [1:0]               m_axi_arburst,
  /// Always normal access.
  output logic                     m_axi_arlock,
  /// Always normal, non-cacheable, bufferable.
  output logic [3:0]               m_axi_arcache,
  /// Always unprivileged, secure, data.
  output logic [2:0]               m_axi_arprot,
  /// Always 0.
  output logic [3:0]               m_axi_arqos,
  /// Address valid.
  output logic                     m_axi_arvalid,
  /// Address taken.
  input  logic                     m_axi_arready,
  /// Not looked at.
  input  logic [0:0]               m_axi_rid,
  /// Read data.
  input  logic [MemoryDataW-1:0]   m_axi_rdata,
  /// Read response.
  input  logic [1:0]               m_axi_rresp,
  /// Last beat of a burst.
  input  logic                     m_axi_rlast,
  /// Data valid.
  input  logic                     m_axi_rvalid,
  /// Data taken.
  output logic                     m_axi_rready
);
  /// Beats of the longest burst, which has at most 4 KB.
  localparam int unsigned MemoryBeats = MemoryDataW > 512 ? 32 : 64;

  logic irq, unused;
  logic [RegisterAddrW-1:0] axil_awaddr, axil_araddr;
  logic [31:0] axil_wdata, axil_rdata;
  logic [3:0] axil_wstrb;
  logic [2:0] axil_awprot, axil_arprot;
  logic [1:0] axil_bresp, axil_rresp, axi_bresp, axi_rresp;
  logic axil_awvalid, axil_awready, axil_wvalid, axil_wready, axil_bvalid, axil_bready;
  logic axil_arvalid, axil_arready, axil_rvalid, axil_rready;
  logic [63:0] axi_awaddr, axi_araddr, awaddr, araddr;
  logic [7:0] axi_awlen, axi_arlen, awlen, arlen;
  logic [EngineDataW-1:0] axi_wdata, axi_rdata;
  logic [EngineDataW/8-1:0] axi_wstrb;
  logic axi_awvalid, axi_awready, axi_wlast, axi_wvalid, axi_wready, axi_bvalid, axi_bready;
  logic axi_arvalid, axi_arready, axi_rlast, axi_rvalid, axi_rready;

  sterna_top u_engine (
    .clk_i,
    .rst_ni,
    .s_axil_awaddr (axil_awaddr),
    .s_axil_awprot (axil_awprot),
    .s_axil_awvalid(axil_awvalid),
    .s_axil_awready(axil_awready),
    .s_axil_wdata  (axil_wdata),
    .s_axil_wstrb  (axil_wstrb),
    .s_axil_wvalid (axil_wvalid),
    .s_axil_wready (axil_wready),
    .s_axil_bresp  (axil_bresp),
    .s_axil_bvalid (axil_bvalid),
    .s_axil_bready (axil_bready),
    .s_axil_araddr (axil_araddr),
    .s_axil_arprot (axil_arprot),
    .s_axil_arvalid(axil_arvalid),
    .s_axil_arready(axil_arready),
    .s_axil_rdata  (axil_rdata),
    .s_axil_rresp  (axil_rresp),
    .s_axil_rvalid (axil_rvalid),
    .s_axil_rready (axil_rready),
    .m_axi_awid    (),
    .m_axi_awaddr  (axi_awaddr),
    .m_axi_awlen   (axi_awlen),
    .m_axi_awsize  (),
    .m_axi_awburst (),
    .m_axi_awlock  (),
    .m_axi_awcache (),
    .m_axi_awprot  (),
    .m_axi_awqos   (),
    .m_axi_awvalid (axi_awvalid),
    .m_axi_awready (axi_awready),
    .m_axi_wdata   (axi_wdata),
    .m_axi_wstrb   (axi_wstrb),
    .m_axi_wlast   (axi_wlast),
    .m_axi_wvalid  (axi_wvalid),
    .m_axi_wready  (axi_wready),
    .m_axi_bid     (1'b0),
    .m_axi_bresp   (axi_bresp),
    .m_axi_bvalid  (axi_bvalid),
    .m_axi_bready  (axi_bready),
    .m_axi_arid    (),
    .m_axi_araddr  (axi_araddr),
    .m_axi_arlen   (axi_arlen),
    .m_axi_arsize  (),
    .m_axi_arburst (),
    .m_axi_arlock  (),
    .m_axi_arcache (),
    .m_axi_arprot  (),
    .m_axi_arqos   (),
    .m_axi_arvalid (axi_arvalid),
    .m_axi_arready (axi_arready),
    .m_axi_rid     (1'b0),
    .m_axi_rdata   (axi_rdata),
    .m_axi_rresp   (axi_rresp),
    .m_axi_rlast   (axi_rlast),
    .m_axi_rvalid  (axi_rvalid),
    .m_axi_rready  (axi_rready),
    .irq_o         (irq)
  );

  sterna_shell #(
    .EngineDataW(EngineDataW),
    .MemoryDataW(MemoryDataW),
    .MemoryBeats(MemoryBeats)
  ) u_shell (
    .clk_i,
    .rst_ni,
    .registers_clk_i,
    .memory_clk_i,
    .engine_irq_i       (irq),
    .irq_o,
    .s_axil_awaddr,
    .s_axil_awprot,
    .s_axil_awvalid,
    .s_axil_awready,
    .s_axil_wdata,
    .s_axil_wstrb,
    .s_axil_wvalid,
    .s_axil_wready,
    .s_axil_bresp,
    .s_axil_bvalid,
    .s_axil_bready,
    .s_axil_araddr,
    .s_axil_arprot,
    .s_axil_arvalid,
    .s_axil_arready,
    .s_axil_rdata,
    .s_axil_rresp,
    .s_axil_rvalid,
    .s_axil_rready,
    .engine_axil_awaddr (axil_awaddr),
    .engine_axil_awprot (axil_awprot),
    .engine_axil_awvalid(axil_awvalid),
    .engine_axil_awready(axil_awready),
    .engine_axil_wdata  (axil_wdata),
    .engine_axil_wstrb  (axil_wstrb),
    .engine_axil_wvalid (axil_wvalid),
    .engine_axil_wready (axil_wready),
    .engine_axil_bresp  (axil_bresp),
    .engine_axil_bvalid (axil_bvalid),
    .engine_axil_bready (axil_bready),
    .engine_axil_araddr (axil_araddr),
    .engine_axil_arprot (axil_arprot),
    .engine_axil_arvalid(axil_arvalid),
    .engine_axil_arready(axil_arready),
    .engine_axil_rdata  (axil_rdata),
    .engine_axil_rresp  (axil_rresp),
    .engine_axil_rvalid (axil_rvalid),
    .engine_axil_rready (axil_rready),
    .engine_axi_awaddr  (axi_awaddr),
    .engine_axi_awlen   (axi_awlen),
    .engine_axi_awvalid (axi_awvalid),
    .engine_axi_awready (axi_awready),
    .engine_axi_wdata   (axi_wdata),
    .engine_axi_wstrb   (axi_wstrb),
    .engine_axi_wlast   (axi_wlast),
    .engine_axi_wvalid  (axi_wvalid),
    .engine_axi_wready  (axi_wready),
    .engine_axi_bresp   (axi_bresp),
    .engine_axi_bvalid  (axi_bvalid),
    .engine_axi_bready  (axi_bready),
    .engine_axi_araddr  (axi_araddr),
    .engine_axi_arlen   (axi_arlen),
    .engine_axi_arvalid (axi_arvalid),
    .engine_axi_arready (axi_arready),
    .engine_axi_rdata   (axi_rdata),
    .engine_axi_rresp   (axi_rresp),
    .engine_axi_rlast   (axi_rlast),
    .engine_axi_rvalid  (axi_rvalid),
    .engine_axi_rready  (axi_rready),
    .m_axi_awaddr       (awaddr),
    .m_axi_awlen        (awlen),
    .m_axi_awvalid,
    .m_axi_awready,
    .m_axi_wdata,
    .m_axi_wstrb,
    .m_axi_wlast,
    .m_axi_wvalid,
    .m_axi_wready,
    .m_axi_bresp,
    .m_axi_bvalid,
    .m_axi_bready,
    .m_axi_araddr       (araddr),
    .m_axi_arlen        (arlen),
    .m_axi_arvalid,
    .m_axi_arready,
    .m_axi_rdata,
    .m_axi_rresp,
    .m_axi_rlast,
    .m_axi_rvalid,
    .m_axi_rready
  );

  assign m_axi_awid = '0;
  assign m_axi_awaddr = awaddr;
  assign m_axi_awlen = awlen;
  assign m_axi_awsize = 3'($clog2(MemoryDataW / 8));
  assign m_axi_awburst = AxiBurst;
  assign m_axi_awlock = '0;
  assign m_axi_awcache = AxiCache;
  assign m_axi_awprot = '0;
  assign m_axi_awqos = '0;
  assign m_axi_arid = '0;
  assign m_axi_araddr = araddr;
  assign m_axi_arlen = arlen;
  assign m_axi_arsize = 3'($clog2(MemoryDataW / 8));
  assign m_axi_arburst = AxiBurst;
  assign m_axi_arlock = '0;
  assign m_axi_arcache = AxiCache;
  assign m_axi_arprot = '0;
  assign m_axi_arqos = '0;
  assign unused = ^{m_axi_bid, m_axi_rid};

  logic registers_rst_n;

  sterna_reset_sync u_reset (
    .clk_i (registers_clk_i),
    .rst_ni,
    .rst_no(registers_rst_n)
  );

  sterna_msi_sender u_msi (
    .clk_i            (registers_clk_i),
    .rst_ni           (registers_rst_n),
    .irq_i            (irq_o),
    .msi_intfc_i,
    .m_msi_address,
    .m_msi_write,
    .m_msi_writedata,
    .m_msi_byteenable,
    .m_msi_waitrequest
  );
endmodule
