// SPDX-License-Identifier: Apache-2.0
// An engine as a device, over a transport that is an engine itself: it copies the image to the result.
#include <sterna/registers.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "device/engine_device.h"

namespace {

using namespace sterna;

constexpr int kSide = 4, kTile = 2, kTiles = kSide / kTile;
constexpr std::size_t kPixels = kSide * kSide, kWordBytes = 32, kRegion = kTiles * kTiles * kWordBytes;
constexpr std::uint32_t kHash = 0xC0FFEE;

using Map = std::vector<std::int8_t>;

/// Ends a frame each time that it is waited for; others may use it meanwhile.
class Copier : public Transport {
 public:
  Copier() { memory_base = std::uint64_t{5} << 32, memory_bytes = 1 << 16; }

  std::set<int> failing;
  std::map<std::uint32_t, std::uint32_t> registers{{STERNA_REGISTER_IDENTITY, STERNA_ENGINE_IDENTITY},
                                                   {STERNA_REGISTER_VERSION, STERNA_ENGINE_VERSION},
                                                   {STERNA_REGISTER_CONFIG_HASH, kHash},
                                                   // So many frames that the count starts again soon.
                                                   {STERNA_REGISTER_FRAMES, ~0U - 1}};
  std::atomic<bool> hangs = false, obeys = true, is_gone = false, is_open = false;

  void open() override { is_open = true; }
  void close() override { is_open = false; }

  std::uint32_t read32(std::uint32_t address) override {
    const std::lock_guard lock(mutex_);
    return is_gone ? ~0U : registers[address];
  }

  void write32(std::uint32_t address, std::uint32_t value) override {
    const std::lock_guard lock(mutex_);
    if (address == STERNA_REGISTER_STATUS) {
      registers[address] &= ~(value & (STERNA_STATUS_DONE | STERNA_STATUS_ERROR | STERNA_STATUS_IRQ));
    } else if (address == STERNA_REGISTER_CONTROL && value & STERNA_CONTROL_START) {
      if (!(registers[STERNA_REGISTER_STATUS] & STERNA_STATUS_ERROR)) begin();
    } else if (address == STERNA_REGISTER_CONTROL && value & STERNA_CONTROL_ABORT) {
      if (obeys) fail(STERNA_ERROR_CODE_ABORTED);
    } else {
      registers[address] = value;
    }
  }

  void write_memory(std::uint64_t address, std::span<const std::uint8_t> data) override {
    const std::lock_guard lock(mutex_);
    CHECK(address >= memory_base && address + data.size() <= memory_base + memory_bytes);
    std::ranges::copy(data, memory_.begin() + static_cast<std::ptrdiff_t>(address - memory_base));
  }

  void read_memory(std::uint64_t address, std::span<std::uint8_t> data) override {
    const std::lock_guard lock(mutex_);
    std::copy_n(memory_.begin() + static_cast<std::ptrdiff_t>(address - memory_base), data.size(), data.begin());
  }

  bool wait(std::uint64_t) override {
    const std::lock_guard lock(mutex_);
    if (registers[STERNA_REGISTER_STATUS] & STERNA_STATUS_IRQ) return true;
    if (frames_.empty() || hangs) return false;
    if (failing.contains(ended_++)) {
      fail(STERNA_ERROR_CODE_SEGMENT_CRC);
    } else {
      finish();
    }
    return true;
  }

 private:
  struct Frame {
    std::uint64_t image, result;
  };

  std::uint64_t address(std::uint32_t low) {
    return (registers[low] | std::uint64_t{registers[low + 4]} << 32) - memory_base;
  }

  void begin() {
    CHECK(frames_.size() < 2);
    frames_.push_back({address(STERNA_REGISTER_FRAME_ADDR_LO), address(STERNA_REGISTER_RESULT_ADDR_LO)});
    registers[STERNA_REGISTER_STATUS] |= STERNA_STATUS_BUSY;
  }

  void fail(std::uint32_t code) {
    frames_.clear();
    registers[STERNA_REGISTER_STATUS] = STERNA_STATUS_ERROR | STERNA_STATUS_IRQ;
    registers[STERNA_REGISTER_ERROR_CODE] = code;
    registers[STERNA_REGISTER_ERROR_SEGMENT] = 1;
  }

  void finish() {
    const Frame frame = frames_.front();
    frames_.pop_front();
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const std::size_t tile = y / kTile * kTiles + x / kTile, lane = y % kTile * kTile + x % kTile;
        memory_[frame.result + tile * kWordBytes + lane * 4 + 3] = memory_[frame.image + y * kSide + x];
      }
    }
    ++registers[STERNA_REGISTER_FRAMES];
    registers[STERNA_REGISTER_STATUS] =
        STERNA_STATUS_DONE | STERNA_STATUS_IRQ | (frames_.empty() ? 0 : STERNA_STATUS_BUSY);
  }

  std::mutex mutex_;
  std::vector<std::uint8_t> memory_ = std::vector<std::uint8_t>(1 << 16);
  std::deque<Frame> frames_;
  int ended_ = 0;
};

std::shared_ptr<const Graph> graph() {
  std::vector<Layer> layers{{"image", {}, Input{1, kSide, kSide, 1.0, 0}}, {"out", {"image"}, Output{}}};
  return std::make_shared<Graph>(std::move(layers), 8, 32);
}

Program program() {
  Store store{"image", 0, 1, kTiles, kTiles, kSide, kSide, false, {{0, 3}}};
  return {"own", kHash, std::vector<std::uint8_t>(100), 64, kRegion, 0, 0, false, 1000,
          {{"LOAD", 0, "image"}, {"STORE", 0, "image"}}, {kTile, kTile, kWordBytes}, {store}};
}

EngineDevice device(const std::shared_ptr<Copier>& copier, const Program& made = program()) {
  check(made);
  return {graph(), std::make_shared<Program>(made), copier, {}};
}

Map image(int number) {
  Map made(kPixels);
  for (std::size_t pixel = 0; pixel < kPixels; ++pixel) made[pixel] = static_cast<std::int8_t>(number * 17 + pixel);
  return made;
}

Map map_of(EngineDevice& device) {
  Map map(kPixels);
  std::int8_t* place = map.data();
  device.wait({&place, 1});
  return map;
}

void gives_maps_in_order_while_others_submit() {
  constexpr int kFrames = 200;
  const auto copier = std::make_shared<Copier>();
  {
    EngineDevice engine = device(copier);
    CHECK(copier->is_open && engine.capacity() == 2 && engine.kept() == std::vector<std::size_t>{1});
    std::counting_semaphore<2> room(2), held(0);
    std::thread other([&] {
      for (int frame = 0; frame < kFrames; ++frame) {
        room.acquire();
        engine.submit(image(frame));
        held.release();
      }
    });
    for (int frame = 0; frame < kFrames; ++frame) {
      held.acquire();
      CHECK(map_of(engine) == image(frame));
      room.release();
    }
    other.join();
  }
  CHECK(!copier->is_open);
}

void goes_on_after_a_frame_that_failed() {
  const auto copier = std::make_shared<Copier>();
  copier->failing = {1, 3};
  EngineDevice engine = device(copier);
  engine.submit(image(0));
  engine.submit(image(1));
  CHECK(map_of(engine) == image(0));
  engine.submit(image(2));
  const std::string said = refusal([&] { map_of(engine); });
  CHECK(said == "segment 1 (STEP of step 1, STORE part 0 of image): the engine stopped: a segment's checksum is wrong; "
                "error = 7 SEGMENT_CRC; remedy: copy or compile the package again");
  CHECK(map_of(engine) == image(2));
  engine.submit(image(3));
  CHECK(refusal([&] { map_of(engine); }) == said);
  engine.submit(image(4));
  CHECK(map_of(engine) == image(4));
}

void ends_a_frame_that_hangs() {
  const auto copier = std::make_shared<Copier>();
  EngineDevice engine = device(copier);
  engine.submit(image(0));
  engine.submit(image(1));
  copier->hangs = true;
  const std::string said = refusal([&] { map_of(engine); });
  CHECK(said.starts_with("engine, step 0 of 2 (layer image): the engine did not finish the frame in time; cycles = "));
  copier->hangs = false;
  CHECK(map_of(engine) == image(1));
}

void gives_up_an_engine_that_does_not_obey() {
  const auto copier = std::make_shared<Copier>();
  EngineDevice engine = device(copier);
  engine.submit(image(0));
  copier->hangs = true, copier->obeys = false;
  CHECK(refusal([&] { map_of(engine); }).find("in time, and cannot be aborted") != std::string::npos);
  const std::string said = "engine: is still at work on a frame that failed; remedy: reset the engine";
  CHECK(refusal([&] { engine.submit(image(1)); }) == said);
}

void notices_that_it_is_gone() {
  const auto copier = std::make_shared<Copier>();
  EngineDevice engine = device(copier);
  engine.submit(image(0));
  copier->is_gone = true;
  const std::string said = refusal([&] { map_of(engine); });
  CHECK(said.starts_with("engine: the device is gone: its registers read as all ones"));
  CHECK(refusal([&] { engine.submit(image(1)); }) == said);
}

void ends_when_stopped() {
  const auto copier = std::make_shared<Copier>();
  EngineDevice engine = device(copier);
  engine.submit(image(0));
  engine.stop();
  CHECK(refusal([&] { map_of(engine); }) == "engine: was stopped; remedy: open it again");
  CHECK(refusal([&] { engine.submit(image(0)); }) == "engine: was stopped; remedy: open it again");
}

void refuses_what_does_not_fit() {
  const auto refused = [](auto change) {
    const auto copier = std::make_shared<Copier>();
    Program made = program();
    change(*copier, made);
    const std::string said = refusal([&] { device(copier, made); });
    CHECK(!copier->is_open);
    return said;
  };
  const auto says = [&](auto change, const char* text) { CHECK(refused(change).find(text) != std::string::npos); };
  says([](Copier& copier, Program&) { copier.registers[STERNA_REGISTER_IDENTITY] = 1; }, "IDENTITY = 0x00000001");
  says([](Copier& copier, Program&) { copier.registers[STERNA_REGISTER_VERSION] = 1; }, "VERSION = 0x00000001");
  says([](Copier& copier, Program&) { copier.memory_bytes = 4096; }, "does not fit the engine's memory");
  says([](Copier&, Program& made) { made.config_hash = 1; }, "config hash = 00c0ffee; allowed: 00000001 ('own', of");
  says([](Copier&, Program& made) { made.stores[0].layer = "none"; }, "layer 'out': is not stored by the tape");
  says([](Copier&, Program& made) { made.stores[0].channels.push_back({0, 0}); }, "is of another size in the tape");
  says([](Copier&, Program& made) { made.image_offset = 49; }, "image: is of another size in the tape");
  says([](Copier&, Program& made) { made.stores[0].offset = 1; }, "lies outside the result memory");
  says([](Copier&, Program& made) { made.stores[0].height = 5; }, "does not fit its tiles");
  says([](Copier&, Program& made) { made.stores[0].words = std::size_t{1} << 40; }, "has an impossible size");
  says([](Copier&, Program& made) { made.stores[0].channels[0] = {1, 0}; }, "has impossible channels");
  says([](Copier&, Program& made) { made.stores[0].channels[0] = {0, 4}; }, "has impossible channels");
  says([](Copier&, Program& made) { made.word.tile_h = 0; }, "has an impossible tile");
  says([](Copier&, Program& made) { made.word.bytes = 15; }, "has an impossible word");
  says([](Copier&, Program& made) { made.steps[0].op = "JUMP"; }, "has an unknown operation");
  says([](Copier&, Program& made) { made.result_bytes = std::uint64_t{1} << 40; }, "has an impossible size");
}

}  // namespace

int main() {
  gives_maps_in_order_while_others_submit();
  goes_on_after_a_frame_that_failed();
  ends_a_frame_that_hangs();
  gives_up_an_engine_that_does_not_obey();
  notices_that_it_is_gone();
  ends_when_stopped();
  refuses_what_does_not_fit();
}
