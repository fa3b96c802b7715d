// SPDX-License-Identifier: Apache-2.0

/// PEs and their vector buffers: computes passes of Pes * Accumulators filters (a quarter with
/// pooling) for one tile each. A drain takes the accumulators.
module sterna_cluster #(
  /// Rows of a tile.
  parameter int unsigned TileH = 5,
  /// Columns of a tile.
  parameter int unsigned TileW = 5,
  /// PEs; two share a vector buffer.
  parameter int unsigned Pes = 4,
  /// Accumulators of a lane in one half.
  parameter int unsigned Accumulators = 16,
  /// Vectors in a vector buffer; a ring.
  parameter int unsigned BufferVectors = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bytes of a weight chunk.
  parameter int unsigned ChunkBytes = 4,
  /// Weight chunks that a PE holds.
  parameter int unsigned FifoChunks = 8
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  /// Returns to the reset state; memories keep their contents.
  input  logic                             clear_i,
  /// A vector is there.
  input  logic                             vector_valid_i,
  /// It is taken.
  output logic                             vector_ready_o,
  /// The vector.
  input  logic [TileH*TileW-1:0][ActW-1:0] vector_data_i,
  /// A weight chunk for each PE is there.
  input  logic [Pes-1:0]                   chunk_valid_i,
  /// It is taken.
  output logic [Pes-1:0]                   chunk_ready_o,
  /// Its entries, first in the low bits.
  input  logic [Pes-1:0][ChunkBytes*8-1:0] chunk_data_i,
  /// All PEs have ended the pass in this half of the accumulators.
  output logic [1:0]                       ended_o,
  /// That half has been read (pulse).
  input  logic [1:0]                       free_i,
  /// All PEs read an accumulator into their row registers; `row_o` shows the first PE's six cycles
  /// later.
  input  logic                             drain_read_i,
  /// Half and accumulator.
  input  logic [$clog2(Accumulators):0]    drain_address_i,
  /// The row registers take over the next PE's; `row_o` shows it six cycles later.
  input  logic                             row_shift_i,
  /// First row register of the next cluster.
  input  logic [TileH*TileW-1:0][AccW-1:0] row_i,
  /// First row register.
  output logic [TileH*TileW-1:0][AccW-1:0] row_o,
  /// PEs that started an addition two cycles ago; the other counts are as late.
  output logic [$clog2(Pes + 1)-1:0]       busy_o,
  /// PEs that waited for vectors.
  output logic [$clog2(Pes + 1)-1:0]       wait_vectors_o,
  /// PEs that waited for weights.
  output logic [$clog2(Pes + 1)-1:0]       wait_weights_o,
  /// PEs that waited for the drain.
  output logic [$clog2(Pes + 1)-1:0]       wait_drain_o
);
  /* verilator no_inline_module */

  localparam int unsigned Lanes = TileH * TileW;
  localparam int unsigned AccIndexW = $clog2(Accumulators);
  localparam int unsigned CountW = $clog2(Pes + 1);
  localparam int unsigned VectorW = $clog2(BufferVectors);
  localparam int unsigned MarginW = 3;

  generate
    if (Pes < 4 || Pes > 32 || (1 << $clog2(Pes)) != Pes) begin : gen_bad_pes
      initial $error("sterna_cluster: Pes = %0d must be a power of two, 4 to 32", Pes);
    end
    if (Accumulators < 4 || Accumulators > 32 || (1 << AccIndexW) != Accumulators)
    begin : gen_bad_accumulators
      initial $error("sterna_cluster: Accumulators = %0d must be a power of two, 4 to 32",
                     Accumulators);
    end
    if (BufferVectors < 32 || BufferVectors > 1024 || (1 << VectorW) != BufferVectors)
    begin : gen_bad_buffer_vectors
      initial $error("sterna_cluster: BufferVectors = %0d must be a power of two, 32 to 1024",
                     BufferVectors);
    end
    if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
      initial $error("sterna_cluster: ActW = %0d must be 4 to 8", ActW);
    end
    if (AccW < ActW + 4 || AccW > 32) begin : gen_bad_acc_w
      initial $error("sterna_cluster: AccW = %0d must be ActW + 4 to 32", AccW);
    end
  endgenerate

  // Vectors go to all vector buffers, when every PE has gone past their places; a register stage
  // helps the fan-out. Numbers of vectors are modulo two rings.

  logic [VectorW:0] taken_q, written_q;
  logic [Pes-1:0][VectorW:0] tail;
  logic [Pes-1:0] room_q;
  logic ready_q, vector_take, vector_valid_q;
  logic [VectorW-1:0] vector_address_q;
  logic [Lanes-1:0][ActW-1:0] vector_data_q;

  assign vector_ready_o = ready_q;
  assign vector_take = vector_valid_i && vector_ready_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      taken_q <= '0;
      written_q <= '0;
      vector_valid_q <= 1'b0;
      ready_q <= 1'b0;
    end else if (clear_i) begin
      taken_q <= '0;
      written_q <= '0;
      vector_valid_q <= 1'b0;
      ready_q <= 1'b0;
    end else begin
      taken_q <= taken_q + (VectorW+1)'(vector_take);
      written_q <= written_q + (VectorW+1)'(vector_valid_q);
      vector_valid_q <= vector_take;
      ready_q <= &room_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (vector_take) begin
      vector_address_q <= taken_q[VectorW-1:0];
      vector_data_q <= vector_data_i;
    end
  end

  genvar u, p, i;

  // A PE leaves room unless 2**MarginW vectors or fewer are free behind it, or it is ahead of the
  // vectors taken. Two vectors can be taken after the one that fills it up, before `ready_q` falls.
  generate
    for (u = 0; u < Pes; u++) begin : gen_room
      logic [VectorW:0] held;

      assign held = taken_q - tail[u];

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          room_q[u] <= 1'b0;
        end else if (clear_i) begin
          room_q[u] <= 1'b0;
        end else begin
          room_q[u] <= held[VectorW] || !(&held[VectorW-1:MarginW]);
        end
      end
    end
  endgenerate

  // PEs in pairs.

  logic [Pes-1:0][1:0] ended;
  logic [1:0] all_ended_d, all_ended_q;
  logic [Lanes-1:0][AccW-1:0] row [Pes];
  logic [Pes-1:0] busy, wait_vectors, wait_weights, wait_drain;

  assign row_o = row[0];

  generate
    for (p = 0; p < Pes / 2; p++) begin : gen_pair
      logic [1:0] read_valid, read_ready, vector_valid;
      logic [1:0][VectorW:0] read_vector;
      logic [Lanes-1:0][ActW-1:0] vector_data;
      // What the drain does reaches the PEs from registers near to them.
      (* preserve, dont_merge *) logic drain_read_q, row_shift_q;
      (* preserve, dont_merge *) logic [1:0] free_q;
      (* preserve, dont_merge *) logic [AccIndexW:0] drain_address_q;

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          {drain_read_q, row_shift_q, free_q} <= '0;
        end else if (clear_i) begin
          {drain_read_q, row_shift_q, free_q} <= '0;
        end else begin
          {drain_read_q, row_shift_q, free_q} <= {drain_read_i, row_shift_i, free_i};
        end
      end

      always_ff @(posedge clk_i) begin
        drain_address_q <= drain_address_i;
      end

      sterna_vector_buffer #(
        .Lanes        (Lanes),
        .ActW         (ActW),
        .BufferVectors(BufferVectors)
      ) u_vectors (
        .clk_i,
        .rst_ni,
        .clear_i,
        .write_valid_i  (vector_valid_q),
        .write_address_i(vector_address_q),
        .write_data_i   (vector_data_q),
        .read_valid_i   (read_valid),
        .read_ready_o   (read_ready),
        .read_vector_i  (read_vector),
        .vector_valid_o (vector_valid),
        .vector_data_o  (vector_data)
      );

      for (i = 0; i < 2; i++) begin : gen_pe
        localparam int unsigned U = 2 * p + i;

        logic [Lanes-1:0][AccW-1:0] next_row;

        if (U == Pes - 1) begin : gen_last
          assign next_row = row_i;
        end else begin : gen_chain
          assign next_row = row[U+1];
        end

        sterna_pe #(
          .Lanes        (Lanes),
          .Accumulators (Accumulators),
          .BufferVectors(BufferVectors),
          .ActW         (ActW),
          .AccW         (AccW),
          .ChunkBytes   (ChunkBytes),
          .FifoChunks   (FifoChunks)
        ) u_pe (
          .clk_i,
          .rst_ni,
          .clear_i,
          .chunk_valid_i  (chunk_valid_i[U]),
          .chunk_ready_o  (chunk_ready_o[U]),
          .chunk_data_i   (chunk_data_i[U]),
          .written_i      (written_q),
          .tail_o         (tail[U]),
          .read_valid_o   (read_valid[i]),
          .read_ready_i   (read_ready[i]),
          .read_vector_o  (read_vector[i]),
          .vector_valid_i (vector_valid[i]),
          .vector_data_i  (vector_data),
          .ended_o        (ended[U]),
          .free_i         (free_q),
          .drain_read_i   (drain_read_q),
          .drain_address_i(drain_address_q),
          .row_shift_i    (row_shift_q),
          .row_i          (next_row),
          .row_o          (row[U]),
          .busy_o         (busy[U]),
          .wait_vectors_o (wait_vectors[U]),
          .wait_weights_o (wait_weights[U]),
          .wait_drain_o   (wait_drain[U])
        );
      end
    end
  endgenerate

  always_comb begin
    all_ended_d = '1;
    for (int unsigned pe = 0; pe < Pes; pe++) all_ended_d &= ended[pe];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      all_ended_q <= '0;
    end else if (clear_i) begin
      all_ended_q <= '0;
    end else begin
      all_ended_q <= all_ended_d;
    end
  end

  assign ended_o = all_ended_q;

  // Statistics: a sum of the PEs' registers, and one of clusters after it.

  logic [CountW-1:0] sum_busy, sum_wait_vectors, sum_wait_weights, sum_wait_drain;

  always_comb begin
    {sum_busy, sum_wait_vectors, sum_wait_weights, sum_wait_drain} = '0;
    for (int unsigned pe = 0; pe < Pes; pe++) begin
      sum_busy += CountW'(busy[pe]);
      sum_wait_vectors += CountW'(wait_vectors[pe]);
      sum_wait_weights += CountW'(wait_weights[pe]);
      sum_wait_drain += CountW'(wait_drain[pe]);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {busy_o, wait_vectors_o, wait_weights_o, wait_drain_o} <= '0;
    end else begin
      {busy_o, wait_vectors_o, wait_weights_o, wait_drain_o} <=
          {sum_busy, sum_wait_vectors, sum_wait_weights, sum_wait_drain};
    end
  end

`ifdef VERILATOR
  VectorStable_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    vector_valid_i && !vector_ready_o |=> vector_valid_i && $stable(vector_data_i))
    else $error("a vector changed or vanished while it waited");
  generate
    for (u = 0; u < Pes; u++) begin : gen_assert
      NoOverrun_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
        vector_take |-> gen_room[u].held[VectorW] || !(&gen_room[u].held[VectorW-1:0]))
        else $error("PE %0d has not gone past the place of a vector", u);
    end
  endgenerate
`endif

endmodule
