// SPDX-License-Identifier: Apache-2.0

/// What follows the sums of the first layer: the maximum of each 2x2 pixels, or nothing. The sums
/// of a pixel of the map wait in a queue; a column is let into the sums only if all that comes of
/// it has a place there, so that the sums never wait.
module sterna_first_pool #(
  /// Filters.
  parameter int unsigned Filters = 32,
  /// Bits of a sum.
  parameter int unsigned SumW = 20,
  /// Pixels in the queue, enough for those that are in the sums; a power of two.
  parameter int unsigned Depth = 32
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  /// Forgets what is under way.
  input  logic                              clear_i,
  /// Pixels are pooled; changes only when nothing is under way.
  input  logic                              pooled_i,

  /// A column may be let in.
  output logic                              ready_o,
  /// It is.
  input  logic                              column_i,
  /// Sums will come of it.
  input  logic                              output_i,
  /// In an odd column.
  input  logic                              odd_i,
  /// The lower pixel is in the map.
  input  logic                              second_i,

  /// They come.
  input  logic                              valid_i,
  /// In an odd column.
  input  logic                              sums_odd_i,
  /// The lower pixel is in the map.
  input  logic                              sums_second_i,
  /// Of the upper and of the lower pixel; signed.
  input  logic [1:0][Filters-1:0][SumW-1:0] sums_i,

  /// A pixel is there. Without pooling the upper and the lower pixels take turns.
  output logic                              valid_o,
  /// It is taken.
  input  logic                              ready_i,
  /// Its sums; signed.
  output logic [Filters-1:0][SumW-1:0]      sums_o
);
  localparam int unsigned CountW = $clog2(Depth + 1);

  // ------------------------------------------------------------------------------------------ room

  // Pixels that have a place in the queue. Without pooling a column gives two, one after the other.
  logic [CountW-1:0] held_q, held_d, more;
  logic room_q, pause_q;

  assign ready_o = room_q && !pause_q;

  always_comb begin
    more = '0;
    if (column_i && output_i) begin
      if (pooled_i) more = CountW'(odd_i);
      else more = second_i ? CountW'(2) : CountW'(1);
    end
    held_d = held_q + more - CountW'(valid_o && ready_i);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      held_q <= '0;
      room_q <= 1'b1;
      pause_q <= 1'b0;
    end else if (clear_i) begin
      held_q <= '0;
      room_q <= 1'b1;
      pause_q <= 1'b0;
    end else begin
      held_q <= held_d;
      room_q <= held_d <= CountW'(Depth - 2);
      pause_q <= column_i && !pooled_i;
    end
  end

  // --------------------------------------------------------------------------------------- maximum

  logic first_q, odd_q, second_q, lower_q, push_q;
  logic signed [SumW-1:0] upper_q [Filters];
  logic signed [SumW-1:0] under_q [Filters];
  logic signed [SumW-1:0] before_q [Filters];
  logic [Filters-1:0][SumW-1:0] pixel_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {first_q, lower_q, push_q} <= '0;
    end else if (clear_i) begin
      {first_q, lower_q, push_q} <= '0;
    end else begin
      first_q <= valid_i;
      lower_q <= first_q && second_q && !pooled_i;
      push_q <= (first_q && (odd_q || !pooled_i)) || lower_q;
    end
  end

  always_ff @(posedge clk_i) begin
    {odd_q, second_q} <= {sums_odd_i, sums_second_i};
    for (int unsigned f = 0; f < Filters; f++) begin
      if (valid_i) begin
        upper_q[f] <= pooled_i && $signed(sums_i[1][f]) > $signed(sums_i[0][f]) ? sums_i[1][f] :
            sums_i[0][f];
        under_q[f] <= sums_i[1][f];
      end
      if (first_q) before_q[f] <= upper_q[f];
      if (lower_q) pixel_q[f] <= under_q[f];
      else pixel_q[f] <= pooled_i && before_q[f] > upper_q[f] ? before_q[f] : upper_q[f];
    end
  end

  // ----------------------------------------------------------------------------------------- queue

  logic queue_ready;

  sterna_fifo #(
    .Width(Filters * SumW),
    .Depth(Depth)
  ) u_queue (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(push_q),
    .ready_o(queue_ready),
    .data_i (pixel_q),
    .valid_o,
    .ready_i,
    .data_o (sums_o),
    .count_o()
  );

  logic unused;
  assign unused = queue_ready;

`ifdef VERILATOR
  Queue_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    push_q |-> queue_ready);
  Pause_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i && !pooled_i |=> !valid_i);
`endif
endmodule
