// SPDX-License-Identifier: Apache-2.0

/// A value that the solver chooses, the same in all cycles: what holds for it holds for all values.
module formal_constant #(
  /// Bits of the value.
  parameter int unsigned WIDTH = 1
) (
  /// The value.
  output logic [WIDTH-1:0] Y
);
endmodule
