// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Checks whether the engine can run a step, and finds where its payloads end. Places and lengths
/// are counted in lines of the tape, TapeAlign bytes each.
///
/// A sum or comparison takes a cycle: the step holds still from cycle 0 on, its place from cycle 1
/// on. The end is known in cycle 2, a fault in cycle 3.
module sterna_step_checker #(
  /// Clusters of the engine.
  parameter int unsigned Clusters = 2,
  /// Entries of a requantisation table: channels that a cluster can drain.
  parameter int unsigned TableEntries = 64,
  /// The engine has input tables.
  parameter bit InputTable = 0,
  /// LOAD can compute the first layer.
  parameter bit FirstLayer = 0
) (
  input  logic                                clk_i,
  /// The step.
  input  step_t                               step_i,
  /// Lines before the segment that follows the step's own.
  input  logic [(32 - $clog2(TapeAlign))-1:0] place_i,
  /// Lines of the tape.
  input  logic [(32 - $clog2(TapeAlign))-1:0] tape_lines_i,
  /// It is a CONV step.
  output logic                                is_conv_o,
  /// It is a TABLE or FIRST step.
  output logic                                is_table_o,
  /// It has one tile group.
  output logic                                one_group_o,
  /// Lines before the end of the last segment of a CONV, TABLE or FIRST step.
  output logic [(32 - $clog2(TapeAlign))+1:0] end_o,
  /// Why the step cannot be run, an error code.
  output logic [7:0]                          fault_o
);
  localparam int unsigned LineByteW = $clog2(TapeAlign);
  localparam int unsigned LineW = 32 - LineByteW;

  /// Bytes of the payload of a TABLE step: a word for each value of a byte.
  localparam logic [31:0] InputBytes = 32'd256 * 32'd8;
  /// And of a FIRST step.
  localparam logic [31:0] FirstBytes = 32'(FirstFilters * FirstWords * 8);

  logic move_right_q, conv_right_q, requant_right_q, weights_right_q, input_right_q, fits_q;
  logic beside_right_q;
  logic is_table, is_first;
  // The clusters form clusters / tiles_at_once filter groups, both powers of two.
  logic [17:0] table_words;
  logic [14:0] table_lines_q;
  logic legal_tiles, legal_filters, legal_beside;
  // The lines of a CONV step's two segments with one of their headers, of one segment without.
  logic [LineW:0] payload_lines_q;

  assign is_first = FirstLayer && step_i.op == OpFirst;
  assign is_table = (InputTable && step_i.op == OpTable) || is_first;
  assign table_words = (18'(step_i.filters) * 18'(Clusters)) >>
                       {step_i.tiles_at_once[2], step_i.tiles_at_once[1]};
  assign legal_filters = step_i.filters != '0 && step_i.filters <= 16'(TableEntries);
  assign legal_tiles = step_i.tiles_at_once == 8'd1 ||
                       (step_i.tiles_at_once == 8'd2 && Clusters >= 2) ||
                       (step_i.tiles_at_once == 8'd4 && Clusters >= 4);
  // At most two STOREs go on. A STORE and a TABLE wait for all other moves, a LOAD for other LOADs.
  assign legal_beside = step_i.beside == '0 ||
                        (step_i.beside[7:3] == '0 && step_i.beside[1:0] != 2'd3 &&
                         (step_i.op == OpConv || (step_i.op == OpLoad && !step_i.beside[2])));

  // a - ~b is a + b + 1 in one sum.
  always_ff @(posedge clk_i) begin
    is_conv_o <= step_i.op == OpConv;
    one_group_o <= step_i.tile_groups == 32'd1;
    move_right_q <= (step_i.op == OpLoad || step_i.op == OpStore) && step_i.fm_words != '0;
    conv_right_q <= step_i.op == OpConv && legal_tiles && legal_filters &&
                    step_i.tile_groups != '0;
    beside_right_q <= legal_beside;
    table_lines_q <= 15'((table_words + 18'(TapeAlign / 8 - 1)) >> $clog2(TapeAlign / 8));
    requant_right_q <= step_i.requant_bytes == 32'({table_lines_q, LineByteW'(0)});
    weights_right_q <= step_i.weights_bytes != '0 && step_i.weights_bytes[LineByteW-1:0] == '0;
    is_table_o <= is_table;
    input_right_q <= is_table && step_i.requant_bytes == (is_first ? FirstBytes : InputBytes);
    payload_lines_q <= (LineW + 1)'(step_i.requant_bytes[31:LineByteW]) -
                       (is_table ? '0 : ~(LineW + 1)'(step_i.weights_bytes[31:LineByteW]));
    end_o <= (LineW + 2)'(place_i) - ~(LineW + 2)'(payload_lines_q);
    fits_q <= end_o <= (LineW + 2)'(tape_lines_i);
  end

  always_comb begin
    fault_o = ErrorNone;
    if (!beside_right_q || (!move_right_q && !conv_right_q && !is_table_o)) begin
      fault_o = ErrorBadStep;
    end else if (is_conv_o && !(requant_right_q && weights_right_q && fits_q)) begin
      fault_o = ErrorBadLength;
    end else if (is_table_o && !(input_right_q && fits_q)) begin
      fault_o = ErrorBadLength;
    end
  end
endmodule
