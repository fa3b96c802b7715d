/// Cuts a transfer into AXI bursts that end at multiples of their own largest size, which is at most 4 KB.
module sterna_burst_splitter #(
  /// Bits of a bus beat, a power of two from 64 to 512.
  parameter int unsigned DataW = 64,
  /// Beats of the longest burst, a power of two; a burst may not exceed 4 KB.
  parameter int unsigned BurstBeats = 64
) (
  /// Clock.
  input  logic        clk_i,
  /// Reset, active low, released synchronously.
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
  /// Beats of the burst.
  output logic [8:0]  burst_beats_o
);
  localparam int unsigned ByteW = $clog2(DataW / 8);
  localparam int unsigned BurstW = $clog2(BurstBeats);
  localparam int unsigned LeftW = 32 - ByteW;

  if (BurstBeats < 2 || BurstBeats > 256 || BurstBeats != 2 ** BurstW) begin : gen_bad_beats
    $error("BurstBeats = %0d must be a power of two from 2 to 256", BurstBeats);
  end
  if (BurstBeats * DataW / 8 > 4096) begin : gen_bad_size
    $error("a burst of %0d beats of %0d bits exceeds 4 KB", BurstBeats, DataW);
  end

  logic [63:ByteW] addr_d, addr_q;
  logic [LeftW-1:0] left_d, left_q;
  logic [8:0] room;
  logic last;

  assign command_ready_o = left_q == '0;
  assign burst_valid_o = left_q != '0;
  assign burst_addr_o = {addr_q, ByteW'(0)};
  assign room = 9'(BurstBeats) - 9'(addr_q[ByteW+:BurstW]);
  assign last = left_q <= LeftW'(room);
  assign burst_beats_o = last ? 9'(left_q) : room;

  always_comb begin
    addr_d = addr_q;
    left_d = left_q;
    if (command_valid_i && command_ready_o) begin
      addr_d = command_addr_i[63:ByteW];
      left_d = command_bytes_i[31:ByteW];
    end else if (burst_valid_o && burst_ready_i) begin
      // Every burst but the last ends at a multiple of the largest size.
      addr_d = {addr_q[63:ByteW+BurstW] + 1'b1, BurstW'(0)};
      left_d = last ? '0 : left_q - LeftW'(room);
    end
    if (clear_i) left_d = '0;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      addr_q <= '0;
      left_q <= '0;
    end else begin
      addr_q <= addr_d;
      left_q <= left_d;
    end
  end

`ifndef SYNTHESIS
  assert_aligned : assert property (@(posedge clk_i) disable iff (!rst_ni)
    command_valid_i |-> command_addr_i[ByteW-1:0] == '0 && command_bytes_i[ByteW-1:0] == '0);
`endif
endmodule
