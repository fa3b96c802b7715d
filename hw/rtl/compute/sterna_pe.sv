// SPDX-License-Identifier: Apache-2.0

/// One PE: decodes its weight chunks and adds or subtracts vectors to accumulators, one operation a
/// cycle on all lanes. It waits by itself for vectors, for the half to be drained, for the drain's
/// reads and when an accumulator was touched in the cycle before.
///
/// An operation is issued when its vector has been asked for, and takes it when that has arrived:
/// operations go through a pipeline as long as the way of a vector. So one vector read ahead is all
/// that has to be held.
module sterna_pe #(
  /// Lanes.
  parameter int unsigned Lanes = 25,
  /// Accumulators of a lane in one half.
  parameter int unsigned Accumulators = 16,
  /// Vectors in the vector buffer.
  parameter int unsigned BufferVectors = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bytes of a weight chunk.
  parameter int unsigned ChunkBytes = 4,
  /// Weight chunks held.
  parameter int unsigned FifoChunks = 8
) (
  input  logic                           clk_i,
  input  logic                           rst_ni,
  /// Returns to the reset state.
  input  logic                           clear_i,
  /// A weight chunk is there.
  input  logic                           chunk_valid_i,
  /// It is taken.
  output logic                           chunk_ready_o,
  /// Its entries, first in the low bits.
  input  logic [ChunkBytes*8-1:0]        chunk_data_i,
  /// Vectors written to the vector buffer so far, modulo two rings.
  input  logic [$clog2(BufferVectors):0] written_i,
  /// The vectors before this one are no longer needed.
  output logic [$clog2(BufferVectors):0] tail_o,
  /// Asks for a vector.
  output logic                           read_valid_o,
  /// The request is accepted.
  input  logic                           read_ready_i,
  /// The vector.
  output logic [$clog2(BufferVectors):0] read_vector_o,
  /// The vector comes in, three cycles after its request was accepted.
  input  logic                           vector_valid_i,
  /// The vector.
  input  logic [Lanes-1:0][ActW-1:0]     vector_data_i,
  /// The pass in this half of the accumulators has ended.
  output logic [1:0]                     ended_o,
  /// That half has been read (pulse).
  input  logic [1:0]                     free_i,
  /// The drain reads an accumulator into the row register; `row_o` shows it five cycles later.
  input  logic                           drain_read_i,
  /// Half and accumulator.
  input  logic [$clog2(Accumulators):0]  drain_address_i,
  /// The row register takes over the next PE's; `row_o` shows it five cycles later.
  input  logic                           row_shift_i,
  /// Row register of the next PE.
  input  logic [Lanes-1:0][AccW-1:0]     row_i,
  /// Row register.
  output logic [Lanes-1:0][AccW-1:0]     row_o,
  /// An addition started in the cycle before; what is waited for is as late.
  output logic                           busy_o,
  /// Waits for vectors.
  output logic                           wait_vectors_o,
  /// Waits for weights.
  output logic                           wait_weights_o,
  /// Waits for the drain.
  output logic                           wait_drain_o
);
  /* verilator no_inline_module */

  localparam int unsigned AccIndexW = $clog2(Accumulators);
  localparam int unsigned VectorW = $clog2(BufferVectors);
  /// Lanes of a lane group.
  localparam int unsigned GroupLanes = 64;
  localparam int unsigned Groups = (Lanes + GroupLanes - 1) / GroupLanes;
  localparam int unsigned EntryW = (AccIndexW > 4 ? AccIndexW : 4) + 3;
  localparam int unsigned ChunkEntries = ChunkBytes * 8 / EntryW;
  localparam int unsigned ChunkW = ChunkEntries * EntryW;
  /// Operations that the decoder can be ahead.
  localparam int unsigned OpDepth = 8;
  /// Requests that it can be ahead.
  localparam int unsigned RequestDepth = 4;
  /// Vectors read ahead. With two the loss at densities of 0.1 and 0.15 would be 2 % and 1 % less.
  localparam int unsigned VectorDepth = 1;
  /// Cycles from the issue of an operation to the lanes' inputs. Issued in the cycle after its
  /// vector was asked for, it takes the vector a cycle after that, when the vector has come to the
  /// end of the queue.
  localparam int unsigned IssueStages = VectorDepth + 1;

  typedef struct packed {
    logic last;
    logic twice;
    logic vector;
    logic subtract;
    logic [AccIndexW-1:0] acc_index;
  } op_t;

  /// What the lanes do.
  typedef struct packed {
    logic add;
    logic twice;
    logic vector;
    logic subtract;
    logic zero;
    logic row_load;
    logic row_shift;
    logic [AccIndexW:0] address;
  } action_t;

  // All but the queue of chunks, which may be offered one, is cleared a cycle later, by a register
  // of its own: PEs have most of the engine's registers.
  logic clear_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) clear_q <= 1'b0;
    else clear_q <= clear_i;
  end

  // Chunks to operations and requests.

  logic chunk_valid, chunk_ready, starved, blocked;
  logic [ChunkW-1:0] chunk_data;
  op_t decoded_op, queued_op, op_q;
  logic decoded_op_valid, decoded_op_ready, queued_op_valid, op_valid_q, op_load;
  logic decoded_request_valid, decoded_request_ready, request_valid;
  logic [VectorW:0] decoded_request_vector, request_vector, pointer, written_q;

  sterna_fifo #(
    .Width     (ChunkW),
    .Depth     (FifoChunks),
    .Registered(1'b1)
  ) u_chunks (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(chunk_valid_i),
    .ready_o(chunk_ready_o),
    .data_i (chunk_data_i[ChunkW-1:0]),
    .valid_o(chunk_valid),
    .ready_i(chunk_ready),
    .data_o (chunk_data),
    .count_o()
  );

  sterna_decoder #(
    .Accumulators (Accumulators),
    .EntryW       (EntryW),
    .ChunkEntries (ChunkEntries),
    .BufferVectors(BufferVectors)
  ) u_decoder (
    .clk_i,
    .rst_ni,
    .clear_i(clear_q),
    .chunk_valid_i   (chunk_valid),
    .chunk_ready_o   (chunk_ready),
    .chunk_data_i    (chunk_data),
    .written_i       (written_q),
    .pointer_o       (pointer),
    .op_valid_o      (decoded_op_valid),
    .op_ready_i      (decoded_op_ready),
    .op_end_o        (decoded_op.last),
    .op_double_o     (decoded_op.twice),
    .op_vector_o     (decoded_op.vector),
    .op_subtract_o   (decoded_op.subtract),
    .op_acc_index_o  (decoded_op.acc_index),
    .request_valid_o (decoded_request_valid),
    .request_ready_i (decoded_request_ready),
    .request_vector_o(decoded_request_vector),
    .starved_o       (starved),
    .blocked_o       (blocked)
  );

  sterna_fifo #(
    .Width($bits(op_t)),
    .Depth(OpDepth)
  ) u_ops (
    .clk_i,
    .rst_ni,
    .clear_i(clear_q),
    .valid_i(decoded_op_valid),
    .ready_o(decoded_op_ready),
    .data_i (decoded_op),
    .valid_o(queued_op_valid),
    .ready_i(op_load),
    .data_o (queued_op),
    .count_o()
  );

  sterna_fifo #(
    .Width     (VectorW + 1),
    .Depth     (RequestDepth),
    .Registered(1'b1)
  ) u_requests (
    .clk_i,
    .rst_ni,
    .clear_i(clear_q),
    .valid_i(decoded_request_valid),
    .ready_o(decoded_request_ready),
    .data_i (decoded_request_vector),
    .valid_o(request_valid),
    .ready_i(read_ready_i && read_valid_o),
    .data_o (request_vector),
    .count_o()
  );

  // Vectors: asked for in order, when they are written and the vector asked for before is taken.

  logic asked_q, take;
  logic [VectorW:0] beyond;
  logic [Lanes-1:0][ActW-1:0] vector_data;

  // As in the decoder: the highest bit of written - vector - 1 is clear when the vector is written.
  assign beyond = written_q + ~request_vector;
  assign read_valid_o = request_valid && !beyond[VectorW] && (!asked_q || take);
  assign read_vector_o = request_vector;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      written_q <= '0;
      tail_o <= '1;
      asked_q <= 1'b0;
    end else if (clear_q) begin
      written_q <= '0;
      tail_o <= '1;
      asked_q <= 1'b0;
    end else begin
      written_q <= written_i;
      tail_o <= request_valid ? request_vector : pointer;
      asked_q <= (read_valid_o && read_ready_i) || (asked_q && !take);
    end
  end

  // Issue. Requests depend on it in the same cycle, so it starts from registers: whether the half
  // is not drained yet, and whether the operation touches the accumulator of the one before, which
  // was an addition.

  logic half_q, half_d, undrained_q, hazard_q;
  logic [1:0] ended_q, ended_d;
  logic [2*Accumulators-1:0] touched_q, touched_d;
  logic no_vector, add, last;
  logic [AccIndexW:0] address;
  action_t action;

  assign no_vector = op_q.vector && !asked_q;
  assign add = op_valid_q && !op_q.last && !undrained_q && !drain_read_i && !no_vector && !hazard_q;
  assign last = op_valid_q && op_q.last && !undrained_q;
  assign take = add && op_q.vector;
  assign op_load = !op_valid_q || add || last;
  assign half_d = half_q ^ last;
  assign address = drain_read_i ? drain_address_i : {half_q, op_q.acc_index};
  assign ended_o = ended_q;

  assign action.add = add;
  assign action.twice = op_q.twice;
  assign action.vector = take;
  assign action.subtract = op_q.subtract;
  assign action.address = address;
  assign action.zero = !touched_q[address];
  assign action.row_load = drain_read_i;
  assign action.row_shift = row_shift_i;

  always_comb begin
    ended_d = ended_q & ~free_i;
    touched_d = touched_q & ~{{Accumulators{free_i[1]}}, {Accumulators{free_i[0]}}};
    if (last) ended_d[half_q] = 1'b1;
    if (add) touched_d[{half_q, op_q.acc_index}] = 1'b1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      op_valid_q <= 1'b0;
      half_q <= 1'b0;
      ended_q <= '0;
      undrained_q <= 1'b0;
      touched_q <= '0;
      hazard_q <= 1'b0;
    end else if (clear_q) begin
      op_valid_q <= 1'b0;
      half_q <= 1'b0;
      ended_q <= '0;
      undrained_q <= 1'b0;
      touched_q <= '0;
      hazard_q <= 1'b0;
    end else begin
      if (op_load) op_valid_q <= queued_op_valid;
      half_q <= half_d;
      ended_q <= ended_d;
      undrained_q <= ended_d[half_d];
      touched_q <= touched_d;
      hazard_q <= add && queued_op.acc_index == op_q.acc_index;
    end
  end

  always_ff @(posedge clk_i) begin
    if (op_load) op_q <= queued_op;
  end

  // From the issue to the lanes, numbered by the cycles since the issue.

  action_t action_q [IssueStages + 1];
  logic take_q;

  assign action_q[0] = action;

  genvar i, g;
  generate
    for (i = 1; i <= IssueStages; i++) begin : gen_stage
      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          action_q[i] <= '0;
        end else if (clear_q) begin
          action_q[i] <= '0;
        end else begin
          action_q[i] <= action_q[i-1];
        end
      end
    end
  endgenerate

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      take_q <= 1'b0;
    end else if (clear_q) begin
      take_q <= 1'b0;
    end else begin
      take_q <= action_q[IssueStages].vector;
    end
  end

  sterna_vector_queue #(
    .Width(Lanes * ActW),
    .Depth(VectorDepth)
  ) u_vectors (
    .clk_i,
    .rst_ni,
    .clear_i(clear_q),
    .valid_i(vector_valid_i),
    .data_i (vector_data_i),
    .take_i (take_q),
    .data_o (vector_data)
  );

  generate
    for (g = 0; g < Groups; g++) begin : gen_group
      localparam int unsigned First = g * GroupLanes;
      localparam int unsigned Count = Lanes - First < GroupLanes ? Lanes - First : GroupLanes;

      sterna_lane_group #(
        .Lanes       (Count),
        .Accumulators(2 * Accumulators),
        .ActW        (ActW),
        .AccW        (AccW)
      ) u_lanes (
        .clk_i,
        .rst_ni,
        .clear_i      (clear_q),
        .address_i    (action_q[IssueStages].address),
        .zero_i       (action_q[IssueStages].zero),
        .add_i        (action_q[IssueStages].add),
        .double_i     (action_q[IssueStages].twice),
        .subtract_i   (action_q[IssueStages].subtract),
        .vector_i     (action_q[IssueStages].vector),
        .vector_data_i(vector_data[First+:Count]),
        .row_load_i   (action_q[IssueStages].row_load),
        .row_shift_i  (action_q[IssueStages].row_shift),
        .row_i        (row_i[First+:Count]),
        .row_o        (row_o[First+:Count])
      );
    end
  endgenerate

  // Statistics: a cycle counts for the first thing that is waited for.

  logic wait_drain, wait_vectors, wait_weights;

  assign wait_drain = op_valid_q && (undrained_q || (drain_read_i && !op_q.last));
  assign wait_vectors = op_valid_q ? !undrained_q && !drain_read_i && !op_q.last && no_vector
                                   : blocked || (!starved && request_valid && !read_ready_i);
  assign wait_weights = !op_valid_q && !queued_op_valid && starved;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {busy_o, wait_drain_o, wait_vectors_o, wait_weights_o} <= '0;
    else if (clear_q) {busy_o, wait_drain_o, wait_vectors_o, wait_weights_o} <= '0;
    else begin
      {busy_o, wait_drain_o, wait_vectors_o, wait_weights_o} <=
          {add, wait_drain, wait_vectors, wait_weights};
    end
  end

`ifdef VERILATOR
  FreeEnded_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_q)
    (free_i & ~ended_q) == '0)
    else $error("a half is freed before its pass has ended");
  DoubleTouched_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_q)
    add && op_q.twice |-> touched_q[address])
    else $error("an accumulator is doubled that holds nothing");
  DrainEnded_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_q)
    drain_read_i |-> ended_q[drain_address_i[AccIndexW]])
    else $error("the drain reads a pass that has not ended");
`endif

endmodule
