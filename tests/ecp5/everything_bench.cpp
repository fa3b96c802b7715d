// SPDX-License-Identifier: Apache-2.0
// Prints in how many cycles source and netlist differ.
#include <cstdio>
#include <random>

#include "Veverything_bench.h"
#include "verilated.h"

int main() {
  VerilatedContext context;
  Veverything_bench bench(&context);
  std::mt19937 random(1);
  int differ = 0;
  for (int cycle = 0; cycle < 20'000; ++cycle) {
    bench.rst_i = cycle < 8;
    bench.a_i = random() & 0xFF;
    bench.b_i = random() & 0xFF;
    bench.we_i = random() & 1;
    bench.d_i = random() & 1;
    bench.clk_i = 0;
    bench.eval();
    bench.clk_i = 1;
    bench.eval();
    differ += bench.differ_o;
  }
  std::printf("%d cycles differ\n", differ);
}
