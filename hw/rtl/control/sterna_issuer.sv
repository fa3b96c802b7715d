// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Issues rounds: the one point at which anything waits. A round goes to all clusters at once, with
/// the windows that it takes words of, one for each tile; all that comes after takes a fixed number
/// of cycles. A round waits for the words that its window reads to be written, for its half of the
/// accumulators to be drained, and for the drain's reads, which take its place.
///
/// `step_i` may change, and `start_i` be given, only while `idle_o`.
module sterna_issuer #(
  /// Clusters; a power of two.
  parameter int unsigned Clusters = 2,
  /// Drains.
  parameter int unsigned Drains = 1,
  /// Bits of a bus beat.
  parameter int unsigned DataW = 64,
  /// Cycles from a window's request to its word.
  parameter int unsigned GatherLatency = 15,
  /// Rounds that wait, here and at the distributor; a power of two.
  parameter int unsigned RoundDepth = 16
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  /// Forgets fetch words and reads.
  input  logic                            clear_i,

  /// The step that runs.
  input  step_t                           step_i,
  /// Pulse: the next pass is tile group 0.
  input  logic                            start_i,
  /// Words that each drain has written of the last tile group of the step before; `AfterAll` when
  /// all earlier steps are written. A fetch word waits until this is at least its `after`.
  input  logic [9:0]                      written_i,

  /// A beat of fetch words comes in.
  input  logic                            fetch_valid_i,
  /// There is room for one, and for three that come before this says that there is none.
  output logic                            fetch_go_o,
  /// The beat, first word lowest.
  input  logic [DataW-1:0]                fetch_data_i,
  /// Words in it.
  input  logic [$clog2(DataW/64 + 1)-1:0] fetch_words_i,

  /// A round comes in.
  input  logic                            round_valid_i,
  /// There is room for one, and for three that come before this says that there is none.
  output logic                            round_go_o,
  /// The oldest round is issued.
  output logic                            round_issue_o,
  /// The round that comes in takes a word into the windows.
  input  logic                            round_word_i,
  /// It is the last one of its pass.
  input  logic                            round_end_i,
  /// The half of the accumulators that it is for.
  output logic                            half_o,

  /// A window is asked for.
  output logic                            read_valid_o,
  /// The window.
  output gather_t                         read_o,
  /// Slot of the word that has come, in the windows.
  output logic [4:0]                      word_slot_o,
  /// The clusters that it is for.
  output logic [Clusters-1:0]             word_clusters_o,

  /// A drain reads the accumulators.
  input  logic [Drains-1:0]               drain_read_i,
  /// It does so now, in the place of a round.
  output logic [Drains-1:0]               row_load_o,
  /// The pass in this half of the accumulators has ended.
  output logic [Drains-1:0][1:0]          ended_o,
  /// The drain has read that half (pulse).
  input  logic [Drains-1:0][1:0]          free_i,

  /// All rounds of the step are issued, and all words have come.
  output logic                            idle_o,
  /// A round waits for a word to be written.
  output logic                            wait_vectors_o,
  /// No round is there.
  output logic                            wait_weights_o,
  /// A round waits for the drain.
  output logic                            wait_drain_o
);
  /// Bits of a count of fetch words.
  localparam int unsigned WordCountW = $clog2(DataW / 64 + 1);
  /// Beats of fetch words that wait to be cut into words; a power of two.
  localparam int unsigned BeatDepth = 16;
  localparam int unsigned BeatCountW = $clog2(BeatDepth + 1);
  /// Fetch words that wait.
  localparam int unsigned FetchDepth = 128;
  localparam int unsigned ClusterW = Clusters > 1 ? $clog2(Clusters) : 1;
  localparam int unsigned GuardW = $clog2(WindowGuard + 1);
  /// Cycles from a request until its word is in the windows and nobody looks at the step any more.
  localparam int unsigned FlightCycles = GatherLatency + 2;

  generate
    if (Clusters != 1 && Clusters != 2 && Clusters != 4) begin : gen_bad_clusters
      initial $error("sterna_issuer: Clusters = %0d must be 1, 2 or 4", Clusters);
    end
    if (WindowGuard < Clusters + 1) begin : gen_bad_guard
      initial $error("sterna_issuer: Clusters = %0d must be less than the guard, %0d", Clusters,
                     WindowGuard);
    end
  endgenerate

  // ----------------------------------------------------------------------------------- fetch words

  fetch_t fetch;
  logic [63:0] word;
  logic beat_valid, beat_ready, word_valid, word_ready, queued_valid, queued_ready;
  logic fetch_valid, fetch_take;
  logic [63:0] queued;
  logic [DataW-1:0] beat_data;
  logic [WordCountW-1:0] beat_words;
  logic [BeatCountW-1:0] beats;

  sterna_fifo #(
    .Width(DataW + WordCountW),
    .Depth(BeatDepth)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(fetch_valid_i),
    .ready_o(),
    .data_i ({fetch_words_i, fetch_data_i}),
    .valid_o(beat_valid),
    .ready_i(beat_ready),
    .data_o ({beat_words, beat_data}),
    .count_o(beats)
  );

  always_ff @(posedge clk_i) begin
    fetch_go_o <= beats <= BeatCountW'(BeatDepth - 4);
  end

  sterna_word_serializer #(
    .DataW(DataW)
  ) u_words (
    .clk_i,
    .rst_ni,
    .clear_i,
    .idle_o      (),
    .beat_valid_i(beat_valid),
    .beat_ready_o(beat_ready),
    .beat_data_i (beat_data),
    .beat_words_i(beat_words),
    .word_valid_o(word_valid),
    .word_ready_i(word_ready),
    .word_data_o (word)
  );

  sterna_ram_fifo #(
    .Width(64),
    .Depth(FetchDepth)
  ) u_fetches (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(word_valid),
    .ready_o(word_ready),
    .data_i (word),
    .valid_o(queued_valid),
    .ready_i(queued_ready),
    .data_o (queued),
    .empty_o()
  );

  // Keeps the issue away from the block RAM.
  sterna_fifo #(
    .Width(64),
    .Depth(2)
  ) u_near (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(queued_valid),
    .ready_o(queued_ready),
    .data_i (queued),
    .valid_o(fetch_valid),
    .ready_i(fetch_take),
    .data_o (fetch),
    .count_o()
  );

  // The fetch word whose window is next, and whether what it reads is written.
  fetch_t next_q;
  logic next_valid_q, released_d, released_q, issue, issue_word;

  assign fetch_take = !next_valid_q || issue_word;

  always_ff @(posedge clk_i) begin
    if (fetch_take) next_q <= fetch;
  end

  assign released_d = fetch_take ? fetch_valid && fetch.after <= written_i :
                                   next_q.after <= written_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      next_valid_q <= 1'b0;
      released_q <= 1'b0;
    end else if (clear_i) begin
      next_valid_q <= 1'b0;
      released_q <= 1'b0;
    end else begin
      next_valid_q <= fetch_take ? fetch_valid : 1'b1;
      released_q <= released_d;
    end
  end

  // ----------------------------------------------------------------------------------------- issue

  localparam int unsigned RoundCountW = $clog2(RoundDepth + 1);

  logic round_valid, round_word, round_end;
  logic [RoundCountW-1:0] rounds;

  sterna_fifo #(
    .Width     (2),
    .Depth     (RoundDepth),
    .Registered(1'b1)
  ) u_rounds (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(round_valid_i),
    .ready_o(),
    .data_i ({round_word_i, round_end_i}),
    .valid_o(round_valid),
    .ready_i(issue),
    .data_o ({round_word, round_end}),
    .count_o(rounds)
  );

  always_ff @(posedge clk_i) begin
    round_go_o <= rounds <= RoundCountW'(RoundDepth - 4);
  end

  // No round goes: the half is not drained, a pass has just ended, or a drain reads.
  logic half_q, half_d, undrained_q, end_issued, reads_q, blocked_q;
  logic [GuardW-1:0] guard_q;
  logic [Drains-1:0] row_load_q;
  logic [Drains-1:0][1:0] ended_d, ended_q;
  logic [31:0] groups_q;
  logic working_q;

  assign issue = round_valid && !blocked_q && (!round_word || released_q);
  assign issue_word = issue && round_word;
  assign end_issued = issue && round_end;
  assign round_issue_o = issue;
  assign half_o = half_q;
  assign half_d = half_q ^ end_issued;
  assign ended_o = ended_q;
  assign row_load_o = row_load_q;

  always_comb begin
    for (int unsigned d = 0; d < Drains; d++) begin
      ended_d[d] = ended_q[d] & ~free_i[d];
      if (end_issued) ended_d[d][half_q] = 1'b1;
    end
  end

  logic undrained_d;

  always_comb begin
    undrained_d = 1'b0;
    for (int unsigned d = 0; d < Drains; d++) undrained_d |= ended_d[d][half_d];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      half_q <= 1'b0;
      ended_q <= '0;
      undrained_q <= 1'b0;
      guard_q <= '0;
      row_load_q <= '0;
      reads_q <= 1'b0;
      blocked_q <= 1'b0;
      groups_q <= '0;
      working_q <= 1'b0;
    end else if (clear_i) begin
      half_q <= 1'b0;
      ended_q <= '0;
      undrained_q <= 1'b0;
      guard_q <= '0;
      row_load_q <= '0;
      reads_q <= 1'b0;
      blocked_q <= 1'b0;
      groups_q <= '0;
      working_q <= 1'b0;
    end else begin
      half_q <= half_d;
      ended_q <= ended_d;
      undrained_q <= undrained_d;
      if (end_issued) guard_q <= GuardW'(WindowGuard - 1);
      else if (guard_q != '0) guard_q <= guard_q - GuardW'(1);
      row_load_q <= drain_read_i;
      reads_q <= drain_read_i != '0;
      blocked_q <= undrained_d || end_issued || guard_q != '0 || drain_read_i != '0;
      if (start_i) groups_q <= step_i.tile_groups;
      else if (end_issued) groups_q <= groups_q - 32'd1;
      if (start_i) working_q <= 1'b1;
      else if (end_issued && groups_q == 32'd1) working_q <= 1'b0;
    end
  end

  // --------------------------------------------------------------------------------------- windows

  // Of the window that is asked for: its fetch word, position in the tile group, positions left.
  fetch_t asked_q;
  logic [1:0] position_q, last_position_q;
  logic asking_q, stride_two_q;
  logic [4:0] slot_q, asked_slot_q;
  logic [15:0] tile_row [Clusters];
  logic [15:0] tile_col [Clusters];
  logic [ClusterW-1:0] cursor;
  // A tile is known long before its window is asked for: a pass has ended in between.
  logic [Clusters-1:0] cursor_ready, advance_q;
  logic [4:0] flight_q;
  logic last_asked;

  assign last_asked = position_q == last_position_q;
  assign cursor = ClusterW'(position_q);
  assign read_valid_o = asking_q;
  assign read_o.plane = asked_q.plane;
  assign read_o.row = asked_q.row;
  assign read_o.col = asked_q.col;
  assign read_o.tile_row = 16'(asked_q.tile_row) + 16'(tile_row[cursor] << stride_two_q);
  assign read_o.tile_col = 16'(asked_q.tile_col) + 16'(tile_col[cursor] << stride_two_q);

  always_ff @(posedge clk_i) begin
    last_position_q <= {step_i.tiles_at_once[2], |step_i.tiles_at_once[2:1]};
    stride_two_q <= step_i.gather_stride == 8'd2;
    if (issue_word) begin
      asked_q <= next_q;
      asked_slot_q <= slot_q;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      asking_q <= 1'b0;
      advance_q <= '0;
      position_q <= '0;
      slot_q <= '0;
      flight_q <= '0;
    end else if (clear_i) begin
      asking_q <= 1'b0;
      advance_q <= '0;
      position_q <= '0;
      slot_q <= '0;
      flight_q <= '0;
    end else begin
      if (issue_word) asking_q <= 1'b1;
      else if (last_asked) asking_q <= 1'b0;
      for (int unsigned i = 0; i < Clusters; i++) begin
        advance_q[i] <= asking_q && asked_q.last_in_pass && position_q == 2'(i);
      end
      if (asking_q) position_q <= last_asked ? '0 : position_q + 2'd1;
      // A ring that begins anew with each pass.
      if (end_issued) slot_q <= '0;
      else if (issue_word) slot_q <= slot_q == 5'(WindowWords - 1) ? '0 : slot_q + 5'd1;
      if (asking_q || issue_word) flight_q <= 5'(FlightCycles);
      else if (flight_q != '0) flight_q <= flight_q - 5'd1;
    end
  end

  genvar c;
  generate
    for (c = 0; c < Clusters; c++) begin : gen_cursor
      sterna_tile_cursor #(
        .Position(c)
      ) u_cursor (
        .clk_i,
        .rst_ni,
        .clear_i,
        .tiles_h_i(step_i.out_tiles_h),
        .tiles_w_i(step_i.out_tiles_w),
        .stride_i (step_i.tiles_at_once[2:0]),
        .start_i,
        .advance_i(advance_q[c]),
        .ready_o  (cursor_ready[c]),
        .row_o    (tile_row[c]),
        .col_o    (tile_col[c])
      );
    end
  endgenerate

  // What the word is for comes with it.
  logic [1:0] word_position;

  sterna_delay #(
    .Width (7),
    .Cycles(GatherLatency)
  ) u_delay (
    .clk_i,
    .rst_ni,
    .data_i({position_q, asked_slot_q}),
    .data_o({word_position, word_slot_o})
  );

  generate
    for (c = 0; c < Clusters; c++) begin : gen_word
      assign word_clusters_o[c] = word_position == (2'(c) & last_position_q);
    end
  endgenerate

  // ------------------------------------------------------------------------------------ statistics

  assign idle_o = !working_q && flight_q == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {wait_vectors_o, wait_weights_o, wait_drain_o} <= '0;
    end else begin
      wait_weights_o <= working_q && !round_valid;
      wait_drain_o <= round_valid && (undrained_q || reads_q);
      wait_vectors_o <= round_valid && !undrained_q && !reads_q && !issue;
    end
  end

  logic unused;
  assign unused = ^{step_i, asked_q};

`ifdef VERILATOR
  Start_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start_i |-> idle_o);
  Steady_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    !idle_o && !$past(idle_o) |-> $stable(step_i));
  Word_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    issue_word |-> !asking_q || last_asked)
    else $error("a word before those of the word before are asked for");
  Tile_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    asking_q |-> cursor_ready[cursor])
    else $error("a window is asked for before its tile is known");
  Free_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    (free_i & ~ended_q) == '0)
    else $error("a half is freed before its pass has ended");
`endif
endmodule
