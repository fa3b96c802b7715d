// SPDX-License-Identifier: Apache-2.0
// Prints in how many cycles source and synthesis differ, and how many results are inside their range.
#include <cstdio>

#include "Vrequant_bench.h"
#include "verilated.h"

int main() {
  VerilatedContext context;
  Vrequant_bench bench(&context);
  for (int cycle = 0; cycle < 40'000; ++cycle) {
    bench.clk_i = 1;
    bench.eval();
    bench.clk_i = 0;
    bench.eval();
  }
  std::printf("%d %d\n", bench.differ_o, bench.inside_o);
}
