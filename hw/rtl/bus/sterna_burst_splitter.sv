// SPDX-License-Identifier: Apache-2.0

/// Cuts a transfer into AXI bursts that end at multiples of their own largest size, which is at
/// most 4 KB. A burst is offered two cycles after the transfer or the burst before it was taken.
module sterna_burst_splitter #(
  /// Bits of a bus beat, a power of two from 64 to 512.
  parameter int unsigned DataW = 64,
  /// Beats of the longest burst, a power of two; a burst may not exceed 4 KB.
  parameter int unsigned BurstBeats = 64
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  /// Forgets the rest of the transfer.
  input  logic        clear_i,
  /// A transfer is asked for.
  input  logic        command_valid_i,
  /// The transfer is taken.
  output logic        command_ready_o,
  /// First byte, a multiple of the beat size.
  input  logic [63:0] command_addr_i,
  /// Bytes, a multiple of the beat size.
  input  logic [31:0] command_bytes_i,
  /// A burst is offered.
  output logic        burst_valid_o,
  /// The burst is taken.
  input  logic        burst_ready_i,
  /// First byte of the burst.
  output logic [63:0] burst_addr_o,
  /// Beats of the burst less one.
  output logic [7:0]  burst_len_o
);
  localparam int unsigned ByteW = $clog2(DataW / 8);
  localparam int unsigned BurstW = $clog2(BurstBeats);
  localparam int unsigned LeftW = 32 - ByteW;

  generate
    if (BurstBeats < 2 || BurstBeats > 256 || BurstBeats != 2 ** BurstW) begin : gen_bad_beats
      initial $error("sterna_burst_splitter: BurstBeats = %0d must be a power of two, 2 to 256",
                     BurstBeats);
    end
    if (BurstBeats * DataW / 8 > 4096) begin : gen_bad_size
      initial $error("sterna_burst_splitter: BurstBeats = %0d of DataW = %0d bits exceed 4 KB",
                     BurstBeats, DataW);
    end
  endgenerate

  // Every burst but the last ends at a multiple of the largest size. The address is counted in
  // these, in two halves.
  localparam int unsigned BlockW = 64 - ByteW - BurstW;
  localparam int unsigned LowW = BlockW / 2;

  logic [BlockW-1:LowW] high_d, high_q;
  logic [LowW-1:0] low_d, low_q;
  logic [BurstW-1:0] offset_d, offset_q;
  logic carry_d, carry_q;
  // Beats from the burst on that is offered or comes next; a burst is measured in the cycle before
  // it is offered.
  logic [LeftW-1:0] left_d, left_q;
  logic busy_d, busy_q, valid_d, valid_q, last_d, last_q;
  logic [BurstW-1:0] len_d, len_q;
  logic [BurstW+1:0] reach;

  assign command_ready_o = !busy_q;
  assign burst_valid_o = valid_q;
  assign burst_addr_o = {high_q, low_q, offset_q, ByteW'(0)};
  assign burst_len_o = 8'(len_q);

  assign reach = (BurstW + 2)'(offset_q) + (BurstW + 2)'(left_q[BurstW:0]);
  assign last_d = left_q[LeftW-1:BurstW+1] == '0 &&
                  (reach[BurstW+1:BurstW] == '0 || reach == (BurstW + 2)'(BurstBeats));
  assign len_d = last_d ? left_q[BurstW-1:0] - 1'b1 : ~offset_q;

  always_comb begin
    {carry_d, low_d} = {1'b0, low_q};
    high_d = high_q + (BlockW - LowW)'(carry_q);
    offset_d = offset_q;
    left_d = left_q;
    busy_d = busy_q;
    valid_d = busy_q;
    if (!busy_q) begin
      {high_d, low_d, offset_d} = command_addr_i[63:ByteW];
      left_d = command_bytes_i[31:ByteW];
      busy_d = command_valid_i && left_d != '0;
    end else if (valid_q && burst_ready_i) begin
      {carry_d, low_d} = {1'b0, low_q} + 1'b1;
      offset_d = '0;
      left_d = left_q + ~LeftW'(len_q);
      busy_d = !last_q;
      valid_d = 1'b0;
    end
    if (clear_i) begin
      busy_d = 1'b0;
      valid_d = 1'b0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      valid_q <= 1'b0;
    end else begin
      busy_q <= busy_d;
      valid_q <= valid_d;
    end
  end

  always_ff @(posedge clk_i) begin
    {high_q, carry_q, low_q, offset_q} <= {high_d, carry_d, low_d, offset_d};
    left_q <= left_d;
    if (!valid_q) {last_q, len_q} <= {last_d, len_d};
  end

`ifdef VERILATOR
  Aligned_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    command_valid_i |-> command_addr_i[ByteW-1:0] == '0 && command_bytes_i[ByteW-1:0] == '0);
  BurstHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    burst_valid_o && !burst_ready_i |=> burst_valid_o && $stable({burst_addr_o, burst_len_o}));
`endif
endmodule
