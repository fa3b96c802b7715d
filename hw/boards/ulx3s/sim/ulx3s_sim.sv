// SPDX-License-Identifier: Apache-2.0

/// The board: FPGA and memory. With NETLIST defined the FPGA is the netlist of place and route.
module ulx3s_sim #(
  /// Cycles of a bit on the serial line.
  parameter int unsigned BitCycles = 27
) (
  /// The clock, as fast as the FPGA's.
  input  logic clk_i,
  /// The button.
  input  logic btn_i,
  /// The serial line from the host.
  input  logic rx_i,
  /// The serial line to the host.
  output logic tx_o,
  /// Out of reset; interrupt.
  output logic [1:0] led_o
);
  wire [15:0] dq;
  wire [12:0] a;
  wire [1:0] ba, dqm;
  wire clk, csn, rasn, casn, wen;

`ifdef NETLIST
  ulx3s_top u_fpga (
`else
  ulx3s_top #(
    .BitCycles(BitCycles)
  ) u_fpga (
`endif
    .clk_25mhz (clk_i),
    .btn1      (btn_i),
    .ftdi_txd  (rx_i),
    .ftdi_rxd  (tx_o),
    .led       (led_o),
    .wifi_gpio0(),
    .sdram_clk (clk),
    .sdram_cke (),
    .sdram_csn (csn),
    .sdram_rasn(rasn),
    .sdram_casn(casn),
    .sdram_wen (wen),
    .sdram_a   (a),
    .sdram_ba  (ba),
    .sdram_dqm (dqm),
    .sdram_d   (dq)
  );

  ulx3s_sdram_chip u_sdram (
    .clk_i     (clk),
    .command_ni({csn, rasn, casn, wen}),
    .a_i       (a),
    .ba_i      (ba),
    .dqm_i     (dqm),
    .dq_io     (dq)
  );
endmodule
