// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// What is proved of `sterna_axi_reader`: it is an AXI4 manager, each port gets the beats of its
/// bursts, all of them and no others, and there is room for every beat, whenever it comes. That the
/// bursts are those of the transfer is proved of the splitter, the order in the buffers of these.
module sterna_axi_reader_checks #(
  /// As the reader's.
  parameter int unsigned DataW = 64,
  /// As the reader's.
  parameter int unsigned BurstBeats = 64,
  /// As the reader's.
  parameter int unsigned Outstanding = 16,
  /// As the reader's.
  parameter int unsigned BufferBeats = 512
) (
  input logic                             clk_i,
  input logic                             rst_ni,
  input logic                             flush_i,
  input logic                             idle_o,
  input logic [1:0]                       error_o,
  input logic [1:0]                       command_valid_i,
  input logic [1:0]                       command_ready_o,
  input logic [1:0][63:0]                 command_addr_i,
  input logic [1:0][31:0]                 command_bytes_i,
  input logic [1:0]                       beat_valid_o,
  input logic [1:0]                       beat_ready_i,
  input logic                             ar_valid_o,
  input logic                             ar_ready_i,
  input axi_address_t                     ar_o,
  input logic                             r_valid_i,
  input logic                             r_ready_o,
  input axi_read_t                        r_i,
  input logic [1:0]                       grant,
  input logic [1:0]                       burst_valid,
  input logic [1:0]                       has_room_q,
  input logic [1:0][63:0]                 burst_addr,
  input logic [1:0][7:0]                  burst_len,
  input logic [1:0]                       owned,
  input logic [1:0]                       wanted,
  /// Of each port: beats that are reserved, one that has just left, beats in the buffer.
  input logic [1:0][$clog2(BufferBeats + 1)-1:0] reserved,
  input logic [1:0]                       leaves,
  input logic [1:0][$clog2(BufferBeats + 1)-1:0] buffered,
  /// The queue of owners.
  input logic [$clog2(Outstanding):0]     owners,
  input logic [$clog2(Outstanding)-1:0]   oldest_owner,
  input logic [0:0]                       owner_of [Outstanding]
);
  localparam int unsigned ByteW = $clog2(DataW / 8);
  localparam int unsigned PtrW = $clog2(Outstanding);
  localparam int unsigned BeatsW = $clog2(BufferBeats + 1) + 1;
  localparam int unsigned PortBurst [2] = '{BurstBeats, 16};
  localparam int unsigned PortBuffer [2] = '{BufferBeats, 32};

  logic [PtrW:0] count;
  logic [PtrW-1:0] oldest, newest;
  logic [7:0] len [Outstanding];
  logic [7:0] done;

  formal_axi_read #(
    .DataW      (DataW),
    .Outstanding(Outstanding)
  ) u_axi (
    .clk_i,
    .rst_ni,
    .ar_valid_i(ar_valid_o),
    .ar_ready_i,
    .ar_i      (ar_o),
    .r_valid_i,
    .r_ready_i (r_ready_o),
    .r_i,
    .count_o   (count),
    .oldest_o  (oldest),
    .len_o     (len),
    .done_o    (done)
  );

  // Whose the bursts are, as the grants say.
  logic [Outstanding-1:0] second_q;
  logic flushed_q, was_idle_q;
  // Beats of each port's bursts that have not come out, and that have not come in.
  logic [1:0][BeatsW-1:0] owed_q, coming;

  assign newest = oldest + PtrW'(count);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      flushed_q <= 1'b0;
      was_idle_q <= 1'b1;
      owed_q <= '0;
    end else begin
      flushed_q <= flush_i;
      was_idle_q <= idle_o;
      for (int p = 0; p < 2; p++) begin
        if (flush_i) owed_q[p] <= '0;
        else owed_q[p] <= owed_q[p] - BeatsW'(beat_valid_o[p] && beat_ready_i[p]) +
                          (grant[p] ? BeatsW'(burst_len[p]) + BeatsW'(1) : '0);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (|grant) second_q[PtrW'(oldest + PtrW'(count) + PtrW'(ar_valid_o))] <= grant[1];
  end

  always_comb begin
    coming = '0;
    for (int unsigned i = 0; i < Outstanding; i++) begin
      if (i < 32'(count)) begin
        coming[second_q[PtrW'(oldest + PtrW'(i))]] +=
            BeatsW'(len[PtrW'(oldest + PtrW'(i))]) + BeatsW'(1);
      end
    end
    if (count != '0) coming[second_q[oldest]] -= BeatsW'(done);
    if (ar_valid_o) coming[second_q[newest]] += BeatsW'(ar_o.len) + BeatsW'(1);
  end

  // What the user owes: whole beats, and a flush that lasts until nothing is under way.
  Aligned_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    (!command_valid_i[0] || (command_addr_i[0][ByteW-1:0] == '0 &&
                             command_bytes_i[0][ByteW-1:0] == '0)) &&
    (!command_valid_i[1] || (command_addr_i[1][ByteW-1:0] == '0 &&
                             command_bytes_i[1][ByteW-1:0] == '0)));
  Flush_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    flushed_q && !was_idle_q |-> flush_i);

  // IHI 0022E A3.3.1 lets the memory wait for RREADY: it is always there.
  RReady_A: assert property (@(posedge clk_i) disable iff (!rst_ni) r_ready_o);
  Error_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    error_o == (r_valid_i && r_i.resp[1] ? 2'b01 << second_q[oldest] : 2'b00));
  Owner_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    r_valid_i |-> owned == 2'b01 << second_q[oldest]);
  First_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    grant[1] |-> !wanted[0]);

  generate
    for (genvar p = 0; p < 2; p++) begin : gen_port
      Address_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
        grant[p] |=> ar_valid_o && ar_o.addr == $past(burst_addr[p]) &&
                     ar_o.len == $past(burst_len[p]));
      Beats_A: assert property (@(posedge clk_i) disable iff (!rst_ni || flush_i || flushed_q)
        owed_q[p] == coming[p] + BeatsW'(buffered[p]));
      Idle_A: assert property (@(posedge clk_i) disable iff (!rst_ni) idle_o |-> coming[p] == '0);

      // What makes the induction close: every beat has its place.
      Account_A: assert property (@(posedge clk_i) disable iff (!rst_ni || flushed_q)
        BeatsW'(reserved[p]) == owed_q[p] + BeatsW'(leaves[p]));
      Reserve_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
        32'(reserved[p]) <= PortBuffer[p]);
      HasRoom_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
        burst_valid[p] && has_room_q[p] |-> 32'(reserved[p]) <= PortBuffer[p] - PortBurst[p]);
      Flushed_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
        flushed_q |-> reserved[p] == '0 && !leaves[p] && buffered[p] == '0 && !burst_valid[p] &&
                      owed_q[p] == '0);

      Both_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
        grant[p] && coming[1-p] != '0);
      Given_C: cover property (@(posedge clk_i) disable iff (!rst_ni || flush_i)
        owed_q[p] == BeatsW'(1) && beat_valid_o[p] && beat_ready_i[p] && !flushed_q);
    end
  endgenerate

  Owners_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    owners == (PtrW + 1)'(32'(count) + 32'(ar_valid_o)) && oldest_owner == oldest);
  generate
    for (genvar i = 0; i < Outstanding; i++) begin : gen_owner
      OwnerOf_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
        32'(PtrW'(PtrW'(i) - oldest)) < 32'(owners) |-> owner_of[i] == second_q[i]);
      Length_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
        32'(PtrW'(PtrW'(i) - oldest)) < 32'(count) |-> 32'(len[i]) < BurstBeats);
    end
  endgenerate
  ArLength_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ar_valid_o |-> 32'(ar_o.len) < BurstBeats);
  Idle_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    flushed_q && was_idle_q |-> owners == '0);

  Flush_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    flushed_q && r_valid_i && r_i.last && count > 1);
endmodule

bind sterna_axi_reader sterna_axi_reader_checks #(
  .DataW      (DataW),
  .BurstBeats (BurstBeats),
  .Outstanding(Outstanding),
  .BufferBeats(BufferBeats)
) u_checks (
  .reserved    ({gen_port[1].reserved_q, gen_port[0].reserved_q}),
  .leaves      ({gen_port[1].leaves_q, gen_port[0].leaves_q}),
  .buffered    ({BeatsW'(gen_port[1].gen_short.u_buffer.count),
                 BeatsW'(gen_port[0].gen_long.u_buffer.held_q) +
                 BeatsW'(gen_port[0].gen_long.u_buffer.read_valid_q) +
                 BeatsW'(gen_port[0].gen_long.u_buffer.valid_o)}),
  .owners      (u_owners.count),
  .oldest_owner(u_owners.read_q),
  .owner_of    (u_owners.mem_q),
  .*
);
