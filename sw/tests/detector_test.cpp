// SPDX-License-Identifier: Apache-2.0
// Frames come out of a detector in their order, with the boxes that one thread would find; one that fails fails alone;
// and a detector ends with frames in flight, whatever its device does.
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "detector/pipeline.h"
#include "device/emulator_device.h"
#include "device/open.h"

namespace {

using namespace sterna;

using Bytes = std::vector<std::uint8_t>;

constexpr int kFilters = 2 * (kBoxFields + 2);

Package small_package() {
  std::mt19937 random(1);
  Conv conv{kFilters, 3, 1, std::vector<std::int8_t>(kFilters * 3), 1, {}, {{}, {}, 0, Activation::linear}, 0.05};
  for (std::int8_t& weight : conv.weights) weight = static_cast<std::int8_t>(random() % 3) - 1;
  conv.requant.multiplier.assign(kFilters, 1);
  conv.requant.bias.assign(kFilters, 0);
  std::vector<Layer> layers = {{"image", {}, Input{3, 12, 16, 1.0, 0}},
                               {"head", {"image"}, std::move(conv)},
                               {"out", {"head"}, Output{}}};
  return {std::make_shared<const Graph>(std::move(layers), 8, 24),
          {"yolov2", {"cat", "dog"}, {{1, 2}, {3, 1.5}}, "stretch"}};
}

/// An emulator that fails or hangs at some frames.
class Faulty : public EmulatorDevice {
 public:
  explicit Faulty(const Package& package) : EmulatorDevice(package.graph, {}, 1, Simd::scalar) {}

  std::optional<int> refused, lost, hung;

  void submit(std::span<const std::int8_t> frame) override {
    if (submitted_++ == refused) throw Error("the device refuses");
    order_.push_back(submitted_ - 1);
    EmulatorDevice::submit(frame);
  }

  void wait(std::span<std::int8_t* const> maps) override {
    EmulatorDevice::wait(maps);
    const int frame = order_[waited_++];
    if (frame == lost) throw Error("the frame is lost");
    std::unique_lock lock(mutex_);
    if (frame == hung) stopped_.wait(lock, [this] { return is_stopped_; });
  }

  void stop() noexcept override {
    {
      const std::lock_guard lock(mutex_);
      is_stopped_ = true;
    }
    stopped_.notify_all();
    EmulatorDevice::stop();
  }

 private:
  int submitted_ = 0, waited_ = 0;
  std::vector<int> order_ = [] {
    std::vector<int> order;
    order.reserve(1000);  // One thread adds to it while another reads.
    return order;
  }();
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool is_stopped_ = false;
};

struct Noise {
  explicit Noise(unsigned seed) {
    std::mt19937 random(seed);
    height = 1 + static_cast<int>(random() % 60);
    width = 1 + static_cast<int>(random() % 60);
    pixels.resize(height * width * 3);
    for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random());
  }

  Image image() const { return {pixels.data(), height, width, 3 * width}; }

  int height, width;
  Bytes pixels;
};

std::vector<Noise> pictures(unsigned count) {
  std::vector<Noise> made;
  for (unsigned seed = 0; seed < count; ++seed) made.emplace_back(seed);
  return made;
}

bool same(const std::vector<Box>& a, const std::vector<Box>& b) {
  return std::ranges::equal(a, b, [](const Box& one, const Box& other) {
    return one.sides == other.sides && one.score == other.score && one.kind == other.kind;
  });
}

/// What one thread finds, without a pipeline.
std::vector<Box> plain(const Package& package, const Noise& picture) {
  const Decoder decoder(package);
  Resizer resizer(Simd::scalar);
  std::vector<std::int8_t> input(decoder.frame_bytes()), head(package.graph->tensor(decoder.output()).size());
  decoder.frame(picture.image(), resizer, FrameLayout::planar, input.data());
  std::int8_t* place = head.data();
  Emulator(package.graph, {decoder.output()}, 1, Simd::scalar).run(input.data(), {&place, 1});
  return decoder.boxes(head.data(), picture.height, picture.width, {});
}

void finds_in_order() {
  const Package package = small_package();
  const std::vector<Noise> all = pictures(60);
  for (const int threads : {1, 3}) {
    for (const int frames : {1, 2, 7}) {
      Pipeline pipeline(open_device("emulator:?threads=1", package), Decoder(package), {{}, threads, frames});
      std::size_t boxes = 0;
      for (std::size_t next = 0, done = 0; done < all.size();) {
        if (next < all.size() && pipeline.submit({all[next].image()})) {
          ++next;
          continue;
        }
        CHECK(next == all.size() || next - done == static_cast<std::size_t>(frames));
        const std::optional<Found> found = pipeline.wait();
        CHECK(found && !found->error && found->ticket == done);
        CHECK(same(found->boxes, plain(package, all[done++])));
        boxes += found->boxes.size();
      }
      CHECK(boxes > all.size());
      CHECK(!pipeline.wait());
      for (const Part part : {Part::resize, Part::device, Part::boxes}) {
        CHECK(pipeline.seconds()[static_cast<int>(part)] > 0);
      }
    }
  }
}

std::string text_of(const std::exception_ptr& error) {
  if (!error) return "";
  return refusal([&] { std::rethrow_exception(error); });
}

void fails_alone() {
  const Package package = small_package();
  const std::vector<Noise> all = pictures(12);
  for (const int frames : {1, 3}) {
    auto device = std::make_unique<Faulty>(package);
    device->refused = 3;
    device->lost = 7;
    Pipeline pipeline(std::move(device), Decoder(package), {{}, 2, frames});
    for (std::size_t next = 0, done = 0; done < all.size();) {
      if (next < all.size() && pipeline.submit({all[next].image()})) {
        ++next;
        continue;
      }
      const std::optional<Found> found = pipeline.wait();
      CHECK(found && found->ticket == done);
      CHECK(text_of(found->error) == (done == 3 ? "the device refuses" : done == 7 ? "the frame is lost" : ""));
      CHECK(same(found->boxes, found->error ? std::vector<Box>() : plain(package, all[done])));
      ++done;
    }
  }
}

void ends_with_frames_in_flight() {
  const Package package = small_package();
  const std::vector<Noise> all = pictures(5);
  for (int hung = 0; hung < 3; ++hung) {
    auto device = std::make_unique<Faulty>(package);
    device->hung = hung;
    Pipeline pipeline(std::move(device), Decoder(package), {{}, 2, 5});
    for (const Noise& picture : all) CHECK(pipeline.submit({picture.image()}));
    CHECK(!pipeline.submit({all[0].image()}));
    for (int done = 0; done < hung; ++done) CHECK(pipeline.wait()->ticket == static_cast<std::uint64_t>(done));
  }
}

void runs_in_several_threads() {
  const Package package = small_package();
  const std::vector<Noise> all = pictures(8);
  Pipeline pipeline(open_device("emulator:", package), Decoder(package), {{}, 2, 2});
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (const Noise& picture : all) {
    threads.emplace_back([&] {
      const std::vector<Box> expected = plain(package, picture);
      for (int again = 0; again < 5; ++again) {
        const std::optional<std::vector<Box>> found = pipeline.run({picture.image()});
        wrong += !found || !same(*found, expected);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(pipeline.submit({all[0].image()}) && !pipeline.run({all[0].image()}) && pipeline.wait());
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void refuses() {
  const Package package = small_package();
  const auto with = [&](const PipelineOptions& options) {
    return refusal([&] { Pipeline(open_device("emulator:", package), Decoder(package), options); });
  };
  CHECK(says(with({{}, 0, 1}), "threads = 0; allowed: 1 .. 256"));
  CHECK(says(with({{}, 1, 0}), "frames = 0; allowed: 1 .. 1024"));
  CHECK(says(with({{2, 0.5f}, 1, 1}), "bad threshold"));
  CHECK(says(with({{0.5f, -1}, 1, 1}), "bad overlap"));
  Pipeline pipeline(open_device("emulator:", package), Decoder(package), {});
  const std::uint8_t pixel[3] = {};
  CHECK(says(refusal([&] { pipeline.submit({{pixel, 0, 1, 3}}); }), "1 x 0; allowed: 1 .. 65535"));
  CHECK(says(refusal([&] { pipeline.run({{pixel, 1, 65536, 3}}); }), "65536 x 1"));
  for (const std::string uri : {"", "emulator:?threads=", "emulator:?threads=1x", "emulator:?threads=-1", "x:"}) {
    CHECK(says(refusal([&] { open_device(uri, package); }), "device '" + uri + "': "));
  }
}

void refuses_what_is_no_detector() {
  const auto with = [](auto change) {
    Package package = small_package();
    change(package.metadata);
    return refusal([&] { Decoder{package}; });
  };
  CHECK(says(with([](Metadata& metadata) { metadata.kind = "x"; }), "is not a detector; kind = x; allowed: yolov2"));
  CHECK(says(with([](Metadata& metadata) { metadata.classes.clear(); }), "is not a detector"));
  CHECK(says(with([](Metadata& metadata) { metadata.anchors.clear(); }), "is not a detector"));
  CHECK(says(with([](Metadata& metadata) { metadata.classes.push_back("cow"); }), "channels = 14; allowed: 16"));
  CHECK(says(with([](Metadata& metadata) { metadata.anchors[0][0] = 97; }), "probably in pixels"));
  CHECK(says(with([](Metadata& metadata) { metadata.aspect = "tall"; }), "aspect = tall; allowed: stretch, letterbox"));
}

}  // namespace

int main() {
  finds_in_order();
  fails_alone();
  ends_with_frames_in_flight();
  runs_in_several_threads();
  refuses();
  refuses_what_is_no_detector();
}
