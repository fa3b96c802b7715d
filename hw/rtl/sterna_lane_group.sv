/// Up to 64 lanes of a unit: line register, accumulators, add or subtract. All lanes do the same.
///
/// An operation takes a read, an add and a write cycle. It starts in cycle 0 with `read_i`; in cycle 1 the
/// accumulator is read, in cycle 2 added to, and from cycle 3 on a read sees the new value. So the same
/// accumulator may be named again two cycles later, and the caller keeps that distance.
///
/// Storage is a row of lanes for each slot, each lane with a read and a write port of its own: on an FPGA
/// one 32-deep distributed RAM a lane. Verilator handles whole rows of unpacked arrays in loops of up to 64
/// several times faster than one memory a lane or packed rows, and is fast only if the module is not inlined.
module sterna_lane_group #(
  /// Lanes, at most 64.
  parameter int unsigned Lanes = 64,
  /// Accumulators of a lane, both halves together.
  parameter int unsigned Accumulators = 32,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  localparam int unsigned AddressW = $clog2(Accumulators)
) (
  /// Clock.
  input  logic                       clk_i,
  /// Reset, active low.
  input  logic                       rst_ni,
  /// Drops operations on their way.
  input  logic                       clear_i,
  /// Read an accumulator.
  input  logic                       read_i,
  /// Which.
  input  logic [AddressW-1:0]        address_i,
  /// Take it as zero.
  input  logic                       zero_i,
  /// With a read: add to it and write it back.
  input  logic                       add_i,
  /// Add the accumulator to itself instead of the line.
  input  logic                       double_i,
  /// Subtract the line.
  input  logic                       subtract_i,
  /// Take `line_data_i` as the line, from this operation on.
  input  logic                       line_i,
  /// One activation for each lane.
  input  logic [Lanes-1:0][ActW-1:0] line_data_i,
  /// With a read: show it on `drain_data_o` three cycles later.
  input  logic                       drain_i,
  /// Accumulators read for the drain, zero in all other cycles.
  output logic [Lanes-1:0][AccW-1:0] drain_data_o
);
  /* verilator no_inline_module */

  if (Lanes < 1 || Lanes > 64) begin : gen_bad_lanes
    $error("sterna_lane_group: Lanes = %0d must be 1 to 64", Lanes);
  end

  logic signed [AccW-1:0] mem_q    [Accumulators][Lanes];
  logic signed [AccW-1:0] old_q    [Lanes];
  logic signed [ActW-1:0] line_q   [Lanes];
  logic [Lanes-1:0][ActW-1:0] next_line_q;

  // Suffixes count the cycles since the operation came in.
  logic                read_q1, zero_q1, line_q1;
  logic                add_q1, double_q1, subtract_q1, drain_q1;
  logic                add_q2, double_q2, subtract_q2, drain_q2, drain_q3;
  logic [AddressW-1:0] address_q1, address_q2;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {read_q1, line_q1, add_q1, add_q2, drain_q1, drain_q2, drain_q3} <= '0;
    end else if (clear_i) begin
      {read_q1, line_q1, add_q1, add_q2, drain_q1, drain_q2} <= '0;
      drain_q3 <= 1'b1;
    end else begin
      {read_q1, line_q1, add_q1, add_q2} <= {read_i, line_i, add_i, add_q1};
      {drain_q1, drain_q2, drain_q3} <= {drain_i, drain_q1, drain_q2};
    end
  end

  always_ff @(posedge clk_i) begin
    {zero_q1, double_q1, subtract_q1, address_q1} <= {zero_i, double_i, subtract_i, address_i};
    {double_q2, subtract_q2, address_q2} <= {double_q1, subtract_q1, address_q1};
  end

  always_ff @(posedge clk_i) begin
    if (line_i) next_line_q <= line_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (line_q1) begin
      for (int unsigned i = 0; i < Lanes; i++) line_q[i] <= next_line_q[i];
    end
  end

  always_ff @(posedge clk_i) begin
    if (read_q1) begin
      for (int unsigned i = 0; i < Lanes; i++) old_q[i] <= zero_q1 ? '0 : mem_q[address_q1][i];
    end
  end

  // The sum stands inside the clocked block so that simulation skips it in cycles without an addition.
  always_ff @(posedge clk_i) begin
    if (add_q2) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        mem_q[address_q2][i] <= old_q[i] + (double_q2 ? old_q[i] :
            subtract_q2 ? -AccW'(line_q[i]) : AccW'(line_q[i]));
      end
    end
  end

  // Cleared once after a value was shown, so that the drain can simply OR all units.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      drain_data_o <= '0;
    end else if (drain_q2) begin
      for (int unsigned i = 0; i < Lanes; i++) drain_data_o[i] <= old_q[i];
    end else if (drain_q3) begin
      drain_data_o <= '0;
    end
  end

`ifndef SYNTHESIS
  AddReads: assert property (@(posedge clk_i) disable iff (!rst_ni)
    add_i || drain_i |-> read_i && !(add_i && drain_i))
    else $error("an addition or a drain without a read of its own");
  Distance: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    add_q1 |-> !(add_i && address_i == address_q1))
    else $error("an accumulator is touched in two cycles running");

  /// Whether a sum fits an accumulator.
  function automatic logic fits(logic signed [AccW-1:0] old, logic signed [ActW-1:0] value);
    logic signed [AccW:0] sum;
    sum = (AccW + 1)'(old) + (double_q2 ? (AccW + 1)'(old) :
        subtract_q2 ? -(AccW + 1)'(value) : (AccW + 1)'(value));
    return sum[AccW] == sum[AccW-1];
  endfunction

  always_ff @(posedge clk_i) begin
    if (rst_ni && add_q2) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        NoOverflow: assert (fits(old_q[i], line_q[i]))
          else $error("the accumulator of lane %0d overflows", i);
      end
    end
  end
`endif

endmodule
