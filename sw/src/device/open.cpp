// SPDX-License-Identifier: Apache-2.0
#include "device/open.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "device/emulator_device.h"
#include "emulator/threads.h"
#include "error.h"

namespace sterna {
namespace {

int threads_of(std::string_view text, const std::string& uri) {
  int threads = -1;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), threads);
  if (failed != std::errc() || end != text.data() + text.size() || threads < 0 || threads > Emulator::kMostThreads) {
    refuse({"device '" + uri + "'", "cannot have so many threads", "threads = " + std::string(text),
            "0 .. " + std::to_string(Emulator::kMostThreads), "choose a number in that range"});
  }
  return threads_or_cores(threads);
}

}  // namespace

std::unique_ptr<Device> open_device(const std::string& uri, const Package& package) {
  constexpr std::string_view kEmulator = "emulator:", kThreads = "emulator:?threads=";
  const bool has_threads = uri.starts_with(kThreads);
  if (!has_threads && uri != kEmulator) {
    refuse({"device '" + uri + "'", "is not the name of a device", "", "emulator:, emulator:?threads=N",
            "give one of these"});
  }
  const int threads = threads_of(has_threads ? std::string_view(uri).substr(kThreads.size()) : "0", uri);
  return std::make_unique<EmulatorDevice>(package.graph, std::vector<std::size_t>(), threads, available_simd().back());
}

}  // namespace sterna
