// SPDX-License-Identifier: Apache-2.0
// Opens a device for a package by its name, runs frames on it, some at a time, and ends with 0 if every map is the
// emulator's. A refusal is printed.
//
// run_device URI PACKAGE.sterna FRAMES
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <vector>

#include "device/open.h"
#include "error.h"

namespace {

using namespace sterna;

using Map = std::vector<std::int8_t>;

std::vector<Map> maps_of(Device& device) {
  std::vector<Map> maps;
  std::vector<std::int8_t*> places;
  for (std::size_t layer : device.kept()) maps.emplace_back(device.graph().tensor(layer).size());
  for (Map& map : maps) places.push_back(map.data());
  device.wait(places);
  return maps;
}

/// `frame` [C, H, W] as the device wants it.
Map laid_out(const Device& device, const Map& frame) {
  if (device.layout() == FrameLayout::planar) return frame;
  const std::size_t channels = device.graph().tensor(device.graph().input()).channels;
  const std::size_t pixels = frame.size() / channels;
  Map laid(frame.size());
  for (std::size_t at = 0; at < frame.size(); ++at) laid[at % pixels * channels + at / pixels] = frame[at];
  return laid;
}

int run(const char* uri, const char* path, int count) {
  const Package package = load_package(path);
  const std::unique_ptr<Device> device = open_device(uri, package), emulator = open_device("emulator:", package);
  std::mt19937 random(1);
  std::vector<Map> frames(count, Map(package.graph->tensor(package.graph->input()).size()));
  for (Map& frame : frames) {
    for (std::int8_t& value : frame) value = static_cast<std::int8_t>(random());
  }
  int differing = 0;
  for (int frame = 0; frame < count + device->capacity(); ++frame) {
    if (frame >= device->capacity()) {
      const Map& image = frames[frame - device->capacity()];
      emulator->submit(laid_out(*emulator, image));
      differing += maps_of(*device) != maps_of(*emulator);
    }
    if (frame < count) device->submit(laid_out(*device, frames[frame]));
  }
  std::cout << count << " frames, " << differing << " differ\n";
  return differing != 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  try {
    return run(arguments[1], arguments[2], std::atoi(arguments[3]));
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
