// SPDX-License-Identifier: Apache-2.0
#include "detector/pipeline.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "emulator/simd.h"
#include "error.h"

namespace sterna {
namespace {

void check(const char* name, int value, int most) {
  if (value >= 1 && value <= most) return;
  refuse({"detector", std::string("cannot have so many ") + name, std::string(name) + " = " + std::to_string(value),
          "1 .. " + std::to_string(most), "choose a number in that range"});
}

void check(const char* name, float value) {
  if (value >= 0 && value <= 1) return;
  refuse({"detector", std::string("bad ") + name, std::string(name) + " = " + std::to_string(value), "0 .. 1",
          "choose a number in that range"});
}

void check(const Picture& picture) {
  if (!picture.jpeg.empty()) return;
  const Image& image = picture.image;
  const auto fits = [](int side) { return side >= 1 && side <= Image::kMostSide; };
  if (!fits(image.height) || !fits(image.width)) {
    refuse({"image", "cannot have this size", std::to_string(image.width) + " x " + std::to_string(image.height),
            "1 .. " + std::to_string(Image::kMostSide) + " a side", "scale or crop it"});
  }
}

}  // namespace

Pipeline::Pipeline(std::unique_ptr<Device> device, Decoder decoder, const PipelineOptions& options)
    : device_(std::move(device)), decoder_(std::move(decoder)), options_(options) {
  check("threads", options.threads, PipelineOptions::kMostThreads);
  check("frames", options.frames, PipelineOptions::kMostFrames);
  check("threshold", options.limits.threshold);
  check("overlap", options.limits.overlap);
  frames_.resize(options.frames);
  const std::size_t source = device_->graph().sources(decoder_.output())[0];
  for (Frame& frame : frames_) {
    frame.input.resize(decoder_.frame_bytes());
    for (std::size_t layer : device_->kept()) {
      const bool is_head = frame.head.empty() && (layer == decoder_.output() || layer == source);
      auto& map = is_head ? frame.head : frame.others.emplace_back();
      map.resize(device_->graph().tensor(layer).size());
      frame.maps.push_back(map.data());
    }
  }
  try {
    for (int worker = 0; worker < options.threads; ++worker) threads_.emplace_back([this] { work(); });
    threads_.emplace_back([this] { feed(); });
    threads_.emplace_back([this] { take(); });
  } catch (...) {
    end();
    throw;
  }
}

Pipeline::~Pipeline() { end(); }

void Pipeline::end() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  device_->stop();
  for (std::condition_variable* each : {&work_, &feed_, &take_, &done_}) each->notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::optional<std::uint64_t> Pipeline::submit(const Picture& picture) {
  check(picture);
  const std::lock_guard lock(mutex_);
  if (frame(submitted_).stage != Stage::free) return {};
  return put(picture);
}

std::optional<Found> Pipeline::wait() {
  std::unique_lock lock(mutex_);
  if (waited_ == submitted_) return {};
  return get(lock, waited_++);
}

std::optional<std::vector<Box>> Pipeline::run(const Picture& picture) {
  check(picture);
  std::unique_lock lock(mutex_);
  // All others that are in flight are waited for, so room comes.
  free_.wait(lock, [&] { return waited_ != submitted_ || frame(submitted_).stage == Stage::free; });
  if (waited_ != submitted_) return {};
  put(picture);
  Found found = get(lock, waited_++);
  if (found.error) std::rethrow_exception(found.error);
  return std::move(found.boxes);
}

/// Puts a frame in flight, for which there is room.
std::uint64_t Pipeline::put(const Picture& picture) {
  Frame& taken = frame(submitted_);
  taken.stage = Stage::submitted;
  taken.picture = picture;
  work_.notify_one();
  return submitted_++;
}

/// Waits for a frame, which nobody else does.
Found Pipeline::get(std::unique_lock<std::mutex>& lock, std::uint64_t ticket) {
  Frame& wanted = frame(ticket);
  done_.wait(lock, [&] { return wanted.stage == Stage::done; });
  wanted.stage = Stage::free;
  free_.notify_all();
  return {ticket, std::exchange(wanted.boxes, {}), std::exchange(wanted.error, {})};
}

std::array<double, kParts> Pipeline::seconds() const {
  const std::lock_guard lock(mutex_);
  return seconds_;
}

/// Does a part of a frame's work while others go on; then it is at stage `next`, with an error if that failed.
template <typename Work>
void Pipeline::advance(std::unique_lock<std::mutex>& lock, Frame& frame, Part part, Stage next, Work work) {
  lock.unlock();
  std::exception_ptr error;
  const auto begin = std::chrono::steady_clock::now();
  try {
    work();
  } catch (...) {
    error = std::current_exception();
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  lock.lock();
  seconds_[static_cast<int>(part)] += taken.count();
  frame.error = error;
  frame.stage = next;
}

/// A worker: boxes first, since a frame that is done makes room for another.
void Pipeline::work() {
  JpegReader reader;
  Resizer resizer(available_simd().back());
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return is_over_ || !computed_.empty() || prepared_ < submitted_; });
    if (is_over_) return;
    if (!computed_.empty()) {
      Frame& found = frame(computed_.front());
      computed_.pop_front();
      advance(lock, found, Part::boxes, Stage::done, [&] {
        found.boxes = decoder_.boxes(found.head.data(), found.height, found.width, options_.limits);
      });
      done_.notify_all();
    } else {
      prepare(lock, frame(prepared_++), reader, resizer);
      feed_.notify_one();
    }
  }
}

void Pipeline::prepare(std::unique_lock<std::mutex>& lock, Frame& frame, JpegReader& reader, Resizer& resizer) {
  Image image = frame.picture.image;
  if (!frame.picture.jpeg.empty()) {
    advance(lock, frame, Part::decode, Stage::submitted, [&] { image = reader.read(frame.picture.jpeg); });
  }
  frame.height = image.height;
  frame.width = image.width;
  if (frame.error) {
    frame.stage = Stage::prepared;
  } else {
    advance(lock, frame, Part::resize, Stage::prepared,
            [&] { decoder_.frame(image, resizer, device_->layout(), frame.input.data()); });
  }
}

/// Gives prepared frames to the device in their order, as many as it holds.
void Pipeline::feed() {
  std::unique_lock lock(mutex_);
  while (true) {
    feed_.wait(lock, [&] {
      const bool is_next = fed_ < submitted_ && frame(fed_).stage == Stage::prepared;
      return is_over_ || (is_next && with_device_ < device_->capacity());
    });
    if (is_over_) return;
    Frame& next = frame(fed_);
    if (!next.error) {
      advance(lock, next, Part::device, Stage::fed, [&] { device_->submit(next.input); });
      with_device_ += !next.error;
    }
    ++fed_;
    take_.notify_one();
  }
}

/// Waits for the frames that the device has.
void Pipeline::take() {
  std::unique_lock lock(mutex_);
  while (true) {
    take_.wait(lock, [&] { return is_over_ || taken_ < fed_; });
    if (is_over_) return;
    const std::uint64_t ticket = taken_++;
    Frame& next = frame(ticket);
    if (!next.error) {
      advance(lock, next, Part::device, Stage::computed, [&] { device_->wait(next.maps); });
      --with_device_;
      feed_.notify_one();
    }
    if (next.error) {
      next.stage = Stage::done;
      done_.notify_all();
    } else {
      computed_.push_back(ticket);
      work_.notify_one();
    }
  }
}

}  // namespace sterna
