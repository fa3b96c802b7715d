// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as a package, and makes the tape of one that is whole. What changes them knows sections, so that changes get past checksums and compression.
#include "package/package.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "error.h"
#include "sections.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

using namespace sterna::fuzz;

/// By how much one change may make a part longer.
constexpr std::size_t kGrowth = 64;
/// Longer payloads are changed as they lie in the file.
constexpr std::size_t kMostUnpacked = 1 << 17;

void change(Bytes& bytes, std::size_t growth = kGrowth) {
  const std::size_t size = bytes.size();
  bytes.resize(size + growth);
  bytes.resize(LLVMFuzzerMutate(bytes.data(), size, bytes.size()));
}

/// What takes the place of a value in a JSON text.
constexpr std::string_view kValues[] = {"null", "\"x\"", "\"\"", "-1",   "0",  "1",  "1.5",    "2",
                                        "3",    "256",   "70000", "-3e9", "[]", "{}", "[1,2,3]", "3000000000",
                                        "-3000000000", "[1,1,1,1,1]"};

/// The end of the value that begins at `at`, of a text that may be no JSON.
std::size_t value_end(const Bytes& text, std::size_t at) {
  int depth = 0;
  for (bool is_quoted = false; at < text.size(); ++at) {
    const std::uint8_t letter = text[at];
    if (letter == '"') is_quoted = !is_quoted;
    if (is_quoted || letter == '"') continue;
    if (letter == '[' || letter == '{') ++depth;
    const bool is_end = letter == ']' || letter == '}';
    if (depth == 0 && (is_end || letter == ',' || letter == ':')) return at;
    depth -= is_end;
  }
  return at;
}

/// A random value of the text, from begin to end.
std::pair<std::size_t, std::size_t> value_of(const Bytes& text, std::minstd_rand& random) {
  std::size_t at = random() % text.size();
  while (at > 0 && text[at - 1] != ':' && text[at - 1] != ',' && text[at - 1] != '[') --at;
  return {at, value_end(text, at)};
}

/// Puts `value` in the place of what lies from `begin` to `end`.
void replace(Bytes& text, std::size_t begin, std::size_t end, std::string_view value) {
  text.erase(text.begin() + begin, text.begin() + end);
  text.insert(text.begin() + begin, value.begin(), value.end());
}

/// Puts another value, of the text or of `kValues`, in the place of one.
void replace_value(Bytes& text, std::minstd_rand& random) {
  const auto [begin, end] = value_of(text, random);
  const auto [from, to] = value_of(text, random);
  std::string value(kValues[random() % std::size(kValues)]);
  if (random() % 2) value.assign(text.begin() + from, text.begin() + to);
  replace(text, begin, end, value);
}

/// Takes a value out of the list or the record that it ends or stands in, or puts it there twice.
void change_count(Bytes& text, std::minstd_rand& random) {
  auto [begin, end] = value_of(text, random);
  while (begin > 0 && text[begin - 1] != ',' && text[begin - 1] != '[' && text[begin - 1] != '{') --begin;
  const bool has_next = end < text.size() && text[end] == ',', has_last = begin > 0 && text[begin - 1] == ',';
  if (random() % 2) {
    Bytes again{','};
    again.insert(again.end(), text.begin() + begin, text.begin() + end);
    text.insert(text.begin() + end, again.begin(), again.end());
  } else {
    text.erase(text.begin() + begin - (has_last && !has_next), text.begin() + end + has_next);
  }
}

/// Makes a number one more or one less, if the value is one.
void change_number(Bytes& text, std::minstd_rand& random) {
  const auto [begin, end] = value_of(text, random);
  int number = 0;
  const char* const first = reinterpret_cast<const char*>(text.data()) + begin;
  if (std::from_chars(first, first + (end - begin), number).ec != std::errc{}) return;
  replace(text, begin, end, std::to_string(std::int64_t{number} + (random() % 2 ? 1 : -1)));
}

void change_text(Bytes& text, std::minstd_rand& random) {
  switch (random() % 4) {
    case 0: return change(text);
    case 1: return change_count(text, random);
    case 2: return change_number(text, random);
    default: return replace_value(text, random);
  }
}

void change_fixed(Bytes& header) {
  const std::size_t size = header.size();
  change(header, 0);
  header.resize(size);
}

void change_payload(RawSection& section, std::minstd_rand& random) {
  if (std::optional<Bytes> payload = unpacked(section, kMostUnpacked)) {
    const bool is_text = !payload->empty() && payload->front() == '{';
    is_text ? change_text(*payload, random) : change(*payload);
    set_payload(section, *payload);
  } else {
    change(section.packed);
  }
}

void change_part(RawPackage& package, std::minstd_rand& random) {
  const std::size_t at = random() % package.sections.size();
  RawSection& section = package.sections[at];
  switch (random() % 16) {
    case 0: return change_fixed(package.header);
    case 1: return change_fixed(section.header);
    case 2: return change(section.packed);
    case 3: package.sections.erase(package.sections.begin() + at); return;
    case 4: package.sections.push_back(RawSection(section)); return;
    default: return change_payload(section, random);
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  std::minstd_rand random(seed);
  std::optional<RawPackage> package;
  if (random() % 16) package = parted({data, size});
  if (!package || package->sections.empty()) return LLVMFuzzerMutate(data, size, most);
  change_part(*package, random);
  const Bytes made = joined(std::move(*package));
  if (made.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::copy(made.begin(), made.end(), data);
  return made.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const sterna::Package package = sterna::read_package({data, size}, "package");
    sterna::make_program(*package.graph, *package.plan);
  } catch (const sterna::Error&) {
  }
  return 0;
}
