// SPDX-License-Identifier: Apache-2.0
// Requantisation of a filter in floating point, as the vector kernels compute it.
#pragma once

#include "emulator/kernels.h"
#include "graph/graph.h"

namespace sterna {

/// That of filter number `filter`: in double precision, and in single precision where that gives the same for any sum.
Scaling scaling_of(const Requant& requant, int filter, int act_min, int act_max);

}  // namespace sterna
