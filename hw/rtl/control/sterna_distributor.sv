// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Takes the records of a WEIGHTS payload apart: beats of fetch words go to the issuer, rounds come
/// out one by one, with the operations of each cluster. A record of unknown kind or of more than a
/// payload can hold ends the stream: what follows is dropped.
module sterna_distributor #(
  /// Bits of a bus beat.
  parameter int unsigned DataW = 64,
  /// Clusters.
  parameter int unsigned Clusters = 2,
  /// PEs in a cluster.
  parameter int unsigned Pes = 4,
  /// Rounds that wait, here and at the issuer; a power of two.
  parameter int unsigned RoundDepth = 16
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  /// Back to the reset state.
  input  logic                             clear_i,
  /// Nothing is held and no record is open.
  output logic                             idle_o,
  /// Logarithm of the distinct tiles that the clusters work on; stable while a step's records
  /// stream.
  input  logic [1:0]                       tiles_log2_i,
  /// A beat of records is offered.
  input  logic                             beat_valid_i,
  /// The beat is taken.
  output logic                             beat_ready_o,
  /// The beat.
  input  logic [DataW-1:0]                 beat_data_i,
  /// A beat of fetch words is given.
  output logic                             fetch_valid_o,
  /// There is room for one, and for three that come before this says that there is none.
  input  logic                             fetch_go_i,
  /// The beat, first word lowest.
  output logic [DataW-1:0]                 fetch_data_o,
  /// Words in it.
  output logic [$clog2(DataW/64 + 1)-1:0]  fetch_words_o,
  /// A round comes into the queue.
  output logic                             round_valid_o,
  /// There is room for one, and for three that come before this says that there is none.
  input  logic                             round_go_i,
  /// The oldest round is issued.
  input  logic                             round_issue_i,
  /// The operations of all PEs, a cycle after the round is issued.
  output entry_t [Clusters-1:0][Pes-1:0]   round_o,
  /// The round takes a word.
  output logic                             round_word_o,
  /// It is the last one of its pass.
  output logic                             round_end_o
);
  /// Bits of a count of fetch words.
  localparam int unsigned WordCountW = $clog2(DataW / 64 + 1);
  localparam int unsigned BeatWords = DataW / 64;
  localparam int unsigned EntryW = $bits(entry_t);
  localparam int unsigned PesW = Pes * EntryW;
  /// Bits of a round when all clusters work on one tile, which has a stream for each PE.
  localparam int unsigned RoundW = Clusters * PesW;
  /// Bits in which a round is put together.
  localparam int unsigned LineW = RoundW > DataW ? RoundW : DataW;
  localparam int unsigned LineBeats = LineW / DataW;
  localparam int unsigned PlaceW = LineBeats > 1 ? $clog2(LineBeats) : 1;
  /// The most rounds in a beat.
  localparam int unsigned BeatRounds = DataW * Clusters > RoundW ? DataW * Clusters / RoundW : 1;
  localparam int unsigned RoundPlaceW = BeatRounds > 1 ? $clog2(BeatRounds) : 1;
  /// Beats that wait before it is known what they are.
  localparam int unsigned FirstDepth = 8;
  localparam int unsigned FirstCountW = $clog2(FirstDepth + 1);
  /// Beats of rounds that wait.
  localparam int unsigned BeatDepth = 32;
  /// Bits of a count of fetch words or rounds, and of that of their beats.
  localparam int unsigned CountW = 24;
  localparam int unsigned BeatsW = CountW + $clog2(LineBeats);
  /// A bit more, as rounds that fill a beat up are added to the most.
  localparam int unsigned SumW = BeatsW + 1;

  typedef enum logic [1:0] {
    StRecord,  // takes the header of the next record; zeros are padding
    StFetch,   // hands beats of fetch words to the issuer
    StRounds,  // hands beats of rounds to the queue
    StBad      // drops what follows: its checksum tells, else it ends in STALL
  } state_e;

  /// By logarithm of the tiles: beats of a round, of which a whole number makes a line; rounds in a
  /// beat.
  function automatic int unsigned round_beats(int unsigned tiles_log2);
    return (RoundW >> tiles_log2) > DataW ? (RoundW >> tiles_log2) / DataW : 1;
  endfunction
  function automatic int unsigned beat_rounds(int unsigned tiles_log2);
    return (RoundW >> tiles_log2) < DataW ? DataW / (RoundW >> tiles_log2) : 1;
  endfunction

  state_e state_d, state_q;
  // Full beats of fetch words, or beats of rounds, that are left; fetch words after the last full
  // beat, or the last round in the last beat; whether the beat that comes next is the last one.
  logic [BeatsW-1:0] left_d, left_q;
  logic [WordCountW-1:0] tail_d, tail_q;
  logic [RoundPlaceW-1:0] tail_round_d, tail_round_q;
  logic last_d, last_q;

  // Of the step: beats of a round less one, the last round in a beat; whether a beat is one round
  // or more.
  logic [PlaceW-1:0] last_place_q;
  logic [RoundPlaceW-1:0] beat_round_q;
  logic whole_q;
  logic [1:0] tiles_log2_q;

  always_ff @(posedge clk_i) begin
    tiles_log2_q <= tiles_log2_i;
    last_place_q <= '0;
    beat_round_q <= '0;
    whole_q <= 1'b0;
    for (int unsigned t = 0; t <= $clog2(Clusters); t++) begin
      if (tiles_log2_i == 2'(t)) begin
        last_place_q <= PlaceW'(round_beats(t) - 1);
        beat_round_q <= RoundPlaceW'(beat_rounds(t) - 1);
        whole_q <= round_beats(t) == 1;
      end
    end
  end

  // Keeps what is behind it away from the tape reader, which may withdraw a beat to drop it.
  logic first_valid, first_ready, beat_valid, beat_ready;
  logic [FirstCountW-1:0] first_beats;
  logic [DataW-1:0] first_data;

  sterna_fifo #(
    .Width(DataW),
    .Depth(FirstDepth)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(beat_valid_i && beat_ready_o),
    .ready_o(),
    .data_i (beat_data_i),
    .valid_o(first_valid),
    .ready_i(first_ready),
    .data_o (first_data),
    .count_o(first_beats)
  );

  // Room is looked at a cycle late, in which one more may have come.
  always_ff @(posedge clk_i) begin
    beat_ready_o <= first_beats <= FirstCountW'(FirstDepth - 3);
  end

  // Of a beat, before it is known to be a header: what takes many of its bits to tell.
  typedef struct packed {
    logic padding;
    logic bad;
  } mark_t;

  mark_t mark_d, mark;
  logic early_valid, early_ready;
  logic [DataW-1:0] early_data;

  assign mark_d.padding = first_data[63:0] == '0;
  assign mark_d.bad = (first_data[7:0] != RecordFetch && first_data[7:0] != RecordRounds) ||
                      first_data[63:8] == '0 || first_data[63:8+CountW] != '0;

  // Both stages go on together.
  assign first_ready = early_ready;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) early_valid <= 1'b0;
    else if (clear_i) early_valid <= 1'b0;
    else if (first_ready) early_valid <= first_valid;
  end

  always_ff @(posedge clk_i) begin
    if (first_ready) begin
      early_data <= first_data;
      mark <= mark_d;
    end
  end

  // What a beat says if it is a header.
  typedef struct packed {
    mark_t mark;
    logic fetch;
    logic one;
    logic [BeatsW-1:0] beats;
    logic [WordCountW-1:0] tail;
    logic [RoundPlaceW-1:0] tail_round;
  } header_t;

  header_t header_d, header;
  logic is_fetch;
  logic [CountW-1:0] count;
  logic [BeatsW-1:0] beats;

  assign is_fetch = early_data[7:0] == RecordFetch;
  assign count = early_data[8+:CountW];
  assign header_d.mark = mark;
  assign header_d.beats = beats;
  assign header_d.fetch = is_fetch;
  assign header_d.tail = is_fetch ? WordCountW'(count % CountW'(BeatWords)) : '0;
  assign header_d.one = is_fetch ? count <= CountW'(BeatWords) :
                                   whole_q && count <= CountW'(beat_round_q) + CountW'(1);
  assign header_d.tail_round = (early_data[8+:RoundPlaceW] - RoundPlaceW'(1)) & beat_round_q;

  // A round is a whole number of beats, or a beat one of rounds.
  always_comb begin
    beats = BeatsW'(count / CountW'(BeatWords));
    for (int unsigned t = 0; t <= $clog2(Clusters); t++) begin
      if (!is_fetch && tiles_log2_q == 2'(t)) begin
        beats = BeatsW'((SumW'(count) * SumW'(round_beats(t)) + SumW'(beat_rounds(t) - 1)) /
                        SumW'(beat_rounds(t)));
      end
    end
  end

  logic [DataW-1:0] beat_data;

  assign early_ready = !beat_valid || beat_ready;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) beat_valid <= 1'b0;
    else if (clear_i) beat_valid <= 1'b0;
    else if (early_ready) beat_valid <= early_valid;
  end

  always_ff @(posedge clk_i) begin
    if (early_ready) begin
      beat_data <= early_data;
      header <= header_d;
    end
  end

  // What goes to the issuer, and what it says, crosses some of the chip.
  logic fetch_go_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) fetch_valid_o <= 1'b0;
    else fetch_valid_o <= beat_valid && state_q == StFetch && fetch_go_q && !clear_i;
  end

  always_ff @(posedge clk_i) begin
    fetch_go_q <= fetch_go_i;
    fetch_data_o <= beat_data;
    fetch_words_o <= last_q && tail_q != '0 ? tail_q : WordCountW'(BeatWords);
  end

  // ---------------------------------------------------------------------------------------- rounds

  // There is room in the queue for what comes now, and while it is found out that there is none.
  logic few_q;
  logic queued_valid, queued_ready, emit;
  logic [DataW-1:0] queued_data;
  logic [RoundPlaceW-1:0] queued_round;
  logic [PlaceW-1:0] place_q;
  logic [RoundPlaceW-1:0] round_place_q;
  logic [LineW-1:0] line;

  localparam int unsigned BeatCountW = $clog2(BeatDepth + 1);

  logic [BeatCountW-1:0] queued_beats;
  logic queue;

  assign queue = beat_valid && state_q == StRounds && few_q;

  always_ff @(posedge clk_i) begin
    few_q <= queued_beats <= BeatCountW'(BeatDepth - 3);
  end

  sterna_fifo #(
    .Width(DataW),
    .Depth(BeatDepth)
  ) u_rounds (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(queue),
    .ready_o(),
    .data_i (beat_data),
    .valid_o(queued_valid),
    .ready_i(queued_ready),
    .data_o (queued_data),
    .count_o(queued_beats)
  );

  // The last round in each beat, from a register.
  sterna_fifo #(
    .Width     (RoundPlaceW),
    .Depth     (BeatDepth),
    .Registered(1'b1)
  ) u_last_rounds (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(queue),
    .ready_o(),
    .data_i (last_q ? tail_round_q : beat_round_q),
    .valid_o(),
    .ready_i(queued_ready),
    .data_o (queued_round),
    .count_o()
  );

  // The beats of a round before its last one are held.
  generate
    if (LineBeats > 1) begin : gen_held
      logic [DataW-1:0] held_q [LineBeats-1];

      always_comb begin
        line = '0;
        for (int unsigned k = 0; k < LineBeats; k++) begin
          line[k*DataW+:DataW] = k == 32'(last_place_q) ? queued_data : held_q[k % (LineBeats-1)];
        end
      end

      always_ff @(posedge clk_i) begin
        for (int unsigned k = 0; k < LineBeats - 1; k++) begin
          if (place_q == PlaceW'(k)) held_q[k] <= queued_data;
        end
      end
    end else begin : gen_beat
      assign line = queued_data;
    end
  endgenerate

  // Rounds wait in a queue, so that the issuer, which has a queue of its own, does not reach into
  // the beats. One that is issued leaves in the next cycle, as the queue is wide.
  logic last_place, last_round, go_q, made_q, made_valid, issued_q;
  entry_t [Clusters-1:0][Pes-1:0] round_q;

  sterna_fifo #(
    .Width(Clusters * PesW),
    .Depth(RoundDepth)
  ) u_made (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(made_q),
    .ready_o(),
    .data_i (round_q),
    .valid_o(made_valid),
    .ready_i(issued_q),
    .data_o (round_o),
    .count_o()
  );

  assign round_valid_o = made_q;
  assign last_place = place_q == last_place_q;
  assign last_round = round_place_q == queued_round;
  assign emit = queued_valid && last_place && go_q;
  assign queued_ready = last_place ? go_q && last_round : 1'b1;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      place_q <= '0;
      round_place_q <= '0;
      {made_q, issued_q} <= '0;
    end else if (clear_i) begin
      place_q <= '0;
      round_place_q <= '0;
      {made_q, issued_q} <= '0;
    end else begin
      if (queued_valid && queued_ready) place_q <= last_place ? '0 : place_q + PlaceW'(1);
      if (emit) round_place_q <= last_round ? '0 : round_place_q + RoundPlaceW'(1);
      made_q <= emit;
      issued_q <= round_issue_i;
    end
  end

  always_ff @(posedge clk_i) begin
    go_q <= round_go_i;
    if (emit) begin
      for (int unsigned t = 0; t <= $clog2(Clusters); t++) begin
        for (int unsigned j = 0; j < beat_rounds(t); j++) begin
          if (tiles_log2_q == 2'(t) && round_place_q == RoundPlaceW'(j)) begin
            for (int unsigned c = 0; c < Clusters; c++) begin
              round_q[c] <= line[j*(RoundW>>t)+(c>>t)*PesW+:PesW];
            end
            round_word_o <= line[j*(RoundW>>t)+WordStream*EntryW+EntryW-1];
            round_end_o <= line[j*(RoundW>>t)+EndStream*EntryW+EntryW-1];
          end
        end
      end
    end
  end

  // --------------------------------------------------------------------------------------- records

  // No round is open: the queue is empty, or ends with one.
  assign idle_o = state_q == StRecord && !first_valid && !early_valid && !beat_valid &&
                  !queued_valid && !made_q && !made_valid;

  always_comb begin
    unique case (state_q)
      StRecord: beat_ready = 1'b1;
      StFetch: beat_ready = fetch_go_q;
      StRounds: beat_ready = few_q;
      default: beat_ready = 1'b1;
    endcase
  end

  always_comb begin
    state_d = state_q;
    left_d = left_q;
    tail_d = tail_q;
    tail_round_d = tail_round_q;
    last_d = last_q;
    if (beat_valid && beat_ready) begin
      unique case (state_q)
        StRecord: begin
          left_d = header.beats;
          tail_d = header.tail;
          tail_round_d = header.tail_round;
          last_d = header.one;
          state_d = header.fetch ? StFetch : StRounds;
          if (header.mark.bad) state_d = StBad;
          // A zero header is the padding that fills the payload up.
          if (header.mark.padding) state_d = StRecord;
        end
        StFetch, StRounds: begin
          left_d = left_q - 1'b1;
          last_d = left_q == (tail_q == '0 ? BeatsW'(2) : BeatsW'(1));
          if (last_q) state_d = StRecord;
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
      tail_round_q <= '0;
      last_q <= 1'b0;
    end else begin
      state_q <= state_d;
      left_q <= left_d;
      tail_q <= tail_d;
      tail_round_q <= tail_round_d;
      last_q <= last_d;
    end
  end

`ifdef VERILATOR
  BeatsOfRounds_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    first_valid && !is_fetch |-> 64'(beats) ==
      (64'(count) * (64'(last_place_q) + 1) + 64'(beat_round_q)) / (64'(beat_round_q) + 1));
  Issue_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    issued_q |-> made_valid)
    else $error("a round is issued that is not there");
`endif
endmodule
