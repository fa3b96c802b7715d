/// Turns words into the lines of one cluster: a word's masked channels, low channel first, one line a cycle.
/// A word is announced (with its mask) when it is asked for; an announcement is taken only when there will be
/// room for the word, so words need no back-pressure.
module sterna_line_writer #(
  /// Bits of a line.
  parameter int unsigned LineW = 200,
  /// Words that may be announced and not yet written; a power of two.
  parameter int unsigned Depth = 16
) (
  /// Clock.
  input  logic                  clk_i,
  /// Reset, active low, released synchronously.
  input  logic                  rst_ni,
  /// Forgets all words.
  input  logic                  clear_i,

  /// A word is announced.
  input  logic                  announce_valid_i,
  /// There will be room for it.
  output logic                  announce_ready_o,
  /// Channels of the word that become lines; at least one, else channel 0 does.
  input  logic [3:0]            announce_mask_i,

  /// The next announced word.
  input  logic                  word_valid_i,
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

  logic [3:0] mask;
  logic word_pop;

  sterna_fifo #(
    .Width(4),
    .Depth(Depth)
  ) u_announced (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(announce_valid_i),
    .ready_o(announce_ready_o),
    .data_i(announce_mask_i),
    .valid_o(),
    .ready_i(word_pop),
    .data_o(mask),
    .count_o()
  );

  // Words that have come. They never outnumber the announced ones, so there is no full state to watch.
  logic [3:0][LineW-1:0] words [Depth];
  logic [IndexW:0] write_q, read_q, held;

  assign held = write_q - read_q;

  always_ff @(posedge clk_i) begin
    if (word_valid_i) words[write_q[IndexW-1:0]] <= word_data_i;
  end

  // Channels of the word in front that are written, those that wait, and the one that comes next.
  logic [3:0] done_q, waiting, next;
  logic [1:0] channel;
  logic word_ends, line_free, line_put;

  assign waiting = mask & ~done_q;
  assign next = waiting & (~waiting + 4'd1);
  assign channel = {next[3] || next[2], next[3] || next[1]};
  assign word_ends = waiting == next;
  assign line_free = !line_valid_o || line_ready_i;
  assign line_put = held != '0 && line_free;
  assign word_pop = line_put && word_ends;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q <= '0;
      done_q <= '0;
      line_valid_o <= 1'b0;
    end else if (clear_i) begin
      write_q <= '0;
      read_q <= '0;
      done_q <= '0;
      line_valid_o <= 1'b0;
    end else begin
      write_q <= write_q + (IndexW+1)'(word_valid_i);
      read_q <= read_q + (IndexW+1)'(word_pop);
      if (word_pop) done_q <= '0;
      else if (line_put) done_q <= done_q | next;
      line_valid_o <= line_put || (line_valid_o && !line_ready_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (line_put) line_data_o <= words[read_q[IndexW-1:0]][channel];
  end

`ifndef SYNTHESIS
  assert_room : assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    word_valid_i |-> !held[IndexW]);
`endif
endmodule
