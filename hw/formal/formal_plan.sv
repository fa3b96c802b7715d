// SPDX-License-Identifier: Apache-2.0

/// Bursts that the solver chooses, of whole beats and each inside 4 KB. To keep its work within
/// limits they are short, and in two blocks of 4 KB.
module formal_plan #(
  /// Bursts of the plan.
  parameter int unsigned Plan = 2,
  /// Bits of a beat.
  parameter int unsigned DataW = 64,
  /// Beats of the longest burst.
  parameter int unsigned Longest = 8
) (
  input  logic                  clk_i,
  /// The first byte of each burst.
  output logic [Plan-1:0][63:0] addr_o,
  /// Its beats less one.
  output logic [Plan-1:0][7:0]  len_o
);
  localparam int unsigned ByteW = $clog2(DataW / 8);
  localparam int unsigned LenW = $clog2(Longest);

  generate
    for (genvar i = 0; i < Plan; i++) begin : gen_burst
      logic [12:ByteW] beat;
      logic [LenW-1:0] len;

      formal_constant #(.WIDTH(13 - ByteW)) u_beat (.Y(beat));
      formal_constant #(.WIDTH(LenW)) u_len (.Y(len));
      assign addr_o[i] = 64'({beat, ByteW'(0)});
      assign len_o[i] = 8'(len);
      // IHI 0022E A3.4.1: a burst must not cross a 4 KB address boundary.
      Page_M: assume property (@(posedge clk_i)
        32'(addr_o[i][11:0]) + (32'(len_o[i]) + 32'd1) * (DataW / 8) <= 32'd4096);
    end
  endgenerate
endmodule
