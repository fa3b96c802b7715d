// SPDX-License-Identifier: Apache-2.0

/// Round-robin choice: grants one request, the next one after the last grant that was used.
module sterna_round_robin #(
  /// Requesters.
  parameter int unsigned Requests = 2
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  /// Starts again at requester 0.
  input  logic                clear_i,
  /// Who asks.
  input  logic [Requests-1:0] request_i,
  /// Who may, at most one.
  output logic [Requests-1:0] grant_o
);
  // Requesters after the last one granted: they come first.
  logic [Requests-1:0] behind_q, behind_d, preferred;

  // Bit by bit: arithmetic would be two carry chains, one after the other.
  always_comb begin
    preferred = |(request_i & behind_q) ? request_i & behind_q : request_i;
    behind_d = '0;
    for (int unsigned i = 1; i < Requests; i++) behind_d[i] = behind_d[i-1] || preferred[i-1];
  end

  assign grant_o = preferred & ~behind_d;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) behind_q <= '0;
    else if (clear_i) behind_q <= '0;
    else if (|request_i) behind_q <= behind_d;
  end

`ifdef VERILATOR
  One_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    $countones(grant_o) == 32'(|request_i));
  Asked_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    (grant_o & ~request_i) == '0);
`endif
endmodule
