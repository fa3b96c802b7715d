// SPDX-License-Identifier: Apache-2.0

/// A reset that begins at once and ends in step with the clock, two edges after the one that comes
/// in, which may end at any time.
module sterna_reset_sync (
  input  logic clk_i,
  input  logic rst_ni,
  /// The reset of everything else; active low.
  output logic rst_no
);
  // Not ended from power-up on.
  (* preserve *) logic [1:0] ended_q;
  initial ended_q = '0;

  assign rst_no = ended_q[1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) ended_q <= '0;
    else ended_q <= {ended_q[0], 1'b1};
  end
endmodule
