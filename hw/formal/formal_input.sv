// SPDX-License-Identifier: Apache-2.0

/// A value that the solver chooses anew in each cycle.
module formal_input #(
  /// Bits of the value.
  parameter int unsigned WIDTH = 1
) (
  /// The value.
  output logic [WIDTH-1:0] Y
);
endmodule
