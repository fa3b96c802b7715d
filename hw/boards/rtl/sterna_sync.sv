// SPDX-License-Identifier: Apache-2.0

/// Takes bits from registers of another clock. Each comes three cycles later, or by chance four, so
/// bits that belong together may change one at a time only.
module sterna_sync #(
  /// Bits, at most 32.
  parameter int unsigned Width = 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  /// Registers of another clock.
  input  logic [Width-1:0] bits_i,
  /// The bits; 0 in reset.
  output logic [Width-1:0] bits_o
);
  generate
    if (Width < 1 || Width > 32) begin : gen_bad_width
      initial $error("sterna_sync: Width = %0d must be 1 to 32", Width);
    end
  endgenerate

  // Names and values of Quartus's settings: Intel, "Quartus Prime Pro Edition Settings File
  // Reference Manual", document 683296, SYNCHRONIZER_IDENTIFICATION. By the first of them the
  // timing analyser reports how long these registers take between two failures.
  (* altera_attribute = {"-name SYNCHRONIZER_IDENTIFICATION FORCED_IF_ASYNCHRONOUS; ",
                         "-name DONT_MERGE_REGISTER ON; -name PRESERVE_REGISTER ON; ",
                         "-name ADV_NETLIST_OPT_ALLOWED NEVER_ALLOW"} *)
  logic [Width-1:0] first_q, second_q, third_q;
  logic [Width-1:0] seen;

  assign bits_o = third_q;

`ifdef VERILATOR
  // A bit that changes near the clock's edge is seen at this edge or at the next one. Of what has
  // changed since the last edge, only the last change may have been near.
  logic [Width-1:0] newer, older, edge_q, late_q;

  always @(bits_i) begin
    older = newer;
    newer = bits_i;
  end

  assign seen = bits_i ^ ((bits_i ^ older) & (bits_i ^ edge_q) & late_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {edge_q, late_q} <= '0;
    else {edge_q, late_q} <= {bits_i, Width'($urandom)};
  end
`else
  assign seen = bits_i;
`endif

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {third_q, second_q, first_q} <= '0;
    else {third_q, second_q, first_q} <= {second_q, first_q, seen};
  end
endmodule
