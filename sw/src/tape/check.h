// SPDX-License-Identifier: Apache-2.0
// What the encoder can encode.
#pragma once

#include <span>

#include "tape/encoder.h"

namespace sterna {

/// Throws `Error` for a config that no engine has, for arrays that do not match, and for what is outside the part.
void check_part(const EncoderConfig& config, std::size_t streams, const Fetches& fetches, const Additions& additions,
                std::span<const DigitPlane> planes);

}  // namespace sterna
