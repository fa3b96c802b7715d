// SPDX-License-Identifier: Apache-2.0
// Makes any bytes the work of a part, legal or not. The entries of one that is encoded must hold each addition once.
#include "tape/encoder.h"

#include <fuzzer/FuzzedDataProvider.h>
#include <sterna/tape.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "error.h"

namespace {

using namespace sterna;
using Integers = std::vector<std::int64_t>;
/// Stream, vector, accumulator, and whether it is subtracted.
using Addition = std::array<std::int64_t, 4>;

struct Work {
  EncoderConfig config;
  std::size_t streams = 0;
  Integers plane, row, col, mask, after;
  Integers stream, vector, acc_index, digit;
  std::vector<std::uint8_t> subtract;
  std::vector<DigitPlane> planes;
};

class Builder {
 public:
  explicit Builder(FuzzedDataProvider& from) : from_(from), is_any_(from.ConsumeIntegral<std::uint8_t>() == 255) {}

  Work work() {
    Work made;
    made.config = {value(3, 15), value(3, 15), power(5, 10), value(4, 5), power(1, 3), power(3, 6)};
    made.streams = static_cast<std::size_t>(value(1, 16));
    const int words = from_.ConsumeIntegralInRange(1, 40);
    int vectors = 0;
    for (int word = 0; word < words; ++word) {
      made.plane.push_back(value(0, 1 << 20));
      made.row.push_back(value(-7, 40));
      made.col.push_back(value(-7, 40));
      made.mask.push_back(value(1, 15));
      made.after.push_back(value(0, 1023));
      vectors += __builtin_popcountll(static_cast<std::uint64_t>(made.mask.back()));
    }
    for (int count = from_.ConsumeIntegralInRange(0, 200); count > 0; --count) {
      made.stream.push_back(value(0, static_cast<int>(made.streams) - 1));
      made.vector.push_back(value(0, vectors - 1));
      made.acc_index.push_back(value(0, 15));
      made.digit.push_back(value(0, 3));
      made.subtract.push_back(static_cast<std::uint8_t>(value(0, 1)));
    }
    for (int plane = value(0, 3); plane >= 0; --plane) made.planes.push_back({plane, value(0, vectors - 1), value(0, 7)});
    return made;
  }

 private:
  /// One of low .. high; of some inputs, any number at times.
  int value(int low, int high) {
    if (is_any_ && from_.ConsumeIntegralInRange(0, 15) == 0) return from_.ConsumeIntegral<std::int16_t>();
    return from_.ConsumeIntegralInRange(std::min(low, high), std::max(low, high));
  }

  int power(int low, int high) { return 1 << std::clamp(value(low, high), 0, 30); }

  FuzzedDataProvider& from_;
  bool is_any_;
};

/// What the entries of all chunks say, stream after stream.
std::vector<Addition> decoded(const Work& work, const EncodedPart& part) {
  const int payload_bits = work.config.acc_index_w + 1, control = STERNA_ENTRY_CONTROL << payload_bits;
  std::vector<Addition> found;
  for (std::size_t stream = 0; stream < work.streams; ++stream) {
    std::int64_t pointer = -1;
    for (std::size_t round = 0; round < part.rounds; ++round) {
      for (int entry = 0; entry < work.config.chunk_entries(); ++entry) {
        const int code = part.codes[(round * work.streams + stream) * work.config.chunk_entries() + entry];
        const int payload = code & ((1 << payload_bits) - 1);
        if (code < control) {
          pointer += code >> payload_bits;
          found.push_back({static_cast<std::int64_t>(stream), pointer, payload >> 1, payload & 1});
        } else if (payload >> (payload_bits - 1) == 0 && payload & STERNA_COMMAND_SKIP) {
          pointer += std::int64_t{1} << (payload & 7);
        }
      }
    }
  }
  return found;
}

/// Ends the program unless the part holds just the additions of the work.
void compare(const Work& work, const EncodedPart& part) {
  std::vector<Addition> given;
  for (std::size_t at = 0; at < work.stream.size(); ++at) {
    given.push_back({work.stream[at], work.vector[at], work.acc_index[at], work.subtract[at]});
  }
  std::vector<Addition> found = decoded(work, part);
  std::sort(given.begin(), given.end());
  std::sort(found.begin(), found.end());
  if (given != found || part.payload.size() % STERNA_TAPE_ALIGN) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider from(data, size);
  const Work work = Builder(from).work();
  try {
    compare(work, encode_part(work.config, work.streams, {work.plane, work.row, work.col, work.mask, work.after},
                              {work.stream, work.vector, work.acc_index, work.subtract, work.digit}, work.planes));
  } catch (const Error&) {
  }
  return 0;
}
