// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Walks the accumulators of a pass row by row. A row is one accumulator of each PE of all
/// clusters: its first step reads the row into the PEs' row registers, each step after that shifts
/// the next PE's value to the first. One step per cycle, cluster after cluster, and always to the
/// end of the row, as the last cluster's values come out last.
///
/// With pooling, four rows that follow each other are the phases of the same channels, of which the
/// maximum is the channel. With `PoolKeep` the four rows are read once before, their values as
/// channels of their own. A word begins only when there is room for it; it ends with its fourth
/// channel or with the last one.
module sterna_drain_reader #(
  /// Clusters that are drained together.
  parameter int unsigned Clusters = 2,
  /// PEs of a cluster.
  parameter int unsigned Pes = 4,
  /// Accumulators of a lane in one half.
  parameter int unsigned Accumulators = 16,
  /// Bits of a feature memory word's address.
  parameter int unsigned FmAddrW = 12
) (
  input  logic                                             clk_i,
  input  logic                                             rst_ni,
  /// Returns to the reset state.
  input  logic                                             clear_i,
  /// A pass is to be drained.
  input  logic                                             pass_valid_i,
  /// It is walked to the end.
  output logic                                             pass_ready_o,
  /// What to drain: clusters differ in `write` and the addresses only.
  input  pass_t [Clusters-1:0]                             pass_i,
  /// All PEs have ended the pass in this half of the accumulators.
  input  logic [1:0]                                       ended_i,
  /// That half is read (pulse).
  output logic [1:0]                                       free_o,
  /// There is room for one more word.
  input  logic                                             room_i,
  /// That room is taken.
  output logic                                             begin_o,
  /// A step; those of a pass that is not written neither read nor shift.
  output logic                                             step_o,
  /// It reads a row.
  output logic                                             read_o,
  /// Half and accumulator.
  output logic [$clog2(Accumulators):0]                    read_address_o,
  /// It shifts the row.
  output logic                                             shift_o,
  /// The cluster whose value this is.
  output logic [(Clusters > 1 ? $clog2(Clusters) : 1)-1:0] cluster_o,
  /// Which channel of the row it is.
  output logic [$clog2(Clusters*Pes)-1:0]                  place_o,
  /// It begins a maximum.
  output logic                                             first_o,
  /// Its maximum is a channel.
  output logic                                             channel_o,
  /// Half and channel in the requantisation table.
  output logic [$clog2(Pes*Accumulators):0]                table_o,
  /// The word is complete with this step.
  output logic                                             word_o,
  /// Channels that the complete word has; none if it only ends the pass.
  output logic [3:0]                                       strobe_o,
  /// Where the word goes.
  output logic [FmAddrW-1:0]                               address_o,
  /// The pass is complete with this step.
  output logic                                             end_o
);
  localparam int unsigned ClusterW = Clusters > 1 ? $clog2(Clusters) : 1;
  localparam int unsigned PeW = $clog2(Pes);
  localparam int unsigned AccIndexW = $clog2(Accumulators);
  localparam int unsigned TableW = PeW + AccIndexW;
  /// Rows of channels of a pass with pooling.
  localparam int unsigned PooledRows = Accumulators / 4;

  generate
    if (Pes < 4) begin : gen_bad_pes
      initial $error("sterna_drain_reader: Pes = %0d must be at least 4", Pes);
    end
  endgenerate

  logic active_q, active_d, half_q, keep_q, keep_d;
  logic [ClusterW-1:0] cluster_q, cluster_d;
  logic [PeW-1:0] pe_q, pe_d, last_pe_q;
  logic [AccIndexW-1:0] row_q, row_d, left_q, left_d;
  logic [TableW-1:0] last_channel;
  logic [1:0] phase_q, phase_d, place;
  logic [Clusters-1:0] write;

  // Of the pass, from its start on.
  logic empty_q, pooled_d, pooled_q;

  logic last_row, last_cluster, last_phase, present, cluster_end, row_end, pass_end;
  logic channel_word, channel_begin, begin_wanted, step, start;

  assign pooled_d = pass_i[0].pool != PoolNone;
  assign last_channel = TableW'(pass_i[0].filters) - TableW'(1);

  genvar c;
  generate
    for (c = 0; c < Clusters; c++) begin : gen_write
      assign write[c] = pass_i[c].write;
    end
  endgenerate

  // Where the step is in the row.
  assign cluster_end = &pe_q;
  assign last_cluster = cluster_q == ClusterW'(Clusters - 1);
  assign last_phase = !pooled_q || (&phase_q);
  assign last_row = left_q == '0;
  assign row_end = cluster_end && last_cluster;
  // An empty pass has two steps, so that `ended_i` no longer shows a half that was freed when that
  // has its turn again.
  assign pass_end = empty_q ? pe_q[0] : row_end && last_row && last_phase && !keep_q;

  // Which channel it is.
  assign present = write[cluster_q] && !empty_q && !(last_row && pe_q > last_pe_q);
  assign channel_word = channel_o && (&place || (last_row && pe_q == last_pe_q));
  assign channel_begin = channel_o && place == '0;

  assign begin_wanted = channel_begin || (pass_end && !channel_o);

  assign start = !active_q && pass_valid_i && ended_i[half_q];
  // There is to be room wherever a word may begin, whether it does or not, which is known later.
  assign step = active_q && (room_i || !(place == '0 || cluster_end || empty_q));

  assign step_o = step;
  assign read_o = step && !empty_q && pe_q == '0 && cluster_q == '0;
  assign read_address_o = {half_q, pooled_q ? AccIndexW'({row_q, phase_q}) : row_q};
  assign shift_o = step && !empty_q && !(pe_q == '0 && cluster_q == '0);
  assign cluster_o = cluster_q;
  assign first_o = !pooled_q || keep_q || phase_q == '0;
  assign channel_o = present && (keep_q || last_phase);
  assign table_o = {pass_i[0].table_half, row_q, pe_q};
  assign place = pe_q[1:0];
  assign word_o = channel_word || pass_end;
  assign end_o = pass_end;
  assign begin_o = step && begin_wanted;
  assign pass_ready_o = step && pass_end;

  always_comb begin
    for (int unsigned i = 0; i < WordChannels; i++) begin
      strobe_o[i] = channel_o && i <= 32'(place);
    end
  end

  generate
    if (Clusters > 1) begin : gen_clusters
      assign place_o = {cluster_q, pe_q};
    end else begin : gen_cluster_one
      assign place_o = pe_q;
    end
  endgenerate

  // A half has been read with the first step of its last row.
  assign free_o = {half_q, !half_q} &
                  {2{step && (empty_q ? pass_end : last_row && last_phase && !keep_q && read_o)}};

  always_comb begin
    active_d = active_q;
    keep_d = keep_q;
    cluster_d = cluster_q;
    pe_d = pe_q;
    phase_d = phase_q;
    row_d = row_q;
    left_d = left_q;
    if (!active_q) begin
      active_d = start;
      keep_d = pass_i[0].pool == PoolKeep;
      cluster_d = '0;
      pe_d = '0;
      phase_d = '0;
      row_d = '0;
      left_d = last_channel[TableW-1:PeW];
    end else if (step) begin
      active_d = !pass_end;
      pe_d = pe_q + PeW'(1);
      if (cluster_end) cluster_d = last_cluster ? '0 : cluster_q + ClusterW'(1);
      if (row_end) begin
        phase_d = pooled_q ? phase_q + 2'd1 : '0;
        if (last_phase) keep_d = pass_i[0].pool == PoolKeep && !keep_q;
        if (last_phase && !keep_q) begin
          row_d = row_q + AccIndexW'(1);
          left_d = left_q - AccIndexW'(1);
        end
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      half_q <= 1'b0;
    end else if (clear_i) begin
      active_q <= 1'b0;
      half_q <= 1'b0;
    end else begin
      active_q <= active_d;
      half_q <= half_q ^ pass_ready_o;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!active_q) begin
      pooled_q <= pooled_d;
      empty_q <= write == '0 || pass_i[0].filters == '0;
      last_pe_q <= last_channel[PeW-1:0];
    end
    {keep_q, cluster_q, pe_q, phase_q} <= {keep_d, cluster_d, pe_d, phase_d};
    {row_q, left_q} <= {row_d, left_d};
  end

  // Each cluster's words.

  logic [FmAddrW-1:0] plane;
  logic [FmAddrW-1:0] address [Clusters];

  assign plane = pass_i[0].plane[FmAddrW-1:0];
  assign address_o = address[cluster_q];

  generate
    for (c = 0; c < Clusters; c++) begin : gen_cluster
      // The next word; of the phases: the first word of the row, of its phase, the next word. Phase
      // p of word w goes to word 4w + p.
      logic [FmAddrW-1:0] next_q, next_d, row_word_q, row_word_d;
      logic [FmAddrW-1:0] phase_word_q, phase_word_d, word_q, word_d;
      logic mine;

      assign mine = step && cluster_q == ClusterW'(c);
      assign address[c] = keep_q ? word_q : next_q;

      always_comb begin
        next_d = next_q;
        row_word_d = row_word_q;
        phase_word_d = phase_word_q;
        word_d = word_q;
        if (!active_q) begin
          next_d = pass_i[c].address[FmAddrW-1:0];
          row_word_d = pass_i[c].keep_address[FmAddrW-1:0];
          phase_word_d = row_word_d;
          word_d = row_word_d;
        end else if (mine && !keep_q) begin
          if (channel_o && &place) next_d = next_q + plane;
        end else if (mine && cluster_end) begin
          if (last_phase) row_word_d = row_word_q + (plane << PeW);
          phase_word_d = last_phase ? row_word_d : phase_word_q + plane;
          word_d = phase_word_d;
        end else if (mine && &place) begin
          word_d = word_q + (plane << 2);
        end
      end

      always_ff @(posedge clk_i) begin
        {next_q, row_word_q, phase_word_q, word_q} <= {next_d, row_word_d, phase_word_d, word_d};
      end
    end
  endgenerate

`ifdef VERILATOR
  Fits_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start && write != '0 |->
      32'(pass_i[0].filters) <= Pes * (pooled_d ? PooledRows : Accumulators))
    else $error("a pass with more channels than there are accumulators");
`endif

endmodule
