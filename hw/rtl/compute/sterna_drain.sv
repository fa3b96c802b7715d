// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Drains the passes of one or more clusters, whose row registers form one chain: reads the
/// accumulators that all PEs have ended, an accumulator of each PE at once, takes the PEs' values
/// from the first row register, requantises them, keeps the maximum of four for a pooled channel,
/// and writes words of four channels to the feature memory.
module sterna_drain #(
  /// Lanes.
  parameter int unsigned Lanes = 25,
  /// Clusters that are drained together.
  parameter int unsigned Clusters = 2,
  /// PEs of a cluster.
  parameter int unsigned Pes = 4,
  /// Accumulators of a lane in one half.
  parameter int unsigned Accumulators = 16,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bits of a requantisation multiplier.
  parameter int unsigned MulW = 18,
  /// Bits of a feature memory word's address.
  parameter int unsigned FmAddrW = 12,
  /// Cycles from a read or a shift to the first row register that shows it.
  parameter int unsigned RowLatency = 22,
  /// A pass has limits and a rounding of its own.
  parameter bit GeneralRequant = 0
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  /// Returns to the reset state; the table keeps its contents.
  input  logic                                clear_i,
  /// Write an entry of these clusters' requantisation tables (always accepted).
  input  logic [Clusters-1:0]                 table_valid_i,
  /// Half of the table.
  input  logic                                table_half_i,
  /// Channel.
  input  logic [$clog2(Pes*Accumulators)-1:0] table_index_i,
  /// Bias, multiplier.
  input  logic [63:0]                         table_data_i,
  /// A pass of all clusters is to be drained; there are at most four that are not.
  input  logic                                pass_valid_i,
  /// What to drain: clusters differ in `write` and the addresses only.
  input  pass_t [Clusters-1:0]                pass_i,
  /// Its limits and rounding, with `GeneralRequant`.
  input  general_t                            general_i,
  /// The PEs have ended the pass in this half of the accumulators.
  input  logic [1:0]                          ended_i,
  /// That half has been read (pulse).
  output logic [1:0]                          free_o,
  /// All PEs read an accumulator into their row registers.
  output logic                                read_o,
  /// Half and accumulator.
  output logic [$clog2(Accumulators):0]       read_address_o,
  /// The row registers take over the next PE's.
  output logic                                shift_o,
  /// The first row register.
  input  logic [Lanes-1:0][AccW-1:0]          row_i,
  /// It is the drain's turn to write a word.
  input  logic                                turn_i,
  /// A word is written, from the next cycle on.
  output logic                                write_next_o,
  /// A word is written.
  output logic                                write_valid_o,
  /// Where.
  output logic [FmAddrW-1:0]                  write_addr_o,
  /// Channels to write.
  output logic [3:0]                          write_strobe_o,
  /// The word whose place was there in the cycle before.
  output logic [Lanes-1:0][3:0][ActW-1:0]     write_data_o,
  /// A pass is drained and all its words are written (pulse).
  output logic                                done_o
);
  localparam int unsigned AccIndexW = $clog2(Accumulators);
  localparam int unsigned TableW = $clog2(Pes * Accumulators);
  localparam int unsigned ClusterW = Clusters > 1 ? $clog2(Clusters) : 1;
  /// Channels of a row.
  localparam int unsigned RowChannels = Clusters * Pes;
  localparam int unsigned FullMulW = MulW + 8;
  localparam int unsigned FullBiasW = RequantBiasW + 8;
  /// Passes that can be queued.
  localparam int unsigned PassDepth = 4;
  /// Words on their way to the feature memory, enough for the length of the pipeline.
  localparam int unsigned WordDepth = 16;
  localparam int unsigned WordCountW = $clog2(WordDepth + 1);
  /// Cycles that a step waits until seven before its value.
  localparam int unsigned Wait = RowLatency - 6;
  /// Cycles from then to its value, its requantised value, its maximum.
  localparam int unsigned ValueLatency = 7;
  localparam int unsigned RequantLatency = ValueLatency + 8;
  localparam int unsigned Latency = RequantLatency + 1;
  /// Lanes of a requantiser.
  localparam int unsigned GroupLanes = 64;
  localparam int unsigned Groups = (Lanes + GroupLanes - 1) / GroupLanes;

  /// What goes with a step down the pipeline.
  typedef struct packed {
    logic first;
    logic channel;
    logic [$clog2(RowChannels)-1:0] place;
    logic [1:0] activation;
    logic [5:0] shift;
    logic [ClusterW-1:0] cluster;
    logic [TableW:0] entry;
    logic word;
    logic [3:0] strobe;
    logic [FmAddrW-1:0] address;
    logic last;
  } step_info_t;

  // Passes to steps.

  logic pass_valid, pass_room, pass_ready, pass_leaves_q;
  pass_t [Clusters-1:0] pass;
  logic word_begin, word_release, step_valid, read, shift;
  logic [1:0] free;
  logic [AccIndexW:0] read_address;
  step_info_t step;
  logic [WordCountW-1:0] words_q;
  logic room_q;

  sterna_fifo #(
    .Width     ($bits(pass_i)),
    .Depth     (PassDepth),
    .Registered(1'b1)
  ) u_passes (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(pass_valid_i),
    .ready_o(pass_room),
    .data_i (pass_i),
    .valid_o(pass_valid),
    .ready_i(pass_leaves_q),
    .data_o (pass),
    .count_o()
  );

  sterna_drain_reader #(
    .Clusters    (Clusters),
    .Pes         (Pes),
    .Accumulators(Accumulators),
    .FmAddrW     (FmAddrW)
  ) u_reader (
    .clk_i,
    .rst_ni,
    .clear_i,
    .pass_valid_i  (pass_valid && !pass_leaves_q),
    .pass_ready_o  (pass_ready),
    .pass_i        (pass),
    .ended_i,
    .free_o        (free),
    .room_i        (room_q),
    .begin_o       (word_begin),
    .step_o        (step_valid),
    .read_o        (read),
    .read_address_o(read_address),
    .shift_o       (shift),
    .cluster_o     (step.cluster),
    .place_o       (step.place),
    .first_o       (step.first),
    .channel_o     (step.channel),
    .table_o       (step.entry),
    .word_o        (step.word),
    .strobe_o      (step.strobe),
    .address_o     (step.address),
    .end_o         (step.last)
  );

  assign step.activation = pass[0].activation;
  assign step.shift = pass[0].shift;

  // Every word has its place in the queue before its first channel is read. A pass leaves its queue
  // a cycle after its end, which keeps the end off the queue's paths.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      words_q <= '0;
      room_q <= 1'b0;
      pass_leaves_q <= 1'b0;
      {free_o, read_o, shift_o} <= '0;
    end else if (clear_i) begin
      words_q <= '0;
      room_q <= 1'b0;
      pass_leaves_q <= 1'b0;
      {free_o, read_o, shift_o} <= '0;
    end else begin
      pass_leaves_q <= pass_ready;
      words_q <= words_q + WordCountW'(word_begin) - WordCountW'(word_release);
      // A cycle late, in which one more may have begun.
      room_q <= words_q < WordCountW'(WordDepth - 1);
      {free_o, read_o, shift_o} <= {free, read, shift};
    end
  end

  always_ff @(posedge clk_i) begin
    read_address_o <= read_address;
  end

  // A step waits for its row. After that, steps are numbered by cycles.

  logic [Latency:0] valid;
  logic [Latency:1] valid_q;
  step_info_t info [Latency + 1];

  logic [Wait-1:0] waiting_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) waiting_q <= '0;
    else if (clear_i) waiting_q <= '0;
    else waiting_q <= {waiting_q[Wait-2:0], step_valid};
  end

  sterna_delay #(
    .Width ($bits(step_info_t)),
    .Cycles(Wait)
  ) u_wait (
    .clk_i,
    .rst_ni,
    .data_i(step),
    .data_o(info[0])
  );

  assign valid = {valid_q, waiting_q[Wait-1]};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
    end else if (clear_i) begin
      valid_q <= '0;
    end else begin
      valid_q <= valid[Latency-1:0];
    end
  end

  genvar i, c, g;
  generate
    for (i = 1; i <= Latency; i++) begin : gen_step
      always_ff @(posedge clk_i) begin
        if (valid[i-1]) info[i] <= info[i-1];
      end
    end
  endgenerate

  // Limits and rounding of the steps in the pipeline.

  logic half_even;
  logic signed [7:0] low, high;

  generate
    if (GeneralRequant) begin : gen_general
      general_t given;
      general_t general [RequantLatency];

      sterna_fifo #(
        .Width     ($bits(general_t)),
        .Depth     (PassDepth),
        .Registered(1'b1)
      ) u_general (
        .clk_i,
        .rst_ni,
        .clear_i,
        .valid_i(pass_valid_i),
        .ready_o(),
        .data_i (general_i),
        .valid_o(),
        .ready_i(pass_leaves_q),
        .data_o (given),
        .count_o()
      );

      sterna_delay #(
        .Width ($bits(general_t)),
        .Cycles(Wait)
      ) u_general_wait (
        .clk_i,
        .rst_ni,
        .data_i(given),
        .data_o(general[0])
      );

      for (i = 1; i < RequantLatency; i++) begin : gen_step
        always_ff @(posedge clk_i) begin
          if (valid[i-1]) general[i] <= general[i-1];
        end
      end

      assign half_even = general[ValueLatency].half_even;
      assign {low, high} = {general[RequantLatency-1].low, general[RequantLatency-1].high};
    end else begin : gen_plain
      logic unused_general;

      assign half_even = 1'b0;
      assign {low, high} = '0;
      assign unused_general = ^general_i;
    end
  endgenerate

  // Requantisation table: read, then brought to a shift by whole bytes.

  typedef struct packed {
    logic [RequantBiasW-1:0] bias;
    logic [MulW-1:0] multiplier;
  } entry_t;

  entry_t entry_q5 [Clusters];
  entry_t entry_q6;
  logic [5:0] shift5, shift6;
  logic [3:0] missing_q6;
  logic [FullMulW-1:0] multiplier_q7;
  logic [FullBiasW-1:0] bias_q7;
  logic [2:0] bytes_q7;
  logic round_q7;

  assign shift5 = info[5].shift;
  assign shift6 = info[6].shift;

  generate
    for (c = 0; c < Clusters; c++) begin : gen_table
      (* ramstyle = "no_rw_check" *) entry_t table_q [2 * Pes * Accumulators];

      always_ff @(posedge clk_i) begin
        if (table_valid_i[c]) begin
          table_q[{table_half_i, table_index_i}] <=
              {table_data_i[63:RequantMultiplierW], table_data_i[MulW-1:0]};
        end
      end

      always_ff @(posedge clk_i) begin
        if (valid[4]) entry_q5[c] <= table_q[info[4].entry];
      end

`ifdef VERILATOR
      NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
        table_valid_i[c] && valid[4] |-> {table_half_i, table_index_i} != info[4].entry)
        else $error("an entry is read while it is written");
`endif
    end
  endgenerate

  always_ff @(posedge clk_i) begin
    entry_q6 <= entry_q5[info[5].cluster];
    missing_q6 <= shift5 == '0 ? 4'd8 : {1'b0, -shift5[2:0]};
    if (valid[6]) begin
      multiplier_q7 <= FullMulW'(entry_q6.multiplier) << missing_q6;
      bias_q7 <= FullBiasW'(signed'(entry_q6.bias)) << missing_q6;
    end
    bytes_q7 <= shift6 == '0 ? 3'd1 : 3'((7'(shift6) + 7'd7) >> 3);
    round_q7 <= shift6 != '0;
  end

  // Requantisation and maximum. Requantisation is monotone, so the maximum after it is that of the
  // sums.

  logic [Lanes-1:0][ActW-1:0] value, maximum;

  generate
    for (g = 0; g < Groups; g++) begin : gen_group
      localparam int unsigned First = g * GroupLanes;
      localparam int unsigned Count = Lanes - First < GroupLanes ? Lanes - First : GroupLanes;

      sterna_requant #(
        .Lanes  (Count),
        .ActW   (ActW),
        .AccW   (AccW),
        .MulW   (MulW),
        .General(GeneralRequant)
      ) u_requant (
        .clk_i,
        .valid_i      (valid[ValueLatency]),
        .acc_i        (row_i[First+:Count]),
        .multiplier_i (multiplier_q7),
        .bias_i       (bias_q7),
        .activation_i (info[ValueLatency].activation),
        .half_even_i  (half_even),
        .low_i        (low),
        .high_i       (high),
        .bytes_i      (bytes_q7),
        .round_i      (round_q7),
        .data_o       (value[First+:Count])
      );

      sterna_maximum #(
        .Lanes   (Count),
        .Width   (ActW),
        .Channels(RowChannels)
      ) u_maximum (
        .clk_i,
        .rst_ni,
        .valid_i  (valid[RequantLatency-1]),
        .channel_i(info[RequantLatency-1].place),
        .first_i  (info[RequantLatency-1].first),
        .value_i  (value[First+:Count]),
        .maximum_o(maximum[First+:Count])
      );
    end
  endgenerate

  // A pass that is not written leaves one word without channels.
  sterna_word_queue #(
    .Lanes  (Lanes),
    .ActW   (ActW),
    .FmAddrW(FmAddrW),
    .Depth  (WordDepth)
  ) u_words (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i  (valid[Latency] && info[Latency].channel),
    .data_i   (maximum),
    .word_i   (valid[Latency] && info[Latency].word),
    .strobe_i (info[Latency].strobe),
    .address_i(info[Latency].address),
    .last_i   (info[Latency].last),
    .release_o(word_release),
    .turn_i,
    .write_next_o,
    .write_valid_o,
    .write_addr_o,
    .write_strobe_o,
    .write_data_o,
    .done_o
  );

`ifdef VERILATOR
  Room_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    pass_valid_i |-> pass_room)
    else $error("a pass that there is no room for");
`endif

endmodule
