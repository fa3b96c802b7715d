// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_vector_queue`, whose user keeps count.
module sterna_vector_queue_checks #(
  /// As the queue's.
  parameter int unsigned Width = 200,
  /// As the queue's.
  parameter int unsigned Depth = 2
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic             clear_i,
  input logic             valid_i,
  input logic [Width-1:0] data_i,
  input logic             take_i,
  input logic [Width-1:0] data_o,
  input logic [Depth:0]   valid,
  input logic [Width-1:0] data [Depth + 1]
);
  localparam int unsigned CountW = $clog2(Depth + 1);

  logic followed, full, found;
  logic [CountW-1:0] held, ahead, recent;
  logic [Width-1:0] item;
  // In which of the last cycles a vector came in, the latest in bit 0.
  logic [Depth-1:0] came_q;

  formal_order #(
    .Width  (Width),
    .Room   (Depth),
    .Latency(Depth - 1)
  ) u_order (
    .clk_i,
    .rst_ni,
    .clear_i,
    .push_i    (valid_i),
    .in_i      (data_i),
    .valid_i   (valid[Depth]),
    .pop_i     (take_i),
    .out_i     (data_o),
    .held_o    (held),
    .followed_o(followed),
    .ahead_o   (ahead),
    .item_o    (item)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) came_q <= '0;
    else if (clear_i) came_q <= '0;
    else came_q <= Depth'({came_q, valid_i});
  end

  // Vectors that have been there for less than Depth cycles.
  always_comb begin
    recent = '0;
    for (int unsigned i = 0; i + 1 < Depth; i++) recent += CountW'(came_q[i]);
  end
  assign full = held == CountW'(Depth);

  // The user's part.
  Room_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i && full |-> take_i);
  Late_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    take_i |-> held > recent);

  // What makes the induction close: all vectors are there, the followed one among them, and each
  // has moved on in every cycle until it met the ones before it.
  Held_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    32'(held) == $countones(valid[Depth:1]));
  always_comb begin
    found = 1'b0;
    for (int unsigned i = 1; i <= Depth; i++) begin
      if (valid[i] && $countones(valid >> (i + 1)) == 32'(ahead) && data[i] == item) found = 1'b1;
    end
  end
  Place_A: assert property (@(posedge clk_i) disable iff (!rst_ni) followed |-> found);
endmodule

bind sterna_vector_queue sterna_vector_queue_checks #(
  .Width(Width),
  .Depth(Depth)
) u_checks (.*);
