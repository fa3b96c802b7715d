// SPDX-License-Identifier: Apache-2.0

/// Rows of an image on their way to the first layer: keeps eight rows in a ring, and gives for each
/// two rows of the map the columns of the four rows of the image that they need, from the one left
/// of the image to the one right of it. What lies outside of the image is padding.
///
/// Rows come in pieces, as `sterna_frame_load` writes them: the pixels of a row in one tile.
module sterna_pixel_rows #(
  /// Pixels of a piece.
  parameter int unsigned TileW = 5,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Pieces of the longest row; a power of two.
  parameter int unsigned Pieces = 64
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  /// Ends the image at once.
  input  logic                            clear_i,

  /// Pulse: begin an image; given only when none runs.
  input  logic                            start_i,
  /// Rows of the image, from the cycle after the start on.
  input  logic [15:0]                     rows_i,
  /// Number of the last piece of a row, from the start on.
  input  logic [$clog2(Pieces)-1:0]       last_piece_i,
  /// Pixels of the last piece of a row, from the start on.
  input  logic [3:0]                      last_pixels_i,
  /// An odd last row of the map is left out, from the start on.
  input  logic                            pooled_i,
  /// Padding, from the start on.
  input  logic [ActW-1:0]                 pad_value_i,

  /// A piece is offered.
  input  logic                            piece_valid_i,
  /// It is taken.
  output logic                            piece_ready_o,
  /// Its pixels.
  input  logic [TileW-1:0][2:0][ActW-1:0] piece_i,

  /// A column is offered.
  output logic                            column_valid_o,
  /// It is taken.
  input  logic                            column_ready_i,
  /// Its rows from above, and their channels.
  output logic [3:0][2:0][ActW-1:0]       column_o,
  /// The column before it is one of the map.
  output logic                            output_o,
  /// That is an odd one.
  output logic                            odd_o,
  /// The second row is one of the map.
  output logic                            second_o
);
  /// Rows in the ring, and memories for them: four rows one after the other are read at once.
  localparam int unsigned Rows = 8;
  localparam int unsigned Banks = 4;
  localparam int unsigned PieceW = $clog2(Pieces);
  /// Two pieces, of two rows, have eight columns at least, which take eight cycles.
  localparam bit IsWide = TileW >= 8;

  generate
    if (TileW < 3 || TileW > 15) begin : gen_bad_tile_w
      initial $error("sterna_pixel_rows: TileW = %0d must be 3 to 15", TileW);
    end
    if (Pieces < 2 || (1 << PieceW) != Pieces) begin : gen_bad_pieces
      initial $error("sterna_pixel_rows: Pieces = %0d must be a power of two of at least 2",
                     Pieces);
    end
  endgenerate

  // ---------------------------------------------------------------------------------------- writes

  // The row that comes next, of the ring, and its next piece; rows still to come.
  logic filling_q, begun_q, row_written, rows_released, piece_taken;
  logic [2:0] row_q;
  logic [PieceW-1:0] piece_q;
  logic [15:0] to_come_q;
  // Rows in the ring that the two rows of the map that are read next need, or later ones; there is
  // room for one more; there are as many as can be needed. At first there is one above the image.
  logic [3:0] held_q, held_d;
  logic room_q, enough_q, rows_released_q, row_written_q, piece_ready_q;
  logic [1:0] beat_q;
  logic row_counted;

  // A piece in every other cycle is enough, or in every fourth, which leaves time to count.
  assign piece_ready_o = piece_ready_q;
  assign row_counted = IsWide ? row_written_q : row_written;
  assign piece_taken = piece_valid_i && piece_ready_o;
  assign row_written = piece_taken && piece_q == last_piece_i;

  always_comb begin
    held_d = held_q + 4'(row_counted) - (rows_released_q ? 4'd2 : 4'd0);
    if (begun_q) held_d = 4'd1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      filling_q <= 1'b0;
      begun_q <= 1'b0;
      rows_released_q <= 1'b0;
      row_written_q <= 1'b0;
      piece_ready_q <= 1'b0;
      beat_q <= '0;
    end else if (clear_i) begin
      filling_q <= 1'b0;
      begun_q <= 1'b0;
      rows_released_q <= 1'b0;
      row_written_q <= 1'b0;
      piece_ready_q <= 1'b0;
      beat_q <= '0;
    end else begin
      begun_q <= start_i;
      rows_released_q <= rows_released;
      row_written_q <= row_written;
      piece_ready_q <= filling_q && room_q && (beat_q == '0 || (!IsWide && beat_q == 2'd2));
      beat_q <= begun_q ? '0 : beat_q + 2'd1;
      filling_q <= begun_q || (filling_q && !(row_written && to_come_q == 16'd1));
    end
  end

  always_ff @(posedge clk_i) begin
    held_q <= held_d;
    room_q <= held_d != 4'(Rows);
    // The rows below the image are never written.
    enough_q <= held_d >= 4'(Banks) || (!begun_q && !filling_q);
    if (begun_q) begin
      row_q <= '0;
      piece_q <= '0;
      to_come_q <= rows_i;
    end else if (piece_taken) begin
      piece_q <= piece_q + PieceW'(1);
      if (row_written) begin
        piece_q <= '0;
        row_q <= row_q + 3'd1;
        to_come_q <= to_come_q - 16'd1;
      end
    end
  end

  // --------------------------------------------------------------------------------------- fetches

  // Pairs of rows of the map that are still to be fetched; the next piece of the first of them.
  // Whether that is the first one; which rows of the ring it needs.
  logic fetching_q, word_valid_q, fetch, move, is_last_fetch;
  logic [15:0] pairs, fetch_pairs_q;
  logic [PieceW-1:0] fetch_piece_q;
  logic [2:0] fetch_row_q;
  logic top_q;
  // A piece of each bank; is it the last of its rows; the first row is in the second bank, not in
  // the last one; which rows are outside of the image.
  logic [TileW-1:0][2:0][ActW-1:0] word_q [Banks];
  logic word_last_q, word_second_q;
  logic [Banks-1:0] word_outside_q, outside;

  assign pairs = (rows_i + (pooled_i ? 16'd0 : 16'd1)) >> 1;
  assign is_last_fetch = fetch_piece_q == last_piece_i;
  assign fetch = fetching_q && enough_q && !rows_released_q && (!word_valid_q || move);
  assign rows_released = fetch && is_last_fetch;

  // The last two rows of the map see one or two rows below the image.
  always_comb begin
    outside = '0;
    outside[0] = top_q;
    if (fetch_pairs_q == 16'd1) begin
      outside[2] = rows_i[0] && !pooled_i;
      outside[3] = !rows_i[0] || !pooled_i;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      fetching_q <= 1'b0;
      word_valid_q <= 1'b0;
    end else if (clear_i) begin
      fetching_q <= 1'b0;
      word_valid_q <= 1'b0;
    end else begin
      fetching_q <= begun_q || (fetching_q && !(rows_released && fetch_pairs_q == 16'd1));
      word_valid_q <= fetch || (word_valid_q && !move);
    end
  end

  always_ff @(posedge clk_i) begin
    if (begun_q) begin
      fetch_pairs_q <= pairs;
      fetch_piece_q <= '0;
      // The row above the image.
      fetch_row_q <= 3'd7;
      top_q <= 1'b1;
    end else if (fetch) begin
      fetch_piece_q <= fetch_piece_q + PieceW'(1);
      if (is_last_fetch) begin
        fetch_piece_q <= '0;
        fetch_pairs_q <= fetch_pairs_q - 16'd1;
        fetch_row_q <= fetch_row_q + 3'd2;
        top_q <= 1'b0;
      end
    end
    if (fetch) begin
      word_last_q <= is_last_fetch;
      word_second_q <= !fetch_row_q[1];
      word_outside_q <= outside;
    end
  end

  genvar b;
  generate
    for (b = 0; b < Banks; b++) begin : gen_bank
      (* ramstyle = "no_rw_check" *) logic [TileW-1:0][2:0][ActW-1:0] memory [2 * Pieces];
      logic slot, written;

      // Of two rows in this bank, the one among the four from `fetch_row_q` on, which is odd.
      assign slot = fetch_row_q[2] ^ (b == 0 || (b != Banks - 1 && fetch_row_q[1]));
      assign written = piece_taken && row_q[1:0] == 2'(b);

      always_ff @(posedge clk_i) begin
        if (written) memory[{row_q[2], piece_q}] <= piece_i;
        if (fetch) word_q[b] <= memory[{slot, fetch_piece_q}];
      end

`ifdef VERILATOR
      NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
        written && fetch |-> {row_q[2], piece_q} != {slot, fetch_piece_q});
`endif
    end
  endgenerate

  // --------------------------------------------------------------------------------------- columns

  typedef enum logic [1:0] {
    StIdle,   // no map
    StLeft,   // the column left of the image
    StBody,   // the columns of the image
    StRight   // the column right of the image
  } state_e;

  state_e state_q, state_d;
  // Pixels of each row that come next, and how many; the last ones of their rows.
  logic [TileW-1:0][2:0][ActW-1:0] pixels_q [Banks];
  logic [3:0] left_q;
  // There are some; there is one.
  logic some_q, one_q;
  logic pixels_last_q, is_first_q, odd_q, taken, body_taken;
  logic [15:0] pairs_q;

  assign column_valid_o = state_q == StLeft || state_q == StRight ||
                          (state_q == StBody && some_q);
  assign taken = column_valid_o && column_ready_i;
  assign body_taken = taken && state_q == StBody;
  assign move = word_valid_q && (!some_q || (body_taken && one_q));
  assign output_o = state_q == StRight || (state_q == StBody && !is_first_q);
  assign odd_o = odd_q;
  assign second_o = pairs_q != 16'd1 || !rows_i[0] || pooled_i;

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      StLeft: if (taken) state_d = StBody;
      StBody: if (taken && pixels_last_q && one_q) state_d = StRight;
      StRight: if (taken) state_d = pairs_q == 16'd1 ? StIdle : StLeft;
      default: if (begun_q) state_d = StLeft;
    endcase
  end

  always_comb begin
    for (int unsigned r = 0; r < Banks; r++) begin
      column_o[r] = state_q == StBody ? pixels_q[r][0] : {3{pad_value_i}};
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      left_q <= '0;
      {some_q, one_q} <= '0;
    end else if (clear_i) begin
      state_q <= StIdle;
      left_q <= '0;
      {some_q, one_q} <= '0;
    end else begin
      state_q <= state_d;
      if (move) begin
        left_q <= word_last_q ? last_pixels_i : 4'(TileW);
        some_q <= 1'b1;
        one_q <= word_last_q && last_pixels_i == 4'd1;
      end else if (body_taken) begin
        left_q <= left_q - 4'd1;
        some_q <= !one_q;
        one_q <= left_q == 4'd2;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (begun_q) pairs_q <= pairs;
    else if (taken && state_q == StRight) pairs_q <= pairs_q - 16'd1;
    if (taken) begin
      is_first_q <= state_q == StLeft;
      // The column before the next one.
      odd_q <= state_q == StBody && !is_first_q && !odd_q;
    end
    if (move) pixels_last_q <= word_last_q;
    for (int unsigned r = 0; r < Banks; r++) begin
      if (move) begin
        pixels_q[r] <= word_outside_q[r] ? {(3 * TileW){pad_value_i}} :
            word_second_q ? word_q[(r+1)%Banks] : word_q[(r+3)%Banks];
      end else if (body_taken) begin
        pixels_q[r] <= {pixels_q[r][0], pixels_q[r][TileW-1:1]};
      end
    end
  end

`ifdef VERILATOR
  Start_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start_i |-> !filling_q && !fetching_q && state_q == StIdle);
  Column_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    column_valid_o && !column_ready_i |=> column_valid_o && $stable(column_o)
    && $stable(output_o));
`endif
endmodule
