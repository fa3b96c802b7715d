// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sterna {

/// The remedy for a damaged package.
inline constexpr char kAgain[] = "copy or compile it again";

}  // namespace sterna
