// SPDX-License-Identifier: Apache-2.0

/// Sums of the first layer: 3x3 pixels of three channels, at two pixels that lie one above the
/// other, for all filters at once. Columns of four rows come from the left to the right; the last
/// three are the window. Nothing waits here: what was asked for comes out `Latency` cycles later.
module sterna_first_sums #(
  /// Filters.
  parameter int unsigned Filters = 32,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of a sum.
  parameter int unsigned SumW = 20
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  /// Forgets what is under way; the weights stay.
  input  logic                              clear_i,

  /// Eight weights are given.
  input  logic                              weights_valid_i,
  /// Filter that they belong to.
  input  logic [$clog2(Filters)-1:0]        weights_filter_i,
  /// Which eights of its weights, which go by channels, rows and columns.
  input  logic [1:0]                        weights_place_i,
  /// Signed weights; those after the last one are 0.
  input  logic [7:0][7:0]                   weights_i,

  /// The next column comes.
  input  logic                              column_valid_i,
  /// Its rows from above, and their channels; signed.
  input  logic [3:0][2:0][ActW-1:0]         column_i,
  /// With it the window is complete.
  input  logic                              output_i,
  /// The pixels are in an odd column.
  input  logic                              odd_i,
  /// The lower pixel is in the map.
  input  logic                              second_i,

  /// Sums come out.
  output logic                              valid_o,
  /// `odd_i` of them.
  output logic                              odd_o,
  /// `second_i` of them.
  output logic                              second_o,
  /// The sums of the upper and of the lower pixel; signed.
  output logic [1:0][Filters-1:0][SumW-1:0] sums_o
);
  localparam int unsigned Kernel = 3;
  localparam int unsigned Channels = 3;
  localparam int unsigned Taps = Channels * Kernel * Kernel;
  localparam int unsigned Pairs = (Taps + 1) / 2;
  /// Cycles from a column to its sums.
  localparam int unsigned Latency = Pairs + 3;
  /// Eights of weights.
  localparam int unsigned Places = (Taps + 7) / 8;

  generate
    if (SumW < ActW + 12) begin : gen_bad_sum_w
      initial $error("sterna_first_sums: SumW = %0d must be at least %0d", SumW, ActW + 12);
    end
  endgenerate

  // ---------------------------------------------------------------------------------------- window

  // Columns from the left.
  logic [Kernel-1:0][3:0][Channels-1:0][ActW-1:0] window_q;
  logic [Latency-1:0] valid_q, odd_q, second_q;
  logic [1:0][Taps-1:0][ActW-1:0] taps;

  always_ff @(posedge clk_i) begin
    if (column_valid_i) window_q <= {column_i, window_q[Kernel-1:1]};
    odd_q <= {odd_q[Latency-2:0], odd_i};
    second_q <= {second_q[Latency-2:0], second_i};
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (clear_i) valid_q <= '0;
    else valid_q <= {valid_q[Latency-2:0], column_valid_i && output_i};
  end

  assign {valid_o, odd_o, second_o} = {valid_q[Latency-1], odd_q[Latency-1], second_q[Latency-1]};

  always_comb begin
    for (int unsigned p = 0; p < 2; p++) begin
      for (int unsigned t = 0; t < Taps; t++) begin
        taps[p][t] = window_q[t%Kernel][t/Kernel%Kernel+p][t/(Kernel*Kernel)];
      end
    end
  end

  // Each block of a chain works a cycle later than the one before it.
  logic [1:0][Taps-1:0][ActW-1:0] late;

  genvar p, t, f;
  generate
    for (p = 0; p < 2; p++) begin : gen_pixel
      for (t = 0; t < Taps; t++) begin : gen_tap
        if (t < 2) begin : gen_first
          assign late[p][t] = taps[p][t];
        end else begin : gen_late
          logic [t/2-1:0][ActW-1:0] line_q;

          always_ff @(posedge clk_i) line_q <= (t / 2 * ActW)'({line_q, taps[p][t]});

          assign late[p][t] = line_q[t/2-1];
        end
      end
    end
  endgenerate

  // --------------------------------------------------------------------------------------- filters

  // A register between the tape and many multipliers.
  logic [Filters-1:0] filter_q;
  logic [Places-1:0] place_q;
  logic [7:0][7:0] weights_q;

  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < Filters; i++) begin
      filter_q[i] <= weights_valid_i && 32'(weights_filter_i) == i;
    end
    for (int unsigned i = 0; i < Places; i++) place_q[i] <= 32'(weights_place_i) == i;
    weights_q <= weights_i;
  end

  generate
    for (f = 0; f < Filters; f++) begin : gen_filter
      logic [1:0][SumW-1:0] sums;

      sterna_first_filter #(
        .Taps(Taps),
        .ActW(ActW),
        .SumW(SumW)
      ) u_filter (
        .clk_i,
        .weights_valid_i(place_q & {Places{filter_q[f]}}),
        .weights_i      (weights_q),
        .values_i       (late),
        .sums_o         (sums)
      );

      assign {sums_o[1][f], sums_o[0][f]} = sums;
    end
  endgenerate

endmodule
