// SPDX-License-Identifier: Apache-2.0
// The order of operations: which entry each PE stream has in each round, and which rounds take a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tape/encoder.h"

namespace sterna {

struct Rounds {
  std::vector<std::uint32_t> entries;  ///< [round][stream].
  std::vector<bool> takes_word;        ///< [round].
  std::vector<std::uint8_t> operations;  ///< [round]: entries that do something.
};

/// The rounds of a part that `check_part` lets pass.
Rounds make_rounds(const PartWork& work);

}  // namespace sterna
