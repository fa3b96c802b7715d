// SPDX-License-Identifier: Apache-2.0

/// Splits wide beats, the lowest bits first. A transfer may begin and end within a wide beat.
module sterna_beat_split #(
  /// Bits of a beat.
  parameter int unsigned DataW = 64,
  /// Beats in a wide one; a power of two.
  parameter int unsigned Parts = 2
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  /// A wide beat is offered.
  input  logic                        valid_i,
  /// The wide beat is done with.
  output logic                        ready_o,
  /// The wide beat.
  input  logic [Parts-1:0][DataW-1:0] data_i,
  /// A beat is offered.
  output logic                        valid_o,
  /// The beat is taken.
  input  logic                        ready_i,
  /// The beat.
  output logic [DataW-1:0]            data_o,
  /// It is the first of a transfer, which begins at `place_i`.
  input  logic                        first_i,
  /// Its place in the wide beat.
  input  logic [$clog2(Parts)-1:0]    place_i,
  /// It is the last of a transfer; the rest of the wide beat is dropped.
  input  logic                        last_i
);
  localparam int unsigned PlaceW = $clog2(Parts);

  generate
    if (Parts < 2 || Parts != 2 ** PlaceW) begin : gen_bad_parts
      initial $error("sterna_beat_split: Parts = %0d must be a power of two of at least 2", Parts);
    end
  endgenerate

  logic [PlaceW-1:0] place, place_q;

  assign place = first_i ? place_i : place_q;
  assign valid_o = valid_i;
  assign data_o = data_i[place];
  assign ready_o = ready_i && (last_i || place == '1);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) place_q <= '0;
    else if (valid_i && ready_i) place_q <= place + 1'b1;
  end
endmodule
