// SPDX-License-Identifier: Apache-2.0
// Takes any three texts for a file, its signature and a public key.
#include "package/signature.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <string>

#include "error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider from(data, size);
  const std::string key = from.ConsumeRandomLengthString(), file = from.ConsumeRandomLengthString();
  const std::string signature = from.ConsumeRemainingBytesAsString();
  try {
    sterna::check_signature({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()}, signature, key);
  } catch (const sterna::Error&) {
  }
  return 0;
}
