// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::gather_t;
import sterna_pkg::step_t;

/// Reads windows of the feature memory: finds the word that each bank has to give, turns the words
/// back into lane order and puts the pad value where a lane lies outside the map. Takes a request
/// every cycle; the word comes `Latency` cycles later, in order. `step_i` holds still while
/// requests are under way.
///
/// Words as they lie in the memory are read in the cycles that the windows leave, whatever the
/// step.
module sterna_gather #(
  /// Rows of banks, rows of a tile.
  parameter int unsigned TileH = 5,
  /// Banks in a row, columns of a tile.
  parameter int unsigned TileW = 5,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of a word address.
  parameter int unsigned FmAddrW = 6
) (
  input  logic                                  clk_i,
  input  logic                                  rst_ni,
  /// Forgets requests under way.
  input  logic                                  clear_i,

  /// Map size, stride and pad value.
  input  step_t                                 step_i,

  /// A window is asked for.
  input  logic                                  request_valid_i,
  /// It is taken (always).
  output logic                                  request_ready_o,
  /// The window.
  input  gather_t                               request_i,

  /// The word at one address of all banks is asked for.
  input  logic                                  plain_valid_i,
  /// It is taken.
  output logic                                  plain_ready_o,
  /// The address is `plane`; the word is rotated by `row` and `col`.
  input  gather_t                               plain_i,

  /// Read of the feature memory.
  output logic                                  read_valid_o,
  /// Part of the address for each bank row.
  output logic [TileH-1:0][FmAddrW-1:0]         read_row_o,
  /// Part of the address for each bank column.
  output logic [TileW-1:0][FmAddrW-1:0]         read_col_o,
  /// Words read, by bank, three cycles later.
  input  logic [TileH*TileW-1:0][3:0][ActW-1:0] read_data_i,

  /// A word.
  output logic                                  word_valid_o,
  /// It is one as it lies in the memory.
  output logic                                  word_plain_o,
  /// The word as four vectors, one per channel.
  output logic [3:0][TileH*TileW-1:0][ActW-1:0] word_data_o
);
  /// Cycles from a request to its word.
  localparam int unsigned Latency = 15;
  // Cycles from a request to each stage's input.
  localparam int unsigned AxisDone = 4;
  localparam int unsigned ReadAsked = 5;
  localparam int unsigned ReadDone = 8;
  localparam int unsigned RowsTurned = 11;
  localparam int unsigned ColsTurned = 14;

  localparam int unsigned PixelW = 4 * ActW;

  generate
    if (TileH < 3 || TileH > 15 || TileH % 2 == 0) begin : gen_bad_tile_h
      initial $error("sterna_gather: TileH = %0d must be odd, 3 to 15", TileH);
    end
    if (TileW < 3 || TileW > 15 || TileW % 2 == 0) begin : gen_bad_tile_w
      initial $error("sterna_gather: TileW = %0d must be odd, 3 to 15", TileW);
    end
    if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
      initial $error("sterna_gather: ActW = %0d must be 4 to 8", ActW);
    end
    if (FmAddrW < 6 || FmAddrW > 16) begin : gen_bad_addr_w
      initial $error("sterna_gather: FmAddrW = %0d must be 6 to 16", FmAddrW);
    end
  endgenerate

  typedef logic [FmAddrW-1:0] addr_t;

  /// A rotation as sterna_rotate takes it.
  typedef struct packed {
    logic nines;
    logic [1:0] threes;
    logic [1:0] ones;
  } turn_t;

  /// The rotation that undoes an offset.
  function automatic turn_t turn(logic [3:0] offset);
    return '{nines: offset >= 4'd9, threes: 2'(offset / 4'd3 % 4'd3), ones: 2'(offset % 4'd3)};
  endfunction

  // Index k of these is the value k cycles after the request.
  logic [Latency:1] valid_q;
  logic [Latency:2] plain_q;
  logic plain_wait_q;
  turn_t row_turn_q [2:RowsTurned-1];
  turn_t col_turn_q [2:ColsTurned-1];
  logic [TileH-1:0] row_inside_q [AxisDone+1:ColsTurned];
  logic [TileW-1:0] col_inside_q [AxisDone+1:ColsTurned];

  // Of the step, which holds still; and whether the lanes of the word at `ColsTurned` lie apart.
  logic stride_two_q, apart_q;
  logic [PixelW-1:0] padding_q;

  always_ff @(posedge clk_i) begin
    stride_two_q <= step_i.gather_stride == 8'd2;
    apart_q <= stride_two_q && !plain_q[ColsTurned-1];
    padding_q <= {4{ActW'(step_i.pad_value)}};
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (clear_i) valid_q <= '0;
    else valid_q <= {valid_q[Latency-1:2], valid_q[1] || plain_wait_q, request_valid_i};
  end
  assign request_ready_o = 1'b1;

  // A plain request waits here until no window is in the first stage, and goes into the second.
  addr_t plain_addr, plain_addr_q;
  logic [3:0] plain_row, plain_col, plain_row_q, plain_col_q;

  logic plain_valid, plain_ready;

  // Keeps the store away from the windows.
  sterna_fifo #(
    .Width(FmAddrW + 8),
    .Depth(2)
  ) u_plain (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(plain_valid_i && plain_ready_o),
    .ready_o(plain_ready_o),
    .data_i ({addr_t'(plain_i.plane), plain_i.row, plain_i.col}),
    .valid_o(plain_valid),
    .ready_i(plain_ready),
    .data_o ({plain_addr, plain_row, plain_col}),
    .count_o()
  );

  assign plain_ready = !plain_wait_q || !valid_q[1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) plain_wait_q <= 1'b0;
    else if (clear_i) plain_wait_q <= 1'b0;
    else plain_wait_q <= plain_valid || !plain_ready;
  end

  always_ff @(posedge clk_i) begin
    if (plain_ready) {plain_addr_q, plain_row_q, plain_col_q} <= {plain_addr, plain_row, plain_col};
    plain_q <= {plain_q[Latency-1:2], !valid_q[1]};
  end

  // Window: memory tile and offset of its first pixel, word of the map's first tile.
  logic signed [15:0] tile_row_q, tile_col_q;
  logic [3:0] row_q, col_q, row, col;
  addr_t plane_q;
  logic [TileH-1:0][1:0] row_carry;
  logic [TileW-1:0][1:0] col_carry;
  logic [TileH-1:0] row_inside;
  logic [TileW-1:0] col_inside;

  assign row = valid_q[1] ? row_q : plain_row_q;
  assign col = valid_q[1] ? col_q : plain_col_q;

  always_ff @(posedge clk_i) begin
    plane_q <= addr_t'(request_i.plane);
    tile_row_q <= request_i.tile_row;
    tile_col_q <= request_i.tile_col;
    row_q <= request_i.row;
    col_q <= request_i.col;
    row_turn_q[2] <= turn(row);
    col_turn_q[2] <= turn(col);
    for (int unsigned k = 3; k < RowsTurned; k++) row_turn_q[k] <= row_turn_q[k-1];
    for (int unsigned k = 3; k < ColsTurned; k++) col_turn_q[k] <= col_turn_q[k-1];
    row_inside_q[AxisDone+1] <= row_inside;
    col_inside_q[AxisDone+1] <= col_inside;
    for (int unsigned k = AxisDone + 2; k <= ColsTurned; k++) begin
      row_inside_q[k] <= row_inside_q[k-1];
      col_inside_q[k] <= col_inside_q[k-1];
    end
  end

  sterna_gather_axis #(
    .Tile(TileH)
  ) u_rows (
    .clk_i,
    .double_i     (stride_two_q),
    .full_i       (step_i.in_full_rows),
    .extra_i      (step_i.in_extra_rows[3:0]),
    .tile_i       (tile_row_q),
    .offset_i     (row),
    .bank_carry_o (row_carry),
    .lane_inside_o(row_inside)
  );
  sterna_gather_axis #(
    .Tile(TileW)
  ) u_cols (
    .clk_i,
    .double_i     (stride_two_q),
    .full_i       (step_i.in_full_cols),
    .extra_i      (step_i.in_extra_cols[3:0]),
    .tile_i       (tile_col_q),
    .offset_i     (col),
    .bank_carry_o (col_carry),
    .lane_inside_o(col_inside)
  );

  // Address parts: plane + (tile_row + carry)*tiles_w_q for rows, tile_col + carry for columns; the
  // address alone of a plain request. The factor feeds nothing but the multiplier, and nothing but
  // the product follows that: so both registers lie in the DSP block.
  addr_t tiles_w_q, factor_q, product_q, plane_late_q, col_start_q, col_start_late_q;
  addr_t row_carried_q [3];
  addr_t row_part_q [3];
  addr_t col_part_q [3];

  always_ff @(posedge clk_i) begin
    tiles_w_q <= addr_t'(step_i.in_tiles_w);
    factor_q <= valid_q[1] ? addr_t'(tile_row_q) : '0;
    product_q <= factor_q * tiles_w_q;
    plane_late_q <= valid_q[1] ? plane_q : plain_addr_q;
    row_carried_q[0] <= plane_late_q;
    row_carried_q[1] <= plane_late_q + (plain_q[2] ? '0 : tiles_w_q);
    row_carried_q[2] <= plane_late_q + (plain_q[2] ? '0 : tiles_w_q << 1);
    col_start_q <= valid_q[1] ? addr_t'(tile_col_q) : '0;
    col_start_late_q <= col_start_q;
    for (int unsigned k = 0; k < 3; k++) begin
      row_part_q[k] <= product_q + row_carried_q[k];
      col_part_q[k] <= col_start_late_q + (plain_q[3] ? '0 : addr_t'(k));
    end
  end

  genvar y, x, c;
  generate
    for (y = 0; y < TileH; y++) begin : gen_row_part
      always_ff @(posedge clk_i) read_row_o[y] <= row_part_q[row_carry[y]];
    end
    for (x = 0; x < TileW; x++) begin : gen_col_part
      always_ff @(posedge clk_i) read_col_o[x] <= col_part_q[col_carry[x]];
    end
  endgenerate
  assign read_valid_o = valid_q[ReadAsked];

  // Rotate rows, then columns; a stride of two is then a fixed permutation.
  logic [TileW*PixelW-1:0] bank_rows [TileH];
  logic [TileW*PixelW-1:0] rows [TileH];
  logic [PixelW-1:0] pixels [TileH][TileW];

  sterna_rotate #(
    .N    (TileH),
    .Width(TileW * PixelW)
  ) u_rotate_rows (
    .clk_i,
    .enable_i(valid_q[ReadDone+2:ReadDone]),
    .ones_i  (row_turn_q[ReadDone].ones),
    .threes_i(row_turn_q[ReadDone+1].threes),
    .nines_i (row_turn_q[ReadDone+2].nines),
    .data_i  (bank_rows),
    .data_o  (rows)
  );

  generate
    for (y = 0; y < TileH; y++) begin : gen_row
      logic [PixelW-1:0] row_pixels [TileW];
      assign bank_rows[y] = read_data_i[y*TileW+:TileW];

      for (x = 0; x < TileW; x++) begin : gen_pixel
        assign row_pixels[x] = rows[y][x*PixelW+:PixelW];
      end

      sterna_rotate #(
        .N    (TileW),
        .Width(PixelW)
      ) u_rotate_cols (
        .clk_i,
        .enable_i(valid_q[RowsTurned+2:RowsTurned]),
        .ones_i  (col_turn_q[RowsTurned].ones),
        .threes_i(col_turn_q[RowsTurned+1].threes),
        .nines_i (col_turn_q[RowsTurned+2].nines),
        .data_i  (row_pixels),
        .data_o  (pixels[y])
      );
    end
  endgenerate

  generate
    for (y = 0; y < TileH; y++) begin : gen_lane_row
      for (x = 0; x < TileW; x++) begin : gen_lane
        logic in_map;
        logic [PixelW-1:0] pixel, lane_word;
        assign in_map = plain_q[ColsTurned] ||
                        (row_inside_q[ColsTurned][y] && col_inside_q[ColsTurned][x]);
        assign pixel = apart_q ? pixels[(2*y)%TileH][(2*x)%TileW] : pixels[y][x];
        assign lane_word = in_map ? pixel : padding_q;
        for (c = 0; c < 4; c++) begin : gen_channel
          always_ff @(posedge clk_i) begin
            if (valid_q[ColsTurned]) word_data_o[c][y*TileW+x] <= lane_word[c*ActW+:ActW];
          end
        end
      end
    end
  endgenerate
  assign word_valid_o = valid_q[Latency];
  assign word_plain_o = plain_q[Latency];

  logic unused;
  assign unused = ^plain_i;

`ifdef VERILATOR
  Stride_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    request_valid_i |-> step_i.gather_stride inside {8'd1, 8'd2});
  Steady_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_q[1] || |(valid_q[ColsTurned:2] & ~plain_q[ColsTurned:2]) |-> $stable(step_i));
`endif
endmodule
