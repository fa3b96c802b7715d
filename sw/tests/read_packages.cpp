// SPDX-License-Identifier: Apache-2.0
// Reads the package files that are named on the command line, and prints for each whether it is "read", or its refusal.
#include <iostream>

#include "error.h"
#include "package/package.h"

int main(int count, char** names) {
  for (int index = 1; index < count; ++index) {
    try {
      sterna::load_package(names[index]);
      std::cout << "read\n";
    } catch (const sterna::Error& error) {
      std::cout << error.what() << "\n";
    }
  }
}
