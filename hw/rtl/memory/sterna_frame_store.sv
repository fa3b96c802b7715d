// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::gather_t;

/// STORE: reads consecutive words of the feature memory and gives them as bus beats, laid out as
/// LOAD takes them: four bytes per lane, one per channel, sign-extended; the rest of a word's last
/// beat is zero. Each beat is a read of its own, rotated so that the beat's first lane comes first:
/// then a lane of the beat comes from one of two places, and no word has to be kept.
module sterna_frame_store #(
  /// Rows of a tile.
  parameter int unsigned TileH = 5,
  /// Columns of a tile.
  parameter int unsigned TileW = 5,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of a word address.
  parameter int unsigned FmAddrW = 6,
  /// Bits of a beat.
  parameter int unsigned DataW = 64
) (
  input  logic                                  clk_i,
  input  logic                                  rst_ni,
  /// Ends the move at once.
  input  logic                                  clear_i,

  /// Pulse: begin a move; given only when none runs.
  input  logic                                  start_i,
  /// First word to read, taken at the start.
  input  logic [FmAddrW-1:0]                    base_i,
  /// Words to read, taken at the start.
  input  logic [31:0]                           words_i,

  /// A rotated word is asked for (a plain one of the gather's).
  output logic                                  read_valid_o,
  /// It is taken.
  input  logic                                  read_ready_i,
  /// Its address, as `plane`, and its rotation, as `row` and `col`.
  output gather_t                               read_o,
  /// The oldest word asked for.
  input  logic                                  word_valid_i,
  /// The word, as four vectors.
  input  logic [3:0][TileH*TileW-1:0][ActW-1:0] word_data_i,

  /// A beat is offered.
  output logic                                  beat_valid_o,
  /// The beat is taken.
  input  logic                                  beat_ready_i,
  /// The beat.
  output logic [DataW-1:0]                      beat_data_o,

  /// Pulse: all beats are taken.
  output logic                                  done_o
);
  /// Lanes.
  localparam int unsigned Lanes = TileH * TileW;
  /// Lanes in a beat.
  localparam int unsigned BeatLanes = DataW / 32;
  /// Beats in a word.
  localparam int unsigned WordBeats = (Lanes + BeatLanes - 1) / BeatLanes;
  /// Lanes in the last of them.
  localparam int unsigned LastLanes = Lanes - (WordBeats - 1) * BeatLanes;
  /// Beats asked for and not given; more than the cycles from a read to its beat, so that a beat
  /// goes out every cycle.
  localparam int unsigned BeatsAhead = 32;
  localparam int unsigned AheadW = $clog2(BeatsAhead + 1);
  localparam int unsigned BeatIndexW = WordBeats > 1 ? $clog2(WordBeats) : 1;

  generate
    if (TileH < 3 || TileH > 15 || TileW < 3 || TileW > 15) begin : gen_bad_tile
      initial $error("sterna_frame_store: TileH = %0d and TileW = %0d must be 3 to 15",
                     TileH, TileW);
    end
    if (DataW < 64 || DataW % 32 != 0) begin : gen_bad_data_w
      initial $error("sterna_frame_store: DataW = %0d must be a multiple of 32, 64 or more", DataW);
    end
    if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
      initial $error("sterna_frame_store: ActW = %0d must be 4 to 8", ActW);
    end
  endgenerate

  typedef logic [WordBeats-1:0][3:0] places_t;

  /// Row of the first lane of each beat.
  function automatic places_t first_rows();
    places_t table_v = '0;
    for (int unsigned b = 0; b < WordBeats; b++) table_v[b] = 4'(b * BeatLanes / TileW);
    return table_v;
  endfunction

  /// Column of the first lane of each beat.
  function automatic places_t first_cols();
    places_t table_v = '0;
    for (int unsigned b = 0; b < WordBeats; b++) table_v[b] = 4'(b * BeatLanes % TileW);
    return table_v;
  endfunction

  localparam places_t FirstRow = first_rows();
  localparam places_t FirstCol = first_cols();
  localparam logic [BeatIndexW-1:0] LastBeat = BeatIndexW'(WordBeats - 1);

  // Words not yet asked for as a whole, whether there are any, beats asked for, beats given, and
  // which beat of a word is asked for, or comes, next.
  logic [31:0] left_q, left_d;
  logic [AheadW-1:0] asked_q, given_q, ahead;
  logic [FmAddrW-1:0] addr_q, addr_d;
  logic [BeatIndexW-1:0] asked_beat_q, asked_beat_d, beat_q, beat_d;
  logic running_q, running_d, asking_q, asking_d;
  // Room for a beat, and for one more that is asked for while it is found out.
  logic room_q;
  logic asked, word_asked, given, beat_ready;

  assign read_valid_o = asking_q && room_q;
  assign asked = read_valid_o && read_ready_i;
  assign word_asked = asked && asked_beat_q == LastBeat;
  assign given = beat_valid_o && beat_ready_i;
  assign ahead = asked_q - given_q;
  assign done_o = running_q && !asking_q && ahead == '0;

  always_comb begin
    read_o = '0;
    read_o.plane = 24'(addr_q);
    read_o.row = FirstRow[asked_beat_q];
    read_o.col = FirstCol[asked_beat_q];
  end

  always_comb begin
    left_d = left_q;
    addr_d = addr_q;
    asking_d = asking_q;
    asked_beat_d = asked_beat_q + BeatIndexW'(asked);
    if (word_asked) begin
      left_d = left_q - 32'd1;
      addr_d = addr_q + FmAddrW'(1);
      asking_d = left_q != 32'd1;
      asked_beat_d = '0;
    end
    beat_d = beat_q;
    if (word_valid_i) beat_d = beat_q == LastBeat ? '0 : beat_q + BeatIndexW'(1);
    running_d = running_q && !done_o;
    if (start_i) begin
      left_d = words_i;
      addr_d = base_i;
      asking_d = words_i != '0;
      running_d = 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      asking_q <= 1'b0;
      asked_beat_q <= '0;
      beat_q <= '0;
      {asked_q, given_q} <= '0;
      running_q <= 1'b0;
    end else if (clear_i) begin
      asking_q <= 1'b0;
      asked_beat_q <= '0;
      beat_q <= '0;
      {asked_q, given_q} <= '0;
      running_q <= 1'b0;
    end else begin
      asking_q <= asking_d;
      asked_beat_q <= asked_beat_d;
      beat_q <= beat_d;
      if (asked) asked_q <= asked_q + AheadW'(1);
      if (given) given_q <= given_q + AheadW'(1);
      running_q <= running_d;
    end
  end

  always_ff @(posedge clk_i) begin
    room_q <= ahead <= AheadW'(BeatsAhead - 2);
    left_q <= left_d;
    addr_q <= addr_d;
  end

  // Lane l of the beat lies l columns behind its first lane: in place l of the rotated word, or,
  // where that has wrapped round, one row further.
  logic [BeatLanes-1:0][3:0][ActW-1:0] pixels, beat;
  logic [TileW-1:0] wrapped;

  genvar x, l, c;
  generate
    for (x = 0; x < TileW; x++) begin : gen_col
      assign wrapped[x] = 5'(FirstCol[beat_q]) + 5'(x) >= 5'(TileW);
    end

    for (l = 0; l < BeatLanes; l++) begin : gen_lane
      if (l < Lanes) begin : gen_pixel
        localparam int unsigned Further = (l + TileW) % Lanes;
        logic there;
        assign there = l < LastLanes || beat_q != LastBeat;
        for (c = 0; c < 4; c++) begin : gen_channel
          assign pixels[l][c] = !there ? '0 :
                                wrapped[l%TileW] ? word_data_i[c][Further] : word_data_i[c][l];
        end
      end else begin : gen_nothing
        assign pixels[l] = '0;
      end
    end
  endgenerate

  sterna_fifo #(
    .Width(BeatLanes * 4 * ActW),
    .Depth(BeatsAhead)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(word_valid_i),
    .ready_o(beat_ready),
    .data_i (pixels),
    .valid_o(beat_valid_o),
    .ready_i(beat_ready_i),
    .data_o (beat),
    .count_o()
  );

  generate
    for (l = 0; l < BeatLanes; l++) begin : gen_extend
      for (c = 0; c < 4; c++) begin : gen_channel
        assign beat_data_o[32*l+8*c+:8] = 8'($signed(beat[l][c]));
      end
    end
  endgenerate

`ifdef VERILATOR
  Start_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start_i |-> !running_q || done_o);
  Room_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    word_valid_i |-> beat_ready);
`endif
endmodule
