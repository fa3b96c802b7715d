// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_round_robin`: besides its own assertions (one grant if anybody asks,
/// and only to one who asks), that nobody waits for more than one turn of each of the others. One
/// requester, any, is watched.
module sterna_round_robin_checks #(
  /// As the choice's.
  parameter int unsigned Requests = 2
) (
  input logic                clk_i,
  input logic                rst_ni,
  input logic                clear_i,
  input logic [Requests-1:0] request_i,
  input logic [Requests-1:0] grant_o,
  input logic [Requests-1:0] behind_q
);
  localparam int unsigned IndexW = Requests > 1 ? $clog2(Requests) : 1;

  // Who is watched, who asked all the time since then, and who has been granted since then.
  logic [IndexW-1:0] me;
  logic [Requests-1:0] passed_q;
  logic granted;

  formal_constant #(.WIDTH(IndexW)) u_me (.Y(me));
  Me_M: assume property (@(posedge clk_i) 32'(me) < Requests);

  assign granted = grant_o[me];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) passed_q <= '0;
    else if (clear_i || !request_i[me] || granted) passed_q <= '0;
    else passed_q <= passed_q | grant_o;
  end

  Fair_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    request_i[me] && !granted |-> (passed_q & grant_o) == '0);

  // What makes the induction close: where the last grant was, and who can have come before the
  // watched one since then.
  logic [Requests-1:0] below;
  assign below = (Requests'(1) << me) - 1'b1;

  Behind_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    (~behind_q & (~behind_q + 1'b1)) == '0);
  Passed_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !passed_q[me] && (passed_q & behind_q & (behind_q[me] ? below : '1)) == '0 &&
    (behind_q[me] || (passed_q & below) == '0));

  Waits_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    granted && $countones(passed_q) == Requests - 1);
endmodule

bind sterna_round_robin sterna_round_robin_checks #(
  .Requests(Requests)
) u_checks (.*);
