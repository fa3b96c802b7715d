// SPDX-License-Identifier: Apache-2.0
// What the encoder can encode.
#pragma once

#include "tape/encoder.h"

namespace sterna {

/// Throws `Error` for a config that no engine has, and for what is outside the part or in no order that can be kept.
void check_part(const EncoderConfig& config, const PartWork& work);

}  // namespace sterna
