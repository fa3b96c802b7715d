// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// The first layer of a network, computed while its image is loaded: a convolution of 3x3 pixels of
/// three channels with stride 1 and padding 1, then the maximum of each 2x2 pixels or nothing. It
/// takes the writes of `sterna_frame_load` and makes writes of them that hold the map. Its numbers
/// come before.
///
/// Two pixels of the convolution are computed in a cycle, one above the other; without pooling, one
/// in two cycles.
module sterna_first_layer #(
  /// Rows of a tile.
  parameter int unsigned TileH = 5,
  /// Columns of a tile.
  parameter int unsigned TileW = 5,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of a requantisation multiplier.
  parameter int unsigned MulW = 18,
  /// Bits of a word address.
  parameter int unsigned FmAddrW = 12,
  /// Layers have limits and ties to even.
  parameter bit GeneralRequant = 0,
  /// Filters.
  parameter int unsigned Filters = 32,
  /// Filters that are requantised together, a multiple of four and a divisor of them.
  parameter int unsigned RequantWidth = 16,
  /// Pieces of the longest row of an image; a power of two.
  parameter int unsigned Pieces = 64
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  /// Ends the image at once, and what was given of the numbers; those given before stay.
  input  logic                                 clear_i,

  /// The next word of the numbers is given: for each filter its requantisation word, then its
  /// weights in four words of eight. Not while an image runs.
  input  logic                                 number_valid_i,
  /// The word.
  input  logic [63:0]                          number_i,
  /// It is the last one.
  output logic                                 numbers_done_o,
  /// Step that the numbers belong to, while they are given: its `shift`, `activation`, `half_even`,
  /// limits and `pad_value`.
  input  step_t                                numbers_step_i,

  /// Pulse: begin an image; given only when none runs.
  input  logic                                 start_i,
  /// First word of the map, taken at the start.
  input  logic [FmAddrW-1:0]                   base_i,
  /// Its `in_*` are rows and columns of the image, `group_words` words of a pixel of the map, and
  /// `out_tiles_w`, `out_plane` and `pool` are those of the map. Taken at the start.
  input  step_t                                step_i,

  /// The pixels of a row of the image in a tile are offered, row by row.
  input  logic                                 piece_valid_i,
  /// They are taken.
  output logic                                 piece_ready_o,
  /// The pixels.
  input  logic [TileW-1:0][3:0][ActW-1:0]      piece_i,

  /// There is room for a write in the next cycle.
  input  logic                                 write_go_i,
  /// All words that were written have left the queue behind.
  input  logic                                 write_idle_i,
  /// A word is written.
  output logic                                 write_valid_o,
  /// Where.
  output logic [FmAddrW-1:0]                   write_addr_o,
  /// Lanes to write.
  output logic [TileH*TileW-1:0]               write_lanes_o,
  /// The word of each column, the same in all rows.
  output logic [TileW-1:0][3:0][ActW-1:0]      write_data_o,

  /// Pulse: all is written.
  output logic                                 done_o
);
  localparam int unsigned SumW = ActW + 12;
  localparam int unsigned FilterW = $clog2(Filters);
  localparam int unsigned WordW = $clog2(Filters / 4 + 1);
  localparam int unsigned GroupW = $clog2(Filters / RequantWidth + 1);
  /// Words of the numbers of a filter.
  localparam int unsigned NumberWords = 5;
  /// Cycles from the sums of a pixel to its activations.
  localparam int unsigned RequantLatency = 9;

  generate
    if (Filters < 8 || (1 << FilterW) != Filters) begin : gen_bad_filters
      initial $error("sterna_first_layer: Filters = %0d must be a power of two of at least 8",
                     Filters);
    end
  endgenerate

  // --------------------------------------------------------------------------------------- numbers

  logic [FilterW-1:0] filter_q;
  logic [2:0] number_q;
  logic [5:0] shift_q;
  logic [1:0] activation_q;
  logic half_even_q;
  logic signed [7:0] low_q, high_q;
  logic [ActW-1:0] pad_value_q;
  logic is_last_number;

  assign is_last_number = number_q == 3'(NumberWords - 1);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      filter_q <= '0;
      number_q <= '0;
      numbers_done_o <= 1'b0;
    end else if (clear_i) begin
      filter_q <= '0;
      number_q <= '0;
      numbers_done_o <= 1'b0;
    end else begin
      numbers_done_o <= number_valid_i && is_last_number && filter_q == '1;
      if (number_valid_i) begin
        number_q <= is_last_number ? '0 : number_q + 3'd1;
        if (is_last_number) filter_q <= filter_q + FilterW'(1);
      end
    end
  end

  // The step is there for long, so its numbers follow a cycle later; the first word waits for them.
  logic number_valid_q, is_entry_q;
  logic [FilterW-1:0] number_filter_q;
  logic [1:0] place_q;
  logic [63:0] word_q;

  always_ff @(posedge clk_i) begin
    if (number_valid_i) begin
      shift_q <= numbers_step_i.shift[5:0];
      activation_q <= numbers_step_i.activation[1:0];
      half_even_q <= numbers_step_i.half_even[0];
      low_q <= numbers_step_i.clamp_low;
      high_q <= numbers_step_i.clamp_high;
      pad_value_q <= numbers_step_i.pad_value[ActW-1:0];
    end
    number_valid_q <= number_valid_i;
    number_filter_q <= filter_q;
    is_entry_q <= number_q == '0;
    place_q <= 2'(number_q - 3'd1);
    word_q <= number_i;
  end

  // ------------------------------------------------------------------------------------- the image

  logic [FmAddrW-1:0] base_q, tiles_w_q, plane_q;
  // Of the step that comes: rows and columns in whole tiles.
  logic [15:0] full_rows_q, full_cols_q;
  logic [15:0] rows_q, cols_q, map_rows, map_cols;
  logic [$clog2(Pieces)-1:0] last_piece_q;
  logic [3:0] last_pixels_q;
  logic [WordW-1:0] words_q;
  logic pooled_q, start_q;

  assign map_rows = pooled_q ? rows_q >> 1 : rows_q;
  assign map_cols = pooled_q ? cols_q >> 1 : cols_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) start_q <= 1'b0;
    else start_q <= start_i && !clear_i;
  end

  always_ff @(posedge clk_i) begin
    full_rows_q <= 16'(step_i.in_full_rows * 16'(TileH));
    full_cols_q <= 16'(step_i.in_full_cols * 16'(TileW));
    if (start_i) begin
      base_q <= base_i;
      tiles_w_q <= FmAddrW'(step_i.out_tiles_w);
      plane_q <= FmAddrW'(step_i.out_plane);
      rows_q <= full_rows_q + 16'(step_i.in_extra_rows[3:0]);
      cols_q <= full_cols_q + 16'(step_i.in_extra_cols[3:0]);
      last_piece_q <= ($clog2(Pieces))'(step_i.in_full_cols) -
          ($clog2(Pieces))'(step_i.in_extra_cols[3:0] == '0);
      last_pixels_q <= step_i.in_extra_cols[3:0] == '0 ? 4'(TileW) : step_i.in_extra_cols[3:0];
      words_q <= WordW'(step_i.group_words);
      pooled_q <= step_i.pool[1:0] == PoolMax;
    end
  end

  // ----------------------------------------------------------------------------------------- parts

  logic [TileW-1:0][2:0][ActW-1:0] pixels;
  logic column_valid, column_ready, column_taken, is_output, is_odd, has_second;
  logic [3:0][2:0][ActW-1:0] column;
  logic sums_valid, sums_odd, sums_second, pixel_valid, pixel_ready, group_valid;
  logic [1:0][Filters-1:0][SumW-1:0] sums;
  logic [Filters-1:0][SumW-1:0] pixel_sums;
  logic [GroupW-1:0] group;
  logic [RequantWidth-1:0][ActW-1:0] activations;

  always_comb begin
    for (int unsigned x = 0; x < TileW; x++) pixels[x] = piece_i[x][2:0];
  end

  sterna_pixel_rows #(
    .TileW (TileW),
    .ActW  (ActW),
    .Pieces(Pieces)
  ) u_rows (
    .clk_i,
    .rst_ni,
    .clear_i,
    .start_i       (start_q),
    .rows_i        (rows_q),
    .last_piece_i  (last_piece_q),
    .last_pixels_i (last_pixels_q),
    .pooled_i      (pooled_q),
    .pad_value_i   (pad_value_q),
    .piece_valid_i,
    .piece_ready_o,
    .piece_i       (pixels),
    .column_valid_o(column_valid),
    .column_ready_i(column_ready),
    .column_o      (column),
    .output_o      (is_output),
    .odd_o         (is_odd),
    .second_o      (has_second)
  );

  assign column_taken = column_valid && column_ready;

  sterna_first_sums #(
    .Filters(Filters),
    .ActW   (ActW),
    .SumW   (SumW)
  ) u_sums (
    .clk_i,
    .rst_ni,
    .clear_i,
    .weights_valid_i (number_valid_q && !is_entry_q),
    .weights_filter_i(number_filter_q),
    .weights_place_i (place_q),
    .weights_i       (word_q),
    .column_valid_i  (column_taken),
    .column_i        (column),
    .output_i        (is_output),
    .odd_i           (is_odd),
    .second_i        (has_second),
    .valid_o         (sums_valid),
    .odd_o           (sums_odd),
    .second_o        (sums_second),
    .sums_o          (sums)
  );

  sterna_first_pool #(
    .Filters(Filters),
    .SumW   (SumW)
  ) u_pool (
    .clk_i,
    .rst_ni,
    .clear_i,
    .pooled_i     (pooled_q),
    .ready_o      (column_ready),
    .column_i     (column_taken),
    .output_i     (is_output),
    .odd_i        (is_odd),
    .second_i     (has_second),
    .valid_i      (sums_valid),
    .sums_odd_i   (sums_odd),
    .sums_second_i(sums_second),
    .sums_i       (sums),
    .valid_o      (pixel_valid),
    .ready_i      (pixel_ready),
    .sums_o       (pixel_sums)
  );

  sterna_first_requant #(
    .Filters(Filters),
    .Width  (RequantWidth),
    .ActW   (ActW),
    .SumW   (SumW),
    .MulW   (MulW),
    .General(GeneralRequant)
  ) u_requant (
    .clk_i,
    .entry_valid_i (number_valid_q && is_entry_q),
    .entry_filter_i(number_filter_q),
    .entry_i       (word_q),
    .shift_i       (shift_q),
    .activation_i  (activation_q),
    .half_even_i   (half_even_q),
    .low_i         (low_q),
    .high_i        (high_q),
    .valid_i       (group_valid),
    .group_i       (group),
    .sums_i        (pixel_sums),
    .data_o        (activations)
  );

  sterna_first_collector #(
    .TileH  (TileH),
    .TileW  (TileW),
    .Filters(Filters),
    .Width  (RequantWidth),
    .Latency(RequantLatency),
    .ActW   (ActW),
    .FmAddrW(FmAddrW)
  ) u_collector (
    .clk_i,
    .rst_ni,
    .clear_i,
    .start_i      (start_q),
    .base_i       (base_q),
    .rows_i       (map_rows),
    .cols_i       (map_cols),
    .pooled_i     (pooled_q),
    .words_i      (words_q),
    .tiles_w_i    (tiles_w_q),
    .plane_i      (plane_q),
    .pixel_valid_i(pixel_valid),
    .pixel_ready_o(pixel_ready),
    .group_valid_o(group_valid),
    .group_o      (group),
    .data_i       (activations),
    .write_valid_o,
    .write_go_i,
    .write_idle_i,
    .write_addr_o,
    .write_lanes_o,
    .write_data_o,
    .done_o
  );

  logic unused;
  assign unused = ^{step_i, numbers_step_i, piece_i};

`ifdef VERILATOR
  Number_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    number_valid_i |-> !column_valid && !pixel_valid);
`endif
endmodule
