/// Turns weight chunks into operations for the lanes and requests for lines, an entry a cycle.
///
/// Requests run ahead of operations: every operation with `op_line_o` has one line request, in the same order.
/// The end of a block is a request (`request_leave_o`) behind the block's lines; the end of a pass is an
/// operation (`op_end_o`) as well.
module sterna_decoder
  import sterna_pkg::*;
#(
  /// Bytes (entries) of a chunk.
  parameter int unsigned ChunkBytes = 4,
  /// Accumulators of a lane in one half.
  parameter int unsigned Slots = 16,
  /// Lines in a block.
  parameter int unsigned BlockLines = 64,
  localparam int unsigned SlotW = $clog2(Slots),
  localparam int unsigned LineW = $clog2(BlockLines)
) (
  /// Clock.
  input  logic                         clk_i,
  /// Reset, active low.
  input  logic                         rst_ni,
  /// Returns to the start of a block with no chunk.
  input  logic                         clear_i,
  /// A chunk is there.
  input  logic                         chunk_valid_i,
  /// It is taken.
  output logic                         chunk_ready_o,
  /// Its entries, first in the low byte.
  input  logic [ChunkBytes-1:0][7:0]   chunk_data_i,
  /// An operation is there.
  output logic                         op_valid_o,
  /// It is taken.
  input  logic                         op_ready_i,
  /// End of the pass; the other fields mean nothing.
  output logic                         op_end_o,
  /// Double the accumulator; else add the line.
  output logic                         op_double_o,
  /// Go on to the next requested line first.
  output logic                         op_line_o,
  /// Subtract the line.
  output logic                         op_subtract_o,
  /// The accumulator.
  output logic [SlotW-1:0]             op_slot_o,
  /// A request is there.
  output logic                         request_valid_o,
  /// It is taken.
  input  logic                         request_ready_i,
  /// Leave the block; else read a line.
  output logic                         request_leave_o,
  /// The line.
  output logic [LineW-1:0]             request_line_o,
  /// No entry is there.
  output logic                         starved_o
);

  localparam int unsigned LeftW = $clog2(ChunkBytes + 1);

  logic [ChunkBytes-1:0][7:0] chunk_q;
  logic [LeftW-1:0]           left_q;
  logic [LineW-1:0]           line_q, line_d;

  logic [7:0] entry;
  logic [1:0] skip;
  logic [5:0] command;
  logic       is_add, is_double, is_skip, is_end, is_end_pass, drop;
  logic       needs_op, needs_request, take, load;

  assign entry   = chunk_q[0];
  assign skip    = entry[7:6];
  assign command = entry[5:0];

  assign is_add      = skip != EntryControl;
  assign is_double   = !is_add && (command & CommandDouble) != '0;
  assign is_skip     = !is_add && (command & ~6'd7) == CommandSkip;
  assign is_end_pass = !is_add && command == CommandEndPass;
  assign is_end      = is_end_pass || (!is_add && command == CommandEndBlock);
  assign drop        = is_end || (!is_add && command == CommandPad);

  assign needs_op      = is_add || is_double || is_end_pass;
  assign needs_request = is_end || (is_add && skip != '0);
  assign starved_o     = left_q == '0;

  // An entry leaves when each queue that it goes to has room.
  assign take = !starved_o && (op_ready_i || !needs_op) && (request_ready_i || !needs_request);

  assign op_valid_o      = !starved_o && needs_op && (request_ready_i || !needs_request);
  assign op_end_o        = is_end_pass;
  assign op_double_o     = is_double;
  assign op_line_o       = is_add && skip != '0;
  assign op_subtract_o   = entry[0];
  assign op_slot_o       = is_double ? entry[SlotW-1:0] : entry[SlotW:1];
  assign request_valid_o = !starved_o && needs_request && (op_ready_i || !needs_op);
  assign request_leave_o = is_end;
  assign request_line_o  = line_d;

  always_comb begin
    line_d = line_q;
    if (is_add) line_d = line_q + LineW'(skip);
    else if (is_skip) line_d = line_q + (LineW'(1) << command[2:0]);
    else if (is_end || command == CommandRewind) line_d = '1;
  end

  assign load          = starved_o || (take && (drop || left_q == LeftW'(1)));
  assign chunk_ready_o = load;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q <= '0;
      line_q <= '1;
    end else if (clear_i) begin
      left_q <= '0;
      line_q <= '1;
    end else begin
      if (load) left_q <= chunk_valid_i ? LeftW'(ChunkBytes) : '0;
      else if (take) left_q <= left_q - LeftW'(1);
      if (take) line_q <= line_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) chunk_q <= chunk_data_i;
    else if (take) chunk_q <= chunk_q >> 8;
  end

endmodule
