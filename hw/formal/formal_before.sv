// SPDX-License-Identifier: Apache-2.0

/// A value as it was a step ago. With one clock a step is a cycle; with more of them, each of them
/// rises or falls or stays in a step, as the solver likes.
module formal_before #(
  /// Bits of the value.
  parameter int unsigned WIDTH = 1
) (
  /// The value.
  input  logic [WIDTH-1:0] D,
  /// What it was.
  output logic [WIDTH-1:0] Q
);
endmodule
