// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Turns weight chunks into operations for the lanes and requests for vectors, one entry per cycle;
/// a SKIP goes together with the entry after it in its chunk, so that it costs no cycle.
///
/// Requests run ahead of operations: every operation with `op_vector_o` has one vector request, in
/// the same order. The end of a pass is an operation (`op_end_o`). An entry moves the vector
/// pointer only when the vector that the pointer is on has been written; so the pointer is never a
/// whole ring ahead, and vector numbers stay distinct.
module sterna_decoder #(
  /// Accumulators of a lane in one half.
  parameter int unsigned Accumulators = 16,
  /// Bits of an entry.
  parameter int unsigned EntryW = 7,
  /// Entries of a chunk.
  parameter int unsigned ChunkEntries = 4,
  /// Vectors in the vector buffer.
  parameter int unsigned BufferVectors = 64
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  /// Returns to the reset state with no chunk.
  input  logic                                clear_i,
  /// A chunk is there.
  input  logic                                chunk_valid_i,
  /// It is taken.
  output logic                                chunk_ready_o,
  /// Its entries, first in the low bits.
  input  logic [ChunkEntries-1:0][EntryW-1:0] chunk_data_i,
  /// Vectors written so far, modulo two rings.
  input  logic [$clog2(BufferVectors):0]      written_i,
  /// The vector pointer: the vector before the first, at the start.
  output logic [$clog2(BufferVectors):0]      pointer_o,
  /// An operation is there.
  output logic                                op_valid_o,
  /// It is taken.
  input  logic                                op_ready_i,
  /// End of the pass; the other fields mean nothing.
  output logic                                op_end_o,
  /// Double the accumulator; else add the vector.
  output logic                                op_double_o,
  /// Go on to the next requested vector first.
  output logic                                op_vector_o,
  /// Subtract the vector.
  output logic                                op_subtract_o,
  /// The accumulator.
  output logic [$clog2(Accumulators)-1:0]     op_acc_index_o,
  /// A request is there.
  output logic                                request_valid_o,
  /// It is taken.
  input  logic                                request_ready_i,
  /// The vector to read.
  output logic [$clog2(BufferVectors):0]      request_vector_o,
  /// No entry is there.
  output logic                                starved_o,
  /// An entry waits for the vector of the pointer to be written.
  output logic                                blocked_o
);
  localparam int unsigned AccIndexW = $clog2(Accumulators);
  /// An entry without its skip field.
  localparam int unsigned CodeW = EntryW - 2;
  localparam int unsigned VectorW = $clog2(BufferVectors);
  localparam int unsigned LeftW = $clog2(ChunkEntries + 1);

  generate
    if (EntryW < 7 || EntryW < $clog2(Accumulators) + 3) begin : gen_bad_entry_w
      initial $error("sterna_decoder: EntryW = %0d must be at least 7, and 3 more than an index",
                     EntryW);
    end
    if (ChunkEntries < 2) begin : gen_bad_chunk_entries
      initial $error("sterna_decoder: ChunkEntries = %0d must be at least 2", ChunkEntries);
    end
  endgenerate

  logic [ChunkEntries-1:0][EntryW-1:0] chunk_q;
  // Which of its entries are SKIPs: long paths begin with that.
  logic [ChunkEntries-1:0] skips_q, skips_d;
  logic [LeftW-1:0] left_q;
  logic [VectorW:0] vector_q, vector_d, beyond;

  logic [EntryW-1:0] entry;
  logic [1:0] skip;
  logic [CodeW-1:0] code;
  logic with_skip, is_add, is_command, is_double, is_skip, is_end, drop;
  logic needs_op, needs_request, moves, go, take, load;
  logic [LeftW-1:0] taken;

  /// Whether an entry is a SKIP: its code is CommandSkip but for the lowest three bits.
  function automatic logic skips(logic [EntryW-1:3] high);
    return high == {EntryControl, (CodeW - 3)'(CommandSkip >> 3)};
  endfunction

  assign with_skip = skips_q[0] && left_q > LeftW'(1);
  assign taken = with_skip ? LeftW'(2) : LeftW'(1);

  assign entry = with_skip ? chunk_q[1] : chunk_q[0];
  assign skip = entry[EntryW-1:CodeW];
  assign code = entry[CodeW-1:0];

  assign is_add = skip != EntryControl;
  assign is_double = !is_add && code[CodeW-1];
  assign is_command = !is_add && !code[CodeW-1];
  assign is_skip = with_skip ? skips_q[1] : skips_q[0];
  assign is_end = is_command && (code & ~CodeW'(3)) == CodeW'(CommandEndPass);
  assign drop = is_end || (is_command && code == CodeW'(CommandPad));

  assign needs_op = is_add || is_double || is_end;
  assign needs_request = is_add && skip != '0;
  assign moves = needs_request || with_skip || is_skip || is_end;
  assign starved_o = left_q == '0;

  // The highest bit of written - pointer - 1 is clear when the pointer's vector is written.
  assign beyond = written_i + ~vector_q;
  assign blocked_o = !starved_o && moves && beyond[VectorW];
  assign pointer_o = vector_q;

  // An entry leaves when each queue that it goes to has room.
  assign go = !starved_o && !(moves && beyond[VectorW]);
  assign take = go && (op_ready_i || !needs_op) && (request_ready_i || !needs_request);

  assign op_valid_o = go && needs_op && (request_ready_i || !needs_request);
  assign op_end_o = is_end;
  assign op_double_o = is_double;
  assign op_vector_o = needs_request;
  assign op_subtract_o = code[0];
  assign op_acc_index_o = is_double ? code[AccIndexW-1:0] : code[AccIndexW:1];
  assign request_valid_o = go && needs_request && op_ready_i;
  assign request_vector_o = vector_d;

  logic [VectorW:0] skipped, own;

  always_comb begin
    skipped = with_skip ? (VectorW+1)'(1) << chunk_q[0][2:0] : '0;
    own = '0;
    if (is_add) own = (VectorW+1)'(skip);
    else if (is_skip) own = (VectorW+1)'(1) << code[2:0];
    else if (is_end) own = (VectorW+1)'(code[1:0]);
    vector_d = vector_q + skipped + own;
  end

  assign load = starved_o || (take && (drop || left_q == taken));
  assign chunk_ready_o = load;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q <= '0;
      vector_q <= '1;
    end else if (clear_i) begin
      left_q <= '0;
      vector_q <= '1;
    end else begin
      if (load) left_q <= chunk_valid_i ? LeftW'(ChunkEntries) : '0;
      else if (take) left_q <= left_q - taken;
      if (take) vector_q <= vector_d;
    end
  end

  always_comb begin
    for (int i = 0; i < int'(ChunkEntries); i++) skips_d[i] = skips(chunk_data_i[i][EntryW-1:3]);
  end

  always_ff @(posedge clk_i) begin
    if (load) {chunk_q, skips_q} <= {chunk_data_i, skips_d};
    else if (take) begin
      chunk_q <= with_skip ? chunk_q >> (2 * EntryW) : chunk_q >> EntryW;
      skips_q <= with_skip ? skips_q >> 2 : skips_q >> 1;
    end
  end

`ifdef VERILATOR
  ChunkHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    chunk_valid_i && !chunk_ready_o |=> chunk_valid_i && $stable(chunk_data_i));
  Together_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    take |-> (op_valid_o && op_ready_i) == needs_op &&
             (request_valid_o && request_ready_i) == needs_request);
  Left_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    take |-> taken <= left_q);
`endif
endmodule
