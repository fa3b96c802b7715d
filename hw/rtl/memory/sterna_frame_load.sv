// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// LOAD: places the pixels of a frame in the feature memory. A frame is a byte for each channel of
/// each pixel, by rows, with no gaps: plane after plane, or three channels pixel by pixel. An
/// activation is the upper bits of a byte, or what a table says.
///
/// From scratch memory it reads words as a STORE leaves them: whole tiles of four channels pixel by
/// pixel, one after the other, each padded to whole beats. A byte is an activation there.
///
/// Beats go into a ring of bytes. From its front, pieces are taken: the pixels of a row that lie in
/// one tile, which are one write. A piece is turned to the front step by step, each by two bits of
/// its place in the ring.
module sterna_frame_load #(
  /// Rows of a tile.
  parameter int unsigned TileH = 5,
  /// Columns of a tile.
  parameter int unsigned TileW = 5,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of a word address.
  parameter int unsigned FmAddrW = 6,
  /// Bits of a beat.
  parameter int unsigned DataW = 64,
  /// Bytes of the first three channels of a word go through tables.
  parameter bit InputTable = 0
) (
  input  logic                                  clk_i,
  input  logic                                  rst_ni,
  /// Ends the move at once.
  input  logic                                  clear_i,

  /// Pulse: begin a move; given only when none runs.
  input  logic                                  start_i,
  /// First word to write, taken at the start.
  input  logic [FmAddrW-1:0]                    base_i,
  /// Its `in_*_rows`, `in_*_cols` and `filters` are rows, columns and channels of the frame, and
  /// `scratch` says that these are words: as many rows of one tile. Taken at the start.
  input  step_t                                 step_i,
  /// The channels of a pixel lie side by side, taken at the start.
  input  logic                                  interleaved_i,
  /// A byte is the value and 128, taken at the start.
  input  logic                                  unsigned_i,

  /// The next entry of the tables is given, from entry 0 on; not while a move runs.
  input  logic                                  table_valid_i,
  /// The entry.
  input  input_word_t                           table_data_i,
  /// It is the last one.
  output logic                                  table_done_o,

  /// A beat is offered.
  input  logic                                  beat_valid_i,
  /// The beat is taken.
  output logic                                  beat_ready_o,
  /// The beat.
  input  logic [DataW-1:0]                      beat_data_i,

  /// All words that were written have left the queue behind.
  input  logic                                  write_idle_i,
  /// A write is offered.
  output logic                                  write_valid_o,
  /// It is taken.
  input  logic                                  write_ready_i,
  /// Word to write.
  output logic [FmAddrW-1:0]                    write_addr_o,
  /// Lanes to write.
  output logic [TileH*TileW-1:0]                write_lanes_o,
  /// Channels to write.
  output logic [3:0]                            write_strobe_o,
  /// The word of each column, the same in all rows.
  output logic [TileW-1:0][3:0][ActW-1:0]       write_data_o,

  /// Pulse: all is written.
  output logic                                  done_o
);
  localparam int unsigned BeatBytes = DataW / 8;
  /// Channels that can lie side by side or have tables, and bytes of the longest piece.
  localparam int unsigned Rgb = 3;
  localparam int unsigned PieceBytes = WordChannels * TileW;
  /// Bytes after the last row of a word, all in the beat of its last pixel.
  localparam int unsigned WordPad = BeatBytes - 1 - (TileH * PieceBytes - 1) % BeatBytes;
  /// Beats in the ring, a power of two: as long as there is no room for a beat, there are two
  /// pieces, so that one leaves in each cycle.
  localparam int unsigned RingBeats = 2 ** $clog2((2 * PieceBytes + BeatBytes - 2) / BeatBytes + 1);
  localparam int unsigned RingBytes = RingBeats * BeatBytes;
  localparam int unsigned AtW = $clog2(RingBytes);
  localparam int unsigned SlotW = AtW - $clog2(BeatBytes);
  /// Steps of turning, each by two bits of the place, the last one by one if their number is odd.
  localparam int unsigned Turns = (AtW + 1) / 2;
  /// Writes that wait, and how few leave room for those that come while it is found out.
  localparam int unsigned WriteDepth = 8;
  localparam int unsigned WritesFew = WriteDepth - 3;
  localparam int unsigned WriteCountW = $clog2(WriteDepth + 1);

  /// Bits of the place that are left after a step, and the bytes that are turned on.
  function automatic int unsigned bits_left(int unsigned turn);
    return AtW > 2 * turn + 2 ? AtW - 2 * turn - 2 : 0;
  endfunction
  function automatic int unsigned turned_bytes(int unsigned turn);
    return PieceBytes + 2 ** bits_left(turn) - 1;
  endfunction
  /// Bytes by which a step turns, of one after the first.
  function automatic int unsigned turn_by(logic [AtW-1:0] at, int unsigned turn);
    return 32'(at) % 2 ** bits_left(turn - 1) & ~(2 ** bits_left(turn) - 1);
  endfunction

  generate
    if (TileH < 3 || TileH > 15 || TileW < 3 || TileW > 15) begin : gen_bad_tile
      initial $error("sterna_frame_load: TileH = %0d and TileW = %0d must be 3 to 15",
                     TileH, TileW);
    end
    if (DataW < 64 || DataW != 2 ** $clog2(DataW)) begin : gen_bad_data_w
      initial $error("sterna_frame_load: DataW = %0d must be a power of two, 64 or more", DataW);
    end
    if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
      initial $error("sterna_frame_load: ActW = %0d must be 4 to 8", ActW);
    end
  endgenerate

  // ---------------------------------------------------------------------------------------- pieces

  // The frame, as the start found it.
  logic interleaved_q, unsigned_q, words_q, words_d;
  logic [15:0] full_rows_q, full_cols_q;
  logic [3:0] extra_rows_q, extra_cols_q;
  logic [5:0] full_bytes_q, extra_bytes_q;

  // The piece that comes next: planes from it on, its channel, tiles at its right and below, row in
  // its tile, address; addresses of the first tile of its row of tiles and of its plane.
  logic running_q, running_d, active_q, active_d;
  logic [15:0] planes_q, planes_d, cols_q, cols_d, rows_q, rows_d;
  logic [1:0] channel_q, channel_d;
  logic [3:0] row_q, row_d, last_row;
  logic [FmAddrW-1:0] addr_q, addr_d, row_addr_q, row_addr_d, plane_addr_q, plane_addr_d, next_addr;
  // It is a part of a tile at the right; it is the last of its row. And those of a row's first one.
  // No plane follows.
  logic is_last_plane_q, is_last_plane_d;
  logic is_extra_q, is_extra_d, is_last_col_q, is_last_col_d;
  logic first_is_extra_q, first_is_extra_d, first_is_last_q, first_is_last_d;
  logic is_last_row, is_last_tile, taken;
  // It is the last row of a word of scratch memory.
  logic ends_word_q;
  // Its bytes. In the cycle after the start they are not known yet, and too many for the ring.
  logic [5:0] bytes_q;
  logic [AtW:0] passed;

  assign words_d = start_i ? step_i.scratch[0] : words_q;
  assign passed = ends_word_q ? (AtW + 1)'(PieceBytes + WordPad) : (AtW + 1)'(bytes_q);
  assign last_row = rows_q == '0 ? extra_rows_q - 4'd1 : 4'(TileH - 1);
  assign is_last_row = row_q == last_row;
  assign is_last_tile = rows_q == '0 || (rows_q == 16'd1 && extra_rows_q == '0);
  assign next_addr = addr_q + FmAddrW'(1);

  always_comb begin
    active_d = active_q;
    planes_d = planes_q;
    channel_d = channel_q;
    cols_d = cols_q;
    rows_d = rows_q;
    row_d = row_q;
    addr_d = addr_q;
    row_addr_d = row_addr_q;
    plane_addr_d = plane_addr_q;
    running_d = running_q && !done_o;
    is_extra_d = is_extra_q;
    is_last_col_d = is_last_col_q;
    first_is_extra_d = first_is_extra_q;
    first_is_last_d = first_is_last_q;
    is_last_plane_d = is_last_plane_q;
    if (taken) begin
      addr_d = next_addr;
      cols_d = cols_q - 16'd1;
      is_extra_d = cols_q == 16'd1;
      is_last_col_d = is_extra_d || (cols_q == 16'd2 && extra_cols_q == '0);
      if (is_last_col_q) begin
        cols_d = full_cols_q;
        is_extra_d = first_is_extra_q;
        is_last_col_d = first_is_last_q;
        row_d = row_q + 4'd1;
        addr_d = row_addr_q;
        if (is_last_row) begin
          row_d = '0;
          rows_d = rows_q - 16'd1;
          addr_d = next_addr;
          if (is_last_tile) begin
            // Four planes share the words of their tiles.
            rows_d = full_rows_q;
            channel_d = channel_q + 2'd1;
            addr_d = channel_q == 2'd3 ? next_addr : plane_addr_q;
            plane_addr_d = addr_d;
            planes_d = planes_q - 16'd1;
            is_last_plane_d = planes_q == 16'd2;
          end
          row_addr_d = addr_d;
        end
      end
    end
    if (taken && is_last_col_q && is_last_row && is_last_tile && is_last_plane_q) active_d = 1'b0;
    if (start_i) begin
      active_d = 1'b1;
      running_d = 1'b1;
      planes_d = interleaved_i ? 16'd1 : step_i.filters;
      is_last_plane_d = interleaved_i || step_i.filters == 16'd1;
      channel_d = '0;
      cols_d = step_i.in_full_cols;
      first_is_extra_d = step_i.in_full_cols == '0;
      first_is_last_d = first_is_extra_d ||
                        (step_i.in_full_cols == 16'd1 && step_i.in_extra_cols[3:0] == '0);
      is_extra_d = first_is_extra_d;
      is_last_col_d = first_is_last_d;
      rows_d = step_i.in_full_rows;
      row_d = '0;
      addr_d = base_i;
      row_addr_d = base_i;
      plane_addr_d = base_i;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      running_q <= 1'b0;
      active_q <= 1'b0;
    end else if (clear_i) begin
      running_q <= 1'b0;
      active_q <= 1'b0;
    end else begin
      running_q <= running_d;
      active_q <= active_d;
    end
  end

  always_ff @(posedge clk_i) begin
    planes_q <= planes_d;
    is_last_plane_q <= is_last_plane_d;
    channel_q <= channel_d;
    cols_q <= cols_d;
    {is_extra_q, is_last_col_q} <= {is_extra_d, is_last_col_d};
    {first_is_extra_q, first_is_last_q} <= {first_is_extra_d, first_is_last_d};
    rows_q <= rows_d;
    row_q <= row_d;
    addr_q <= addr_d;
    row_addr_q <= row_addr_d;
    plane_addr_q <= plane_addr_d;
    words_q <= words_d;
    ends_word_q <= words_d && row_d == 4'(TileH - 1);
    bytes_q <= start_i ? '1 : is_extra_d ? extra_bytes_q : full_bytes_q;
    if (start_i) begin
      interleaved_q <= interleaved_i && !words_d;
      unsigned_q <= unsigned_i && !words_d;
      full_rows_q <= step_i.in_full_rows;
      full_cols_q <= step_i.in_full_cols;
      extra_rows_q <= step_i.in_extra_rows[3:0];
      extra_cols_q <= step_i.in_extra_cols[3:0];
      full_bytes_q <= words_d ? 6'(PieceBytes) : interleaved_i ? 6'(Rgb * TileW) : 6'(TileW);
      extra_bytes_q <= 6'(step_i.in_extra_cols[3:0]) +
                       (interleaved_i ? {1'b0, step_i.in_extra_cols[3:0], 1'b0} : '0);
    end
  end

  // ------------------------------------------------------------------------------------------ ring

  // The ring, the place of the front byte, and how many there are; the place of the next beat.
  logic [7:0] ring_q [RingBytes];
  logic [AtW-1:0] at_q;
  logic [AtW:0] count_q, count_d, left, after;
  logic [SlotW-1:0] slot_q;
  logic enough, room_q, beat_taken;

  assign after = count_q - passed;
  assign enough = count_q >= (AtW + 1)'(bytes_q);
  assign beat_ready_o = active_q && room_q;
  assign beat_taken = beat_valid_i && beat_ready_o;
  assign left = taken ? after : count_q;
  assign count_d = {left[AtW:AtW-SlotW] + (SlotW + 1)'(beat_taken), left[AtW-SlotW-1:0]};

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      at_q <= '0;
      count_q <= '0;
      slot_q <= '0;
      room_q <= 1'b1;
    end else begin
      at_q <= at_q + (taken ? AtW'(passed) : '0);
      count_q <= count_d;
      slot_q <= slot_q + SlotW'(beat_taken);
      // Of what leaves in this cycle it does not know yet, as it opens long paths.
      room_q <= count_q <= (AtW + 1)'(RingBytes - BeatBytes - (beat_taken ? BeatBytes : 0));
    end
  end

  genvar s;
  generate
    for (s = 0; s < RingBeats; s++) begin : gen_slot
      always_ff @(posedge clk_i) begin
        if (beat_taken && slot_q == SlotW'(s)) begin
          for (int b = 0; b < int'(BeatBytes); b++) ring_q[s*BeatBytes+b] <= beat_data_i[8*b+:8];
        end
      end
    end
  endgenerate

  // --------------------------------------------------------------------------------------- turning

  /// What goes with a piece.
  typedef struct packed {
    logic [FmAddrW-1:0] addr;
    logic [3:0] row;
    logic [3:0] strobe;
    logic [TileW-1:0] cols;
  } piece_t;

  // All steps go on together, as long as there is room for what comes out.
  (* preserve, dont_merge, maxfan = 256 *) logic go_q;
  logic [Turns-1:0] turning_q;
  logic written_q;
  logic [7:0] turn_q [Turns][turned_bytes(0)];
  logic [AtW-1:0] turn_at_q [Turns];
  piece_t piece, turn_piece_q [Turns], written_piece_q;
  logic [WriteCountW-1:0] writes;

  assign taken = active_q && enough && go_q;
  assign piece.addr = addr_q;
  assign piece.row = row_q;
  assign piece.strobe = interleaved_q || words_q ? 4'b1111 : 4'b0001 << channel_q;
  assign done_o = running_q && !active_q && turning_q == '0 && !written_q &&
                  !write_valid_o && write_idle_i;

  always_comb begin
    for (int x = 0; x < int'(TileW); x++) piece.cols[x] = !is_extra_q || 4'(x) < extra_cols_q;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      go_q <= 1'b0;
      turning_q <= '0;
      written_q <= 1'b0;
    end else if (clear_i) begin
      go_q <= 1'b0;
      turning_q <= '0;
      written_q <= 1'b0;
    end else begin
      go_q <= writes <= WriteCountW'(WritesFew);
      if (go_q) {written_q, turning_q} <= {turning_q, taken};
    end
  end

  always_ff @(posedge clk_i) begin
    if (go_q) begin
      for (int b = 0; b < int'(turned_bytes(0)); b++) begin
        turn_q[0][b] <= ring_q[{at_q[AtW-1-:2], (AtW-2)'(0)} + AtW'(b)];
      end
      turn_at_q[0] <= at_q;
      turn_piece_q[0] <= piece;
      for (int unsigned t = 1; t < Turns; t++) begin
        for (int b = 0; b < int'(turned_bytes(t)); b++) begin
          turn_q[t][b] <= turn_q[t-1][32'(b)+turn_by(turn_at_q[t-1], t)];
        end
        turn_at_q[t] <= turn_at_q[t-1];
        turn_piece_q[t] <= turn_piece_q[t-1];
      end
      written_piece_q <= turn_piece_q[Turns-1];
    end
  end

  // ----------------------------------------------------------------------------------------- write

  // Each byte as that of an unsigned frame; those of the first channels of each pixel, and of the
  // fourth. Of planes, the strobe chooses the channel that is written.
  logic [7:0] levels [PieceBytes];
  logic [TileW-1:0][Rgb-1:0][7:0] pixel_levels;
  logic [TileW-1:0][7:0] fourth_levels;
  logic [TileW-1:0][Rgb-1:0][ActW-1:0] values, values_q;
  logic [TileW-1:0][ActW-1:0] fourth_q;
  logic [TileW-1:0][3:0][ActW-1:0] pixels;


  // Of a byte that goes through no table: its upper bits, or all of an activation.
  function automatic logic [ActW-1:0] value_of(logic [7:0] level, logic of_word);
    return ActW'((level ^ 8'h80) >> (of_word ? 0 : 8 - ActW));
  endfunction

  always_comb begin
    for (int b = 0; b < int'(PieceBytes); b++) begin
      levels[b] = turn_q[Turns-1][b] ^ {!unsigned_q, 7'd0};
    end
    for (int x = 0; x < int'(TileW); x++) begin
      for (int c = 0; c < int'(Rgb); c++) begin
        pixel_levels[x][c] = levels[words_q ? int'(WordChannels)*x+c :
                                    interleaved_q ? int'(Rgb)*x+c : x];
      end
      fourth_levels[x] = levels[words_q ? int'(WordChannels)*x+int'(Rgb) : x];
      pixels[x] = {fourth_q[x], values[x]};
    end
  end

  always_ff @(posedge clk_i) begin
    if (go_q) begin
      for (int x = 0; x < int'(TileW); x++) begin
        fourth_q[x] <= interleaved_q ? '0 : value_of(fourth_levels[x], words_q);
        for (int c = 0; c < int'(Rgb); c++) begin
          values_q[x][c] <= value_of(pixel_levels[x][c], words_q);
        end
      end
    end
  end

  generate
    if (InputTable) begin : gen_table
      logic [7:0] level_q;
      logic [TileW-1:0][Rgb-1:0][ActW-1:0] looked_up;

      // Activations are looked up no more.
      assign values = words_q ? values_q : looked_up;

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          level_q <= '0;
          table_done_o <= 1'b0;
        end else if (clear_i) begin
          level_q <= '0;
          table_done_o <= 1'b0;
        end else begin
          level_q <= level_q + 8'(table_valid_i);
          table_done_o <= table_valid_i && level_q == '1;
        end
      end

      sterna_input_table #(
        .Pixels  (TileW),
        .Channels(Rgb),
        .ActW    (ActW)
      ) u_input_table (
        .clk_i,
        .rst_ni,
        .write_i      (table_valid_i),
        .write_level_i(level_q),
        .write_data_i ({
          table_data_i.channel_2, table_data_i.channel_1, table_data_i.channel_0
        }),
        .read_i       (go_q && turning_q[Turns-1]),
        .level_i      (pixel_levels),
        .value_o      (looked_up)
      );
    end else begin : gen_no_table
      assign table_done_o = 1'b0;
      assign values = values_q;
    end
  endgenerate

  // Writes wait here, so that those who take them do not reach into the steps.
  piece_t write;

  sterna_fifo #(
    .Width($bits(piece_t) + $bits(pixels)),
    .Depth(WriteDepth)
  ) u_writes (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(written_q && go_q),
    .ready_o(),
    .data_i ({written_piece_q, pixels}),
    .valid_o(write_valid_o),
    .ready_i(write_ready_i),
    .data_o ({write, write_data_o}),
    .count_o(writes)
  );

  assign write_addr_o = write.addr;
  assign write_strobe_o = write.strobe;

  genvar y;
  generate
    for (y = 0; y < TileH; y++) begin : gen_row
      assign write_lanes_o[y*TileW+:TileW] = write.row == 4'(y) ? write.cols : '0;
    end
  endgenerate

  logic unused;
  assign unused = ^{step_i, table_valid_i, table_data_i};

`ifdef VERILATOR
  Start_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start_i |-> !running_q || done_o);
  Table_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    table_valid_i |-> !running_q);
  Write_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    write_valid_o && !write_ready_i |=> write_valid_o && $stable(write_addr_o)
    && $stable(write_lanes_o) && $stable(write_strobe_o) && $stable(write_data_o));
  Room_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    written_q && go_q |-> writes != WriteCountW'(WriteDepth))
    else $error("a piece comes out where there is no room for it");
`endif
endmodule
