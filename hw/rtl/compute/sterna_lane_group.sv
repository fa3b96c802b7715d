// SPDX-License-Identifier: Apache-2.0

/// Windows, accumulators and row register of a group of a PE's lanes. An operation adds one vector
/// of each bank to an accumulator, or the inverse of it; it takes four cycles, one starts in each.
///
/// Verilator turns the loops over lanes into vector code only if they run over unpacked arrays, and
/// is fast only if the module is not inlined.
module sterna_lane_group #(
  /// Lanes, at most 64.
  parameter int unsigned Lanes = 64,
  /// Accumulators of a lane, both halves together.
  parameter int unsigned Accumulators = 32,
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
  /// Write a word to the windows.
  input  logic                            word_valid_i,
  /// In this slot; the last one is never written and reads as zero.
  input  logic [4:0]                      word_slot_i,
  /// The word, a vector for each bank.
  input  logic [3:0][Lanes-1:0][ActW-1:0] word_data_i,
  /// Slot of each bank's vector.
  input  logic [3:0][4:0]                 slot_i,
  /// Take the inverse of it.
  input  logic [3:0]                      subtract_i,
  /// Which accumulator.
  input  logic [$clog2(Accumulators)-1:0] address_i,
  /// Take it as zero.
  input  logic                            zero_i,
  /// Add to it.
  input  logic                            add_i,
  /// Add the accumulator to itself instead of the vectors.
  input  logic                            double_i,
  /// Load the row register with the accumulator plus the vectors; it shows it in cycle 4.
  input  logic                            row_load_i,
  /// The row register takes over `row_i` in cycle 3.
  input  logic                            row_shift_i,
  /// Row register of the next PE.
  input  logic [Lanes-1:0][AccW-1:0]      row_i,
  /// Row register.
  output logic [Lanes-1:0][AccW-1:0]      row_o
);
  /* verilator no_inline_module */

  localparam int unsigned AddressW = $clog2(Accumulators);
  localparam int unsigned Banks = 4;
  localparam int unsigned Slots = 32;
  localparam int unsigned PairW = ActW + 1;
  localparam int unsigned SumW = ActW + 2;
  /// The vectors are added as distances from the lowest activation, which have no sign to extend;
  /// the sum of four less that of the lowest ones is it with its highest bit inverted.
  localparam logic [ActW-1:0] Lowest = {1'b1, (ActW-1)'(0)};

  generate
    if (Lanes < 1 || Lanes > 64) begin : gen_bad_lanes
      initial $error("sterna_lane_group: Lanes = %0d must be 1 to 64", Lanes);
    end
  endgenerate

`ifdef VERILATOR
  logic [AccW-1:0] mem_q [Accumulators][Lanes];
`else
  (* ramstyle = "MLAB, no_rw_check" *) logic [Lanes-1:0][AccW-1:0] mem_q [Accumulators];
`endif
  logic [ActW-1:0] vector_q1 [Banks][Lanes];
  logic [PairW-1:0] pair_q2 [Banks/2][Lanes];
  logic [SumW-1:0] sum_q3 [Lanes];
  logic [AccW-1:0] old_q3 [Lanes];

  // Suffixes count the cycles since the operation came in. Those that all lanes look at are not
  // merged with those of the PE's other groups, and are copied where they have many loads.
  logic [AddressW-1:0] address_q1;
  logic active, add_q1, load_q1, shift_q1, zero_q1, double_q1, add_q2, load_q2, shift_q2, double_q2;
  (* preserve, dont_merge, maxfan = 256 *) logic [Banks-1:0] subtract_q1;
  (* preserve, dont_merge, maxfan = 256 *) logic active_q1, active_q2, zero_q2;
  (* preserve, dont_merge, maxfan = 256 *) logic add_q3, load_q3, shift_q3, double_q3;
  (* preserve, dont_merge, maxfan = 256 *) logic [AddressW-1:0] address_q2, address_q3;

  assign active = add_i || row_load_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {add_q1, load_q1, shift_q1, add_q2, load_q2, shift_q2, add_q3, load_q3, shift_q3} <= '0;
      {active_q1, active_q2} <= '0;
    end else if (clear_i) begin
      {add_q1, load_q1, shift_q1, add_q2, load_q2, shift_q2, add_q3, load_q3, shift_q3} <= '0;
      {active_q1, active_q2} <= '0;
    end else begin
      {add_q1, load_q1, shift_q1, active_q1} <= {add_i, row_load_i, row_shift_i, active};
      {add_q2, load_q2, shift_q2, active_q2} <= {add_q1, load_q1, shift_q1, active_q1};
      {add_q3, load_q3, shift_q3} <= {add_q2, load_q2, shift_q2};
    end
  end

  always_ff @(posedge clk_i) begin
    {address_q1, zero_q1, double_q1, subtract_q1} <= {address_i, zero_i, double_i, subtract_i};
    {address_q2, zero_q2, double_q2} <= {address_q1, zero_q1, double_q1};
    {address_q3, double_q3} <= {address_q2, double_q2};
  end

  genvar b, p;
  generate
    for (b = 0; b < Banks; b++) begin : gen_bank
      sterna_window #(
        .Lanes   (Lanes),
        .ActW    (ActW),
        .BlockRam(BlockWindows)
      ) u_window (
        .clk_i,
        .rst_ni,
        .write_i     (word_valid_i),
        .write_slot_i(word_slot_i),
        .data_i      (word_data_i[b]),
        .read_i      (active),
        .slot_i      (slot_i[b]),
        .vector_o    (vector_q1[b])
      );
    end

    for (p = 0; p < Banks / 2; p++) begin : gen_pair
      always_ff @(posedge clk_i) begin
        if (active_q1) begin
          for (int unsigned i = 0; i < Lanes; i++) begin
            pair_q2[p][i] <= {1'b0, vector_q1[2*p][i] ^ Lowest ^ {ActW{subtract_q1[2*p]}}} +
                             {1'b0, vector_q1[2*p+1][i] ^ Lowest ^ {ActW{subtract_q1[2*p+1]}}};
          end
        end
      end
    end
  endgenerate

  always_ff @(posedge clk_i) begin
    if (active_q2) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        sum_q3[i] <= SumW'(pair_q2[0][i]) + SumW'(pair_q2[1][i]);
        old_q3[i] <= zero_q2 ? '0 : mem_q[address_q2][i];
      end
    end
  end

  /// The sum of one lane. Both users are inside clocked blocks so that simulation skips it in
  /// cycles without an operation; synthesis finds one adder.
  function automatic logic [AccW-1:0] total(logic [AccW-1:0] old, logic [SumW-1:0] sum);
    return old + (double_q3 ? old : AccW'(signed'({!sum[SumW-1], sum[SumW-2:0]})));
  endfunction

  always_ff @(posedge clk_i) begin
    if (add_q3) begin
      for (int unsigned i = 0; i < Lanes; i++) mem_q[address_q3][i] <= total(old_q3[i], sum_q3[i]);
    end
  end

  always_ff @(posedge clk_i) begin
    if (load_q3 || shift_q3) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        row_o[i] <= shift_q3 ? row_i[i] : total(old_q3[i], sum_q3[i]);
      end
    end
  end

`ifdef VERILATOR
  Exclusive_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    $onehot0({add_i, row_load_i}) && $onehot0({row_load_i, row_shift_i}))
    else $error("an operation, a row load or a row shift in one cycle");
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    add_q1 |-> !(active && !zero_i && address_i == address_q1))
    else $error("an accumulator is touched in two cycles running");
  generate
    for (b = 0; b < Banks; b++) begin : gen_assert
      Absent_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
        active && (row_load_i || double_i) |-> slot_i[b] == 5'(Slots - 1) && !subtract_i[b])
        else $error("a row load or a doubling with a vector");
    end
  endgenerate

  /// Whether a sum fits an accumulator.
  function automatic logic fits(logic signed [AccW-1:0] old, logic [SumW-1:0] sum);
    logic signed [AccW:0] exact;
    exact = (AccW + 1)'(old) + (double_q3 ? (AccW + 1)'(old) :
        (AccW + 1)'(signed'({!sum[SumW-1], sum[SumW-2:0]})));
    return exact[AccW] == exact[AccW-1];
  endfunction

  always_ff @(posedge clk_i) begin
    if (rst_ni && add_q3) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        NoOverflow_A: assert (fits(old_q3[i], sum_q3[i]))
          else $error("the accumulator of lane %0d overflows", i);
      end
    end
  end
`endif

endmodule
