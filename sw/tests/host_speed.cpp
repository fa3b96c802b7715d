// SPDX-License-Identifier: Apache-2.0
// Measures the host's work on a frame, from pixels or a JPEG file to boxes, beside a device that takes no time.
//
// host_speed PACKAGE.sterna IMAGE.rgb WIDTH HEIGHT IMAGE.jpg FRAMES
//
// Prints for pixels and JPEG, with 1 and 2 threads: form, threads, milliseconds per frame from end to end, and
// milliseconds of decoding, resizing and boxes. The device gives the head that the emulator finds for the image.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "detector/pipeline.h"
#include "device/emulator_device.h"
#include "emulator/simd.h"
#include "error.h"

namespace {

using namespace sterna;

using Bytes = std::vector<std::uint8_t>;
using Map = std::vector<std::int8_t>;

Bytes read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse({path, "cannot be read", "", "", "name a file"});
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Gives one map for every frame, at once.
class Instant : public Device {
 public:
  Instant(std::shared_ptr<const Graph> graph, std::size_t output, const Map& map)
      : graph_(std::move(graph)), kept_{output}, map_(map) {}

  const Graph& graph() const override { return *graph_; }
  const std::vector<std::size_t>& kept() const override { return kept_; }
  FrameLayout layout() const override { return FrameLayout::interleaved; }
  int capacity() const override { return 2; }
  void submit(std::span<const std::int8_t>) override {}
  void wait(std::span<std::int8_t* const> maps) override { std::ranges::copy(map_, maps[0]); }
  void stop() noexcept override {}

 private:
  std::shared_ptr<const Graph> graph_;
  std::vector<std::size_t> kept_;
  const Map& map_;
};

Map head_for(const Package& package, const Decoder& decoder, const Image& image) {
  Map input(decoder.frame_bytes()), head(package.graph->tensor(decoder.output()).size());
  Resizer resizer(available_simd().back());
  decoder.frame(image, resizer, FrameLayout::planar, input.data());
  std::int8_t* place = head.data();
  Emulator(package.graph, {decoder.output()}, 1, available_simd().back()).run(input.data(), {&place, 1});
  return head;
}

void measure(const std::string& form, int threads, const Package& package, const Map& head, const Picture& picture,
             int frames) {
  const Decoder decoder(package);
  Pipeline pipeline(std::make_unique<Instant>(package.graph, decoder.output(), head), decoder, {{}, threads, 8});
  pipeline.run(picture);
  const auto before = pipeline.seconds();
  const auto begin = std::chrono::steady_clock::now();
  for (int submitted = 0, done = 0; done < frames;) {
    if (submitted < frames && pipeline.submit(picture)) {
      ++submitted;
    } else {
      const std::optional<Found> found = pipeline.wait();
      if (found->error) std::rethrow_exception(found->error);
      ++done;
    }
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  const auto after = pipeline.seconds();
  std::cout << form << " " << threads << " " << 1e3 * taken.count() / frames;
  for (const Part part : {Part::decode, Part::resize, Part::boxes}) {
    const int number = static_cast<int>(part);
    std::cout << " " << 1e3 * (after[number] - before[number]) / frames;
  }
  std::cout << std::endl;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 7) {
    std::cerr << "usage: host_speed PACKAGE.sterna IMAGE.rgb WIDTH HEIGHT IMAGE.jpg FRAMES\n";
    return 2;
  }
  try {
    const Package package = load_package(arguments[1]);
    const Bytes pixels = read(arguments[2]), jpeg = read(arguments[5]);
    const int width = std::stoi(arguments[3]), height = std::stoi(arguments[4]), frames = std::stoi(arguments[6]);
    const Image image{pixels.data(), height, width, std::ptrdiff_t{width} * Image::kChannels};
    if (pixels.size() != static_cast<std::size_t>(image.stride) * height) refuse({arguments[2], "has another size", "", "", ""});
    const Map head = head_for(package, Decoder(package), image);
    for (const int threads : {1, 2}) measure("raw", threads, package, head, {image}, frames);
    for (const int threads : {1, 2}) measure("jpeg", threads, package, head, {{}, jpeg}, frames);
  } catch (const Error& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
