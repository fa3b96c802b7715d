// SPDX-License-Identifier: Apache-2.0

/// What proofs take for `sterna_sync`: the solver chooses, bit by bit, whether a change right before
/// the clock's edge is seen at this edge or at the next one.
module formal_sync #(
  /// As in `sterna_sync`.
  parameter int unsigned Width = 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  /// Registers of another clock.
  input  logic [Width-1:0] bits_i,
  /// The bits; 0 in reset.
  output logic [Width-1:0] bits_o
);
  logic [Width-1:0] earlier, late, first_q, second_q, third_q;

  formal_before #(.WIDTH(Width)) u_before (.D(bits_i), .Q(earlier));
  formal_input #(.WIDTH(Width)) u_late (.Y(late));

  assign bits_o = third_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {third_q, second_q, first_q} <= '0;
    else {third_q, second_q, first_q} <= {second_q, first_q, (bits_i & ~late) | (earlier & late)};
  end
endmodule
