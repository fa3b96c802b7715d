// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// One PE: keeps the words of its tile that came last in a window, and does an operation a cycle on
/// all lanes, which adds up to four vectors of the window to one of its accumulators. Nothing
/// waits: what comes in was ordered by the compiler.
module sterna_pe #(
  /// Lanes.
  parameter int unsigned Lanes = 25,
  /// Accumulators of a lane in one half.
  parameter int unsigned Accumulators = 16,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// The windows lie in block RAM.
  parameter bit BlockWindows = 0
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  /// Drops operations on their way.
  input  logic                            clear_i,
  /// A word comes into the window.
  input  logic                            word_valid_i,
  /// Its slot.
  input  logic [4:0]                      word_slot_i,
  /// The word, as a vector for each channel.
  input  logic [3:0][Lanes-1:0][ActW-1:0] word_data_i,
  /// An operation comes in, which may read words that came in until now.
  input  logic                            entry_valid_i,
  /// The operation.
  input  entry_t                          entry_i,
  /// The half of the accumulators that it is for.
  input  logic                            half_i,
  /// The drain reads an accumulator into the row register, with no operation in the same cycle;
  /// `row_o` shows it five cycles later.
  input  logic                            row_load_i,
  /// Half and accumulator.
  input  logic [$clog2(Accumulators):0]   row_address_i,
  /// The row register takes over the next PE's; `row_o` shows it five cycles later.
  input  logic                            row_shift_i,
  /// Row register of the next PE.
  input  logic [Lanes-1:0][AccW-1:0]      row_i,
  /// Row register.
  output logic [Lanes-1:0][AccW-1:0]      row_o,
  /// An operation has started in the cycle before.
  output logic                            busy_o
);
  /* verilator no_inline_module */

  localparam int unsigned AccIndexW = $clog2(Accumulators);
  /// Lanes of a lane group.
  localparam int unsigned GroupLanes = 64;
  localparam int unsigned Groups = (Lanes + GroupLanes - 1) / GroupLanes;

  /// What the lanes do.
  typedef struct packed {
    logic [3:0][4:0] slot;
    logic [3:0] subtract;
    logic [AccIndexW:0] address;
    logic zero;
    logic twice;
  } action_t;

  operand_t [WordChannels-1:0] operand;
  action_t action_d, action_q;
  logic add_q, row_load_q, row_shift_q;

  assign operand = entry_i.operands;

  always_comb begin
    action_d.zero = entry_i.kind == EntrySet;
    action_d.twice = entry_i.kind == EntryDouble;
    action_d.address = {half_i, entry_i.acc_index[AccIndexW-1:0]};
    for (int unsigned b = 0; b < WordChannels; b++) begin
      action_d.slot[b] = operand[b].slot;
      action_d.subtract[b] = operand[b].subtract;
    end
    if (row_load_i) begin
      action_d = '{slot: {4{AbsentSlot}}, subtract: '0, address: row_address_i, zero: 1'b0,
                   twice: 1'b0};
    end
  end

  always_ff @(posedge clk_i) begin
    action_q <= action_d;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {add_q, row_load_q, row_shift_q} <= '0;
    end else if (clear_i) begin
      {add_q, row_load_q, row_shift_q} <= '0;
    end else begin
      add_q <= entry_valid_i && entry_i.kind != EntryNone;
      {row_load_q, row_shift_q} <= {row_load_i, row_shift_i};
    end
  end

  assign busy_o = add_q;

  genvar g, b;
  generate
    for (g = 0; g < Groups; g++) begin : gen_group
      localparam int unsigned First = g * GroupLanes;
      localparam int unsigned Count = Lanes - First < GroupLanes ? Lanes - First : GroupLanes;

      logic [3:0][Count-1:0][ActW-1:0] word_data;

      for (b = 0; b < 4; b++) begin : gen_bank
        assign word_data[b] = word_data_i[b][First+:Count];
      end

      sterna_lane_group #(
        .Lanes       (Count),
        .Accumulators(2 * Accumulators),
        .ActW        (ActW),
        .AccW        (AccW),
        .BlockWindows(BlockWindows)
      ) u_lanes (
        .clk_i,
        .rst_ni,
        .clear_i,
        .word_valid_i,
        .word_slot_i,
        .word_data_i(word_data),
        .slot_i     (action_q.slot),
        .subtract_i (action_q.subtract),
        .address_i  (action_q.address),
        .zero_i     (action_q.zero),
        .add_i      (add_q),
        .double_i   (action_q.twice),
        .row_load_i (row_load_q),
        .row_shift_i(row_shift_q),
        .row_i      (row_i[First+:Count]),
        .row_o      (row_o[First+:Count])
      );
    end
  endgenerate

  logic unused;
  assign unused = ^entry_i;

`ifdef VERILATOR
  Exclusive_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    row_load_i |-> !entry_valid_i)
    else $error("the drain reads beside an operation");
`endif

endmodule
