// SPDX-License-Identifier: Apache-2.0
// Models, without delays, of the cells of an ECP5 that are more than logic. What they do not know of a
// cell's parameters they refuse: there is no module `sterna_unknown_parameter`.
//
// Lattice describes memory in FPGA-TN-02204 (TN1264 before) and the multiplier in FPGA-TN-02205 (TN1267 before). The
// text of neither could be had for these models. They follow Yosys, which maps memories and products to these cells;
// the source of each property is a file in its folder `techlibs/lattice`.

/// The clocks' source: here as fast as what comes in. CLKOS is half a cycle later than CLKOP.
module EHXPLLL #(
  parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 1, CLKOS_DIV = 1, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0,
  parameter CLKOS_CPHASE = 0, CLKOS_FPHASE = 0,
  parameter FEEDBK_PATH = "", CLKOP_ENABLE = "", CLKOS_ENABLE = "", OUTDIVIDER_MUXA = "", OUTDIVIDER_MUXB = "",
  parameter OUTDIVIDER_MUXC = "", OUTDIVIDER_MUXD = "", PLLRST_ENA = "", INTFB_WAKE = "", STDBY_ENABLE = "",
  parameter DPHASE_SOURCE = ""
) (
  input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG, PLLWAKESYNC, ENCLKOP,
  output CLKOP, CLKOS, LOCK
);
  // In eighths of the oscillator's cycle, of which a cycle has CLKOP_DIV.
  localparam Later = 8 * (CLKOS_CPHASE - CLKOP_CPHASE) + CLKOS_FPHASE - CLKOP_FPHASE;

  assign CLKOP = CLKI;
  assign CLKOS = ~CLKI;
  assign LOCK = 1'b1;

  generate
    if (CLKOS_DIV != CLKOP_DIV || Later != 4 * CLKOP_DIV) begin : gen_bad
      sterna_unknown_parameter bad ();
    end
  endgenerate
endmodule

/// 18 Kbit of memory with two ports.
///
/// | property | source |
/// |---|---|
/// | 9, 18 or 36 bits per port, and the address bits that choose a word: all, from the fifth on, from the sixth on | brams_16kd.txt, `widths`, and the order of contents in brams_map_16kd.v, `init_slice` |
/// | the lowest bits of the address of 18 and 36 bits say which bytes of 9 bits are written | brams_map_16kd.v, ADA0 to ADA3 |
/// | 36 bits are written by the data inputs of both ports, the lower half by port A's, and read from both outputs, the lower half from port A's | brams_map_16kd.v, module $__PDPW16KD_ |
/// | a write leaves the output alone (NORMAL), or shows what was there before (READBEFOREWRITE) | brams_16kd.txt, `rdwr no_change` and `rdwr old` |
/// | a read that meets a write of its word at the other port: nothing is said, so it gives what the memory does not hold | brams_16kd.txt, no `wrtrans` |
/// | contents and outputs are 0 after configuration | `INITVAL_*` of the netlist, checked there; brams_16kd.txt, `rdinit zero` |
module DP16KD #(
  parameter DATA_WIDTH_A = 18,
  parameter DATA_WIDTH_B = 18,
  parameter REGMODE_A = "NOREG",
  parameter REGMODE_B = "NOREG",
  parameter CSDECODE_A = "0b000",
  parameter CSDECODE_B = "0b000",
  parameter WRITEMODE_A = "NORMAL",
  parameter WRITEMODE_B = "NORMAL",
  parameter CLKAMUX = "CLKA",
  parameter CLKBMUX = "CLKB"
) (
  input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
  DIA4, DIA3, DIA2, DIA1, DIA0, ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4,
  ADA3, ADA2, ADA1, ADA0, CLKA, CEA, OCEA, WEA, RSTA, CSA2, CSA1, CSA0, DIB17, DIB16, DIB15,
  DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
  ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0, CLKB,
  CEB, OCEB, WEB, RSTB, CSB2, CSB1, CSB0,
  output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
  DOA4, DOA3, DOA2, DOA1, DOA0, DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
  DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
  wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2,
  ADA1, ADA0};
  wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2,
  ADB1, ADB0};
  wire [17:0] dia = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7,
  DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] dib = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7,
  DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  wire clka = CLKAMUX == "INV" ? ~CLKA : CLKA;
  wire clkb = CLKBMUX == "INV" ? ~CLKB : CLKB;

  // Words of 18 bits, bytes of 9. Resets are not used; the netlist's writer sees to that.
  reg [17:0] memory [1024];
  reg [17:0] low_a, high_a, low_b, high_b;
  integer i;

  initial begin
    for (i = 0; i < 1024; i = i + 1) memory[i] = 18'b0;
    {high_a, low_a, high_b, low_b} = 72'b0;
  end

  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} =
    DATA_WIDTH_B == 36 ? low_b : low_a;
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} =
    DATA_WIDTH_B == 36 ? high_b : low_b;

  // The part of a word that a narrower port sees, in its lowest bits.
  function [17:0] part(input integer width, input [17:0] word, input [13:0] address);
    reg [8:0] byte_;
    begin
      byte_ = address[3] ? word[17:9] : word[8:0];
      part = width >= 18 ? word : width == 9 ? {9'b0, byte_} : 18'b0;
    end
  endfunction

  // Some byte is written.
  wire some_a = DATA_WIDTH_A == 36 ? ada[3:0] != 0 : DATA_WIDTH_A == 18 ? ada[1:0] != 0 : 1'b1;
  wire some_b = DATA_WIDTH_B == 18 ? adb[1:0] != 0 : 1'b1;
  wire write_a = CEA && WEA && some_a, write_b = CEB && WEB && some_b;
  // Address bits below a word, of the wider port.
  localparam Low = DATA_WIDTH_A == 36 || DATA_WIDTH_B == 36 ? 5 : DATA_WIDTH_A == 18 || DATA_WIDTH_B == 18 ? 4 : 3;
  wire meet = ada[13:Low] == adb[13:Low];

  always @(posedge clka) begin
    if (write_a) begin
      if (DATA_WIDTH_A == 9) begin
        if (ada[3]) memory[ada[13:4]][17:9] <= dia[8:0];
        else memory[ada[13:4]][8:0] <= dia[8:0];
      end else if (DATA_WIDTH_A == 18) begin
        if (ada[0]) memory[ada[13:4]][8:0] <= dia[8:0];
        if (ada[1]) memory[ada[13:4]][17:9] <= dia[17:9];
      end else begin
        if (ada[0]) memory[{ada[13:5], 1'b0}][8:0] <= dia[8:0];
        if (ada[1]) memory[{ada[13:5], 1'b0}][17:9] <= dia[17:9];
        if (ada[2]) memory[{ada[13:5], 1'b1}][8:0] <= dib[8:0];
        if (ada[3]) memory[{ada[13:5], 1'b1}][17:9] <= dib[17:9];
      end
    end
    if (CEA && (!WEA || WRITEMODE_A == "READBEFOREWRITE")) low_a <= part(DATA_WIDTH_A, memory[ada[13:4]], ada) ^ {18{write_b && meet}};
  end

  always @(posedge clkb) begin
    if (write_b) begin
      if (DATA_WIDTH_B == 9) begin
        if (adb[3]) memory[adb[13:4]][17:9] <= dib[8:0];
        else memory[adb[13:4]][8:0] <= dib[8:0];
      end else begin
        if (adb[0]) memory[adb[13:4]][8:0] <= dib[8:0];
        if (adb[1]) memory[adb[13:4]][17:9] <= dib[17:9];
      end
    end
    if (CEB && (!WEB || WRITEMODE_B == "READBEFOREWRITE")) begin
      if (DATA_WIDTH_B == 36) begin
        low_b <= memory[{adb[13:5], 1'b0}] ^ {18{write_a && meet}};
        high_b <= memory[{adb[13:5], 1'b1}] ^ {18{write_a && meet}};
      end else begin
        low_b <= part(DATA_WIDTH_B, memory[adb[13:4]], adb) ^ {18{write_a && meet}};
      end
    end
  end

  generate
    if ((DATA_WIDTH_A != 9 && DATA_WIDTH_A != 18 && DATA_WIDTH_A != 36) ||
        (DATA_WIDTH_B != 9 && DATA_WIDTH_B != 18 && DATA_WIDTH_B != 36) || REGMODE_A != "NOREG" ||
        REGMODE_B != "NOREG" || (WRITEMODE_A != "NORMAL" && WRITEMODE_A != "READBEFOREWRITE") ||
        (WRITEMODE_B != "NORMAL" && WRITEMODE_B != "READBEFOREWRITE") ||
        CSDECODE_A != "0b000" || CSDECODE_B != "0b000") begin : gen_bad
      sterna_unknown_parameter bad ();
    end
  endgenerate
endmodule

/// A multiplier without registers: 18 by 18 bits, each side signed or not, all 36 bits of the product (dsp_map_18x18.v,
/// SIGNEDA, SIGNEDB and P).
module MULT18X18D #(
  parameter REG_INPUTA_CLK = "NONE",
  parameter REG_INPUTB_CLK = "NONE",
  parameter REG_INPUTC_CLK = "NONE",
  parameter REG_PIPELINE_CLK = "NONE",
  parameter REG_OUTPUT_CLK = "NONE",
  parameter SOURCEB_MODE = "B_SHIFT",
  parameter MULT_BYPASS = "DISABLED"
) (
  input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0, B17,
  B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0, C17, C16, C15, C14,
  C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0, SIGNEDA, SIGNEDB, SOURCEA,
  SOURCEB, CLK3, CLK2, CLK1, CLK0, CE3, CE2, CE1, CE0, RST3, RST2, RST1, RST0, SRIA17, SRIA16,
  SRIA15, SRIA14, SRIA13, SRIA12, SRIA11, SRIA10, SRIA9, SRIA8, SRIA7, SRIA6, SRIA5, SRIA4,
  SRIA3, SRIA2, SRIA1, SRIA0, SRIB17, SRIB16, SRIB15, SRIB14, SRIB13, SRIB12, SRIB11, SRIB10,
  SRIB9, SRIB8, SRIB7, SRIB6, SRIB5, SRIB4, SRIB3, SRIB2, SRIB1, SRIB0,
  output SROA17, SROA16, SROA15, SROA14, SROA13, SROA12, SROA11, SROA10, SROA9, SROA8, SROA7,
  SROA6, SROA5, SROA4, SROA3, SROA2, SROA1, SROA0, SROB17, SROB16, SROB15, SROB14, SROB13,
  SROB12, SROB11, SROB10, SROB9, SROB8, SROB7, SROB6, SROB5, SROB4, SROB3, SROB2, SROB1, SROB0,
  ROA17, ROA16, ROA15, ROA14, ROA13, ROA12, ROA11, ROA10, ROA9, ROA8, ROA7, ROA6, ROA5, ROA4,
  ROA3, ROA2, ROA1, ROA0, ROB17, ROB16, ROB15, ROB14, ROB13, ROB12, ROB11, ROB10, ROB9, ROB8,
  ROB7, ROB6, ROB5, ROB4, ROB3, ROB2, ROB1, ROB0, ROC17, ROC16, ROC15, ROC14, ROC13, ROC12,
  ROC11, ROC10, ROC9, ROC8, ROC7, ROC6, ROC5, ROC4, ROC3, ROC2, ROC1, ROC0, P35, P34, P33, P32,
  P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13,
  P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0, SIGNEDP
);
  wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1,
  A0};
  wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1,
  B0};
  // One bit more, so that both kinds are signed.
  wire signed [18:0] wide_a = {SIGNEDA & A17, a};
  wire signed [18:0] wide_b = {SIGNEDB & B17, b};
  wire signed [37:0] product = wide_a * wide_b;

  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} =
    product[35:0];

  generate
    if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_PIPELINE_CLK != "NONE" ||
        REG_OUTPUT_CLK != "NONE" || MULT_BYPASS != "DISABLED") begin : gen_bad
      sterna_unknown_parameter bad ();
    end
  endgenerate
endmodule
