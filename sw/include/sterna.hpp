// SPDX-License-Identifier: Apache-2.0
// libsterna in C++: the handles of sterna.h as objects that close themselves, and refusals as exceptions.
#pragma once

#include <sterna.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

// The names of the library's own sources stay apart from these.
namespace sterna::inline client {

/// A call that failed; `what()` says what is wrong, where, and how to put it right.
class Error : public std::runtime_error {
 public:
  explicit Error(sterna_result result) : std::runtime_error(sterna_last_error()), result(result) {}

  const sterna_result result;
};

inline void check(sterna_result result) {
  if (result != STERNA_OK) throw Error(result);
}

struct Close {
  void operator()(sterna_package* package) const { sterna_package_close(package); }
  void operator()(sterna_emulator* emulator) const { sterna_emulator_close(emulator); }
  void operator()(sterna_detector* detector) const { sterna_detector_close(detector); }
};

/// A package that was read. Moves, and may be shared by threads.
class Package {
 public:
  /// Reads the file `path`.
  explicit Package(const std::string& path) {
    sterna_package* opened = nullptr;
    check(sterna_package_open(path.c_str(), &opened));
    handle_.reset(opened);
  }

  /// Reads the file `path`, which must be signed with the key that belongs to `public_key`.
  Package(const std::string& path, const std::string& public_key) {
    sterna_package* opened = nullptr;
    check(sterna_package_open_signed(path.c_str(), public_key.c_str(), &opened));
    handle_.reset(opened);
  }

  /// All layers, in the order in which they are computed. Their names are there as long as the package.
  std::vector<sterna_layer> layers() const {
    std::vector<sterna_layer> all(sterna_package_layers(get()));
    for (std::size_t index = 0; index < all.size(); ++index) check(sterna_package_layer(get(), index, &all[index]));
    return all;
  }

  const sterna_package* get() const { return handle_.get(); }

 private:
  std::unique_ptr<sterna_package, Close> handle_;
};

/// Executes a package's graph on this machine. Moves, and may be shared by threads.
class Emulator {
 public:
  using Map = std::vector<std::int8_t>;

  /// layers: indices of those whose maps `run` gives. threads: 0 for one per core.
  Emulator(const Package& package, const std::vector<std::size_t>& layers, int threads = 0) {
    for (std::size_t index : layers) {
      sterna_layer layer{};
      check(sterna_package_layer(package.get(), index, &layer));
      sizes_.push_back(std::size_t{1} * layer.channels * layer.height * layer.width);
    }
    sterna_emulator* opened = nullptr;
    check(sterna_emulator_open(package.get(), layers.data(), layers.size(), threads, &opened));
    handle_.reset(opened);
  }

  /// The maps int8 [channels][height][width] of an image of the same form, each value of 0 .. 255 less 128.
  std::vector<Map> run(const Map& image) const {
    std::vector<Map> maps;
    std::vector<std::int8_t*> places;
    for (std::size_t size : sizes_) places.push_back(maps.emplace_back(size).data());
    check(sterna_emulator_run(handle_.get(), image.data(), image.size(), places.data()));
    return maps;
  }

 private:
  std::vector<std::size_t> sizes_;
  std::unique_ptr<sterna_emulator, Close> handle_;
};

/// How a detector works, with the defaults to begin with.
struct DetectorOptions : sterna_detector_options {
  DetectorOptions() { sterna_detector_defaults(this); }
};

/// Finds objects in images, several at a time. Moves, and may be shared by threads.
class Detector {
 public:
  explicit Detector(const Package& package, const DetectorOptions& options = {}) {
    sterna_detector* opened = nullptr;
    check(sterna_detector_open(package.get(), &options, &opened));
    handle_.reset(opened);
  }

  /// The names of the classes, by `sterna_box::kind`.
  std::vector<std::string> classes() const {
    std::vector<std::string> names;
    for (std::size_t kind = 0; kind < sterna_detector_classes(get()); ++kind) {
      names.emplace_back(sterna_detector_class(get(), kind));
    }
    return names;
  }

  /// Puts a frame in flight, whose pixels stay as they are until `wait` has given it; false if there is no room.
  bool submit(const sterna_image& image) const { return !is(STERNA_FULL, sterna_detector_submit(get(), &image, nullptr)); }

  /// The boxes of the oldest frame in flight, best first; none if no frame is. Throws if this frame failed.
  std::optional<std::vector<sterna_box>> wait() const {
    std::vector<sterna_box> boxes(STERNA_MOST_BOXES);
    std::size_t count = 0;
    if (is(STERNA_EMPTY, sterna_detector_wait(get(), boxes.data(), &count, nullptr))) return {};
    boxes.resize(count);
    return boxes;
  }

  /// The boxes of one image, best first, while no other frame is in flight.
  std::vector<sterna_box> run(const sterna_image& image) const {
    std::vector<sterna_box> boxes(STERNA_MOST_BOXES);
    std::size_t count = 0;
    check(sterna_detector_run(get(), &image, boxes.data(), &count));
    boxes.resize(count);
    return boxes;
  }

  sterna_detector* get() const { return handle_.get(); }

 private:
  static bool is(sterna_result expected, sterna_result found) {
    if (found != expected) check(found);
    return found == expected;
  }

  std::unique_ptr<sterna_detector, Close> handle_;
};

}  // namespace sterna::inline client
