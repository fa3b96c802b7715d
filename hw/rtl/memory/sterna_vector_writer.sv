// SPDX-License-Identifier: Apache-2.0

/// Turns words into the vectors of one cluster: a word's masked channels, low channel first, one
/// vector a cycle. A word is announced (with its mask) when it is asked for, and comes a fixed
/// number of cycles later. An announcement is taken only when there will be room for its vectors
/// and when those of the word before will have been cut off by then; so words need no
/// back-pressure, and only one of them is held.
module sterna_vector_writer #(
  /// Bits of a vector.
  parameter int unsigned VectorW = 200,
  /// Vectors of announced words and vectors that wait, together; a power of two, 8 or more. There
  /// is a vector every cycle if it is at least twelve more than the cycles from an announcement to
  /// its word.
  parameter int unsigned Depth = 32
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  /// Forgets all words and vectors.
  input  logic                    clear_i,

  /// A word is announced; given only when ready.
  input  logic                    announce_valid_i,
  /// There will be room for it, and time.
  output logic                    announce_ready_o,
  /// Channels of the word that become vectors.
  input  logic [2:0]              announce_vectors_i,

  /// The next announced word comes in the next cycle; always as many cycles after its announcement.
  input  logic                    word_next_i,
  /// Which channels of that word become vectors.
  input  logic [3:0]              word_mask_i,
  /// The word that was told in the cycle before, a vector for each channel.
  input  logic [3:0][VectorW-1:0] word_data_i,

  /// A vector is offered.
  output logic                    vector_valid_o,
  /// The vector is taken.
  input  logic                    vector_ready_i,
  /// The vector.
  output logic [VectorW-1:0]      vector_data_o
);
  localparam int unsigned IndexW = $clog2(Depth);
  typedef logic [IndexW:0] count_t;

  generate
    if (Depth < 8 || (1 << IndexW) != Depth) begin : gen_bad_depth
      initial $error("sterna_vector_writer: Depth = %0d must be a power of two of at least 8",
                     Depth);
    end
  endgenerate

  // Room that is not promised, whether it does for a word, and cycles until the vectors of the last
  // announced word are cut off. Room is counted a cycle late, which keeps announcements and
  // `vector_ready_i` apart; so after an announcement it must do for two words. Once it does for
  // one, it does so until the next announcement.
  count_t free_q, free_d, taken_q, taken_d;
  logic room_q, room_d, ready_q;
  logic [1:0] pause_q, pause_d;
  logic [2:0] announced;
  logic vector_put;

  assign announced = announce_valid_i ? announce_vectors_i : '0;
  assign announce_ready_o = ready_q;

  always_comb begin
    taken_d = count_t'(announced) - count_t'(vector_put);
    free_d = free_q - taken_q;
    room_d = free_d >= count_t'(8) || (room_q && !announce_valid_i);
    pause_d = pause_q;
    if (announced != '0) pause_d = 2'(announced - 3'd1);
    else if (pause_q != '0) pause_d = pause_q - 2'd1;
  end

  // The word that is cut into vectors: its channels that wait, and the one that comes next.
  logic [3:0][VectorW-1:0] word_q;
  logic word_valid_q;
  logic [3:0] mask_q, waiting_q, waiting_d;
  logic [1:0] channel_q, channel_d;
  logic vector_cut;

  assign vector_cut = waiting_q != '0;

  always_comb begin
    waiting_d = word_valid_q ? mask_q : waiting_q & (waiting_q - 4'd1);
    channel_d = waiting_d[0] ? 2'd0 : waiting_d[1] ? 2'd1 : waiting_d[2] ? 2'd2 : 2'd3;
  end

  // Vectors that wait. Room was promised to them, so there is no full state to watch.
  (* ramstyle = "MLAB, no_rw_check" *) logic [VectorW-1:0] vectors [Depth];
  logic [IndexW-1:0] write_q, read_q;
  count_t held_q, held_d;

  assign vector_put = held_q != '0 && (!vector_valid_o || vector_ready_i);

  always_comb begin
    held_d = held_q;
    if (vector_cut != vector_put) held_d = vector_cut ? held_q + count_t'(1) : held_q - count_t'(1);
  end

  always_ff @(posedge clk_i) begin
    mask_q <= word_mask_i;
    if (word_valid_q) word_q <= word_data_i;
    if (vector_cut) vectors[write_q] <= word_q[channel_q];
    if (vector_put) vector_data_o <= vectors[read_q];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      free_q <= count_t'(Depth);
      pause_q <= '0;
      taken_q <= '0;
      room_q <= 1'b0;
      ready_q <= 1'b0;
      word_valid_q <= 1'b0;
      waiting_q <= '0;
      channel_q <= '0;
      write_q <= '0;
      read_q <= '0;
      held_q <= '0;
      vector_valid_o <= 1'b0;
    end else if (clear_i) begin
      free_q <= count_t'(Depth);
      pause_q <= '0;
      taken_q <= '0;
      room_q <= 1'b0;
      ready_q <= 1'b0;
      word_valid_q <= 1'b0;
      waiting_q <= '0;
      channel_q <= '0;
      write_q <= '0;
      read_q <= '0;
      held_q <= '0;
      vector_valid_o <= 1'b0;
    end else begin
      free_q <= free_d;
      pause_q <= pause_d;
      taken_q <= taken_d;
      room_q <= room_d;
      ready_q <= room_d && pause_d == '0;
      word_valid_q <= word_next_i;
      waiting_q <= waiting_d;
      channel_q <= channel_d;
      write_q <= write_q + IndexW'(vector_cut);
      read_q <= read_q + IndexW'(vector_put);
      held_q <= held_d;
      vector_valid_o <= vector_put || (vector_valid_o && !vector_ready_i);
    end
  end

`ifdef VERILATOR
  Announced_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    announce_valid_i |-> announce_ready_o);
  Word_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    word_valid_q |-> $onehot0(waiting_q));
  Room_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    vector_cut |-> held_q != count_t'(Depth));
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    vector_cut && vector_put |-> write_q != read_q);
`endif
endmodule
