// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_beat_join`: a wide beat has the beats that were taken since the one
/// before it, each in its place, and no marks but theirs. One place, any, is watched.
module sterna_beat_join_checks #(
  /// As in `sterna_beat_join`.
  parameter int unsigned DataW = 64,
  /// As in `sterna_beat_join`.
  parameter int unsigned Parts = 2
) (
  input logic                        clk_i,
  input logic                        rst_ni,
  input logic                        valid_i,
  input logic                        ready_o,
  input logic [DataW-1:0]            data_i,
  input logic                        mark_i,
  input logic                        first_i,
  input logic [$clog2(Parts)-1:0]    place_i,
  input logic                        last_i,
  input logic                        valid_o,
  input logic                        ready_i,
  input logic [Parts-1:0][DataW-1:0] data_o,
  input logic [Parts-1:0]            mark_o,
  input logic [$clog2(Parts)-1:0]    place_q
);
  localparam int unsigned PlaceW = $clog2(Parts);

  // The place of the next beat, whether the wide beat has begun or is whole, and what is in the
  // place that is watched.
  logic [PlaceW-1:0] watched, place, next_q;
  logic take, give, begun_q, whole_q, filled_q, mark_q;
  logic [DataW-1:0] item_q;

  formal_constant #(.WIDTH(PlaceW)) u_watched (.Y(watched));

  assign take = valid_i && ready_o;
  assign give = valid_o && ready_i;
  assign place = first_i ? place_i : next_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {next_q, begun_q, whole_q, filled_q} <= '0;
    end else begin
      if (take) next_q <= place + 1'b1;
      begun_q <= take || (begun_q && !give);
      whole_q <= take ? last_i || 32'(place) == Parts - 1 : whole_q && !give;
      filled_q <= (take && place == watched) || (filled_q && !give);
    end
  end

  always_ff @(posedge clk_i) begin
    if (take && place == watched) {item_q, mark_q} <= {data_i, mark_i};
  end

  // What the user owes: a transfer begins in a wide beat of its own.
  First_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_i && first_i |-> !begun_q || whole_q);

  Whole_A: assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o == whole_q);
  Ready_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ready_o == (!whole_q || ready_i));
  Once_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    take && place == watched |-> !filled_q || give);
  Data_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    filled_q |-> data_o[watched] == item_q);
  Mark_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    mark_o[watched] == (filled_q && mark_q));

  // What makes the induction close.
  Next_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    place_q == next_q && (begun_q || (!whole_q && !filled_q)) &&
    (!filled_q || whole_q || watched < next_q));

  Within_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    give && take && first_i && filled_q && next_q != '0);
  Last_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    give && filled_q && 32'(watched) == Parts - 1 && !mark_q);
endmodule

bind sterna_beat_join sterna_beat_join_checks #(
  .DataW(DataW),
  .Parts(Parts)
) u_checks (.*);
