// SPDX-License-Identifier: Apache-2.0
// What a graph says of itself besides its layers.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace sterna {

/// What makes a graph a detector. A graph may hold other things, or none; what is not of this form is empty.
struct Metadata {
  std::string kind;
  std::vector<std::string> classes;
  std::vector<std::array<double, 2>> anchors;  ///< Width and height in cells.
  std::string aspect = "stretch";              ///< What becomes of an image of another aspect.
};

}  // namespace sterna
