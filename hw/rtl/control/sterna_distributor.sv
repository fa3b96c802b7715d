// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Takes the records of a WEIGHTS payload apart: beats of fetch words go to the vector loader, the
/// chunks of a round to the PEs whose stream they belong to. A record of unknown kind or of more
/// than a payload can hold stops the stream.
///
/// The beats of a round wait for their PEs in two registers in turn. So a beat can be taken in each
/// cycle, although it is known only a cycle later that all PEs have taken theirs. Rounds of one
/// beat, which only small engines have, come every other cycle.
module sterna_distributor #(
  /// Bits of a bus beat.
  parameter int unsigned DataW = 64,
  /// Clusters.
  parameter int unsigned Clusters = 2,
  /// PEs in a cluster.
  parameter int unsigned Pes = 4,
  /// Bytes of a chunk.
  parameter int unsigned ChunkBytes = 4
) (
  input  logic                                           clk_i,
  input  logic                                           rst_ni,
  /// Back to the reset state.
  input  logic                                           clear_i,
  /// Nothing is held and no record is open.
  output logic                                           idle_o,
  /// Logarithm of the distinct tiles that the clusters work on; stable while a step's records
  /// stream.
  input  logic [1:0]                                     tiles_log2_i,
  /// A beat of records is offered.
  input  logic                                           beat_valid_i,
  /// The beat is taken.
  output logic                                           beat_ready_o,
  /// The beat.
  input  logic [DataW-1:0]                               beat_data_i,
  /// A beat of fetch words is offered.
  output logic                                           fetch_valid_o,
  /// It is taken.
  input  logic                                           fetch_ready_i,
  /// The beat, first word lowest.
  output logic [DataW-1:0]                               fetch_data_o,
  /// Words in it.
  output logic [$clog2(DataW/64 + 1)-1:0]                fetch_words_o,
  /// A chunk is offered to a PE.
  output logic [Clusters-1:0][Pes-1:0]                   chunk_valid_o,
  /// The PE takes it.
  input  logic [Clusters-1:0][Pes-1:0]                   chunk_ready_i,
  /// The chunk.
  output logic [Clusters-1:0][Pes-1:0][ChunkBytes*8-1:0] chunk_data_o
);
  /// Bits of a count of fetch words.
  localparam int unsigned WordCountW = $clog2(DataW / 64 + 1);
  localparam int unsigned BeatWords = DataW / 64;
  localparam int unsigned BeatChunks = DataW / (ChunkBytes * 8);
  /// Beats that carry a chunk for each PE of one cluster.
  localparam int unsigned ClusterBeats = Pes / BeatChunks;
  localparam int unsigned Places = Clusters * ClusterBeats;
  localparam int unsigned PlaceW = Places > 1 ? $clog2(Places) : 1;
  /// Bits of a number of beats in a payload of less than 4 GB.
  localparam int unsigned CountW = 32 - $clog2(DataW / 8);

  generate
    if (Pes % BeatChunks != 0) begin : gen_bad_round
      initial $error("sterna_distributor: Pes * ChunkBytes = %0d must be a multiple of a beat",
                     Pes * ChunkBytes);
    end
  endgenerate

  typedef enum logic [1:0] {
    StRecord,  // takes the header of the next record; zeros are padding
    StFetch,   // hands beats of fetch words to the loader
    StRounds,  // holds the beats of rounds until their PEs have taken their chunks
    StBad      // takes nothing more, which ends in STALL
  } state_e;

  state_e state_d, state_q;
  // Rounds or full beats of fetch words that are left, fetch words after the last full beat, and
  // whether the round or beat that comes next is the last one.
  logic [CountW-1:0] left_d, left_q;
  logic [WordCountW-1:0] tail_d, tail_q;
  logic last_d, last_q;
  // The beat of a round that comes next.
  logic [PlaceW-1:0] place_d, place_q, last_place;
  // The registers; even beats of a round wait in the lower one. One is free when no PE waited for
  // it in the cycle before.
  logic [1:0][DataW-1:0] data_q;
  logic [1:0] load, taken, free_q;
  // PEs that are to take a chunk.
  logic [Clusters-1:0][Pes-1:0] waiting_d, waiting_q, missing, target, upper;

  // Keeps the PEs' readiness away from the tape reader, which may withdraw a beat to drop it.
  logic beat_valid, beat_ready;
  logic [DataW-1:0] beat_data;

  sterna_fifo #(
    .Width(DataW),
    .Depth(2)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(beat_valid_i && beat_ready_o),
    .ready_o(beat_ready_o),
    .data_i (beat_data_i),
    .valid_o(beat_valid),
    .ready_i(beat_ready),
    .data_o (beat_data),
    .count_o()
  );

  assign fetch_valid_o = beat_valid && state_q == StFetch;
  assign fetch_data_o = beat_data;
  assign fetch_words_o = last_q && tail_q != '0 ? tail_q : WordCountW'(BeatWords);

  // ------------------------------------------------------------------------------------------- PEs

  genvar c, u, r;
  generate
    for (c = 0; c < Clusters; c++) begin : gen_cluster
      for (u = 0; u < Pes; u++) begin : gen_pe
        // The beat of a round that holds the PE's chunk.
        logic [PlaceW-1:0] place;

        assign place = PlaceW'((c >> tiles_log2_i) * ClusterBeats + u / BeatChunks);
        assign target[c][u] = |load && place == place_q;
        assign upper[c][u] = place[0];
        assign chunk_data_o[c][u] =
            data_q[place[0]][(u % BeatChunks) * ChunkBytes * 8 +: ChunkBytes * 8];
      end
    end
  endgenerate

  assign chunk_valid_o = waiting_q;
  assign missing = waiting_q & ~chunk_ready_i;
  assign waiting_d = clear_i ? '0 : missing | target;
  assign taken = {(missing & upper) == '0, (missing & ~upper) == '0};

  generate
    for (r = 0; r < 2; r++) begin : gen_register
      assign load[r] = beat_valid && state_q == StRounds && free_q[r] && place_q[0] == 1'(r);

      always_ff @(posedge clk_i) begin
        if (free_q[r]) data_q[r] <= beat_data;
      end
    end
  endgenerate

  // --------------------------------------------------------------------------------------- records

  logic is_fetch;
  logic [55:0] count, beats;

  assign is_fetch = beat_data[7:0] == RecordFetch;
  assign count = beat_data[63:8];
  assign beats = is_fetch ? count / 56'(BeatWords) : count;
  assign last_place = PlaceW'((Places >> tiles_log2_i) - 1);
  assign idle_o = state_q == StRecord && (&free_q) && !beat_valid;

  always_comb begin
    unique case (state_q)
      StRecord: beat_ready = 1'b1;
      StFetch: beat_ready = fetch_ready_i;
      StRounds: beat_ready = free_q[place_q[0]];
      default: beat_ready = 1'b0;
    endcase
  end

  always_comb begin
    state_d = state_q;
    left_d = left_q;
    tail_d = tail_q;
    last_d = last_q;
    place_d = place_q;
    if (beat_valid && beat_ready) begin
      unique case (state_q)
        StRecord: begin
          left_d = CountW'(beats);
          tail_d = is_fetch ? WordCountW'(count % 56'(BeatWords)) : '0;
          last_d = beats == 56'(tail_d == '0);
          place_d = '0;
          state_d = is_fetch ? StFetch : StRounds;
          if (!is_fetch && beat_data[7:0] != RecordRounds) state_d = StBad;
          if (count == '0 || beats[55:CountW] != '0) state_d = StBad;
          // A zero header is the padding that fills the payload up.
          if (beat_data[63:0] == '0) state_d = StRecord;
        end
        StFetch: begin
          left_d = left_q - 1'b1;
          last_d = left_q == (tail_q == '0 ? CountW'(2) : CountW'(1));
          if (last_q) state_d = StRecord;
        end
        StRounds: begin
          place_d = place_q + 1'b1;
          if (place_q == last_place) begin
            place_d = '0;
            left_d = left_q - 1'b1;
            last_d = left_q == CountW'(2);
            if (last_q) state_d = StRecord;
          end
        end
        default: ;
      endcase
    end
    if (clear_i) state_d = StRecord;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StRecord;
      left_q <= '0;
      tail_q <= '0;
      last_q <= 1'b0;
      place_q <= '0;
      waiting_q <= '0;
      free_q <= '1;
    end else begin
      state_q <= state_d;
      left_q <= left_d;
      tail_q <= tail_d;
      last_q <= last_d;
      place_q <= place_d;
      waiting_q <= waiting_d;
      free_q <= clear_i ? '1 : taken & ~load;
    end
  end

`ifdef VERILATOR
  FetchHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    fetch_valid_o && !fetch_ready_i |=> fetch_valid_o && $stable({fetch_data_o, fetch_words_o}));
  generate
    for (r = 0; r < 2; r++) begin : gen_assert
      // What a PE waits for stays.
      ChunkHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
        !taken[r] |=> $stable(data_q[r]));
    end
  endgenerate
`endif
endmodule
