/// Reads transfers over AXI4: commands in, beats out in order. Several bursts are outstanding at a time.
module sterna_axi_reader #(
  /// Bits of a bus beat.
  parameter int unsigned DataW = 64,
  /// Bursts that may be outstanding.
  parameter int unsigned Outstanding = 8
) (
  /// Clock.
  input  logic             clk_i,
  /// Reset, active low, released synchronously.
  input  logic             rst_ni,
  /// While high, commands and beats are dropped and bursts that the bus has seen are completed.
  input  logic             flush_i,
  /// Nothing is asked for, outstanding or waiting to be taken.
  output logic             idle_o,
  /// A response was an error (pulse).
  output logic             error_o,
  /// A transfer is asked for.
  input  logic             command_valid_i,
  /// The transfer is taken.
  output logic             command_ready_o,
  /// First byte, a multiple of the beat size.
  input  logic [63:0]      command_addr_i,
  /// Bytes, a multiple of the beat size.
  input  logic [31:0]      command_bytes_i,
  /// A beat is offered.
  output logic             beat_valid_o,
  /// The beat is taken.
  input  logic             beat_ready_i,
  /// The beat.
  output logic [DataW-1:0] beat_data_o,
  /// AXI4 read address channel.
  output logic [0:0]       m_axi_arid,
  /// First byte of the burst.
  output logic [63:0]      m_axi_araddr,
  /// Beats less one.
  output logic [7:0]       m_axi_arlen,
  /// Logarithm of the bytes of a beat.
  output logic [2:0]       m_axi_arsize,
  /// Always INCR.
  output logic [1:0]       m_axi_arburst,
  /// Always normal access.
  output logic             m_axi_arlock,
  /// Always normal, non-cacheable, bufferable.
  output logic [3:0]       m_axi_arcache,
  /// Always unprivileged, secure, data.
  output logic [2:0]       m_axi_arprot,
  /// Always 0.
  output logic [3:0]       m_axi_arqos,
  /// Address valid.
  output logic             m_axi_arvalid,
  /// Address taken.
  input  logic             m_axi_arready,
  /// AXI4 read data channel; the one ID is not looked at.
  input  logic [0:0]       m_axi_rid,
  /// Data.
  input  logic [DataW-1:0] m_axi_rdata,
  /// Response.
  input  logic [1:0]       m_axi_rresp,
  /// Last beat of a burst.
  input  logic             m_axi_rlast,
  /// Data valid.
  input  logic             m_axi_rvalid,
  /// Data taken.
  output logic             m_axi_rready
);
  localparam int unsigned CountW = $clog2(Outstanding + 1);

  logic burst_valid, burst_ready, buffer_ready, no_command;
  logic [63:0] burst_addr;
  logic [8:0] burst_beats;
  logic ar_valid_d, ar_valid_q, burst_done;
  logic [63:0] ar_addr_d, ar_addr_q;
  logic [7:0] ar_len_d, ar_len_q;
  logic [CountW-1:0] outstanding_d, outstanding_q;
  logic unused;

  sterna_burst_splitter #(
    .DataW(DataW)
  ) u_splitter (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .clear_i        (flush_i),
    .command_valid_i(command_valid_i),
    .command_ready_o(no_command),
    .command_addr_i (command_addr_i),
    .command_bytes_i(command_bytes_i),
    .burst_valid_o  (burst_valid),
    .burst_ready_i  (burst_ready),
    .burst_addr_o   (burst_addr),
    .burst_beats_o  (burst_beats)
  );

  sterna_fifo #(
    .Width(DataW),
    .Depth(2)
  ) u_buffer (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .clear_i(flush_i),
    .valid_i(m_axi_rvalid),
    .ready_o(buffer_ready),
    .data_i (m_axi_rdata),
    .valid_o(beat_valid_o),
    .ready_i(beat_ready_i),
    .data_o (beat_data_o),
    .count_o()
  );

  assign command_ready_o = no_command && !flush_i;
  assign burst_ready = (!ar_valid_q || m_axi_arready) && outstanding_q != CountW'(Outstanding) && !flush_i;
  assign burst_done = m_axi_rvalid && m_axi_rready && m_axi_rlast;
  assign idle_o = no_command && outstanding_q == '0 && !beat_valid_o;
  assign error_o = m_axi_rvalid && m_axi_rready && m_axi_rresp[1];
  assign unused = ^{m_axi_rid, m_axi_rresp[0]};

  assign m_axi_arid = '0;
  assign m_axi_araddr = ar_addr_q;
  assign m_axi_arlen = ar_len_q;
  assign m_axi_arsize = 3'($clog2(DataW / 8));
  assign m_axi_arburst = 2'b01;
  assign m_axi_arlock = 1'b0;
  assign m_axi_arcache = 4'b0011;
  assign m_axi_arprot = 3'b000;
  assign m_axi_arqos = 4'b0000;
  assign m_axi_arvalid = ar_valid_q;
  assign m_axi_rready = buffer_ready;

  always_comb begin
    ar_valid_d = ar_valid_q && !m_axi_arready;
    ar_addr_d = ar_addr_q;
    ar_len_d = ar_len_q;
    outstanding_d = outstanding_q - CountW'(burst_done);
    if (burst_valid && burst_ready) begin
      ar_valid_d = 1'b1;
      ar_addr_d = burst_addr;
      ar_len_d = 8'(burst_beats - 9'd1);
      outstanding_d = outstanding_d + 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ar_valid_q <= 1'b0;
      ar_addr_q <= '0;
      ar_len_q <= '0;
      outstanding_q <= '0;
    end else begin
      ar_valid_q <= ar_valid_d;
      ar_addr_q <= ar_addr_d;
      ar_len_q <= ar_len_d;
      outstanding_q <= outstanding_d;
    end
  end

`ifndef SYNTHESIS
  assert_asked : assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_axi_rvalid |-> outstanding_q != '0);
`endif
endmodule
