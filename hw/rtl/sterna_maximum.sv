/// Running maximum of the values of each unit, for a group of lanes: units come in turn, a value a cycle.
///
/// A unit's value sees its own value of two cycles before, or earlier, not that of the cycle before.
module sterna_maximum #(
  /// Lanes.
  parameter int unsigned Lanes = 64,
  /// Bits of a value.
  parameter int unsigned Width = 8,
  /// Units.
  parameter int unsigned Units = 4,
  localparam int unsigned UnitW = $clog2(Units)
) (
  /// Clock.
  input  logic                        clk_i,
  /// In the next cycle a value comes in.
  input  logic                        valid_i,
  /// From this unit.
  input  logic [UnitW-1:0]            unit_i,
  /// It is the first one: forget those before.
  input  logic                        first_i,
  /// The value of each lane, in the cycle after; signed.
  input  logic [Lanes-1:0][Width-1:0] value_i,
  /// Maximum of the unit's values including this one, two cycles after.
  output logic [Lanes-1:0][Width-1:0] maximum_o
);
  /* verilator no_inline_module */

  logic [Lanes-1:0][Width-1:0] mem_q [Units];
  logic [Lanes-1:0][Width-1:0] old_q, maximum;
  logic                        valid_q, first_q;
  logic [UnitW-1:0]            unit_q;

  always_ff @(posedge clk_i) begin
    valid_q <= valid_i;
    first_q <= first_i;
    unit_q  <= unit_i;
    if (valid_i) old_q <= mem_q[unit_i];
  end

  always_comb begin
    maximum = value_i;
    if (valid_q) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        if (!first_q && $signed(old_q[i]) > $signed(value_i[i])) maximum[i] = old_q[i];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_q) begin
      mem_q[unit_q] <= maximum;
      maximum_o     <= maximum;
    end
  end

`ifndef SYNTHESIS
  Distance: assert property (@(posedge clk_i) valid_i && valid_q && !first_i |-> unit_i != unit_q)
    else $error("two values of a unit in two cycles running");
`endif

endmodule
