/// Takes the records of a WEIGHTS payload apart: beats of fetch words go to the line loader, the chunks of a round to
/// the units whose stream they belong to. A record of unknown kind stops the stream.
module sterna_distributor
  import sterna_pkg::*;
#(
  /// Bits of a bus beat.
  parameter int unsigned DataW = 64,
  /// Clusters.
  parameter int unsigned Clusters = 2,
  /// Units in a cluster.
  parameter int unsigned Units = 4,
  /// Bytes of a chunk.
  parameter int unsigned ChunkBytes = 4,
  /// Bits of a count of fetch words (derived).
  localparam int unsigned WordCountW = $clog2(DataW / 64 + 1)
) (
  /// Clock.
  input  logic                                 clk_i,
  /// Reset, active low, released synchronously.
  input  logic                                 rst_ni,
  /// Back to the reset state.
  input  logic                                 clear_i,
  /// Nothing is held and no record is open.
  output logic                                 idle_o,
  /// Logarithm of the distinct tiles that the clusters work on; stable while a step's records stream.
  input  logic [1:0]                           tiles_log2_i,
  /// A beat of records is offered.
  input  logic                                 beat_valid_i,
  /// The beat is taken.
  output logic                                 beat_ready_o,
  /// The beat.
  input  logic [DataW-1:0]                     beat_data_i,
  /// A beat of fetch words is offered.
  output logic                                 fetch_valid_o,
  /// It is taken.
  input  logic                                 fetch_ready_i,
  /// The beat, first word lowest.
  output logic [DataW-1:0]                     fetch_data_o,
  /// Words in it.
  output logic [WordCountW-1:0]                fetch_words_o,
  /// A chunk is offered to a unit.
  output logic [Clusters-1:0][Units-1:0]       chunk_valid_o,
  /// The unit takes it.
  input  logic [Clusters-1:0][Units-1:0]       chunk_ready_i,
  /// The chunk for unit u of any cluster.
  output logic [Units-1:0][ChunkBytes*8-1:0]   chunk_data_o
);
  localparam int unsigned BeatWords = DataW / 64;
  localparam int unsigned BeatChunks = DataW / (ChunkBytes * 8);
  /// Beats that carry a chunk for each unit of one cluster.
  localparam int unsigned ClusterBeats = Units / BeatChunks;
  localparam int unsigned CountW = 56;
  localparam int unsigned RoundW = $clog2(Clusters * ClusterBeats + 1);

  if (Units % BeatChunks != 0) begin : gen_bad_round
    $error("Units*ChunkBytes = %0d must be a multiple of the bytes of a beat", Units * ChunkBytes);
  end

  typedef enum logic [1:0] {
    StRecord,
    StFetch,
    StRounds,
    StBad
  } state_e;

  state_e state_d, state_q;
  logic [CountW-1:0] count_d, count_q;
  logic [RoundW-1:0] beat_d, beat_q, round_beats;
  logic held_done;
  logic [DataW-1:0] data_d, data_q;
  logic [Clusters-1:0][Units-1:0] waiting_d, waiting_q, target, missing;
  logic last_fetch_beat;

  // Keeps the units' readiness away from the tape reader, which may withdraw a beat to drop it.
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

  assign last_fetch_beat = count_q <= CountW'(BeatWords);
  assign fetch_valid_o = beat_valid && state_q == StFetch;
  assign fetch_data_o = beat_data;
  assign fetch_words_o = last_fetch_beat ? WordCountW'(count_q) : WordCountW'(BeatWords);

  assign round_beats = RoundW'((Clusters * ClusterBeats) >> tiles_log2_i);

  // Which units the beat that comes next belongs to.
  for (genvar c = 0; c < Clusters; c++) begin : gen_cluster
    for (genvar u = 0; u < Units; u++) begin : gen_unit
      assign target[c][u] =
          beat_q == RoundW'((c >> tiles_log2_i) * ClusterBeats + u / BeatChunks);
    end
  end

  for (genvar u = 0; u < Units; u++) begin : gen_chunk
    assign chunk_data_o[u] = data_q[(u % BeatChunks) * ChunkBytes * 8 +: ChunkBytes * 8];
  end

  assign chunk_valid_o = waiting_q;
  assign missing = waiting_q & ~chunk_ready_i;
  assign held_done = missing == '0;
  assign idle_o = state_q == StRecord && waiting_q == '0 && !beat_valid;

  always_comb begin
    unique case (state_q)
      StRecord: beat_ready = 1'b1;
      StFetch:  beat_ready = fetch_ready_i;
      StRounds: beat_ready = held_done;
      default:  beat_ready = 1'b0;
    endcase
  end

  always_comb begin
    state_d = state_q;
    count_d = count_q;
    beat_d = beat_q;
    waiting_d = missing;
    data_d = data_q;
    if (beat_valid && beat_ready) begin
      unique case (state_q)
        StRecord: begin
          count_d = beat_data[63:8];
          beat_d = '0;
          if (beat_data[7:0] == RecordFetch) state_d = StFetch;
          else if (beat_data[7:0] == RecordRounds) state_d = StRounds;
          else state_d = StBad;
          if (beat_data[63:8] == '0) state_d = StBad;
          // A zero header is the padding that fills the payload up.
          if (beat_data[63:0] == '0) state_d = StRecord;
        end
        StFetch: begin
          count_d = count_q - CountW'(fetch_words_o);
          if (last_fetch_beat) state_d = StRecord;
        end
        StRounds: begin
          waiting_d = target;
          data_d = beat_data;
          beat_d = beat_q + 1'b1;
          if (beat_d == round_beats) begin
            beat_d = '0;
            count_d = count_q - 1'b1;
            if (count_q == CountW'(1)) state_d = StRecord;
          end
        end
        default: ;
      endcase
    end
    if (clear_i) begin
      state_d = StRecord;
      waiting_d = '0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StRecord;
      count_q <= '0;
      beat_q <= '0;
      data_q <= '0;
      waiting_q <= '0;
    end else begin
      state_q <= state_d;
      count_q <= count_d;
      beat_q <= beat_d;
      data_q <= data_d;
      waiting_q <= waiting_d;
    end
  end
endmodule
