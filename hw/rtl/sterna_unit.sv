/// One unit: decodes its weight chunks and adds or subtracts lines to accumulators, one operation a cycle on
/// all lanes. It waits by itself for lines, for the half to be drained, for the drain's reads and when an
/// accumulator was touched in the cycle before.
module sterna_unit #(
  /// Lanes.
  parameter int unsigned Lanes = 25,
  /// Accumulators of a lane in one half.
  parameter int unsigned Slots = 16,
  /// Lines in a block.
  parameter int unsigned BlockLines = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bytes of a weight chunk.
  parameter int unsigned ChunkBytes = 4,
  /// Weight chunks held.
  parameter int unsigned FifoChunks = 8,
  localparam int unsigned SlotW = $clog2(Slots),
  localparam int unsigned LineW = $clog2(BlockLines)
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
  /// Its entries, first in the low byte.
  input  logic [ChunkBytes*8-1:0]      chunk_data_i,
  /// A half of the line buffer holds a whole block that this unit has not left.
  input  logic [1:0]                   block_valid_i,
  /// The unit leaves it (pulse).
  output logic [1:0]                   block_leave_o,
  /// Asks for a line.
  output logic                         read_valid_o,
  /// The request is accepted.
  input  logic                         read_ready_i,
  /// Half and line.
  output logic [LineW:0]               read_address_o,
  /// A requested line comes in.
  input  logic                         line_valid_i,
  /// The line.
  input  logic [Lanes-1:0][ActW-1:0]   line_data_i,
  /// The pass in this half of the accumulators has ended.
  output logic [1:0]                   ended_o,
  /// That half is drained (pulse).
  input  logic [1:0]                   free_i,
  /// The drain reads an accumulator.
  input  logic                         drain_read_i,
  /// Half and slot.
  input  logic [SlotW:0]               drain_address_i,
  /// What it read, three cycles later; zero in all other cycles.
  output logic [Lanes-1:0][AccW-1:0]   drain_data_o,
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
  /// Operations that the decoder can be ahead.
  localparam int unsigned OpDepth = 8;
  /// Requests that it can be ahead.
  localparam int unsigned RequestDepth = 4;
  /// Lines read ahead.
  localparam int unsigned LineDepth = 3;
  localparam int unsigned LineCountW = $clog2(LineDepth + 1);

  typedef struct packed {
    logic             last;
    logic             twice;
    logic             line;
    logic             subtract;
    logic [SlotW-1:0] slot;
  } op_t;

  typedef struct packed {
    logic             leave;
    logic [LineW-1:0] line;
  } request_t;

  // Chunks to operations and requests.

  logic                    chunk_valid, chunk_ready, starved;
  logic [ChunkBytes*8-1:0] chunk_data;
  op_t                     decoded_op, op;
  logic                    decoded_op_valid, decoded_op_ready, op_valid, op_ready;
  request_t                decoded_request, request;
  logic                    decoded_request_valid, decoded_request_ready;
  logic                    request_valid, request_ready;

  sterna_fifo #(.Width(ChunkBytes * 8), .Depth(FifoChunks)) u_chunks (
    .clk_i, .rst_ni, .clear_i,
    .valid_i(chunk_valid_i), .ready_o(chunk_ready_o), .data_i(chunk_data_i),
    .valid_o(chunk_valid), .ready_i(chunk_ready), .data_o(chunk_data), .count_o()
  );

  sterna_decoder #(.ChunkBytes(ChunkBytes), .Slots(Slots), .BlockLines(BlockLines)) u_decoder (
    .clk_i, .rst_ni, .clear_i,
    .chunk_valid_i(chunk_valid), .chunk_ready_o(chunk_ready), .chunk_data_i(chunk_data),
    .op_valid_o(decoded_op_valid), .op_ready_i(decoded_op_ready),
    .op_end_o(decoded_op.last), .op_double_o(decoded_op.twice), .op_line_o(decoded_op.line),
    .op_subtract_o(decoded_op.subtract), .op_slot_o(decoded_op.slot),
    .request_valid_o(decoded_request_valid), .request_ready_i(decoded_request_ready),
    .request_leave_o(decoded_request.leave), .request_line_o(decoded_request.line),
    .starved_o(starved)
  );

  sterna_fifo #(.Width($bits(op_t)), .Depth(OpDepth)) u_ops (
    .clk_i, .rst_ni, .clear_i,
    .valid_i(decoded_op_valid), .ready_o(decoded_op_ready), .data_i(decoded_op),
    .valid_o(op_valid), .ready_i(op_ready), .data_o(op), .count_o()
  );

  sterna_fifo #(.Width($bits(request_t)), .Depth(RequestDepth)) u_requests (
    .clk_i, .rst_ni, .clear_i,
    .valid_i(decoded_request_valid), .ready_o(decoded_request_ready), .data_i(decoded_request),
    .valid_o(request_valid), .ready_i(request_ready), .data_o(request), .count_o()
  );

  // Lines: asked for in order, when their block is there and the line queue will have room.

  logic                       block_half_q, block_valid, leave, read;
  logic [LineCountW-1:0]      lines_q;
  logic                       line_valid, line_take;
  logic [Lanes-1:0][ActW-1:0] line_data;

  assign block_valid    = request_valid && block_valid_i[block_half_q];
  assign leave          = block_valid && request.leave;
  assign read_valid_o   = block_valid && !request.leave && lines_q != LineCountW'(LineDepth);
  assign read_address_o = {block_half_q, request.line};
  assign read           = read_valid_o && read_ready_i;
  assign request_ready  = leave || read;
  assign block_leave_o  = {leave && block_half_q, leave && !block_half_q};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      block_half_q <= 1'b0;
      lines_q      <= '0;
    end else if (clear_i) begin
      block_half_q <= 1'b0;
      lines_q      <= '0;
    end else begin
      block_half_q <= block_half_q ^ leave;
      lines_q      <= lines_q + LineCountW'(read) - LineCountW'(line_take);
    end
  end

  sterna_line_queue #(.Width(Lanes * ActW), .Depth(LineDepth)) u_lines (
    .clk_i, .rst_ni, .clear_i,
    .valid_i(line_valid_i), .data_i(line_data_i),
    .valid_o(line_valid), .ready_i(line_take), .data_o(line_data)
  );

  // Issue.

  logic               half_q;
  logic [1:0]         ended_q, ended_d;
  logic [2*Slots-1:0] touched_q, touched_d;
  logic               added_q;
  logic [SlotW-1:0]   slot_q;
  logic               undrained, no_line, hazard, add, last;
  logic [SlotW:0]     address;

  assign undrained = ended_q[half_q];
  assign no_line   = op.line && !line_valid && !op.last;
  assign hazard    = added_q && op.slot == slot_q;
  assign add       = op_valid && !op.last && !undrained && !drain_read_i && !no_line && !hazard;
  assign last      = op_valid && op.last && !undrained;
  assign op_ready  = add || last;
  assign line_take = add && op.line;
  assign address   = drain_read_i ? drain_address_i : {half_q, op.slot};
  assign ended_o   = ended_q;

  always_comb begin
    ended_d   = ended_q & ~free_i;
    touched_d = touched_q & ~{{Slots{free_i[1]}}, {Slots{free_i[0]}}};
    if (last) ended_d[half_q] = 1'b1;
    if (add) touched_d[{half_q, op.slot}] = 1'b1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      half_q    <= 1'b0;
      ended_q   <= '0;
      touched_q <= '0;
      added_q   <= 1'b0;
    end else if (clear_i) begin
      half_q    <= 1'b0;
      ended_q   <= '0;
      touched_q <= '0;
      added_q   <= 1'b0;
    end else begin
      half_q    <= half_q ^ last;
      ended_q   <= ended_d;
      touched_q <= touched_d;
      added_q   <= add;
    end
  end

  always_ff @(posedge clk_i) begin
    slot_q <= op.slot;
  end

  for (genvar g = 0; g < Groups; g++) begin : gen_group
    localparam int unsigned First = g * GroupLanes;
    localparam int unsigned Count = Lanes - First < GroupLanes ? Lanes - First : GroupLanes;

    sterna_lane_group #(
      .Lanes(Count), .Accumulators(2 * Slots), .ActW(ActW), .AccW(AccW)
    ) u_lanes (
      .clk_i, .rst_ni, .clear_i,
      .read_i(add || drain_read_i), .address_i(address), .zero_i(!touched_q[address]),
      .add_i(add), .double_i(op.twice), .subtract_i(op.subtract), .line_i(line_take),
      .line_data_i(line_data[First+:Count]),
      .drain_i(drain_read_i), .drain_data_o(drain_data_o[First+:Count])
    );
  end

  // Statistics: a cycle counts for the first thing that is waited for.

  assign busy_o         = add;
  assign wait_drain_o   = op_valid && (undrained || (drain_read_i && !op.last));
  assign wait_lines_o   = op_valid ? !undrained && !drain_read_i && no_line
                                   : !starved && request_valid && !request_ready;
  assign wait_weights_o = !op_valid && starved;

`ifndef SYNTHESIS
  FreeEnded: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    (free_i & ~ended_q) == '0)
    else $error("a half is freed before its pass has ended");
  LinesCounted: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    line_valid_i |-> lines_q != '0)
    else $error("a line came in that was not asked for");
  DoubleTouched: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    add && op.twice |-> touched_q[address])
    else $error("an accumulator is doubled that holds nothing");
`endif

endmodule
