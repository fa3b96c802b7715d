// SPDX-License-Identifier: Apache-2.0

/// Turns bursts of one bus into bursts of another one, with beats of another width and fewer of
/// them. A burst whose ends lie within wider beats reads or writes all of these.
module sterna_burst_adapter #(
  /// Bits of a beat of the bursts that are asked for.
  parameter int unsigned FromDataW = 64,
  /// Bits of a beat of the bursts that are given.
  parameter int unsigned ToDataW = 64,
  /// Beats of the longest burst that is given; a power of two, and at most 4 KB.
  parameter int unsigned ToBeats = 16
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  /// A burst is asked for.
  input  logic        valid_i,
  /// It is taken.
  output logic        ready_o,
  /// Its first byte, a multiple of its beat size.
  input  logic [63:0] addr_i,
  /// Its beats less one; it lies inside 4 KB.
  input  logic [7:0]  len_i,
  /// A burst is given.
  output logic        valid_o,
  /// It is taken.
  input  logic        ready_i,
  /// Its first byte.
  output logic [63:0] addr_o,
  /// Its beats less one.
  output logic [7:0]  len_o,
  /// It is the last one of what was asked for.
  output logic        last_o
);
  /// Bits of an offset in 4 KB, of one in a beat, and of one in the longest burst.
  localparam int unsigned PageW = 12;
  localparam int unsigned FromW = $clog2(FromDataW / 8);
  localparam int unsigned ToW = $clog2(ToDataW / 8);
  localparam int unsigned LongestW = ToW + $clog2(ToBeats);

  generate
    if (FromDataW < 64 || FromDataW > 1024 || FromDataW != 2 ** $clog2(FromDataW))
    begin : gen_bad_from
      initial $error("sterna_burst_adapter: FromDataW = %0d must be a power of two from 64 to 1024",
                     FromDataW);
    end
    if (ToDataW < 64 || ToDataW > 1024 || ToDataW != 2 ** $clog2(ToDataW)) begin : gen_bad_to
      initial $error("sterna_burst_adapter: ToDataW = %0d must be a power of two from 64 to 1024",
                     ToDataW);
    end
  endgenerate

  // What was asked for waits in a register between the sums here and those of the splitter: whole
  // beats from an address on, and the offset of the last byte, which is in the last burst.
  logic waiting_q, free;
  logic [63:ToW] beat_q;
  logic [PageW-ToW:0] count_d, count_q;
  logic [PageW-1:0] last_byte_d, last_byte_q;

  assign ready_o = free && !waiting_q;
  assign last_byte_d = addr_i[PageW-1:0] + (PageW'(len_i) << FromW) + PageW'((1 << FromW) - 1);

  generate
    if (FromW < ToW) begin : gen_wider
      // The place of the last beat, counted from the first wide one on.
      logic [PageW-FromW:0] last;

      assign last = (PageW - FromW + 1)'(addr_i[ToW-1:FromW]) + (PageW - FromW + 1)'(len_i);
      assign count_d = (PageW - ToW + 1)'(last >> (ToW - FromW)) + 1'b1;
    end else begin : gen_other
      assign count_d = ((PageW - ToW + 1)'(len_i) + 1'b1) << (FromW - ToW);
    end
  endgenerate

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) waiting_q <= 1'b0;
    else waiting_q <= valid_i && ready_o;
  end

  always_ff @(posedge clk_i) begin
    if (ready_o) begin
      beat_q <= addr_i[63:ToW];
      count_q <= count_d;
      last_byte_q <= last_byte_d;
    end
  end

  sterna_burst_splitter #(
    .DataW     (ToDataW),
    .BurstBeats(ToBeats)
  ) u_splitter (
    .clk_i,
    .rst_ni,
    .clear_i        (1'b0),
    .command_valid_i(waiting_q),
    .command_ready_o(free),
    .command_addr_i ({beat_q, ToW'(0)}),
    .command_bytes_i(32'({count_q, ToW'(0)})),
    .burst_valid_o  (valid_o),
    .burst_ready_i  (ready_i),
    .burst_addr_o   (addr_o),
    .burst_len_o    (len_o)
  );

  // No burst crosses a multiple of the longest one's size.
  assign last_o = (addr_o[PageW-1:0] ^ last_byte_q) >> LongestW == '0;

`ifdef VERILATOR
  Asked_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_i |-> 32'(addr_i[PageW-1:0]) + ((32'(len_i) + 32'd1) << FromW) <= 32'd1 << PageW);
  Aligned_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_i |-> addr_i[FromW-1:0] == '0);
`endif
endmodule
