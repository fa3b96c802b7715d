// SPDX-License-Identifier: Apache-2.0
// The instruction sets that the emulator is written for, and which of them this processor has.
#pragma once

#include <vector>

#include "emulator/kernels.h"

namespace sterna {

enum class Simd { scalar, avx2, avx512, neon };

/// Those that this processor and this build have, from the slowest to the fastest; `scalar` always.
std::vector<Simd> available_simd();

/// The kernels of an available instruction set; null for `scalar`, which needs none.
const Kernels* kernels(Simd simd);

}  // namespace sterna
