// SPDX-License-Identifier: Apache-2.0
// Images and boxes as Python has them.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <vector>

#include "vision/boxes.h"
#include "vision/image.h"

namespace sterna {

using Pixels = nanobind::ndarray<const std::uint8_t, nanobind::shape<-1, -1, Image::kChannels>, nanobind::device::cpu>;

/// Throws `Error` unless the pixels lie side by side.
Image image_of(const Pixels& pixels);

/// Boxes [D, 4], scores [D], and numbers of classes [D].
nanobind::tuple arrays_of(const std::vector<Box>& boxes);

}  // namespace sterna
