/// One unit: decodes its weight chunks and adds or subtracts lines to accumulators, one operation a cycle on
/// all lanes. It waits by itself for lines, for the half to be drained, for the drain's reads and when an
/// accumulator was touched in the cycle before.
///
/// An operation is issued when its line has been asked for, and takes it when that has arrived: operations go
/// through a pipeline as long as the way of a line. So one line read ahead is all that has to be held.
module sterna_unit #(
  /// Lanes.
  parameter int unsigned Lanes = 25,
  /// Accumulators of a lane in one half.
  parameter int unsigned Slots = 16,
  /// Lines in the line buffer.
  parameter int unsigned BufferLines = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bytes of a weight chunk.
  parameter int unsigned ChunkBytes = 4,
  /// Weight chunks held.
  parameter int unsigned FifoChunks = 8,
  localparam int unsigned SlotW = $clog2(Slots),
  localparam int unsigned LineW = $clog2(BufferLines)
) (
  /// Clock.
  input  logic                         clk_i,
  /// Reset, active low.
  input  logic                         rst_ni,
  /// Returns to the reset state.
  input  logic                         clear_i,
  /// A weight chunk is there.
  input  logic                         chunk_valid_i,
  /// It is taken.
  output logic                         chunk_ready_o,
  /// Its entries, first in the low bits.
  input  logic [ChunkBytes*8-1:0]      chunk_data_i,
  /// Lines written to the line buffer so far, modulo two rings.
  input  logic [LineW:0]               written_i,
  /// The lines before this one are no longer needed.
  output logic [LineW:0]               tail_o,
  /// Asks for a line.
  output logic                         read_valid_o,
  /// The request is accepted.
  input  logic                         read_ready_i,
  /// The line.
  output logic [LineW:0]               read_line_o,
  /// The line comes in, three cycles after its request was accepted.
  input  logic                         line_valid_i,
  /// The line.
  input  logic [Lanes-1:0][ActW-1:0]   line_data_i,
  /// The pass in this half of the accumulators has ended.
  output logic [1:0]                   ended_o,
  /// That half has been read (pulse).
  input  logic [1:0]                   free_i,
  /// The drain reads an accumulator into the row register; `row_o` shows it five cycles later.
  input  logic                         drain_read_i,
  /// Half and slot.
  input  logic [SlotW:0]               drain_address_i,
  /// The row register takes over the next unit's; `row_o` shows it five cycles later.
  input  logic                         row_shift_i,
  /// Row register of the next unit.
  input  logic [Lanes-1:0][AccW-1:0]   row_i,
  /// Row register.
  output logic [Lanes-1:0][AccW-1:0]   row_o,
  /// An addition starts.
  output logic                         busy_o,
  /// Waits for lines.
  output logic                         wait_lines_o,
  /// Waits for weights.
  output logic                         wait_weights_o,
  /// Waits for the drain.
  output logic                         wait_drain_o
);
  /* verilator no_inline_module */

  /// Lanes of a lane group.
  localparam int unsigned GroupLanes = 64;
  localparam int unsigned Groups = (Lanes + GroupLanes - 1) / GroupLanes;
  localparam int unsigned EntryW = (SlotW > 4 ? SlotW : 4) + 3;
  localparam int unsigned ChunkEntries = ChunkBytes * 8 / EntryW;
  localparam int unsigned ChunkW = ChunkEntries * EntryW;
  /// Operations that the decoder can be ahead.
  localparam int unsigned OpDepth = 8;
  /// Requests that it can be ahead.
  localparam int unsigned RequestDepth = 4;
  /// Lines read ahead. With two the loss at densities of 0.1 and 0.15 would be 2 % and 1 % less.
  localparam int unsigned LineDepth = 1;
  /// Cycles from the issue of an operation to the lanes' inputs. Issued in the cycle after its line was asked for, it
  /// takes the line a cycle after that, when the line has come to the end of the queue.
  localparam int unsigned IssueStages = LineDepth + 1;

  typedef struct packed {
    logic             last;
    logic             twice;
    logic             line;
    logic             subtract;
    logic [SlotW-1:0] slot;
  } op_t;

  /// What the lanes do.
  typedef struct packed {
    logic           add;
    logic           twice;
    logic           line;
    logic           subtract;
    logic           zero;
    logic           row_load;
    logic           row_shift;
    logic [SlotW:0] address;
  } action_t;

  // Chunks to operations and requests.

  logic              chunk_valid, chunk_ready, starved, blocked;
  logic [ChunkW-1:0] chunk_data;
  op_t               decoded_op, queued_op, op_q;
  logic              decoded_op_valid, decoded_op_ready, queued_op_valid, op_valid_q, op_load;
  logic              decoded_request_valid, decoded_request_ready, request_valid;
  logic [LineW:0]    decoded_request_line, request_line, pointer, written_q;

  sterna_fifo #(.Width(ChunkW), .Depth(FifoChunks)) u_chunks (
    .clk_i, .rst_ni, .clear_i,
    .valid_i(chunk_valid_i), .ready_o(chunk_ready_o), .data_i(chunk_data_i[ChunkW-1:0]),
    .valid_o(chunk_valid), .ready_i(chunk_ready), .data_o(chunk_data), .count_o()
  );

  sterna_decoder #(
    .Slots(Slots), .ChunkEntries(ChunkEntries), .BufferLines(BufferLines)
  ) u_decoder (
    .clk_i, .rst_ni, .clear_i,
    .chunk_valid_i(chunk_valid), .chunk_ready_o(chunk_ready), .chunk_data_i(chunk_data),
    .written_i(written_q), .pointer_o(pointer),
    .op_valid_o(decoded_op_valid), .op_ready_i(decoded_op_ready),
    .op_end_o(decoded_op.last), .op_double_o(decoded_op.twice), .op_line_o(decoded_op.line),
    .op_subtract_o(decoded_op.subtract), .op_slot_o(decoded_op.slot),
    .request_valid_o(decoded_request_valid), .request_ready_i(decoded_request_ready),
    .request_line_o(decoded_request_line),
    .starved_o(starved), .blocked_o(blocked)
  );

  sterna_fifo #(.Width($bits(op_t)), .Depth(OpDepth)) u_ops (
    .clk_i, .rst_ni, .clear_i,
    .valid_i(decoded_op_valid), .ready_o(decoded_op_ready), .data_i(decoded_op),
    .valid_o(queued_op_valid), .ready_i(op_load), .data_o(queued_op), .count_o()
  );

  sterna_fifo #(.Width(LineW + 1), .Depth(RequestDepth)) u_requests (
    .clk_i, .rst_ni, .clear_i,
    .valid_i(decoded_request_valid), .ready_o(decoded_request_ready), .data_i(decoded_request_line),
    .valid_o(request_valid), .ready_i(read_ready_i && read_valid_o), .data_o(request_line), .count_o()
  );

  // Lines: asked for in order, when they are written and the line asked for before is taken.

  logic                       asked_q, take;
  logic [LineW:0]             beyond;
  logic [Lanes-1:0][ActW-1:0] line_data;

  // As in the decoder: the highest bit of written - line - 1 is clear when the line is written.
  assign beyond       = written_q + ~request_line;
  assign read_valid_o = request_valid && !beyond[LineW] && (!asked_q || take);
  assign read_line_o  = request_line;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      written_q <= '0;
      tail_o    <= '1;
      asked_q   <= 1'b0;
    end else if (clear_i) begin
      written_q <= '0;
      tail_o    <= '1;
      asked_q   <= 1'b0;
    end else begin
      written_q <= written_i;
      tail_o    <= request_valid ? request_line : pointer;
      asked_q   <= (read_valid_o && read_ready_i) || (asked_q && !take);
    end
  end

  // Issue. Requests depend on it in the same cycle, so it starts from registers: whether the half is not drained
  // yet, and whether the operation touches the accumulator of the one before.

  logic               half_q, half_d, undrained_q, same_q, added_q;
  logic [1:0]         ended_q, ended_d;
  logic [2*Slots-1:0] touched_q, touched_d;
  logic               no_line, hazard, add, last;
  logic [SlotW:0]     address;
  action_t            action;

  assign no_line   = op_q.line && !asked_q;
  assign hazard    = added_q && same_q;
  assign add       = op_valid_q && !op_q.last && !undrained_q && !drain_read_i && !no_line && !hazard;
  assign last      = op_valid_q && op_q.last && !undrained_q;
  assign take      = add && op_q.line;
  assign op_load   = !op_valid_q || add || last;
  assign half_d    = half_q ^ last;
  assign address   = drain_read_i ? drain_address_i : {half_q, op_q.slot};
  assign ended_o   = ended_q;

  assign action.add       = add;
  assign action.twice     = op_q.twice;
  assign action.line      = take;
  assign action.subtract  = op_q.subtract;
  assign action.address   = address;
  assign action.zero      = !touched_q[address];
  assign action.row_load  = drain_read_i;
  assign action.row_shift = row_shift_i;

  always_comb begin
    ended_d   = ended_q & ~free_i;
    touched_d = touched_q & ~{{Slots{free_i[1]}}, {Slots{free_i[0]}}};
    if (last) ended_d[half_q] = 1'b1;
    if (add) touched_d[{half_q, op_q.slot}] = 1'b1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      op_valid_q  <= 1'b0;
      half_q      <= 1'b0;
      ended_q     <= '0;
      undrained_q <= 1'b0;
      touched_q   <= '0;
      added_q     <= 1'b0;
    end else if (clear_i) begin
      op_valid_q  <= 1'b0;
      half_q      <= 1'b0;
      ended_q     <= '0;
      undrained_q <= 1'b0;
      touched_q   <= '0;
      added_q     <= 1'b0;
    end else begin
      if (op_load) op_valid_q <= queued_op_valid;
      half_q      <= half_d;
      ended_q     <= ended_d;
      undrained_q <= ended_d[half_d];
      touched_q   <= touched_d;
      added_q     <= add;
    end
  end

  always_ff @(posedge clk_i) begin
    if (op_load) begin
      op_q   <= queued_op;
      same_q <= queued_op.slot == op_q.slot;
    end
  end

  // From the issue to the lanes, numbered by the cycles since the issue.

  action_t action_q [IssueStages + 1];
  logic    take_q;

  assign action_q[0] = action;

  genvar i, g;
  generate
    for (i = 1; i <= IssueStages; i++) begin : gen_stage
      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          action_q[i] <= '0;
        end else if (clear_i) begin
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
    end else if (clear_i) begin
      take_q <= 1'b0;
    end else begin
      take_q <= action_q[IssueStages].line;
    end
  end

  sterna_line_queue #(.Width(Lanes * ActW), .Depth(LineDepth)) u_lines (
    .clk_i, .rst_ni, .clear_i,
    .valid_i(line_valid_i), .data_i(line_data_i), .take_i(take_q), .data_o(line_data)
  );

  generate
    for (g = 0; g < Groups; g++) begin : gen_group
      localparam int unsigned First = g * GroupLanes;
      localparam int unsigned Count = Lanes - First < GroupLanes ? Lanes - First : GroupLanes;

      sterna_lane_group #(
        .Lanes(Count), .Accumulators(2 * Slots), .ActW(ActW), .AccW(AccW)
      ) u_lanes (
        .clk_i, .rst_ni, .clear_i,
        .address_i(action_q[IssueStages].address), .zero_i(action_q[IssueStages].zero),
        .add_i(action_q[IssueStages].add), .double_i(action_q[IssueStages].twice),
        .subtract_i(action_q[IssueStages].subtract), .line_i(action_q[IssueStages].line),
        .line_data_i(line_data[First+:Count]),
        .row_load_i(action_q[IssueStages].row_load), .row_shift_i(action_q[IssueStages].row_shift),
        .row_i(row_i[First+:Count]), .row_o(row_o[First+:Count])
      );
    end
  endgenerate

  // Statistics: a cycle counts for the first thing that is waited for.

  assign busy_o         = add;
  assign wait_drain_o   = op_valid_q && (undrained_q || (drain_read_i && !op_q.last));
  assign wait_lines_o   = op_valid_q ? !undrained_q && !drain_read_i && !op_q.last && no_line
                                     : blocked || (!starved && request_valid && !read_ready_i);
  assign wait_weights_o = !op_valid_q && !queued_op_valid && starved;

`ifndef SYNTHESIS
  FreeEnded: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    (free_i & ~ended_q) == '0)
    else $error("a half is freed before its pass has ended");
  DoubleTouched: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    add && op_q.twice |-> touched_q[address])
    else $error("an accumulator is doubled that holds nothing");
  DrainEnded: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    drain_read_i |-> ended_q[drain_address_i[SlotW]])
    else $error("the drain reads a pass that has not ended");
`endif

endmodule
