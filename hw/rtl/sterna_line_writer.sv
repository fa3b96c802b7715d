/// Turns words into the lines of one cluster: a word's masked channels, low channel first, one line a cycle.
/// A word is announced (with its mask) when it is asked for, and comes a fixed number of cycles later. An
/// announcement is taken only when there will be room for its lines and when those of the word before will have
/// been cut off by then; so words need no back-pressure, and only one of them is held.
module sterna_line_writer #(
  /// Bits of a line.
  parameter int unsigned LineW = 200,
  /// Lines of announced words and lines that wait, together; a power of two, 8 or more. There is a line every
  /// cycle if it is at least twelve more than the cycles from an announcement to its word.
  parameter int unsigned Depth = 32
) (
  /// Clock.
  input  logic                  clk_i,
  /// Reset, active low, released synchronously.
  input  logic                  rst_ni,
  /// Forgets all words and lines.
  input  logic                  clear_i,

  /// A word is announced; given only when ready.
  input  logic                  announce_valid_i,
  /// There will be room for it, and time.
  output logic                  announce_ready_o,
  /// Channels of the word that become lines.
  input  logic [3:0]            announce_mask_i,

  /// The next announced word; always as many cycles after its announcement.
  input  logic                  word_valid_i,
  /// Its mask, once more.
  input  logic [3:0]            word_mask_i,
  /// The word, a line for each channel.
  input  logic [3:0][LineW-1:0] word_data_i,

  /// A line is offered.
  output logic                  line_valid_o,
  /// The line is taken.
  input  logic                  line_ready_i,
  /// The line.
  output logic [LineW-1:0]      line_data_o
);
  localparam int unsigned IndexW = $clog2(Depth);
  typedef logic [IndexW:0] count_t;

  generate
    if (Depth < 8 || (1 << IndexW) != Depth) begin : gen_bad_depth
      $error("sterna_line_writer: Depth = %0d must be a power of two of at least 8", Depth);
    end
  endgenerate

  // Room that is not promised, whether it does for a word, and cycles until the lines of the last announced word are
  // cut off. Room is counted a cycle late, which keeps announcements and `line_ready_i` apart; so behind an
  // announcement it must do for two words. Once it does for one, it does so until the next announcement.
  count_t free_q, free_d, taken_q, taken_d;
  logic room_q, room_d;
  logic [1:0] pause_q, pause_d;
  logic [2:0] announced;
  logic line_put;

  assign announced = announce_valid_i ? 3'($countones(announce_mask_i)) : '0;
  assign announce_ready_o = pause_q == '0 && room_q;

  always_comb begin
    taken_d = count_t'(announced) - count_t'(line_put);
    free_d = free_q - taken_q;
    room_d = free_d >= count_t'(8) || (room_q && !announce_valid_i);
    pause_d = pause_q;
    if (announced != '0) pause_d = 2'(announced - 3'd1);
    else if (pause_q != '0) pause_d = pause_q - 2'd1;
  end

  // The word that is cut into lines: its channels that wait, and the one that comes next.
  logic [3:0][LineW-1:0] word_q;
  logic [3:0] waiting_q, waiting_d;
  logic [1:0] channel_q, channel_d;
  logic line_cut;

  assign line_cut = waiting_q != '0;

  always_comb begin
    waiting_d = word_valid_i ? word_mask_i : waiting_q & (waiting_q - 4'd1);
    channel_d = waiting_d[0] ? 2'd0 : waiting_d[1] ? 2'd1 : waiting_d[2] ? 2'd2 : 2'd3;
  end

  // Lines that wait. Room was promised to them, so there is no full state to watch.
  logic [LineW-1:0] lines [Depth];
  logic [IndexW-1:0] write_q, read_q;
  count_t held_q, held_d;

  assign line_put = held_q != '0 && (!line_valid_o || line_ready_i);

  always_comb begin
    held_d = held_q;
    if (line_cut != line_put) held_d = line_cut ? held_q + count_t'(1) : held_q - count_t'(1);
  end

  always_ff @(posedge clk_i) begin
    if (word_valid_i) word_q <= word_data_i;
    if (line_cut) lines[write_q] <= word_q[channel_q];
    if (line_put) line_data_o <= lines[read_q];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      free_q <= count_t'(Depth);
      pause_q <= '0;
      taken_q <= '0;
      room_q <= 1'b0;
      waiting_q <= '0;
      channel_q <= '0;
      write_q <= '0;
      read_q <= '0;
      held_q <= '0;
      line_valid_o <= 1'b0;
    end else if (clear_i) begin
      free_q <= count_t'(Depth);
      pause_q <= '0;
      taken_q <= '0;
      room_q <= 1'b0;
      waiting_q <= '0;
      channel_q <= '0;
      write_q <= '0;
      read_q <= '0;
      held_q <= '0;
      line_valid_o <= 1'b0;
    end else begin
      free_q <= free_d;
      pause_q <= pause_d;
      taken_q <= taken_d;
      room_q <= room_d;
      waiting_q <= waiting_d;
      channel_q <= channel_d;
      write_q <= write_q + IndexW'(line_cut);
      read_q <= read_q + IndexW'(line_put);
      held_q <= held_d;
      line_valid_o <= line_put || (line_valid_o && !line_ready_i);
    end
  end

`ifndef SYNTHESIS
  assert_announced : assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    announce_valid_i |-> announce_ready_o);
  assert_word : assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    word_valid_i |-> $onehot0(waiting_q));
  assert_room : assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    line_cut |-> held_q != count_t'(Depth));
`endif
endmodule
