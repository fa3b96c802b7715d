// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as a JPEG file.
#include "vision/jpeg.h"

#include <cstddef>
#include <cstdint>

#include "error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sterna::JpegReader reader;
  try {
    reader.read({data, size});
  } catch (const sterna::Error&) {
  }
  return 0;
}
