// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Reads transfers over AXI4 for two ports: commands in, beats out, each port in its own order. A
/// burst is asked for when its port's buffer has room for all of it, so the data channel never
/// waits and no port waits for the beats of the other to be taken. Port 0 goes first. Port 1 gets
/// what it leaves, in short bursts of which few are under way, so that they do not stand in front
/// of port 0's for long.
module sterna_axi_reader #(
  /// Bits of a bus beat.
  parameter int unsigned DataW = 64,
  /// Beats of the longest burst of port 0, a power of two, 16 to 64.
  parameter int unsigned BurstBeats = 64,
  /// Bursts that may be outstanding; a power of two.
  parameter int unsigned Outstanding = 16,
  /// Beats that port 0 can have under way or waiting to be taken; a power of two, more than the
  /// memory's latency in cycles and a burst.
  parameter int unsigned BufferBeats = 512
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  /// Port 1 may use all of its buffer; else as much of it as the shortest one has, so that the
  /// other port waits for less.
  input  logic                  hurry_i,
  /// While high, commands and beats are dropped and bursts that the bus has seen are completed.
  input  logic                  flush_i,
  /// Nothing is asked for or outstanding.
  output logic                  idle_o,
  /// A response to the port was an error (pulse).
  output logic [1:0]            error_o,
  /// The port asks for a transfer.
  input  logic [1:0]            command_valid_i,
  /// The transfer is taken.
  output logic [1:0]            command_ready_o,
  /// First byte, a multiple of the beat size.
  input  logic [1:0][63:0]      command_addr_i,
  /// Bytes, a multiple of the beat size.
  input  logic [1:0][31:0]      command_bytes_i,
  /// A beat is offered to the port.
  output logic [1:0]            beat_valid_o,
  /// The beat is taken.
  input  logic [1:0]            beat_ready_i,
  /// The beat.
  output logic [1:0][DataW-1:0] beat_data_o,
  /// AXI4 read address.
  output logic                  ar_valid_o,
  /// It is taken.
  input  logic                  ar_ready_i,
  /// A burst, inside 4 KB.
  output axi_address_t          ar_o,
  /// AXI4 read data.
  input  logic                  r_valid_i,
  /// It is taken (always).
  output logic                  r_ready_o,
  /// What comes with the data; the one ID is not looked at.
  input  axi_read_t             r_i,
  /// The data.
  input  logic [DataW-1:0]      r_data_i
);
  /// Beats of the longest burst of port 1.
  localparam int unsigned SecondBurstBeats = 16;
  /// Its buffer, which lies in block RAM if it is longer than the shortest: the wider a beat, the
  /// more of them are needed until a memory answers, and a word of a LOAD takes few.
  localparam int unsigned ShortBufferBeats = 32;
  localparam int unsigned SecondBufferBeats = DataW > 4 * ShortBufferBeats ? DataW / 4
                                                                           : ShortBufferBeats;
  localparam int unsigned BeatsW = $clog2(BufferBeats + 1);

  generate
    if (BurstBeats < SecondBurstBeats || BurstBeats > 64) begin : gen_bad_burst
      initial $error("sterna_axi_reader: BurstBeats = %0d must be %0d to 64", BurstBeats,
                     SecondBurstBeats);
    end
    if (BufferBeats < 2 * BurstBeats || BufferBeats != 2 ** $clog2(BufferBeats))
    begin : gen_bad_buffer
      initial $error("sterna_axi_reader: BufferBeats = %0d must be a power of two of at least %0d",
                     BufferBeats, 2 * BurstBeats);
    end
  endgenerate

  logic [1:0] no_command, burst_valid, has_room_q, wanted, grant, buffer_ready, buffer_empty, owned;
  logic [1:0][63:0] burst_addr;
  logic [1:0][7:0] burst_len;
  logic ar_free, ar_valid_d, ar_valid_q, owner, owner_ready, outstanding;
  logic [63:0] ar_addr_d, ar_addr_q;
  logic [7:0] ar_len_d, ar_len_q;
  logic unused;

  // ----------------------------------------------------------------------------------------- ports

  genvar p;
  generate
    for (p = 0; p < 2; p++) begin : gen_port
      localparam int unsigned PortBurst = p == 0 ? BurstBeats : SecondBurstBeats;
      localparam int unsigned PortBuffer = p == 0 ? BufferBeats : SecondBufferBeats;

      // Beats that are under way or in the buffer; a beat that is taken leaves a cycle later.
      // Whether a burst has room besides is looked at a cycle late as well, which is in time: the
      // splitter offers no burst in the cycle after one that was taken.
      logic [BeatsW-1:0] reserved_q, with_burst, without_burst;
      logic leaves_q;

      sterna_burst_splitter #(
        .DataW     (DataW),
        .BurstBeats(PortBurst)
      ) u_splitter (
        .clk_i,
        .rst_ni,
        .clear_i        (flush_i),
        .command_valid_i(command_valid_i[p]),
        .command_ready_o(no_command[p]),
        .command_addr_i (command_addr_i[p]),
        .command_bytes_i(command_bytes_i[p]),
        .burst_valid_o  (burst_valid[p]),
        .burst_ready_i  (grant[p]),
        .burst_addr_o   (burst_addr[p]),
        .burst_len_o    (burst_len[p])
      );

      if (p == 0 || PortBuffer > ShortBufferBeats) begin : gen_long
        sterna_ram_fifo #(
          .Width(DataW),
          .Depth(PortBuffer)
        ) u_buffer (
          .clk_i,
          .rst_ni,
          .clear_i(flush_i),
          .valid_i(r_valid_i && owned[p]),
          .ready_o(buffer_ready[p]),
          .data_i (r_data_i),
          .valid_o(beat_valid_o[p]),
          .ready_i(beat_ready_i[p]),
          .data_o (beat_data_o[p]),
          .empty_o(buffer_empty[p])
        );
      end else begin : gen_short
        sterna_fifo #(
          .Width(DataW),
          .Depth(PortBuffer)
        ) u_buffer (
          .clk_i,
          .rst_ni,
          .clear_i(flush_i),
          .valid_i(r_valid_i && owned[p]),
          .ready_o(buffer_ready[p]),
          .data_i (r_data_i),
          .valid_o(beat_valid_o[p]),
          .ready_i(beat_ready_i[p]),
          .data_o (beat_data_o[p]),
          .count_o()
        );
        assign buffer_empty[p] = !beat_valid_o[p];
      end

      assign owned[p] = owner == 1'(p);
      assign error_o[p] = r_valid_i && owned[p] && r_i.resp[1];
      assign wanted[p] = burst_valid[p] && has_room_q[p];
      assign command_ready_o[p] = no_command[p] && !flush_i;
      assign with_burst = reserved_q + BeatsW'(burst_len[p]) + BeatsW'(!leaves_q);
      assign without_burst = reserved_q - BeatsW'(leaves_q);

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          reserved_q <= '0;
          has_room_q[p] <= 1'b0;
          leaves_q <= 1'b0;
        end else if (flush_i) begin
          reserved_q <= '0;
          has_room_q[p] <= 1'b0;
          leaves_q <= 1'b0;
        end else begin
          reserved_q <= grant[p] ? with_burst : without_burst;
          has_room_q[p] <= reserved_q <= BeatsW'(PortBuffer - PortBurst) &&
                           (p == 0 || hurry_i ||
                            reserved_q <= BeatsW'(ShortBufferBeats - PortBurst));
          leaves_q <= beat_valid_o[p] && beat_ready_i[p];
        end
      end

`ifdef VERILATOR
      Reserved_A: assert property (@(posedge clk_i) disable iff (!rst_ni || flush_i)
        !outstanding && buffer_empty[p] && !leaves_q |-> reserved_q == '0);
`endif
    end
  endgenerate

  assign grant[0] = ar_free && wanted[0];
  assign grant[1] = ar_free && wanted[1] && !wanted[0];

  // The port of each burst that is outstanding, in order.
  sterna_fifo #(
    .Width(1),
    .Depth(Outstanding)
  ) u_owners (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(|grant),
    .ready_o(owner_ready),
    .data_i (grant[1]),
    .valid_o(outstanding),
    .ready_i(r_valid_i && r_i.last),
    .data_o (owner),
    .count_o()
  );

  assign idle_o = &no_command && !outstanding;

  // ------------------------------------------------------------------------------------------- bus

  assign ar_free = (!ar_valid_q || ar_ready_i) && owner_ready && !flush_i;
  assign unused = ^{r_i.id, r_i.resp[0], buffer_ready};

  assign ar_valid_o = ar_valid_q;
  assign ar_o = '{
    id: '0, addr: ar_addr_q, len: ar_len_q, size: 3'($clog2(DataW / 8)), burst: AxiBurst,
    lock: 1'b0, cache: AxiCache, prot: '0, qos: '0
  };
  assign r_ready_o = 1'b1;

  always_comb begin
    ar_valid_d = ar_valid_q && !ar_ready_i;
    ar_addr_d = ar_addr_q;
    ar_len_d = ar_len_q;
    if (|grant) begin
      ar_valid_d = 1'b1;
      ar_addr_d = grant[1] ? burst_addr[1] : burst_addr[0];
      ar_len_d = grant[1] ? burst_len[1] : burst_len[0];
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ar_valid_q <= 1'b0;
      ar_addr_q <= '0;
      ar_len_q <= '0;
    end else begin
      ar_valid_q <= ar_valid_d;
      ar_addr_q <= ar_addr_d;
      ar_len_q <= ar_len_d;
    end
  end

`ifdef VERILATOR
  Asked_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    r_valid_i |-> outstanding);
  Room_A: assert property (@(posedge clk_i) disable iff (!rst_ni || flush_i)
    r_valid_i |-> |(owned & buffer_ready));
  ArHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ar_valid_o && !ar_ready_i |=> ar_valid_o && $stable(ar_o));
  ArPage_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ar_valid_o |->
      32'(ar_o.addr[11:0]) + (32'(ar_o.len) + 32'd1) * 32'(DataW / 8) <= 32'd4096);
`endif
endmodule
