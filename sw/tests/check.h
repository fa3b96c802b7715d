// SPDX-License-Identifier: Apache-2.0
// The checks of the tests: the first that does not hold ends the program with 1 and says where.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>

#include "error.h"

#define CHECK(condition)                                                                \
  do {                                                                                  \
    if (!(condition)) {                                                                 \
      std::cerr << __FILE__ << ":" << __LINE__ << ": does not hold: " #condition "\n";  \
      std::exit(1);                                                                     \
    }                                                                                   \
  } while (false)

/// What the refusal that `call` throws says; ends the program if it throws none.
template <typename Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const sterna::Error& error) {
    return error.what();
  }
  std::cerr << "no refusal\n";
  std::exit(1);
}
