// SPDX-License-Identifier: Apache-2.0
// Reads the package files that are named on the command line, and prints for each the most memory that it took, in
// bytes, and whether it is "read", or its refusal. Memory is counted by the sanitizer of addresses; without it, it is 0.
#include <algorithm>
#include <cstddef>
#include <iostream>
#include <string>

#include "error.h"
#include "package/package.h"

#ifdef __SANITIZE_ADDRESS__
// Of the sanitizer, whose header GCC does not bring.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*taken)(const volatile void*, std::size_t),
                                                         void (*given_back)(const volatile void*));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void* place);
#endif

namespace {

std::size_t held = 0, most = 0;

void count_memory() {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, std::size_t size) { most = std::max(most, held += size); },
      [](const volatile void* place) { held -= __sanitizer_get_allocated_size(place); });
#endif
}

std::string said_of(const char* name) {
  try {
    sterna::load_package(name);
    return "read";
  } catch (const sterna::Error& error) {
    return error.what();
  }
}

}  // namespace

int main(int count, char** names) {
  count_memory();
  for (int index = 1; index < count; ++index) {
    held = most = 0;
    const std::string said = said_of(names[index]);
    std::cout << most << " " << said << "\n";
  }
}
