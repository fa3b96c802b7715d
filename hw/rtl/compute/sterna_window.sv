// SPDX-License-Identifier: Apache-2.0

/// Window of a group of lanes, of one bank: the vectors of the last words. It lies in MLABs or,
/// where those run short, in block RAM.
///
/// Verilator turns the loops over lanes into vector code only if they run over unpacked arrays.
module sterna_window #(
  /// Lanes.
  parameter int unsigned Lanes = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// It lies in block RAM.
  parameter bit BlockRam = 0
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  /// Write a vector.
  input  logic                       write_i,
  /// In this slot; the last one is never written and reads as zero.
  input  logic [4:0]                 write_slot_i,
  /// The vector.
  input  logic [Lanes-1:0][ActW-1:0] data_i,
  /// Read a vector.
  input  logic                       read_i,
  /// Of this slot, which is not written in the same cycle.
  input  logic [4:0]                 slot_i,
  /// The vector, a cycle later; held until the next.
  output logic [ActW-1:0]            vector_o [Lanes]
);
  localparam int unsigned Slots = 32;

  generate
    if (BlockRam) begin : gen_window
      // Twice as deep as needed, as a shallow memory would not be one.
`ifdef VERILATOR
      logic [ActW-1:0] memory [2*Slots][Lanes];
`else
      (* ramstyle = "no_rw_check" *) logic [Lanes-1:0][ActW-1:0] memory [2*Slots];
`endif

      initial begin
        for (int unsigned i = 0; i < Lanes; i++) memory[Slots-1][i] = '0;
      end

      always_ff @(posedge clk_i) begin
        if (write_i) begin
          for (int unsigned i = 0; i < Lanes; i++) memory[{1'b0, write_slot_i}][i] <= data_i[i];
        end
      end

      always_ff @(posedge clk_i) begin
        if (read_i) begin
          for (int unsigned i = 0; i < Lanes; i++) vector_o[i] <= memory[{1'b0, slot_i}][i];
        end
      end
    end else begin : gen_window
`ifdef VERILATOR
      logic [ActW-1:0] memory [Slots][Lanes];
`else
      (* ramstyle = "MLAB, no_rw_check" *) logic [Lanes-1:0][ActW-1:0] memory [Slots];
`endif

      // Memories hold zeros when power comes on; it is said for simulation.
      initial begin
        for (int unsigned i = 0; i < Lanes; i++) memory[Slots-1][i] = '0;
      end

      always_ff @(posedge clk_i) begin
        if (write_i) begin
          for (int unsigned i = 0; i < Lanes; i++) memory[write_slot_i][i] <= data_i[i];
        end
      end

      always_ff @(posedge clk_i) begin
        if (read_i) begin
          for (int unsigned i = 0; i < Lanes; i++) vector_o[i] <= memory[slot_i][i];
        end
      end
    end
  endgenerate

  logic unused;
  assign unused = rst_ni;

`ifdef VERILATOR
  Slot_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    write_i |-> write_slot_i != 5'(Slots - 1))
    else $error("a word is written to the slot of zeros");
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    read_i && write_i |-> slot_i != write_slot_i)
    else $error("a vector is read while its slot is written");
`endif
endmodule
