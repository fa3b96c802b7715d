// SPDX-License-Identifier: Apache-2.0
// libsterna in C++: the handles of sterna.h as objects that close themselves, and refusals as exceptions.
#pragma once

#include <sterna.h>

#include <cstdint>
#include <memory>
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

}  // namespace sterna::inline client
