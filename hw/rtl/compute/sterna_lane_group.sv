// SPDX-License-Identifier: Apache-2.0

/// Up to 64 lanes of a PE: vector register, accumulators, add or subtract, row register. All lanes
/// do the same.
///
/// An operation comes in in cycle 0; in cycle 1 the accumulator is read and the vector taken, in
/// cycle 2 the sum is written back, and from cycle 3 on a read sees it. So the same accumulator may
/// be named again two cycles later, and the caller keeps that distance.
///
/// One adder serves all: old + vector, old - vector, old + old, and old + 0 for the row register,
/// whose other input, the row of the next PE, is then a synchronous load that needs no logic in
/// front of the adder's register.
///
/// Storage is a row of lanes for each accumulator, on an FPGA one 32-deep distributed RAM a lane.
/// Synthesis is given the rows as words of one memory with a byte for each lane, which it is sure
/// to recognise. Verilator handles rows of unpacked arrays in loops of up to 64 several times
/// faster, and is fast only if the module is not inlined.
module sterna_lane_group #(
  /// Lanes, at most 64.
  parameter int unsigned Lanes = 64,
  /// Accumulators of a lane, both halves together.
  parameter int unsigned Accumulators = 32,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  /// Drops operations on their way.
  input  logic                            clear_i,
  /// Which accumulator.
  input  logic [$clog2(Accumulators)-1:0] address_i,
  /// Take it as zero.
  input  logic                            zero_i,
  /// Add to it.
  input  logic                            add_i,
  /// Add the accumulator to itself instead of the vector.
  input  logic                            double_i,
  /// Subtract the vector.
  input  logic                            subtract_i,
  /// Take `vector_data_i` as the vector in cycle 1, from this operation on.
  input  logic                            vector_i,
  /// One activation for each lane.
  input  logic [Lanes-1:0][ActW-1:0]      vector_data_i,
  /// Load the row register with the accumulator; it shows it in cycle 3.
  input  logic                            row_load_i,
  /// The row register takes over `row_i` in cycle 2.
  input  logic                            row_shift_i,
  /// Row register of the next PE.
  input  logic [Lanes-1:0][AccW-1:0]      row_i,
  /// Row register.
  output logic [Lanes-1:0][AccW-1:0]      row_o
);
  /* verilator no_inline_module */

  localparam int unsigned AddressW = $clog2(Accumulators);

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
  logic [AccW-1:0] old_q [Lanes];
  logic signed [ActW-1:0] vector_q [Lanes];

  // What is added to the accumulator.
  typedef enum logic [1:0] {
    OperandZero = 2'b00,     // old + 0, for the row register
    OperandVector = 2'b01,   // old + vector
    OperandOld = 2'b10,      // old + old
    OperandInverse = 2'b11   // old - vector: the inverse, and a carry
  } operand_e;

  // Suffixes count the cycles since the operation came in. Those that all lanes look at are not
  // merged with those of the PE's other groups, and are copied where they have many loads.
  logic double_q1, subtract_q1;
  (* preserve, dont_merge, maxfan = 256 *) logic add_q1, vector_q1, zero_q1, load_q1, shift_q1;
  (* preserve, dont_merge, maxfan = 256 *) logic add_q2, load_q2, shift_q2;
  (* preserve, dont_merge, maxfan = 256 *) operand_e operand_q2;
  (* preserve, dont_merge, maxfan = 256 *) logic [AddressW-1:0] address_q1, address_q2;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {add_q1, vector_q1, load_q1, shift_q1, add_q2, load_q2, shift_q2} <= '0;
    end else if (clear_i) begin
      {add_q1, vector_q1, load_q1, shift_q1, add_q2, load_q2, shift_q2} <= '0;
    end else begin
      {add_q1, vector_q1, load_q1, shift_q1} <= {add_i, vector_i, row_load_i, row_shift_i};
      {add_q2, load_q2, shift_q2} <= {add_q1, load_q1, shift_q1};
    end
  end

  always_ff @(posedge clk_i) begin
    {address_q1, zero_q1, double_q1, subtract_q1} <= {address_i, zero_i, double_i, subtract_i};
    address_q2 <= address_q1;
    operand_q2 <= !add_q1 ? OperandZero : double_q1 ? OperandOld :
        subtract_q1 ? OperandInverse : OperandVector;
  end

  always_ff @(posedge clk_i) begin
    if (vector_q1) begin
      for (int unsigned i = 0; i < Lanes; i++) vector_q[i] <= vector_data_i[i];
    end
  end

  always_ff @(posedge clk_i) begin
    if (add_q1 || load_q1) begin
      for (int unsigned i = 0; i < Lanes; i++) old_q[i] <= zero_q1 ? '0 : mem_q[address_q1][i];
    end
  end

  /// The sum of one lane. Both users are inside clocked blocks so that simulation skips it in
  /// cycles without an operation; synthesis finds one adder.
  function automatic logic [AccW-1:0] sum(logic [AccW-1:0] old, logic signed [ActW-1:0] vector);
    return old +
           (operand_q2[0] ? AccW'(vector) ^ {AccW{operand_q2[1]}} : old & {AccW{operand_q2[1]}}) +
        AccW'(&operand_q2);
  endfunction

  always_ff @(posedge clk_i) begin
    if (add_q2) begin
      for (int unsigned i = 0; i < Lanes; i++) mem_q[address_q2][i] <= sum(old_q[i], vector_q[i]);
    end
  end

  always_ff @(posedge clk_i) begin
    if (load_q2 || shift_q2) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        row_o[i] <= shift_q2 ? row_i[i] : sum(old_q[i], vector_q[i]);
      end
    end
  end

`ifdef VERILATOR
  Exclusive_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    $onehot0({add_i, row_load_i}) && $onehot0({row_load_i, row_shift_i}))
    else $error("an addition, a row load or a row shift in one cycle");
  Distance_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    add_q1 |-> !((add_i || row_load_i) && address_i == address_q1))
    else $error("an accumulator is touched in two cycles running");
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    (add_q1 || load_q1) && add_q2 && !zero_q1 |-> address_q1 != address_q2)
    else $error("an accumulator is read while it is written");

  /// Whether a sum fits an accumulator.
  function automatic logic fits(logic signed [AccW-1:0] old, logic signed [ActW-1:0] value);
    logic signed [AccW:0] exact;
    exact = (AccW + 1)'(old) + (operand_q2 == OperandOld ? (AccW + 1)'(old) :
        operand_q2 == OperandInverse ? -(AccW + 1)'(value) : (AccW + 1)'(value));
    return exact[AccW] == exact[AccW-1];
  endfunction

  always_ff @(posedge clk_i) begin
    if (rst_ni && add_q2) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        NoOverflow_A: assert (fits(old_q[i], vector_q[i]))
          else $error("the accumulator of lane %0d overflows", i);
      end
    end
  end
`endif

endmodule
