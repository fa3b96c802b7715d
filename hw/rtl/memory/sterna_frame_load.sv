// SPDX-License-Identifier: Apache-2.0

/// LOAD: writes bus beats to consecutive words of the feature memory. A beat holds four bytes for
/// each of `BeatLanes` lanes, one per channel; a word is `WordBeats` beats, lanes in order, the
/// rest of the last beat is ignored. Every beat is one write of the lanes it holds, so a beat is
/// taken every cycle.
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
  parameter int unsigned DataW = 64
) (
  input  logic                                  clk_i,
  input  logic                                  rst_ni,
  /// Ends the move at once.
  input  logic                                  clear_i,

  /// Pulse: begin a move; given only when none runs.
  input  logic                                  start_i,
  /// First word to write, taken at the start.
  input  logic [FmAddrW-1:0]                    base_i,
  /// Words to write, taken at the start.
  input  logic [31:0]                           words_i,

  /// A beat is offered.
  input  logic                                  beat_valid_i,
  /// The beat is taken.
  output logic                                  beat_ready_o,
  /// The beat.
  input  logic [DataW-1:0]                      beat_data_i,

  /// A write is offered.
  output logic                                  write_valid_o,
  /// It is taken.
  input  logic                                  write_ready_i,
  /// Word to write.
  output logic [FmAddrW-1:0]                    write_addr_o,
  /// Lanes to write.
  output logic [TileH*TileW-1:0]                write_lanes_o,
  /// The word.
  output logic [TileH*TileW-1:0][3:0][ActW-1:0] write_data_o,

  /// Pulse: all words are written.
  output logic                                  done_o
);
  /// Lanes.
  localparam int unsigned Lanes = TileH * TileW;
  /// Lanes in a beat.
  localparam int unsigned BeatLanes = DataW / 32;
  /// Beats in a word.
  localparam int unsigned WordBeats = (Lanes + BeatLanes - 1) / BeatLanes;

  generate
    if (TileH < 3 || TileH > 15 || TileW < 3 || TileW > 15) begin : gen_bad_tile
      initial $error("sterna_frame_load: TileH = %0d and TileW = %0d must be 3 to 15",
                     TileH, TileW);
    end
    if (DataW < 64 || DataW % 32 != 0) begin : gen_bad_data_w
      initial $error("sterna_frame_load: DataW = %0d must be a multiple of 32, 64 or more", DataW);
    end
    if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
      initial $error("sterna_frame_load: ActW = %0d must be 4 to 8", ActW);
    end
  endgenerate

  // Words not yet taken from the bus as a whole, whether there are any, and which beat of a word
  // comes next (one hot).
  logic [31:0] left_q, left_d;
  logic taking_q, taking_d;
  logic [WordBeats-1:0] beat_q, beat_d;
  logic [FmAddrW-1:0] addr_q, addr_d;
  logic running_q, running_d;
  logic beat_taken, word_taken;
  logic [BeatLanes-1:0][3:0][ActW-1:0] pixels_q;
  logic [WordBeats-1:0] held_beat_q;

  assign beat_ready_o = taking_q && (!write_valid_o || write_ready_i);
  assign beat_taken = beat_valid_i && beat_ready_o;
  assign word_taken = beat_taken && beat_q[WordBeats-1];
  assign done_o = running_q && !taking_q && !write_valid_o;

  always_comb begin
    left_d = left_q;
    taking_d = taking_q;
    addr_d = addr_q;
    beat_d = beat_q;
    if (beat_taken) beat_d = beat_q << 1;
    if (word_taken) begin
      left_d = left_q - 32'd1;
      taking_d = left_q != 32'd1;
      addr_d = addr_q + FmAddrW'(1);
      beat_d = WordBeats'(1);
    end
    running_d = running_q && !done_o;
    if (start_i) begin
      left_d = words_i;
      taking_d = words_i != '0;
      addr_d = base_i;
      running_d = 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      taking_q <= 1'b0;
      beat_q <= WordBeats'(1);
      running_q <= 1'b0;
      write_valid_o <= 1'b0;
    end else if (clear_i) begin
      taking_q <= 1'b0;
      beat_q <= WordBeats'(1);
      running_q <= 1'b0;
      write_valid_o <= 1'b0;
    end else begin
      taking_q <= taking_d;
      beat_q <= beat_d;
      running_q <= running_d;
      write_valid_o <= beat_taken || (write_valid_o && !write_ready_i);
    end
  end

  always_ff @(posedge clk_i) begin
    left_q <= left_d;
    addr_q <= addr_d;
    if (beat_taken) begin
      write_addr_o <= addr_q;
      held_beat_q <= beat_q;
    end
  end

  genvar l, c;
  generate
    for (l = 0; l < BeatLanes; l++) begin : gen_pixel
      for (c = 0; c < 4; c++) begin : gen_channel
        always_ff @(posedge clk_i) begin
          if (beat_taken) pixels_q[l][c] <= beat_data_i[32*l+8*c+:ActW];
        end
      end
    end

    // Lane l lies at place l mod BeatLanes of beat l div BeatLanes, so the data need no selection.
    for (l = 0; l < Lanes; l++) begin : gen_lane
      assign write_lanes_o[l] = held_beat_q[l/BeatLanes];
      assign write_data_o[l] = pixels_q[l%BeatLanes];
    end
  endgenerate

`ifdef VERILATOR
  Start_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start_i |-> !running_q || done_o);
  Write_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    write_valid_o && !write_ready_i |=> write_valid_o && $stable(write_addr_o)
    && $stable(held_beat_q) && $stable(pixels_q));
`endif
endmodule
