// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// PEs that work on one tile: words come into all their windows, and rounds, which bring an
/// operation for each of them. A round waits here until the words that were asked for with it have
/// come from the feature memory. A drain takes the accumulators.
module sterna_cluster #(
  /// Lanes.
  parameter int unsigned Lanes = 25,
  /// PEs.
  parameter int unsigned Pes = 4,
  /// Accumulators of a lane in one half.
  parameter int unsigned Accumulators = 16,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Cycles that rounds, and what the drain does, wait.
  parameter int unsigned Delay = 16,
  /// PEs whose windows lie in block RAM.
  parameter int unsigned BlockWindows = 0
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  /// Drops what is on its way.
  input  logic                            clear_i,
  /// A word comes in.
  input  logic                            word_valid_i,
  /// Its slot in the windows.
  input  logic [4:0]                      word_slot_i,
  /// The word, as a vector for each channel.
  input  logic [3:0][Lanes-1:0][ActW-1:0] word_data_i,
  /// A round comes in.
  input  logic                            round_valid_i,
  /// Operations of the PEs.
  input  entry_t [Pes-1:0]                round_i,
  /// The half of the accumulators that it is for.
  input  logic                            half_i,
  /// All PEs read an accumulator into their row registers, with no round in the same cycle; `row_o`
  /// shows the first PE's `Delay` + 5 cycles later.
  input  logic                            row_load_i,
  /// Half and accumulator.
  input  logic [$clog2(Accumulators):0]   row_address_i,
  /// The row registers take over the next PE's; `row_o` shows it `Delay` + 5 cycles later.
  input  logic                            row_shift_i,
  /// First row register of the next cluster.
  input  logic [Lanes-1:0][AccW-1:0]      row_i,
  /// First row register.
  output logic [Lanes-1:0][AccW-1:0]      row_o,
  /// PEs that started an operation some cycles ago.
  output logic [$clog2(Pes + 1)-1:0]      busy_o
);
  /* verilator no_inline_module */

  localparam int unsigned CountW = $clog2(Pes + 1);
  localparam int unsigned AddressW = $clog2(Accumulators) + 1;

  generate
    if (Pes < 2 || Pes > 32 || (1 << $clog2(Pes)) != Pes) begin : gen_bad_pes
      initial $error("sterna_cluster: Pes = %0d must be a power of two, 2 to 32", Pes);
    end
    if (Accumulators < 4 || Accumulators > 16 || (1 << $clog2(Accumulators)) != Accumulators)
    begin : gen_bad_accumulators
      initial $error("sterna_cluster: Accumulators = %0d must be a power of two, 4 to 16",
                     Accumulators);
    end
    if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
      initial $error("sterna_cluster: ActW = %0d must be 4 to 8", ActW);
    end
    if (AccW < ActW + 4 || AccW > 32) begin : gen_bad_acc_w
      initial $error("sterna_cluster: AccW = %0d must be ActW + 4 to 32", AccW);
    end
  endgenerate

  // Rounds and the drain's reads wait in one memory, so they stay in order.

  logic [Delay-1:0] round_valid_q, row_load_q, row_shift_q;
  entry_t [Pes-1:0] round;
  logic half;
  logic [AddressW-1:0] row_address;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {round_valid_q, row_load_q, row_shift_q} <= '0;
    end else if (clear_i) begin
      {round_valid_q, row_load_q, row_shift_q} <= '0;
    end else begin
      round_valid_q <= {round_valid_q[Delay-2:0], round_valid_i};
      row_load_q <= {row_load_q[Delay-2:0], row_load_i};
      row_shift_q <= {row_shift_q[Delay-2:0], row_shift_i};
    end
  end

  sterna_delay #(
    .Width ($bits(round_i) + 1 + AddressW),
    .Cycles(Delay)
  ) u_delay (
    .clk_i,
    .rst_ni,
    .data_i({round_i, half_i, row_address_i}),
    .data_o({round, half, row_address})
  );

  logic [Lanes-1:0][AccW-1:0] row [Pes];
  logic [Pes-1:0] busy;
  logic [CountW-1:0] sum_busy;

  assign row_o = row[0];

  genvar p;
  generate
    for (p = 0; p < Pes; p++) begin : gen_pe
      logic [Lanes-1:0][AccW-1:0] next_row;

      if (p == Pes - 1) begin : gen_last
        assign next_row = row_i;
      end else begin : gen_chain
        assign next_row = row[p+1];
      end

      sterna_pe #(
        .Lanes       (Lanes),
        .Accumulators(Accumulators),
        .ActW        (ActW),
        .AccW        (AccW),
        .BlockWindows(p < BlockWindows)
      ) u_pe (
        .clk_i,
        .rst_ni,
        .clear_i,
        .word_valid_i,
        .word_slot_i,
        .word_data_i,
        .entry_valid_i(round_valid_q[Delay-1]),
        .entry_i      (round[p]),
        .half_i       (half),
        .row_load_i   (row_load_q[Delay-1]),
        .row_address_i(row_address),
        .row_shift_i  (row_shift_q[Delay-1]),
        .row_i        (next_row),
        .row_o        (row[p]),
        .busy_o       (busy[p])
      );
    end
  endgenerate

  always_comb begin
    sum_busy = '0;
    for (int unsigned pe = 0; pe < Pes; pe++) sum_busy += CountW'(busy[pe]);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) busy_o <= '0;
    else busy_o <= sum_busy;
  end

endmodule
