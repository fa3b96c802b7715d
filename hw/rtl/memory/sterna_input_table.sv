// SPDX-License-Identifier: Apache-2.0

/// The table of each channel of an image, once for each pixel that is looked up in a cycle.
module sterna_input_table #(
  /// Pixels that are looked up together.
  parameter int unsigned Pixels = 5,
  /// Channels of a pixel, each with a table of its own.
  parameter int unsigned Channels = 3,
  /// Bits of an activation.
  parameter int unsigned ActW = 8
) (
  input  logic                                       clk_i,
  input  logic                                       rst_ni,
  /// The entry of each channel is written; not while entries are read.
  input  logic                                       write_i,
  /// Which entry.
  input  logic [7:0]                                 write_level_i,
  /// The entries, in the lower bits.
  input  logic [Channels-1:0][7:0]                   write_data_i,
  /// Entries are read; the last ones stay otherwise.
  input  logic                                       read_i,
  /// Which entries.
  input  logic [Pixels-1:0][Channels-1:0][7:0]       level_i,
  /// The entries, a cycle later.
  output logic [Pixels-1:0][Channels-1:0][ActW-1:0]  value_o
);
  /// Entries of a table.
  localparam int unsigned Levels = 256;

  genvar x, c;
  generate
    if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
      initial $error("sterna_input_table: ActW = %0d must be 4 to 8", ActW);
    end
    for (x = 0; x < Pixels; x++) begin : gen_pixel
      for (c = 0; c < Channels; c++) begin : gen_channel
        (* ramstyle = "no_rw_check" *) logic [ActW-1:0] memory [Levels];
        logic [ActW-1:0] value_q;

        always_ff @(posedge clk_i) begin
          if (write_i) memory[write_level_i] <= write_data_i[c][ActW-1:0];
          if (read_i) value_q <= memory[level_i[x][c]];
        end

        assign value_o[x][c] = value_q;
      end
    end
  endgenerate

  logic unused;
  assign unused = ^{rst_ni, write_data_i};

`ifdef VERILATOR
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !(write_i && read_i));
`endif
endmodule
