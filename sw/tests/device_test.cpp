// SPDX-License-Identifier: Apache-2.0
// The emulator as a device: maps in the order of the frames, taken while others are computed, and an end when stopped.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "device/emulator_device.h"
#include "random_graph.h"

namespace {

using namespace sterna;

using Bytes = std::vector<std::int8_t>;

Bytes map_of(EmulatorDevice& device) {
  CHECK(device.kept().size() == 1);
  Bytes map(device.graph().tensor(device.kept()[0]).size());
  std::int8_t* place = map.data();
  device.wait({&place, 1});
  return map;
}

void gives_maps_in_order() {
  RandomGraph random(1);
  const std::size_t out = random.graph()->layers().size() - 1;
  EmulatorDevice device(random.graph(), {}, 1, Simd::scalar);
  CHECK(device.kept() == std::vector{out});
  Emulator emulator(random.graph(), {out}, 1, Simd::scalar);
  std::vector<Bytes> frames, found;
  for (int frame = 0; frame < 6; ++frame) frames.push_back(random.image());
  for (int frame = 0; frame < device.capacity(); ++frame) device.submit(frames[frame]);
  for (std::size_t frame = device.capacity(); frame < frames.size(); ++frame) {
    found.push_back(map_of(device));
    std::thread other([&] { device.submit(frames[frame]); });
    other.join();
  }
  while (found.size() < frames.size()) found.push_back(map_of(device));
  for (std::size_t frame = 0; frame < frames.size(); ++frame) {
    Bytes expected(random.graph()->tensor(out).size());
    std::int8_t* place = expected.data();
    emulator.run(frames[frame].data(), {&place, 1});
    CHECK(found[frame] == expected);
  }
}

void ends_when_stopped() {
  RandomGraph random(2);
  EmulatorDevice device(random.graph(), {}, 1, Simd::scalar);
  device.submit(random.image());
  device.stop();
  CHECK(refusal([&] { map_of(device); }) == "emulator: was stopped; remedy: open it again");
  CHECK(refusal([&] { device.submit(random.image()); }) == "emulator: was stopped; remedy: open it again");
}

}  // namespace

int main() {
  gives_maps_in_order();
  ends_when_stopped();
}
