// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::fetch_t;
import sterna_pkg::gather_t;
import sterna_pkg::step_t;

/// Loads the vectors of all clusters: walks fetch words, reads each of them for every tile that the
/// clusters work on, and hands the words to the clusters of that tile (cluster c works on tile c
/// mod tiles_at_once of the group). `step_i` may change, and `start_i` be given, only while
/// `idle_o`.
module sterna_vector_loader #(
  /// Rows of a tile.
  parameter int unsigned TileH = 5,
  /// Columns of a tile.
  parameter int unsigned TileW = 5,
  /// Clusters; a power of two.
  parameter int unsigned Clusters = 2,
  /// Vectors in a vector buffer; a power of two.
  parameter int unsigned BufferVectors = 32,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of a bus beat.
  parameter int unsigned DataW = 64
) (
  input  logic                                  clk_i,
  input  logic                                  rst_ni,
  /// Forgets fetch words, reads and vectors.
  input  logic                                  clear_i,

  /// The step that runs.
  input  step_t                                 step_i,
  /// Pulse: the next pass is tile group 0.
  input  logic                                  start_i,

  /// Words that each drain has written of the last tile group of the step before; `AfterAll` when
  /// all earlier steps are written. A fetch word waits until this is at least its `after`.
  input  logic [9:0]                            written_i,

  /// A beat of fetch words is offered.
  input  logic                                  fetch_valid_i,
  /// It is taken.
  output logic                                  fetch_ready_o,
  /// The beat, first word lowest.
  input  logic [DataW-1:0]                      fetch_data_i,
  /// Words in it.
  input  logic [$clog2(DataW/64 + 1)-1:0]       fetch_words_i,

  /// A window is asked for.
  output logic                                  read_valid_o,
  /// It is taken.
  input  logic                                  read_ready_i,
  /// The window.
  output gather_t                               read_o,
  /// The word of the oldest window comes in the next cycle; always as many cycles after its window
  /// was taken, at most `MostReads`.
  input  logic                                  word_next_i,
  /// The word that was told in the cycle before, as four vectors.
  input  logic [3:0][TileH*TileW-1:0][ActW-1:0] word_data_i,

  /// A vector is offered to each cluster.
  output logic [Clusters-1:0]                   vector_valid_o,
  /// It is taken.
  input  logic [Clusters-1:0]                   vector_ready_i,
  /// The vector.
  output logic [TileH*TileW-1:0][ActW-1:0]      vector_data_o [Clusters],

  /// No fetch word waits and no read is under way; vectors may still wait.
  output logic                                  idle_o
);
  /// Lanes.
  localparam int unsigned Lanes = TileH * TileW;
  /// Bits of a count of fetch words.
  localparam int unsigned WordCountW = $clog2(DataW / 64 + 1);
  /// Vectors that a cluster may wait for, or keep waiting; at least twelve more than the cycles
  /// from a read to its word, so that a cluster gets one vector per cycle.
  localparam int unsigned VectorsAhead = 32;
  /// Beats of fetch words that wait to be cut into words; a power of two.
  localparam int unsigned BeatDepth = 16;
  /// Reads that may be under way; a power of two.
  localparam int unsigned MostReads = 32;
  localparam int unsigned ClusterW = Clusters > 1 ? $clog2(Clusters) : 1;

  generate
    if (Clusters != 1 && Clusters != 2 && Clusters != 4) begin : gen_bad_clusters
      initial $error("sterna_vector_loader: Clusters = %0d must be 1, 2 or 4", Clusters);
    end
  endgenerate

  // A word gives at least one vector, so the queue has a word for each vector that the PEs may be
  // behind.
  fetch_t fetch;
  logic [63:0] word;
  logic beat_valid, beat_ready, queue_empty, words_idle, word_valid, word_ready;
  logic fetch_valid, fetch_take;
  logic [DataW-1:0] beat_data;
  logic [WordCountW-1:0] beat_words;

  sterna_fifo #(
    .Width(DataW + WordCountW),
    .Depth(BeatDepth)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(fetch_valid_i),
    .ready_o(fetch_ready_o),
    .data_i ({fetch_words_i, fetch_data_i}),
    .valid_o(beat_valid),
    .ready_i(beat_ready),
    .data_o ({beat_words, beat_data}),
    .count_o()
  );

  sterna_word_serializer #(
    .DataW(DataW)
  ) u_words (
    .clk_i,
    .rst_ni,
    .clear_i,
    .idle_o      (words_idle),
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
    .Depth(BufferVectors)
  ) u_fetches (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(word_valid),
    .ready_o(word_ready),
    .data_i (word),
    .valid_o(fetch_valid),
    .ready_i(fetch_take),
    .data_o (fetch),
    .empty_o(queue_empty)
  );

  // The fetch word that is walked, and whether what it reads is written.
  fetch_t walked_q;
  logic [2:0] walked_vectors_q;
  logic walked_valid_q, walked_valid_d, released_q, released_d, walked;

  assign fetch_take = !walked_valid_q || walked;
  assign walked_valid_d = fetch_take ? fetch_valid : 1'b1;
  assign released_d = fetch_take ? fetch_valid && fetch.after <= written_i :
                                   walked_q.after <= written_i;

  always_ff @(posedge clk_i) begin
    if (fetch_take) begin
      walked_q <= fetch;
      walked_vectors_q <= 3'(fetch.mask[0]) + 3'(fetch.mask[1]) + 3'(fetch.mask[2]) +
                          3'(fetch.mask[3]);
    end
  end

  // Position in the tile group of the read that is asked for and of the word that comes next.
  logic [1:0] asked_q, asked_d, answered_q, answered_d, last_position_q;
  logic [3:0] answered_mask;
  logic [Clusters-1:0] asked_clusters, answered_clusters, writer_ready;
  logic [Clusters-1:0] cursor_ready;
  logic [15:0] tile_row [Clusters];
  logic [15:0] tile_col [Clusters];
  logic ask, under_way, masks_ready, stride_two_q;

  // One less than 1, 2 or 4 tiles. The step has been here for cycles before a fetch word.
  always_ff @(posedge clk_i) begin
    last_position_q <= {step_i.tiles_at_once[2], |step_i.tiles_at_once[2:1]};
    stride_two_q <= step_i.gather_stride == 8'd2;
  end

  genvar c;
  generate
    for (c = 0; c < Clusters; c++) begin : gen_cluster
      logic [1:0] position;
      assign position = 2'(c) & last_position_q;
      assign asked_clusters[c] = position == asked_q;
      assign answered_clusters[c] = position == answered_q;

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
        .advance_i(ask && walked_q.last_in_pass && asked_q == 2'(c)),
        .ready_o  (cursor_ready[c]),
        .row_o    (tile_row[c]),
        .col_o    (tile_col[c])
      );

      sterna_vector_writer #(
        .VectorW(Lanes * ActW),
        .Depth  (VectorsAhead)
      ) u_writer (
        .clk_i,
        .rst_ni,
        .clear_i,
        .announce_valid_i  (ask && asked_clusters[c]),
        .announce_ready_o  (writer_ready[c]),
        .announce_vectors_i(walked_vectors_q),
        .word_next_i       (word_next_i && answered_clusters[c]),
        .word_mask_i       (answered_mask),
        .word_data_i,
        .vector_valid_o    (vector_valid_o[c]),
        .vector_ready_i    (vector_ready_i[c]),
        .vector_data_o     (vector_data_o[c])
      );
    end
  endgenerate

  // A read is asked for when what it reads is written and all clusters of its tile will have room
  // for the vectors.
  logic [ClusterW-1:0] asked_index;
  assign asked_index = ClusterW'(asked_q);
  assign read_valid_o = released_q && cursor_ready[asked_index] &&
                        &(writer_ready | ~asked_clusters);
  assign ask = read_valid_o && read_ready_i;
  assign walked = ask && asked_q == last_position_q;

  assign read_o.plane = walked_q.plane;
  assign read_o.row = walked_q.row;
  assign read_o.col = walked_q.col;
  assign read_o.tile_row = 16'(walked_q.tile_row) + 16'(tile_row[asked_index] << stride_two_q);
  assign read_o.tile_col = 16'(walked_q.tile_col) + 16'(tile_col[asked_index] << stride_two_q);

  // Masks of the reads under way.
  sterna_fifo #(
    .Width(4),
    .Depth(MostReads)
  ) u_masks (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(ask),
    .ready_o(masks_ready),
    .data_i (walked_q.mask),
    .valid_o(under_way),
    .ready_i(word_next_i),
    .data_o (answered_mask),
    .count_o()
  );

  assign asked_d = walked ? '0 : asked_q + 2'(ask);
  assign answered_d = answered_q == last_position_q && word_next_i ? '0 :
                      answered_q + 2'(word_next_i);
  assign idle_o = !beat_valid && words_idle && queue_empty && !walked_valid_q && !under_way;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      walked_valid_q <= 1'b0;
      released_q <= 1'b0;
      asked_q <= '0;
      answered_q <= '0;
    end else if (clear_i) begin
      walked_valid_q <= 1'b0;
      released_q <= 1'b0;
      asked_q <= '0;
      answered_q <= '0;
    end else begin
      walked_valid_q <= walked_valid_d;
      released_q <= released_d;
      asked_q <= asked_d;
      answered_q <= answered_d;
    end
  end

`ifdef VERILATOR
  Start_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start_i |-> idle_o);
  Steady_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    !idle_o && !$past(idle_o) |-> $stable(step_i));
  Tiles_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    walked_valid_q |-> step_i.tiles_at_once inside {8'd1, 8'd2, 8'd4}
    && 32'(step_i.tiles_at_once) <= Clusters);
  Read_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    read_valid_o && !read_ready_i |=> read_valid_o && $stable(read_o));
  Word_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    word_next_i |-> under_way);
  Reads_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    ask |-> masks_ready);
`endif
endmodule
