// SPDX-License-Identifier: Apache-2.0
// What a user can put right, in one line.
#pragma once

#include <stdexcept>
#include <string>

namespace sterna {

/// A refusal: where, what is wrong, which value, what is allowed, and the remedy.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The parts of a refusal, in the order in which its line tells them; an empty one is left out.
struct Refusal {
  std::string where;
  std::string what;
  std::string value;
  std::string allowed;
  std::string remedy;
};

[[noreturn]] inline void refuse(const Refusal& refusal) {
  std::string line = refusal.where.empty() ? refusal.what : refusal.where + ": " + refusal.what;
  if (!refusal.value.empty()) line += "; " + refusal.value;
  if (!refusal.allowed.empty()) line += "; allowed: " + refusal.allowed;
  if (!refusal.remedy.empty()) line += "; remedy: " + refusal.remedy;
  throw Error(line);
}

}  // namespace sterna
