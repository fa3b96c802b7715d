// SPDX-License-Identifier: Apache-2.0
#include "emulator/simd.h"

namespace sterna {

std::vector<Simd> available_simd() {
  std::vector<Simd> found;
  found.push_back(Simd::scalar);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    found.push_back(Simd::avx2);
    const bool has_words = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (has_words && __builtin_cpu_supports("avx512vnni")) found.push_back(Simd::avx512);
  }
#elif defined(__aarch64__)
  found.push_back(Simd::neon);
#endif
  return found;
}

const Kernels* kernels(Simd simd) {
#if defined(__x86_64__)
  if (simd == Simd::avx2) return avx2_kernels();
  if (simd == Simd::avx512) return avx512_kernels();
#elif defined(__aarch64__)
  if (simd == Simd::neon) return neon_kernels();
#endif
  static_cast<void>(simd);
  return nullptr;
}

}  // namespace sterna
