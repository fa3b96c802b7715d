/// Units and their line buffers: computes passes of Units * Slots filters (a quarter with pooling) for one tile each. A
/// drain takes the accumulators.
module sterna_cluster #(
  /// Rows of a tile.
  parameter int unsigned TileH = 5,
  /// Columns of a tile.
  parameter int unsigned TileW = 5,
  /// Units; two share a line buffer.
  parameter int unsigned Units = 4,
  /// Accumulators of a lane in one half.
  parameter int unsigned Slots = 16,
  /// Lines in a line buffer; a ring.
  parameter int unsigned BufferLines = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bytes of a weight chunk.
  parameter int unsigned ChunkBytes = 4,
  /// Weight chunks that a unit holds.
  parameter int unsigned FifoChunks = 8,
  localparam int unsigned Lanes = TileH * TileW,
  localparam int unsigned SlotW = $clog2(Slots),
  localparam int unsigned CountW = $clog2(Units + 1)
) (
  /// Clock.
  input  logic                                clk_i,
  /// Reset, active low.
  input  logic                                rst_ni,
  /// Returns to the reset state; memories keep their contents.
  input  logic                                clear_i,
  /// A line is there.
  input  logic                                line_valid_i,
  /// It is taken.
  output logic                                line_ready_o,
  /// The line.
  input  logic [Lanes-1:0][ActW-1:0]          line_data_i,
  /// A weight chunk for each unit is there.
  input  logic [Units-1:0]                    chunk_valid_i,
  /// It is taken.
  output logic [Units-1:0]                    chunk_ready_o,
  /// Its entries, first in the low bits.
  input  logic [Units-1:0][ChunkBytes*8-1:0]  chunk_data_i,
  /// All units have ended the pass in this half of the accumulators.
  output logic [1:0]                          ended_o,
  /// That half has been read (pulse).
  input  logic [1:0]                          free_i,
  /// All units read an accumulator into their row registers; `row_o` shows the first unit's five cycles later.
  input  logic                                drain_read_i,
  /// Half and slot.
  input  logic [SlotW:0]                      drain_address_i,
  /// The row registers take over the next unit's; `row_o` shows it five cycles later.
  input  logic                                row_shift_i,
  /// First row register of the next cluster.
  input  logic [Lanes-1:0][AccW-1:0]          row_i,
  /// First row register.
  output logic [Lanes-1:0][AccW-1:0]          row_o,
  /// Units that started an addition.
  output logic [CountW-1:0]                   busy_o,
  /// Units that waited for lines.
  output logic [CountW-1:0]                   wait_lines_o,
  /// Units that waited for weights.
  output logic [CountW-1:0]                   wait_weights_o,
  /// Units that waited for the drain.
  output logic [CountW-1:0]                   wait_drain_o
);
  /* verilator no_inline_module */

  localparam int unsigned LineW = $clog2(BufferLines);
  localparam int unsigned MarginW = 3;

  generate
    if (Units < 4 || Units > 32 || (1 << $clog2(Units)) != Units) begin : gen_bad_units
      $error("sterna_cluster: Units = %0d must be a power of two, 4 to 32", Units);
    end
    if (Slots < 4 || Slots > 32 || (1 << SlotW) != Slots) begin : gen_bad_slots
      $error("sterna_cluster: Slots = %0d must be a power of two, 4 to 32", Slots);
    end
    if (BufferLines < 32 || BufferLines > 1024 || (1 << LineW) != BufferLines) begin : gen_bad_lines
      $error("sterna_cluster: BufferLines = %0d must be a power of two, 32 to 1024", BufferLines);
    end
    if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
      $error("sterna_cluster: ActW = %0d must be 4 to 8", ActW);
    end
    if (AccW < ActW + 4 || AccW > 32) begin : gen_bad_acc_w
      $error("sterna_cluster: AccW = %0d must be ActW + 4 to 32", AccW);
    end
  endgenerate

  // Lines go to all line buffers, when every unit has gone past their places; a register stage helps the fan-out.
  // Numbers of lines are modulo two rings.

  logic [LineW:0]             taken_q, written_q;
  logic [Units-1:0][LineW:0]  tail;
  logic [Units-1:0]           room_q;
  logic                       ready_q, line_take, line_valid_q;
  logic [LineW-1:0]           line_address_q;
  logic [Lanes-1:0][ActW-1:0] line_data_q;

  assign line_ready_o = ready_q;
  assign line_take    = line_valid_i && line_ready_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      taken_q      <= '0;
      written_q    <= '0;
      line_valid_q <= 1'b0;
      ready_q      <= 1'b0;
    end else if (clear_i) begin
      taken_q      <= '0;
      written_q    <= '0;
      line_valid_q <= 1'b0;
      ready_q      <= 1'b0;
    end else begin
      taken_q      <= taken_q + (LineW+1)'(line_take);
      written_q    <= written_q + (LineW+1)'(line_valid_q);
      line_valid_q <= line_take;
      ready_q      <= &room_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (line_take) begin
      line_address_q <= taken_q[LineW-1:0];
      line_data_q    <= line_data_i;
    end
  end

  genvar u, p, i;

  // A unit leaves room unless 2**MarginW lines or fewer are free behind it, or it is ahead of the lines taken. Two
  // lines can be taken after the one that fills it up, before `ready_q` falls.
  generate
    for (u = 0; u < Units; u++) begin : gen_room
      logic [LineW:0] held;

      assign held = taken_q - tail[u];

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          room_q[u] <= 1'b0;
        end else if (clear_i) begin
          room_q[u] <= 1'b0;
        end else begin
          room_q[u] <= held[LineW] || !(&held[LineW-1:MarginW]);
        end
      end
    end
  endgenerate

  // Units in pairs.

  logic [Units-1:0][1:0]      ended;
  logic [1:0]                 all_ended_d, all_ended_q;
  logic [Lanes-1:0][AccW-1:0] row [Units];
  logic [Units-1:0]           busy, wait_lines, wait_weights, wait_drain;

  assign row_o = row[0];

  generate
    for (p = 0; p < Units / 2; p++) begin : gen_pair
      logic [1:0]                 read_valid, read_ready, line_valid;
      logic [1:0][LineW:0]        read_line;
      logic [Lanes-1:0][ActW-1:0] line_data;

      sterna_line_buffer #(.Lanes(Lanes), .ActW(ActW), .BufferLines(BufferLines)) u_lines (
        .clk_i, .rst_ni, .clear_i,
        .write_valid_i(line_valid_q), .write_address_i(line_address_q), .write_data_i(line_data_q),
        .read_valid_i(read_valid), .read_ready_o(read_ready), .read_line_i(read_line),
        .line_valid_o(line_valid), .line_data_o(line_data)
      );

      for (i = 0; i < 2; i++) begin : gen_unit
        localparam int unsigned U = 2 * p + i;

        logic [Lanes-1:0][AccW-1:0] next_row;

        if (U == Units - 1) begin : gen_last
          assign next_row = row_i;
        end else begin : gen_chain
          assign next_row = row[U+1];
        end

        sterna_unit #(
          .Lanes(Lanes), .Slots(Slots), .BufferLines(BufferLines), .ActW(ActW), .AccW(AccW),
          .ChunkBytes(ChunkBytes), .FifoChunks(FifoChunks)
        ) u_unit (
          .clk_i, .rst_ni, .clear_i,
          .chunk_valid_i(chunk_valid_i[U]), .chunk_ready_o(chunk_ready_o[U]),
          .chunk_data_i(chunk_data_i[U]),
          .written_i(written_q), .tail_o(tail[U]),
          .read_valid_o(read_valid[i]), .read_ready_i(read_ready[i]), .read_line_o(read_line[i]),
          .line_valid_i(line_valid[i]), .line_data_i(line_data),
          .ended_o(ended[U]), .free_i, .drain_read_i, .drain_address_i, .row_shift_i,
          .row_i(next_row), .row_o(row[U]),
          .busy_o(busy[U]), .wait_lines_o(wait_lines[U]), .wait_weights_o(wait_weights[U]),
          .wait_drain_o(wait_drain[U])
        );
      end
    end
  endgenerate

  always_comb begin
    all_ended_d = '1;
    for (int unsigned unit = 0; unit < Units; unit++) all_ended_d &= ended[unit];
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

  // Statistics.

  logic [Units-1:0] busy_q, wait_lines_q, wait_weights_q, wait_drain_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {busy_q, wait_lines_q, wait_weights_q, wait_drain_q} <= '0;
    end else if (clear_i) begin
      {busy_q, wait_lines_q, wait_weights_q, wait_drain_q} <= '0;
    end else begin
      {busy_q, wait_lines_q, wait_weights_q, wait_drain_q} <=
          {busy, wait_lines, wait_weights, wait_drain};
    end
  end

  assign busy_o         = CountW'($countones(busy_q));
  assign wait_lines_o   = CountW'($countones(wait_lines_q));
  assign wait_weights_o = CountW'($countones(wait_weights_q));
  assign wait_drain_o   = CountW'($countones(wait_drain_q));

`ifndef SYNTHESIS
  LineStable: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    line_valid_i && !line_ready_o |=> line_valid_i && $stable(line_data_i))
    else $error("a line changed or vanished while it waited");
  generate
    for (u = 0; u < Units; u++) begin : gen_assert
      NoOverrun: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
        line_take |-> gen_room[u].held[LineW] || !(&gen_room[u].held[LineW-1:0]))
        else $error("unit %0d has not gone past the place of a line", u);
    end
  endgenerate
`endif

endmodule
