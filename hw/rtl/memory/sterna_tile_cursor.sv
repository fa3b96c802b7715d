// SPDX-License-Identifier: Apache-2.0

/// Walks the tiles that one position of the tile groups takes: tile `position`, then every `stride`
/// tiles further, row by row; it stays at the last tile when there are no more. It moves one tile a
/// cycle.
module sterna_tile_cursor #(
  /// Position in a group, 0 to 3.
  parameter int unsigned Position = 0
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  /// Goes to the first tile.
  input  logic        clear_i,
  /// Rows of tiles of the map.
  input  logic [15:0] tiles_h_i,
  /// Tiles in a row.
  input  logic [15:0] tiles_w_i,
  /// Tiles in a group, 1 to 4.
  input  logic [2:0]  stride_i,
  /// Pulse: go to tile `Position`.
  input  logic        start_i,
  /// Pulse: go on by `stride_i` tiles; given only when ready.
  input  logic        advance_i,
  /// Row and column are those of the wanted tile.
  output logic        ready_o,
  /// Row of the tile.
  output logic [15:0] row_o,
  /// Column of the tile.
  output logic [15:0] col_o
);
  generate
    if (Position > 3) begin : gen_bad_position
      initial $error("sterna_tile_cursor: Position = %0d must be 0 to 3", Position);
    end
  endgenerate

  logic [15:0] row_d, col_d;
  logic [2:0] left_q, left_d;
  // The last column and row, from the cycle after the start on.
  logic [15:0] last_col_q, last_row_q;
  logic last_col, last_row;

  assign last_col = col_o == last_col_q;
  assign last_row = row_o == last_row_q;
  assign ready_o = left_q == '0;

  always_comb begin
    row_d = row_o;
    col_d = col_o;
    left_d = left_q;
    if (start_i) begin
      row_d = '0;
      col_d = '0;
      left_d = 3'(Position);
    end else if (advance_i || !ready_o) begin
      left_d = (advance_i ? stride_i : left_q) - 3'd1;
      if (!last_col) begin
        col_d = col_o + 16'd1;
      end else if (!last_row) begin
        row_d = row_o + 16'd1;
        col_d = '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    last_col_q <= tiles_w_i - 16'd1;
    last_row_q <= tiles_h_i - 16'd1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      row_o <= '0;
      col_o <= '0;
      left_q <= '0;
    end else if (clear_i) begin
      row_o <= '0;
      col_o <= '0;
      left_q <= '0;
    end else begin
      row_o <= row_d;
      col_o <= col_d;
      left_q <= left_d;
    end
  end

`ifdef VERILATOR
  Advance_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    advance_i |-> ready_o && !start_i);
`endif
endmodule
