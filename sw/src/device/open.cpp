// SPDX-License-Identifier: Apache-2.0
#include "device/open.h"

#include <sterna/board.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "device/emulator_device.h"
#include "device/engine_device.h"
#include "device/pcie.h"
#include "device/simulation.h"
#include "device/soc.h"
#include "device/uri.h"
#include "emulator/threads.h"
#include "error.h"

namespace sterna {
namespace {

using Found = std::shared_ptr<Transport>;

constexpr std::uint64_t kMost32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMib = std::uint64_t{1} << 20;
constexpr std::uint32_t kMostLatency = 100'000;

std::unique_ptr<Device> open_emulator(const Uri& uri, const Package& package) {
  uri.check_no_path();
  uri.check_parameters({"threads"});
  const int threads = static_cast<int>(uri.number("threads", 0, 0, Emulator::kMostThreads));
  return std::make_unique<EmulatorDevice>(package.graph, std::vector<std::size_t>(), threads_or_cores(threads),
                                          available_simd().back());
}

/// CYCLES, or FIRST..LAST.
std::pair<std::uint32_t, std::uint32_t> latency_of(const std::string& text) {
  const std::size_t dots = text.find("..");
  const std::string_view first = std::string_view(text).substr(0, dots);
  const std::string_view last = dots == std::string::npos ? first : std::string_view(text).substr(dots + 2);
  const auto read = [&](std::string_view digits) {
    std::uint32_t cycles = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), cycles);
    const bool is_well = failed == std::errc() && end == digits.data() + digits.size() && cycles <= kMostLatency;
    if (!is_well) refuse({"", "bad memory timing", "latency = " + text, "0 .. 100000, rising", "choose cycles in that range"});
    return cycles;
  };
  const std::pair found{read(first), read(last)};
  if (found.first > found.second) read("");
  return found;
}

/// path: the simulator of an engine, or the folder that it is in.
Found open_simulation(const Uri& uri) {
  uri.check_path("build/engine/sterna-simulator");
  const std::filesystem::path path = uri.path();
  const bool is_folder = std::filesystem::is_directory(path);
  SimulatedTiming timing;
  std::tie(timing.latency_first, timing.latency_last) = latency_of(uri.text("latency", "0"));
  timing.stall_permille = static_cast<std::uint32_t>(std::lround(1000 * uri.real("stall", 0, 0, 0.95)));
  timing.seed = uri.number("seed", timing.seed, 0, std::numeric_limits<std::int64_t>::max());
  return std::make_shared<Simulation>((is_folder ? path / "sterna-simulator" : path).string(), timing);
}

double mhz_of(const Uri& uri) { return uri.real("mhz", BoardOptions().mhz, 0.001, 10'000); }

Found open_soc(const Uri& uri) {
  uri.check_path("/dev/uio0");
  return std::make_shared<SocTransport>(uri.path(), uri.text("memory", STERNA_SOC_MEMORY), BoardOptions{mhz_of(uri), ""});
}

Found open_pcie(const Uri& uri) {
  uri.check_path("0000:03:00.0");
  PcieOptions options;
  options.memory_bytes = uri.number("memory", options.memory_bytes / kMib, 0, 65536) * kMib;
  options.bar = static_cast<unsigned>(uri.number("bar", options.bar, 0, 5));
  options.first_register = uri.number("registers", 0, 0, kMost32);
  options.window = static_cast<unsigned>(uri.number("window", options.window, 0, 5));
  return std::make_shared<PcieTransport>(uri.path(), options, BoardOptions{mhz_of(uri), ""});
}

struct Engines {
  Found (*open)(const Uri& uri);
  std::set<std::string> parameters;
};

const std::map<std::string, Engines> kEngines = {
    {"sim", {open_simulation, {"latency", "stall", "seed", "watchdog", "timeout"}}},
    {"soc", {open_soc, {"memory", "mhz", "watchdog", "timeout"}}},
    {"pcie", {open_pcie, {"memory", "bar", "registers", "window", "mhz", "watchdog", "timeout"}}},
};

Limits limits_of(const Uri& uri) {
  Limits limits;
  limits.watchdog = static_cast<std::uint32_t>(uri.number("watchdog", limits.watchdog, 0, kMost32));
  if (uri.has("timeout")) limits.timeout = uri.number("timeout", 1, 1, std::numeric_limits<std::int64_t>::max());
  return limits;
}

}  // namespace

std::unique_ptr<Device> open_device(const std::string& text, const Package& package) {
  const Uri uri(text);
  if (uri.scheme() == "emulator") return open_emulator(uri, package);
  const auto found = kEngines.find(uri.scheme());
  if (found == kEngines.end()) {
    refuse({"device '" + text + "'", "there is no such device", "scheme = " + uri.scheme(), "emulator, sim, soc, pcie",
            "choose one of these"});
  }
  uri.check_parameters(found->second.parameters);
  const Limits limits = limits_of(uri);
  const Found transport = found->second.open(uri);
  return std::make_unique<EngineDevice>(package.graph, make_program(*package.graph, *package.plan), transport, limits);
}

}  // namespace sterna
