// SPDX-License-Identifier: Apache-2.0
#include "package/signature.h"

#include <monocypher-ed25519.h>
#include <monocypher.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "error.h"

namespace sterna {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kNameBytes = 2, kIdBytes = 8, kKeyBytes = 32, kSignatureBytes = 64, kHashBytes = 64;
constexpr std::string_view kKeyName = "Ed", kHashedName = "ED", kComment = "trusted comment: ";
constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// The bytes of Base64 that stands for `size` bytes; none if it does not.
Bytes decoded(std::string_view text, std::size_t size) {
  const std::size_t padding = (3 - size % 3) % 3;
  if (text.size() != (size + padding) / 3 * 4) return {};
  if (text.substr(text.size() - padding) != std::string_view("==").substr(0, padding)) return {};
  text.remove_suffix(padding);
  Bytes bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char letter : text) {
    const std::size_t digit = kDigits.find(letter);
    if (digit == std::string_view::npos) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<std::uint8_t>(bits >> count));
  }
  return bytes;
}

bool begins_with(const Bytes& bytes, std::string_view name) {
  return bytes.size() >= name.size() && std::equal(name.begin(), name.end(), bytes.begin());
}

struct PublicKey {
  Bytes id, key;

  explicit PublicKey(const std::string& text) {
    const std::vector<std::string_view> lines = lines_of(text);
    const Bytes bytes = lines.empty() ? Bytes{} : decoded(lines.back(), kNameBytes + kIdBytes + kKeyBytes);
    if (!begins_with(bytes, kKeyName)) {
      refuse({"", "the public key is none of minisign", "", "the file of one, or its last line",
              "give the key that the signer has published"});
    }
    id.assign(bytes.begin() + kNameBytes, bytes.begin() + kNameBytes + kIdBytes);
    key.assign(bytes.begin() + kNameBytes + kIdBytes, bytes.end());
  }

  bool has_signed(const Bytes& signature, const Bytes& message) const {
    return monocypher::crypto_ed25519_check(signature.data(), key.data(), message.data(), message.size()) == 0;
  }
};

struct Signature {
  Bytes id, signature, comment_signature;
  std::string_view comment;

  explicit Signature(const std::string& text) {
    const std::vector<std::string_view> lines = lines_of(text);
    const bool has_lines = lines.size() == 4 && lines[2].starts_with(kComment);
    const Bytes first = has_lines ? decoded(lines[1], kNameBytes + kIdBytes + kSignatureBytes) : Bytes{};
    if (has_lines) comment_signature = decoded(lines[3], kSignatureBytes);
    if (!begins_with(first, kHashedName) || comment_signature.empty()) {
      refuse({"", "the signature is none of minisign", "", "a signature of the file's hash, which begins with RU",
              "sign it again: sterna sign"});
    }
    comment = lines[2].substr(kComment.size());
    id.assign(first.begin() + kNameBytes, first.begin() + kNameBytes + kIdBytes);
    signature.assign(first.begin() + kNameBytes + kIdBytes, first.end());
  }
};

}  // namespace

void check_signature(std::span<const std::uint8_t> data, const std::string& signature, const std::string& public_key) {
  const PublicKey key(public_key);
  const Signature found(signature);
  if (found.id != key.id) {
    refuse({"", "is signed with another key", "", "", "take it from its maker, or give the public key of that signer"});
  }
  Bytes hash(kHashBytes), comment = found.signature;
  monocypher::crypto_blake2b(hash.data(), hash.size(), data.data(), data.size());
  comment.insert(comment.end(), found.comment.begin(), found.comment.end());
  if (!key.has_signed(found.signature, hash) || !key.has_signed(found.comment_signature, comment)) {
    refuse({"", "differs from what was signed", "", "", "take it from its maker again; do not use this one"});
  }
}

}  // namespace sterna
