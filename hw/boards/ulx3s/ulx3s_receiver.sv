// SPDX-License-Identifier: Apache-2.0

/// Receives bytes from an asynchronous serial line: 8 data bits, no parity, 1 stop bit.
module ulx3s_receiver #(
  /// Cycles of a bit, 4 or more.
  parameter int unsigned BitCycles = 27
) (
  input  logic       clk_i,
  input  logic       rst_ni,
  /// The line.
  input  logic       rx_i,
  /// A byte has come (pulse); one without a stop bit is dropped.
  output logic       valid_o,
  /// The byte.
  output logic [7:0] data_o
);
  localparam int unsigned CyclesW = $clog2(BitCycles);
  localparam logic [3:0] Bits = 4'd10;

  logic [1:0] sync_q;
  logic [CyclesW-1:0] cycles_q;
  // Bits still to come, the start bit included; 0: none is under way.
  logic [3:0] left_q;
  logic [7:0] data_q;
  logic valid_q, sample;

  assign valid_o = valid_q;
  assign data_o = data_q;
  assign sample = cycles_q == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sync_q <= '1;
      cycles_q <= '0;
      left_q <= '0;
      valid_q <= 1'b0;
    end else begin
      sync_q <= {sync_q[0], rx_i};
      valid_q <= 1'b0;
      cycles_q <= sample ? CyclesW'(BitCycles - 1) : cycles_q - 1'b1;
      if (left_q == '0) begin
        // The middle of the start bit, less the cycle that it took to see it.
        cycles_q <= CyclesW'(BitCycles / 2 - 1);
        if (!sync_q[1]) left_q <= Bits;
      end else if (sample) begin
        left_q <= left_q - 1'b1;
        if (left_q == Bits && sync_q[1]) left_q <= '0;
        if (left_q == 4'd1) valid_q <= sync_q[1];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (sample && left_q != 4'd1) data_q <= {sync_q[1], data_q[7:1]};
  end
endmodule
