/// Units, their line buffers and the drain: computes passes of Units * Slots filters (a quarter with pooling)
/// for one tile each.
module sterna_cluster
  import sterna_pkg::*;
#(
  /// Rows of a tile.
  parameter int unsigned TileH = 5,
  /// Columns of a tile.
  parameter int unsigned TileW = 5,
  /// Units; two share a line buffer.
  parameter int unsigned Units = 4,
  /// Accumulators of a lane in one half.
  parameter int unsigned Slots = 16,
  /// Lines in a block.
  parameter int unsigned BlockLines = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bits of a requantisation multiplier.
  parameter int unsigned MulW = 18,
  /// Bits of a feature memory word's address.
  parameter int unsigned FmAddrW = 12,
  /// Bytes of a weight chunk.
  parameter int unsigned ChunkBytes = 4,
  /// Weight chunks that a unit holds.
  parameter int unsigned FifoChunks = 8,
  localparam int unsigned Lanes = TileH * TileW,
  localparam int unsigned TableW = $clog2(Units * Slots),
  localparam int unsigned CountW = $clog2(Units + 1)
) (
  /// Clock.
  input  logic                                clk_i,
  /// Reset, active low.
  input  logic                                rst_ni,
  /// Returns to the reset state; memories keep their contents.
  input  logic                                clear_i,
  /// A line of the next block is there.
  input  logic                                line_valid_i,
  /// It is taken.
  output logic                                line_ready_o,
  /// The line.
  input  logic [Lanes-1:0][ActW-1:0]          line_data_i,
  /// It is the last of its block.
  input  logic                                line_last_i,
  /// A weight chunk for each unit is there.
  input  logic [Units-1:0]                    chunk_valid_i,
  /// It is taken.
  output logic [Units-1:0]                    chunk_ready_o,
  /// Its entries, first in the low byte.
  input  logic [Units-1:0][ChunkBytes*8-1:0]  chunk_data_i,
  /// Write an entry of the requantisation table (always accepted).
  input  logic                                table_valid_i,
  /// Half of the table.
  input  logic                                table_half_i,
  /// Channel.
  input  logic [TableW-1:0]                   table_index_i,
  /// Bias, multiplier.
  input  logic [63:0]                         table_data_i,
  /// A pass is to be drained.
  input  logic                                pass_valid_i,
  /// It is queued.
  output logic                                pass_ready_o,
  /// What to drain.
  input  pass_t                               pass_i,
  /// A word is to be written to the feature memory.
  output logic                                write_valid_o,
  /// It is accepted.
  input  logic                                write_ready_i,
  /// Where.
  output logic [FmAddrW-1:0]                  write_addr_o,
  /// Channels to write.
  output logic [3:0]                          write_strobe_o,
  /// The word.
  output logic [Lanes-1:0][3:0][ActW-1:0]     write_data_o,
  /// A pass is drained and all its words are accepted (pulse).
  output logic                                pass_done_o,
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

  localparam int unsigned LineW = $clog2(BlockLines);
  localparam int unsigned SlotW = $clog2(Slots);

  if (Units < 2 || Units > 32 || (1 << $clog2(Units)) != Units) begin : gen_bad_units
    $error("sterna_cluster: Units = %0d must be a power of two, 2 to 32", Units);
  end
  if (Slots < 4 || Slots > 32 || (1 << SlotW) != Slots) begin : gen_bad_slots
    $error("sterna_cluster: Slots = %0d must be a power of two, 4 to 32", Slots);
  end
  if (BlockLines < 16 || BlockLines > 512 || (1 << LineW) != BlockLines) begin : gen_bad_lines
    $error("sterna_cluster: BlockLines = %0d must be a power of two, 16 to 512", BlockLines);
  end
  if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
    $error("sterna_cluster: ActW = %0d must be 4 to 8", ActW);
  end
  if (AccW < ActW + 4 || AccW > 32) begin : gen_bad_acc_w
    $error("sterna_cluster: AccW = %0d must be ActW + 4 to 32", AccW);
  end
  if (FmAddrW > 32) begin : gen_bad_fm_addr_w
    $error("sterna_cluster: FmAddrW = %0d must be at most 32", FmAddrW);
  end

  // Lines go to all line buffers, into the half that every unit has left; a register stage helps the fan-out.

  logic [1:0][Units-1:0]      block_valid_q, block_valid_d, block_leave;
  logic                       write_half_q;
  logic [LineW-1:0]           write_line_q;
  logic                       line_take, line_valid_q, line_last_q;
  logic [LineW:0]             line_address_q;
  logic [Lanes-1:0][ActW-1:0] line_data_q;

  assign line_ready_o = block_valid_q[write_half_q] == '0;
  assign line_take    = line_valid_i && line_ready_o;

  always_comb begin
    block_valid_d = block_valid_q & ~block_leave;
    if (line_valid_q && line_last_q) block_valid_d[line_address_q[LineW]] = '1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      block_valid_q <= '0;
      write_half_q  <= 1'b0;
      write_line_q  <= '0;
      line_valid_q  <= 1'b0;
    end else if (clear_i) begin
      block_valid_q <= '0;
      write_half_q  <= 1'b0;
      write_line_q  <= '0;
      line_valid_q  <= 1'b0;
    end else begin
      block_valid_q <= block_valid_d;
      line_valid_q  <= line_take;
      if (line_take) begin
        write_half_q <= write_half_q ^ line_last_i;
        write_line_q <= line_last_i ? '0 : write_line_q + LineW'(1);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (line_take) begin
      line_last_q    <= line_last_i;
      line_address_q <= {write_half_q, write_line_q};
      line_data_q    <= line_data_i;
    end
  end

  // Units in pairs.

  logic [Units-1:0][1:0]      ended;
  logic [1:0]                 all_ended, free;
  logic [Units-1:0]           drain_read;
  logic [SlotW:0]             drain_address;
  logic [Lanes-1:0][AccW-1:0] drain_data [Units];
  logic [Units-1:0]           busy, wait_lines, wait_weights, wait_drain;

  for (genvar p = 0; p < Units / 2; p++) begin : gen_pair
    logic [1:0]                 read_valid, read_ready, line_valid;
    logic [1:0][LineW:0]        read_address;
    logic [Lanes-1:0][ActW-1:0] line_data;

    sterna_line_buffer #(.Lanes(Lanes), .ActW(ActW), .BlockLines(BlockLines)) u_lines (
      .clk_i, .rst_ni, .clear_i,
      .write_valid_i(line_valid_q), .write_address_i(line_address_q), .write_data_i(line_data_q),
      .read_valid_i(read_valid), .read_ready_o(read_ready), .read_address_i(read_address),
      .line_valid_o(line_valid), .line_data_o(line_data)
    );

    for (genvar i = 0; i < 2; i++) begin : gen_unit
      localparam int unsigned U = 2 * p + i;

      sterna_unit #(
        .Lanes(Lanes), .Slots(Slots), .BlockLines(BlockLines), .ActW(ActW), .AccW(AccW),
        .ChunkBytes(ChunkBytes), .FifoChunks(FifoChunks)
      ) u_unit (
        .clk_i, .rst_ni, .clear_i,
        .chunk_valid_i(chunk_valid_i[U]), .chunk_ready_o(chunk_ready_o[U]),
        .chunk_data_i(chunk_data_i[U]),
        .block_valid_i({block_valid_q[1][U], block_valid_q[0][U]}),
        .block_leave_o({block_leave[1][U], block_leave[0][U]}),
        .read_valid_o(read_valid[i]), .read_ready_i(read_ready[i]), .read_address_o(read_address[i]),
        .line_valid_i(line_valid[i]), .line_data_i(line_data),
        .ended_o(ended[U]), .free_i(free),
        .drain_read_i(drain_read[U]), .drain_address_i(drain_address), .drain_data_o(drain_data[U]),
        .busy_o(busy[U]), .wait_lines_o(wait_lines[U]), .wait_weights_o(wait_weights[U]),
        .wait_drain_o(wait_drain[U])
      );
    end
  end

  always_comb begin
    all_ended = '1;
    for (int unsigned i = 0; i < Units; i++) all_ended &= ended[i];
  end

  sterna_drain #(
    .Lanes(Lanes), .Units(Units), .Slots(Slots), .ActW(ActW), .AccW(AccW), .MulW(MulW),
    .FmAddrW(FmAddrW)
  ) u_drain (
    .clk_i, .rst_ni, .clear_i,
    .table_valid_i, .table_half_i, .table_index_i, .table_data_i,
    .pass_valid_i, .pass_ready_o, .pass_i,
    .ended_i(all_ended), .free_o(free),
    .read_o(drain_read), .read_address_o(drain_address), .data_i(drain_data),
    .write_valid_o, .write_ready_i, .write_addr_o, .write_strobe_o, .write_data_o,
    .done_o(pass_done_o)
  );

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
    line_valid_i && !line_ready_o |=> line_valid_i && $stable({line_last_i, line_data_i}))
    else $error("a line changed or vanished while it waited");
  BlockFits: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    line_take && (&write_line_q) |-> line_last_i)
    else $error("a block has more lines than fit");
  WriteStable: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    write_valid_o && !write_ready_i |=>
    write_valid_o && $stable({write_addr_o, write_strobe_o, write_data_o}))
    else $error("a word changed or vanished while it waited");
`endif

endmodule
