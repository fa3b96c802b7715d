// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Writes transfers over AXI4: commands and beats in. A burst's address goes out with its first
/// beat; several responses may be outstanding.
module sterna_axi_writer #(
  /// Bits of a bus beat.
  parameter int unsigned DataW = 64,
  /// Beats of the longest burst, a power of two.
  parameter int unsigned BurstBeats = 64,
  /// Bursts whose response may be outstanding.
  parameter int unsigned Outstanding = 8
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  /// While high, commands are dropped and the open burst is completed with no strobes.
  input  logic               flush_i,
  /// Nothing is asked for, and every burst has its response.
  output logic               idle_o,
  /// A response was an error (pulse).
  output logic               error_o,
  /// A transfer is asked for.
  input  logic               command_valid_i,
  /// The transfer is taken.
  output logic               command_ready_o,
  /// First byte, a multiple of the beat size.
  input  logic [63:0]        command_addr_i,
  /// Bytes, a multiple of the beat size.
  input  logic [31:0]        command_bytes_i,
  /// A beat is offered.
  input  logic               beat_valid_i,
  /// The beat is taken.
  output logic               beat_ready_o,
  /// The beat.
  input  logic [DataW-1:0]   beat_data_i,
  /// AXI4 write address.
  output logic               aw_valid_o,
  /// It is taken.
  input  logic               aw_ready_i,
  /// A burst, inside 4 KB.
  output axi_address_t       aw_o,
  /// AXI4 write data.
  output logic               w_valid_o,
  /// It is taken.
  input  logic               w_ready_i,
  /// The data.
  output logic [DataW-1:0]   w_data_o,
  /// Bytes to write: all, or none when flushing.
  output logic [DataW/8-1:0] w_strb_o,
  /// Last beat of a burst.
  output logic               w_last_o,
  /// AXI4 write response.
  input  logic               b_valid_i,
  /// It is taken (always).
  output logic               b_ready_o,
  /// The response; the one ID is not looked at.
  input  axi_written_t       b_i
);
  localparam int unsigned CountW = $clog2(Outstanding + 1);

  logic burst_valid, burst_ready, burst_taken, beat_taken, no_command;
  logic [63:0] burst_addr;
  logic [7:0] burst_len;
  logic aw_valid_d, aw_valid_q;
  logic [63:0] aw_addr_d, aw_addr_q;
  logic [7:0] aw_len_d, aw_len_q;
  logic w_valid_d, w_valid_q, w_last_d, w_last_q, w_strobe_d, w_strobe_q;
  logic [DataW-1:0] w_data_d, w_data_q;
  // A burst's address is out and beats are to follow: so many after the next one.
  logic open_d, open_q;
  logic [7:0] left_d, left_q;
  logic [CountW-1:0] outstanding_d, outstanding_q;
  logic unused;

  sterna_burst_splitter #(
    .DataW     (DataW),
    .BurstBeats(BurstBeats)
  ) u_splitter (
    .clk_i,
    .rst_ni,
    .clear_i        (flush_i),
    .command_valid_i,
    .command_ready_o(no_command),
    .command_addr_i,
    .command_bytes_i,
    .burst_valid_o  (burst_valid),
    .burst_ready_i  (burst_ready),
    .burst_addr_o   (burst_addr),
    .burst_len_o    (burst_len)
  );

  assign command_ready_o = no_command && !flush_i;
  assign burst_ready = !aw_valid_q && !open_q && outstanding_q != CountW'(Outstanding) && !flush_i;
  assign burst_taken = burst_valid && burst_ready;
  assign beat_ready_o = open_q && (!w_valid_q || w_ready_i) && !flush_i;
  assign beat_taken = open_q && (!w_valid_q || w_ready_i) && (beat_valid_i || flush_i);
  assign idle_o = no_command && outstanding_q == '0;
  assign error_o = b_valid_i && b_i.resp[1];
  assign unused = ^{b_i.id, b_i.resp[0]};

  assign aw_valid_o = aw_valid_q;
  assign aw_o = '{
    id: '0, addr: aw_addr_q, len: aw_len_q, size: 3'($clog2(DataW / 8)), burst: AxiBurst,
    lock: 1'b0, cache: AxiCache, prot: '0, qos: '0
  };
  assign w_valid_o = w_valid_q;
  assign w_data_o = w_data_q;
  assign w_strb_o = {(DataW / 8) {w_strobe_q}};
  assign w_last_o = w_last_q;
  assign b_ready_o = 1'b1;

  always_comb begin
    aw_valid_d = aw_valid_q && !aw_ready_i;
    aw_addr_d = aw_addr_q;
    aw_len_d = aw_len_q;
    w_valid_d = w_valid_q && !w_ready_i;
    w_data_d = w_data_q;
    w_strobe_d = w_strobe_q;
    w_last_d = w_last_q;
    open_d = open_q;
    left_d = left_q;
    if (burst_taken) begin
      aw_valid_d = 1'b1;
      aw_addr_d = burst_addr;
      aw_len_d = burst_len;
      open_d = 1'b1;
      left_d = burst_len;
    end
    if (beat_taken) begin
      w_valid_d = 1'b1;
      w_data_d = beat_data_i;
      w_strobe_d = !flush_i;
      w_last_d = left_q == '0;
      open_d = left_q != '0;
      left_d = left_q - 8'd1;
    end
    outstanding_d = outstanding_q;
    if (burst_taken && !b_valid_i) outstanding_d = outstanding_q + 1'b1;
    if (!burst_taken && b_valid_i) outstanding_d = outstanding_q - 1'b1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_valid_q <= 1'b0;
      aw_addr_q <= '0;
      aw_len_q <= '0;
      w_valid_q <= 1'b0;
      w_data_q <= '0;
      w_strobe_q <= 1'b0;
      w_last_q <= 1'b0;
      open_q <= 1'b0;
      left_q <= '0;
      outstanding_q <= '0;
    end else begin
      aw_valid_q <= aw_valid_d;
      aw_addr_q <= aw_addr_d;
      aw_len_q <= aw_len_d;
      w_valid_q <= w_valid_d;
      w_data_q <= w_data_d;
      w_strobe_q <= w_strobe_d;
      w_last_q <= w_last_d;
      open_q <= open_d;
      left_q <= left_d;
      outstanding_q <= outstanding_d;
    end
  end

`ifdef VERILATOR
  Asked_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    b_valid_i |-> outstanding_q != '0);
  AwHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    aw_valid_o && !aw_ready_i |=> aw_valid_o && $stable(aw_o));
  AwPage_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    aw_valid_o |->
      32'(aw_o.addr[11:0]) + (32'(aw_o.len) + 32'd1) * 32'(DataW / 8) <= 32'd4096);
  WHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    w_valid_o && !w_ready_i |=>
      w_valid_o && $stable({w_data_o, w_strb_o, w_last_o}));
  Outstanding_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    outstanding_q <= CountW'(Outstanding));
`endif
endmodule
