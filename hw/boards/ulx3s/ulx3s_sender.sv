// SPDX-License-Identifier: Apache-2.0

/// Sends bytes over an asynchronous serial line: 8 data bits, no parity, 1 stop bit.
module ulx3s_sender #(
  /// Cycles of a bit.
  parameter int unsigned BitCycles = 27
) (
  input  logic       clk_i,
  input  logic       rst_ni,
  /// A byte is offered.
  input  logic       valid_i,
  /// It is taken.
  output logic       ready_o,
  /// The byte.
  input  logic [7:0] data_i,
  /// The line.
  output logic       tx_o
);
  localparam int unsigned CyclesW = $clog2(BitCycles);

  logic [CyclesW-1:0] cycles_q;
  // The bit on the line is the lowest; ones alone follow the stop bit.
  logic [9:0] bits_q;
  logic [3:0] left_q;

  assign ready_o = left_q == '0;
  assign tx_o = bits_q[0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      cycles_q <= '0;
      bits_q <= '1;
      left_q <= '0;
    end else if (ready_o) begin
      cycles_q <= CyclesW'(BitCycles - 1);
      if (valid_i) begin
        bits_q <= {1'b1, data_i, 1'b0};
        left_q <= 4'd10;
      end
    end else if (cycles_q == '0) begin
      cycles_q <= CyclesW'(BitCycles - 1);
      bits_q <= {1'b1, bits_q[9:1]};
      left_q <= left_q - 1'b1;
    end else begin
      cycles_q <= cycles_q - 1'b1;
    end
  end
endmodule
