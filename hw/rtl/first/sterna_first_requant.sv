// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Requantisation of a pixel of the first layer, `Width` filters a cycle, each with numbers of its
/// own. A group of filters can come every cycle; its result follows nine cycles later.
module sterna_first_requant #(
  /// Filters.
  parameter int unsigned Filters = 32,
  /// Filters that are requantised together, a divisor of them.
  parameter int unsigned Width = 16,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of a sum.
  parameter int unsigned SumW = 20,
  /// Bits of a requantisation multiplier.
  parameter int unsigned MulW = 18,
  /// The layer has limits and ties to even.
  parameter bit General = 0
) (
  input  logic                             clk_i,

  /// The numbers of a filter are given.
  input  logic                             entry_valid_i,
  /// Which filter.
  input  logic [$clog2(Filters)-1:0]       entry_filter_i,
  /// Its bias and multiplier.
  input  requant_word_t                    entry_i,
  /// Right shift; from before the first numbers on.
  input  logic [5:0]                       shift_i,
  /// One of the Activation codes.
  input  logic [1:0]                       activation_i,
  /// Ties go to the even result.
  input  logic                             half_even_i,
  /// Least result.
  input  logic signed [7:0]                low_i,
  /// Largest result.
  input  logic signed [7:0]                high_i,

  /// A group comes in.
  input  logic                             valid_i,
  /// Which one.
  input  logic [$clog2(Filters/Width+1)-1:0] group_i,
  /// The sums of all filters; signed.
  input  logic [Filters-1:0][SumW-1:0]     sums_i,
  /// Activations of the group.
  output logic [Width-1:0][ActW-1:0]       data_o
);
  localparam int unsigned Groups = Filters / Width;
  localparam int unsigned FullMulW = MulW + 8;
  localparam int unsigned FullBiasW = RequantBiasW + 8;

  generate
    if (Groups * Width != Filters) begin : gen_bad_width
      initial $error("sterna_first_requant: Width = %0d must divide Filters = %0d", Width, Filters);
    end
  endgenerate

  // The numbers are brought to a shift by whole bytes as they come.
  typedef struct packed {
    logic [FullBiasW-1:0] bias;
    logic [FullMulW-1:0] multiplier;
  } entry_t;

  entry_t entry_q;
  logic [Filters-1:0] write_q;
  logic [3:0] missing;
  logic [2:0] bytes_q;
  logic round_q, valid_q;

  assign missing = shift_i == '0 ? 4'd8 : {1'b0, -shift_i[2:0]};

  always_ff @(posedge clk_i) begin
    entry_q.multiplier <= FullMulW'(entry_i.multiplier[MulW-1:0]) << missing;
    entry_q.bias <= FullBiasW'(entry_i.bias) << missing;
    for (int unsigned f = 0; f < Filters; f++) begin
      write_q[f] <= entry_valid_i && 32'(entry_filter_i) == f;
    end
    bytes_q <= shift_i == '0 ? 3'd1 : 3'((7'(shift_i) + 7'd7) >> 3);
    round_q <= shift_i != '0;
    valid_q <= valid_i;
  end

  genvar i, g;
  generate
    for (i = 0; i < Width; i++) begin : gen_filter
      entry_t numbers [Groups];
      entry_t chosen_q;
      logic [SumW-1:0] sums [Groups];
      logic [SumW-1:0] sum_q;

      for (g = 0; g < Groups; g++) begin : gen_group
        entry_t numbers_q;

        always_ff @(posedge clk_i) begin
          if (write_q[g*Width+i]) numbers_q <= entry_q;
        end

        assign numbers[g] = numbers_q;
        assign sums[g] = sums_i[g*Width+i];
      end

      always_ff @(posedge clk_i) begin
        chosen_q <= numbers[0];
        sum_q <= sums[0];
        for (int unsigned k = 1; k < Groups; k++) begin
          if (32'(group_i) == k) begin
            chosen_q <= numbers[k];
            sum_q <= sums[k];
          end
        end
      end

      sterna_requant #(
        .Lanes  (1),
        .ActW   (ActW),
        .AccW   (SumW),
        .MulW   (MulW),
        .General(General)
      ) u_requant (
        .clk_i,
        .valid_i     (valid_q),
        .acc_i       (sum_q),
        .multiplier_i(chosen_q.multiplier),
        .bias_i      (chosen_q.bias),
        .activation_i,
        .half_even_i,
        .low_i,
        .high_i,
        .bytes_i     (bytes_q),
        .round_i     (round_q),
        .data_o      (data_o[i])
      );
    end
  endgenerate

  // An engine with narrower multipliers than the table format leaves its high bits unused.
  logic unused;
  assign unused = ^{entry_i, group_i};
endmodule
