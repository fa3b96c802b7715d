// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_beat_split`: a wide beat gives its parts once each, in order, from the
/// first place of a transfer to its last one. One part, any, is watched.
module sterna_beat_split_checks #(
  /// As in `sterna_beat_split`.
  parameter int unsigned DataW = 64,
  /// As in `sterna_beat_split`.
  parameter int unsigned Parts = 2
) (
  input logic                        clk_i,
  input logic                        rst_ni,
  input logic                        valid_i,
  input logic                        ready_o,
  input logic [Parts-1:0][DataW-1:0] data_i,
  input logic                        valid_o,
  input logic                        ready_i,
  input logic [DataW-1:0]            data_o,
  input logic                        first_i,
  input logic [$clog2(Parts)-1:0]    place_i,
  input logic                        last_i,
  input logic [$clog2(Parts)-1:0]    place_q
);
  localparam int unsigned PlaceW = $clog2(Parts);

  // The place of the next beat, whether the wide beat has begun and where, and whether it has given
  // the part that is watched.
  logic [PlaceW-1:0] watched, place, next_q, from, from_q;
  logic given, done, begun_q, watched_q;

  formal_constant #(.WIDTH(PlaceW)) u_watched (.Y(watched));

  assign place = first_i ? place_i : next_q;
  assign from = begun_q ? from_q : place;
  assign given = valid_o && ready_i;
  assign done = valid_i && ready_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {next_q, begun_q, watched_q} <= '0;
    end else begin
      if (given) next_q <= place + 1'b1;
      begun_q <= (given || begun_q) && !done;
      watched_q <= ((given && place == watched) || watched_q) && !done;
    end
  end

  always_ff @(posedge clk_i) from_q <= from;

  // What the user owes: a transfer begins in a wide beat of its own.
  First_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_i && first_i |-> !begun_q);

  Valid_A: assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o == valid_i);
  Data_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    valid_o && place == watched |-> data_o == data_i[watched] && !watched_q);
  Done_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    ready_o == (ready_i && (last_i || 32'(place) == Parts - 1)));
  All_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    done && watched >= from && watched <= place |-> watched_q || (given && place == watched));

  // What makes the induction close.
  Next_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    place_q == next_q && (begun_q || !watched_q) &&
    (!begun_q || (from_q < next_q && watched_q == (watched >= from_q && watched < next_q))));

  Within_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    done && last_i && begun_q && from_q != '0 && 32'(place) < Parts - 1);
  Whole_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    done && watched_q && from_q == '0 && 32'(place) == Parts - 1);
endmodule

bind sterna_beat_split sterna_beat_split_checks #(
  .DataW(DataW),
  .Parts(Parts)
) u_checks (.*);
