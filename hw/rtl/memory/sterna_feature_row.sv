// SPDX-License-Identifier: Apache-2.0

/// One row of feature memory banks: TileW banks that share a write word address and a read row
/// address.
module sterna_feature_row #(
  /// Banks in the row.
  parameter int unsigned TileW = 5,
  /// Words in a bank.
  parameter int unsigned FmWords = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8
) (
  input  logic                                  clk_i,
  /// Banks to write.
  input  logic [TileW-1:0]                      write_lanes_i,
  /// Channels to write.
  input  logic [3:0]                            write_strobe_i,
  /// Word to write.
  input  logic [$clog2(FmWords)-1:0]            write_addr_i,
  /// Data for each bank.
  input  logic [TileW-1:0][3:0][ActW-1:0]       write_data_i,
  /// Read: the three cycles after the addresses are given.
  input  logic [2:0]                            read_i,
  /// Part of the read address that this row adds.
  input  logic [$clog2(FmWords)-1:0]            read_row_i,
  /// Part of the read address that each column adds.
  input  logic [TileW-1:0][$clog2(FmWords)-1:0] read_col_i,
  /// Word read in each bank, three cycles after the addresses.
  output logic [TileW-1:0][3:0][ActW-1:0]       read_data_o
);
  /* verilator no_inline_module */

  /// Bits of a word address.
  localparam int unsigned FmAddrW = $clog2(FmWords);

  genvar x;
  generate
    for (x = 0; x < TileW; x++) begin : gen_bank
      // Written by channel, so that it becomes block RAM with byte enables.
      (* ramstyle = "no_rw_check" *) logic [3:0][ActW-1:0] memory [FmWords];
      logic [3:0][ActW-1:0] word_q;
      logic [FmAddrW-1:0] addr_q;

      always_ff @(posedge clk_i) begin
        if (write_lanes_i[x]) begin
          /* verilator unroll_disable */
          for (int unsigned c = 0; c < 4; c++) begin
            if (write_strobe_i[c]) memory[write_addr_i][c] <= write_data_i[x][c];
          end
        end
        if (read_i[1]) word_q <= memory[addr_q];
`ifdef VERILATOR
        // What block RAM gives for a word that is being written is not defined: neither the old
        // word nor the new one, so that a use of it shows.
        if (read_i[1] && write_lanes_i[x] && write_addr_i == addr_q) word_q <= ~memory[addr_q];
`endif
      end

      always_ff @(posedge clk_i) begin
        if (read_i[0]) addr_q <= read_row_i + read_col_i[x];
        if (read_i[2]) read_data_o[x] <= word_q;
      end
    end
  endgenerate
endmodule
