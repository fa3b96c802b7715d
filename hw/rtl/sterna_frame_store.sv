/// STORE: reads consecutive words of the feature memory and gives them as bus beats, laid out as LOAD takes
/// them: four bytes a lane, one a channel, sign-extended; the rest of a word's last beat is zero. Words are
/// asked for ahead, as many as keep a beat going out every cycle.
module sterna_frame_store
  import sterna_pkg::gather_t;
#(
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
  /// Lanes.
  localparam int unsigned Lanes = TileH * TileW
) (
  /// Clock.
  input  logic                            clk_i,
  /// Reset, active low, released synchronously.
  input  logic                            rst_ni,
  /// Ends the move at once.
  input  logic                            clear_i,

  /// Pulse: begin a move; given only when none runs.
  input  logic                            start_i,
  /// First word to read, taken at the start.
  input  logic [FmAddrW-1:0]              base_i,
  /// Words to read, taken at the start.
  input  logic [31:0]                     words_i,

  /// A word is asked for (in the gather's linear mode).
  output logic                            read_valid_o,
  /// It is taken.
  input  logic                            read_ready_i,
  /// Its address, as `plane`.
  output gather_t                         read_o,
  /// The oldest word asked for.
  input  logic                            word_valid_i,
  /// The word, as four lines.
  input  logic [3:0][Lanes-1:0][ActW-1:0] word_data_i,

  /// A beat is offered.
  output logic                            beat_valid_o,
  /// The beat is taken.
  input  logic                            beat_ready_i,
  /// The beat.
  output logic [DataW-1:0]                beat_data_o,

  /// Pulse: all beats are taken.
  output logic                            done_o
);
  /// Lanes in a beat.
  localparam int unsigned BeatLanes = DataW / 32;
  /// Beats in a word.
  localparam int unsigned WordBeats = (Lanes + BeatLanes - 1) / BeatLanes;
  // A word comes back in fewer cycles than this; a power of two of words covers them.
  localparam int unsigned RoundTrip = 16;
  localparam int unsigned WordsAhead = 2 << $clog2((RoundTrip + WordBeats - 1) / WordBeats);
  localparam int unsigned AheadW = $clog2(WordsAhead + 1);
  localparam int unsigned BeatIndexW = WordBeats > 1 ? $clog2(WordBeats) : 1;

  if (TileH < 3 || TileH > 15 || TileW < 3 || TileW > 15) begin : gen_bad_tile
    $error("sterna_frame_store: TileH = %0d and TileW = %0d must be 3 to 15", TileH, TileW);
  end
  if (DataW < 64 || DataW % 32 != 0) begin : gen_bad_data_w
    $error("sterna_frame_store: DataW = %0d must be a multiple of 32, 64 or more", DataW);
  end
  if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
    $error("sterna_frame_store: ActW = %0d must be 4 to 8", ActW);
  end

  // Words not yet asked for, words not yet given as beats, words asked for and not yet given.
  logic [31:0] unasked_q, unasked_d, ungiven_q, ungiven_d;
  logic [AheadW-1:0] ahead_q, ahead_d;
  logic [FmAddrW-1:0] addr_q, addr_d;
  logic [BeatIndexW-1:0] beat_q, beat_d;
  logic running_q, running_d;
  logic asked, beat_put, word_given, word_valid, word_ready;
  logic [3:0][Lanes-1:0][ActW-1:0] word;

  assign read_valid_o = unasked_q != '0 && ahead_q != AheadW'(WordsAhead);
  assign asked = read_valid_o && read_ready_i;
  always_comb begin
    read_o = '0;
    read_o.plane = 24'(addr_q);
  end

  sterna_fifo #(
    .Width(Lanes * 4 * ActW),
    .Depth(WordsAhead)
  ) u_words (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(word_valid_i),
    .ready_o(word_ready),
    .data_i(word_data_i),
    .valid_o(word_valid),
    .ready_i(word_given),
    .data_o(word),
    .count_o()
  );

  assign beat_put = word_valid && (!beat_valid_o || beat_ready_i);
  assign word_given = beat_put && beat_q == BeatIndexW'(WordBeats - 1);
  assign done_o = running_q && ungiven_q == '0 && !beat_valid_o;

  always_comb begin
    unasked_d = unasked_q - 32'(asked);
    ungiven_d = ungiven_q - 32'(word_given);
    ahead_d = ahead_q + AheadW'(asked) - AheadW'(word_given);
    addr_d = addr_q + FmAddrW'(asked);
    beat_d = word_given ? '0 : beat_q + BeatIndexW'(beat_put);
    running_d = running_q && !done_o;
    if (start_i) begin
      unasked_d = words_i;
      ungiven_d = words_i;
      addr_d = base_i;
      running_d = 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      unasked_q <= '0;
      ungiven_q <= '0;
      ahead_q <= '0;
      beat_q <= '0;
      running_q <= 1'b0;
      beat_valid_o <= 1'b0;
    end else if (clear_i) begin
      unasked_q <= '0;
      ungiven_q <= '0;
      ahead_q <= '0;
      beat_q <= '0;
      running_q <= 1'b0;
      beat_valid_o <= 1'b0;
    end else begin
      unasked_q <= unasked_d;
      ungiven_q <= ungiven_d;
      ahead_q <= ahead_d;
      beat_q <= beat_d;
      running_q <= running_d;
      beat_valid_o <= beat_put || (beat_valid_o && !beat_ready_i);
    end
  end

  always_ff @(posedge clk_i) begin
    addr_q <= addr_d;
  end

  // The word as beats, one of which is chosen.
  logic [DataW-1:0] beats [WordBeats];
  for (genvar b = 0; b < WordBeats; b++) begin : gen_beat
    for (genvar l = 0; l < BeatLanes; l++) begin : gen_lane
      if (b * BeatLanes + l < Lanes) begin : gen_pixel
        for (genvar c = 0; c < 4; c++) begin : gen_channel
          assign beats[b][32*l+8*c+:8] = 8'($signed(word[c][b*BeatLanes+l]));
        end
      end else begin : gen_nothing
        assign beats[b][32*l+:32] = '0;
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (beat_put) beat_data_o <= beats[beat_q];
  end

`ifndef SYNTHESIS
  assert_start : assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start_i |-> !running_q || done_o);
  assert_room : assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    word_valid_i |-> word_ready);
  assert_beat : assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    beat_valid_o && !beat_ready_i |=> beat_valid_o && $stable(beat_data_o));
`endif
endmodule
