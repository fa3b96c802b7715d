// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Everything between the engine and the ports of a board: clock crossings, bursts, width of the
/// memory's bus, interrupt, resets. The bus of the memory has to be reset together with it, as what
/// is under way is forgotten.
module sterna_shell #(
  /// Bits of a beat of the engine's bus.
  parameter int unsigned EngineDataW = 64,
  /// Bits of a beat of the memory's bus.
  parameter int unsigned MemoryDataW = 64,
  /// Beats of the longest burst of the memory's bus.
  parameter int unsigned MemoryBeats = 16
) (
  input  logic                     clk_i,
  /// Reset of everything, active low. It may begin and end at any time.
  input  logic                     rst_ni,
  /// Clock of the host's side: ports `s_axil_*` and `irq_o`.
  input  logic                     registers_clk_i,
  /// Clock of the memory's side: ports `m_axi_*`.
  input  logic                     memory_clk_i,

  /// The engine's interrupt.
  input  logic                     engine_irq_i,
  /// The interrupt, for the host.
  output logic                     irq_o,

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

  /// Write address, to the engine.
  output logic [RegisterAddrW-1:0] engine_axil_awaddr,
  /// Its protection.
  output logic [2:0]               engine_axil_awprot,
  /// Address valid.
  output logic                     engine_axil_awvalid,
  /// Address taken.
  input  logic                     engine_axil_awready,
  /// Write data.
  output logic [31:0]              engine_axil_wdata,
  /// Bytes to write.
  output logic [3:0]               engine_axil_wstrb,
  /// Data valid.
  output logic                     engine_axil_wvalid,
  /// Data taken.
  input  logic                     engine_axil_wready,
  /// Write response.
  input  logic [1:0]               engine_axil_bresp,
  /// Response valid.
  input  logic                     engine_axil_bvalid,
  /// Response taken.
  output logic                     engine_axil_bready,
  /// Read address.
  output logic [RegisterAddrW-1:0] engine_axil_araddr,
  /// Its protection.
  output logic [2:0]               engine_axil_arprot,
  /// Address valid.
  output logic                     engine_axil_arvalid,
  /// Address taken.
  input  logic                     engine_axil_arready,
  /// Read data.
  input  logic [31:0]              engine_axil_rdata,
  /// Read response.
  input  logic [1:0]               engine_axil_rresp,
  /// Data valid.
  input  logic                     engine_axil_rvalid,
  /// Data taken.
  output logic                     engine_axil_rready,

  /// First byte of a burst that is written, from the engine.
  input  logic [63:0]              engine_axi_awaddr,
  /// Beats less one.
  input  logic [7:0]               engine_axi_awlen,
  /// Address valid.
  input  logic                     engine_axi_awvalid,
  /// Address taken.
  output logic                     engine_axi_awready,
  /// Write data.
  input  logic [EngineDataW-1:0]   engine_axi_wdata,
  /// Bytes to write: all or none.
  input  logic [EngineDataW/8-1:0] engine_axi_wstrb,
  /// Last beat of a burst.
  input  logic                     engine_axi_wlast,
  /// Data valid.
  input  logic                     engine_axi_wvalid,
  /// Data taken.
  output logic                     engine_axi_wready,
  /// Write response.
  output logic [1:0]               engine_axi_bresp,
  /// Response valid.
  output logic                     engine_axi_bvalid,
  /// Response taken.
  input  logic                     engine_axi_bready,
  /// First byte of a burst that is read.
  input  logic [63:0]              engine_axi_araddr,
  /// Beats less one.
  input  logic [7:0]               engine_axi_arlen,
  /// Address valid.
  input  logic                     engine_axi_arvalid,
  /// Address taken.
  output logic                     engine_axi_arready,
  /// Read data.
  output logic [EngineDataW-1:0]   engine_axi_rdata,
  /// Read response.
  output logic [1:0]               engine_axi_rresp,
  /// Last beat of a burst.
  output logic                     engine_axi_rlast,
  /// Data valid.
  output logic                     engine_axi_rvalid,
  /// Data taken.
  input  logic                     engine_axi_rready,

  /// First byte of a burst that is written, to the memory.
  output logic [63:0]              m_axi_awaddr,
  /// Beats less one.
  output logic [7:0]               m_axi_awlen,
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
  /// Write response.
  input  logic [1:0]               m_axi_bresp,
  /// Response valid.
  input  logic                     m_axi_bvalid,
  /// Response taken.
  output logic                     m_axi_bready,
  /// First byte of a burst that is read.
  output logic [63:0]              m_axi_araddr,
  /// Beats less one.
  output logic [7:0]               m_axi_arlen,
  /// Address valid.
  output logic                     m_axi_arvalid,
  /// Address taken.
  input  logic                     m_axi_arready,
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
  // ---------------------------------------------------------------------------------------- resets

  logic rst_n, registers_rst_n, memory_rst_n;

  sterna_reset_sync u_reset (
    .clk_i,
    .rst_ni,
    .rst_no(rst_n)
  );

  sterna_reset_sync u_registers_reset (
    .clk_i (registers_clk_i),
    .rst_ni,
    .rst_no(registers_rst_n)
  );

  sterna_reset_sync u_memory_reset (
    .clk_i (memory_clk_i),
    .rst_ni,
    .rst_no(memory_rst_n)
  );

  // ------------------------------------------------------------------------------------- registers

  // A register of its own, as the other clock reads it. A host that has ended an interrupt sees so
  // before its write is answered: the answer takes more cycles of the same two clocks.
  (* preserve *) logic irq_q;

  always_ff @(posedge clk_i or negedge rst_n) begin
    if (!rst_n) irq_q <= 1'b0;
    else irq_q <= engine_irq_i;
  end

  sterna_sync u_irq (
    .clk_i (registers_clk_i),
    .rst_ni(registers_rst_n),
    .bits_i(irq_q),
    .bits_o(irq_o)
  );

  sterna_axil_crossing u_registers (
    .clk_i       (registers_clk_i),
    .rst_ni      (registers_rst_n),
    .m_clk_i     (clk_i),
    .m_rst_ni    (rst_n),
    .s_aw_valid_i(s_axil_awvalid),
    .s_aw_ready_o(s_axil_awready),
    .s_aw_i      ({s_axil_awaddr, s_axil_awprot}),
    .s_w_valid_i (s_axil_wvalid),
    .s_w_ready_o (s_axil_wready),
    .s_w_i       ({s_axil_wdata, s_axil_wstrb}),
    .s_b_valid_o (s_axil_bvalid),
    .s_b_ready_i (s_axil_bready),
    .s_b_resp_o  (s_axil_bresp),
    .s_ar_valid_i(s_axil_arvalid),
    .s_ar_ready_o(s_axil_arready),
    .s_ar_i      ({s_axil_araddr, s_axil_arprot}),
    .s_r_valid_o (s_axil_rvalid),
    .s_r_ready_i (s_axil_rready),
    .s_r_o       ({s_axil_rdata, s_axil_rresp}),
    .m_aw_valid_o(engine_axil_awvalid),
    .m_aw_ready_i(engine_axil_awready),
    .m_aw_o      ({engine_axil_awaddr, engine_axil_awprot}),
    .m_w_valid_o (engine_axil_wvalid),
    .m_w_ready_i (engine_axil_wready),
    .m_w_o       ({engine_axil_wdata, engine_axil_wstrb}),
    .m_b_valid_i (engine_axil_bvalid),
    .m_b_ready_o (engine_axil_bready),
    .m_b_resp_i  (engine_axil_bresp),
    .m_ar_valid_o(engine_axil_arvalid),
    .m_ar_ready_i(engine_axil_arready),
    .m_ar_o      ({engine_axil_araddr, engine_axil_arprot}),
    .m_r_valid_i (engine_axil_rvalid),
    .m_r_ready_o (engine_axil_rready),
    .m_r_i       ({engine_axil_rdata, engine_axil_rresp})
  );

  // ---------------------------------------------------------------------------------------- memory

  // The engine's bursts in the memory's clock.
  logic aw_valid, aw_ready, w_valid, w_ready, w_strobe, w_last, b_valid, b_ready;
  logic ar_valid, ar_ready, r_valid, r_ready, r_last;
  logic [63:0] aw_addr, ar_addr;
  logic [7:0] aw_len, ar_len;
  logic [EngineDataW-1:0] w_data, r_data;
  logic [1:0] b_resp, r_resp;

  sterna_axi_crossing #(
    .DataW(EngineDataW)
  ) u_memory (
    .clk_i,
    .rst_ni      (rst_n),
    .m_clk_i     (memory_clk_i),
    .m_rst_ni    (memory_rst_n),
    .s_aw_valid_i(engine_axi_awvalid),
    .s_aw_ready_o(engine_axi_awready),
    .s_aw_addr_i (engine_axi_awaddr),
    .s_aw_len_i  (engine_axi_awlen),
    .s_w_valid_i (engine_axi_wvalid),
    .s_w_ready_o (engine_axi_wready),
    .s_w_data_i  (engine_axi_wdata),
    .s_w_strobe_i(engine_axi_wstrb[0]),
    .s_w_last_i  (engine_axi_wlast),
    .s_b_valid_o (engine_axi_bvalid),
    .s_b_ready_i (engine_axi_bready),
    .s_b_resp_o  (engine_axi_bresp),
    .s_ar_valid_i(engine_axi_arvalid),
    .s_ar_ready_o(engine_axi_arready),
    .s_ar_addr_i (engine_axi_araddr),
    .s_ar_len_i  (engine_axi_arlen),
    .s_r_valid_o (engine_axi_rvalid),
    .s_r_ready_i (engine_axi_rready),
    .s_r_data_o  (engine_axi_rdata),
    .s_r_resp_o  (engine_axi_rresp),
    .s_r_last_o  (engine_axi_rlast),
    .m_aw_valid_o(aw_valid),
    .m_aw_ready_i(aw_ready),
    .m_aw_addr_o (aw_addr),
    .m_aw_len_o  (aw_len),
    .m_w_valid_o (w_valid),
    .m_w_ready_i (w_ready),
    .m_w_data_o  (w_data),
    .m_w_strobe_o(w_strobe),
    .m_w_last_o  (w_last),
    .m_b_valid_i (b_valid),
    .m_b_ready_o (b_ready),
    .m_b_resp_i  (b_resp),
    .m_ar_valid_o(ar_valid),
    .m_ar_ready_i(ar_ready),
    .m_ar_addr_o (ar_addr),
    .m_ar_len_o  (ar_len),
    .m_r_valid_i (r_valid),
    .m_r_ready_o (r_ready),
    .m_r_data_i  (r_data),
    .m_r_resp_i  (r_resp),
    .m_r_last_i  (r_last)
  );

  sterna_read_adapter #(
    .FromDataW(EngineDataW),
    .ToDataW  (MemoryDataW),
    .ToBeats  (MemoryBeats)
  ) u_reads (
    .clk_i       (memory_clk_i),
    .rst_ni      (memory_rst_n),
    .s_ar_valid_i(ar_valid),
    .s_ar_ready_o(ar_ready),
    .s_ar_addr_i (ar_addr),
    .s_ar_len_i  (ar_len),
    .s_r_valid_o (r_valid),
    .s_r_ready_i (r_ready),
    .s_r_data_o  (r_data),
    .s_r_resp_o  (r_resp),
    .s_r_last_o  (r_last),
    .m_ar_valid_o(m_axi_arvalid),
    .m_ar_ready_i(m_axi_arready),
    .m_ar_addr_o (m_axi_araddr),
    .m_ar_len_o  (m_axi_arlen),
    .m_r_valid_i (m_axi_rvalid),
    .m_r_ready_o (m_axi_rready),
    .m_r_data_i  (m_axi_rdata),
    .m_r_resp_i  (m_axi_rresp),
    .m_r_last_i  (m_axi_rlast)
  );

  sterna_write_adapter #(
    .FromDataW(EngineDataW),
    .ToDataW  (MemoryDataW),
    .ToBeats  (MemoryBeats)
  ) u_writes (
    .clk_i       (memory_clk_i),
    .rst_ni      (memory_rst_n),
    .s_aw_valid_i(aw_valid),
    .s_aw_ready_o(aw_ready),
    .s_aw_addr_i (aw_addr),
    .s_aw_len_i  (aw_len),
    .s_w_valid_i (w_valid),
    .s_w_ready_o (w_ready),
    .s_w_data_i  (w_data),
    .s_w_strobe_i(w_strobe),
    .s_w_last_i  (w_last),
    .s_b_valid_o (b_valid),
    .s_b_ready_i (b_ready),
    .s_b_resp_o  (b_resp),
    .m_aw_valid_o(m_axi_awvalid),
    .m_aw_ready_i(m_axi_awready),
    .m_aw_addr_o (m_axi_awaddr),
    .m_aw_len_o  (m_axi_awlen),
    .m_w_valid_o (m_axi_wvalid),
    .m_w_ready_i (m_axi_wready),
    .m_w_data_o  (m_axi_wdata),
    .m_w_strb_o  (m_axi_wstrb),
    .m_w_last_o  (m_axi_wlast),
    .m_b_valid_i (m_axi_bvalid),
    .m_b_ready_o (m_axi_bready),
    .m_b_resp_i  (m_axi_bresp)
  );

`ifdef VERILATOR
  Strobes_A: assert property (@(posedge clk_i) disable iff (!rst_n)
    engine_axi_wvalid |-> engine_axi_wstrb == '0 || engine_axi_wstrb == '1);
`endif
endmodule
