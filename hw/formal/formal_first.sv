// SPDX-License-Identifier: Apache-2.0

/// Tells the first step, that of power-up.
module formal_first (
  /// It is the first one.
  output logic Y
);
endmodule
