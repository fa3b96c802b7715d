// SPDX-License-Identifier: Apache-2.0
// Signatures of minisign (https://jedisct1.github.io/minisign), Ed25519 over all bytes of a file.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace sterna {

/// What the name of a signature's file ends with, after that of the file that is signed.
inline constexpr char kSignatureSuffix[] = ".minisig";

/// Throws `Error` unless `signature`, the text of such a file, is of `data` and was made with the secret key that
/// belongs to `public_key`: the text of minisign's file of a public key, or its last line.
void check_signature(std::span<const std::uint8_t> data, const std::string& signature, const std::string& public_key);

}  // namespace sterna
