// SPDX-License-Identifier: Apache-2.0
// Prints how many words were read right and wrong.
#include <cstdio>

#include "Vsdram_bench.h"
#include "verilated.h"

int main() {
  VerilatedContext context;
  Vsdram_bench bench(&context);
  bench.rst_ni = 0;
  for (int cycle = 0; cycle < 60'000; ++cycle) {
    bench.clk_i = 1;
    bench.eval();
    if (cycle == 8) bench.rst_ni = 1;
    bench.clk_i = 0;
    bench.eval();
  }
  std::printf("%d %d\n", bench.right_o, bench.wrong_o);
}
