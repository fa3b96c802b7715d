// SPDX-License-Identifier: Apache-2.0

/// From the board's 25 MHz: the clock of everything, 80 MHz, and the memory's, its inverse.
module ulx3s_clocks (
  /// 25 MHz.
  input  logic clk_i,
  /// 80 MHz.
  output logic clk_o,
  /// 80 MHz, half a cycle later.
  output logic sdram_clk_o,
  /// Both are stable.
  output logic locked_o
);
  // 25 MHz / 5 * 16 = 80 MHz; the oscillator runs at 7 times that, so a phase is counted in sevenths
  // of a cycle: CLKOS comes 6.5 - 3 of them after CLKOP. Computed by ecppll.
  (* FREQUENCY_PIN_CLKI = "25", FREQUENCY_PIN_CLKOP = "80", FREQUENCY_PIN_CLKOS = "80" *)
  (* ICP_CURRENT = "12", LPF_RESISTOR = "8", MFG_ENABLE_FILTEROPAMP = "1", MFG_GMCREF_SEL = "2" *)
  EHXPLLL #(
    .CLKI_DIV        (5),
    .CLKFB_DIV       (16),
    .FEEDBK_PATH     ("CLKOP"),
    .CLKOP_ENABLE    ("ENABLED"),
    .CLKOP_DIV       (7),
    .CLKOP_CPHASE    (3),
    .CLKOP_FPHASE    (0),
    .CLKOS_ENABLE    ("ENABLED"),
    .CLKOS_DIV       (7),
    .CLKOS_CPHASE    (6),
    .CLKOS_FPHASE    (4),
    .OUTDIVIDER_MUXA ("DIVA"),
    .OUTDIVIDER_MUXB ("DIVB"),
    .OUTDIVIDER_MUXC ("DIVC"),
    .OUTDIVIDER_MUXD ("DIVD"),
    .PLLRST_ENA      ("DISABLED"),
    .INTFB_WAKE      ("DISABLED"),
    .STDBY_ENABLE    ("DISABLED"),
    .DPHASE_SOURCE   ("DISABLED")
  ) u_pll (
    .CLKI        (clk_i),
    .CLKFB       (clk_o),
    .CLKOP       (clk_o),
    .CLKOS       (sdram_clk_o),
    .LOCK        (locked_o),
    .RST         (1'b0),
    .STDBY       (1'b0),
    .PHASESEL0   (1'b0),
    .PHASESEL1   (1'b0),
    .PHASEDIR    (1'b1),
    .PHASESTEP   (1'b1),
    .PHASELOADREG(1'b1),
    .PLLWAKESYNC (1'b0),
    .ENCLKOP     (1'b0)
  );
endmodule
