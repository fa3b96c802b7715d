// SPDX-License-Identifier: Apache-2.0
// The C functions of sterna.h: they check their arguments, and turn what the library throws into results.
#include <sterna.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "detector/detector.h"
#include "device/open.h"
#include "emulator/emulator.h"
#include "emulator/threads.h"
#include "error.h"
#include "package/package.h"

struct sterna_package {
  sterna::Package package;
};

struct sterna_emulator {
  sterna::Emulator emulator;
};

struct sterna_detector {
  std::vector<std::string> classes;
  sterna::Detector detector;
};

namespace {

thread_local std::string last_error;

/// A wrong call, which is no fault of a file.
class BadCall : public std::exception {
 public:
  explicit BadCall(std::string text) : text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

void require(bool holds, const char* call, const std::string& rule) {
  if (!holds) throw BadCall(std::string(call) + ": " + rule);
}

sterna_result failed(sterna_result result, const char* text) noexcept {
  try {
    last_error = text;
  } catch (...) {
    last_error.clear();
  }
  return result;
}

/// Runs `call`; what it throws becomes a result and a text.
template <typename Call>
sterna_result guarded(Call call) noexcept {
  try {
    call();
    return STERNA_OK;
  } catch (const BadCall& error) {
    return failed(STERNA_BAD_CALL, error.what());
  } catch (const sterna::Error& error) {
    return failed(STERNA_REFUSED, error.what());
  } catch (const std::bad_alloc&) {
    return failed(STERNA_NO_MEMORY, sterna_result_text(STERNA_NO_MEMORY));
  } catch (const std::exception& error) {
    return failed(STERNA_FAILED, error.what());
  } catch (...) {
    return failed(STERNA_FAILED, sterna_result_text(STERNA_FAILED));
  }
}

sterna::Picture picture_of(const sterna_image* image, const char* call) {
  require(image && image->pixels, call, "image and its pixels must not be null");
  require(image->order >= STERNA_RGB && image->order <= STERNA_JPEG, call,
          "order = " + std::to_string(image->order) + "; allowed: those of sterna_pixels");
  if (image->order == STERNA_JPEG) {
    require(image->bytes > 0, call, "bytes = 0; allowed: those of a JPEG file");
    return {{}, {image->pixels, image->bytes}};
  }
  sterna::Image made{image->pixels, image->height, image->width, image->stride,
                     static_cast<sterna::PixelOrder>(image->order)};
  if (made.stride == 0) made.stride = made.row_bytes();
  require(made.stride >= made.row_bytes(), call,
          "stride = " + std::to_string(made.stride) + "; allowed: 0, or at least " + std::to_string(made.row_bytes()));
  return {made};
}

void write(const std::vector<sterna::Box>& found, sterna_box* boxes, size_t* count) {
  for (const sterna::Box& box : found) {
    const auto& [left, top, right, bottom] = box.sides;
    *boxes++ = {left, top, right, bottom, box.score, box.kind};
  }
  *count = found.size();
}

}  // namespace

const char* sterna_version(void) { return STERNA_VERSION; }

const char* sterna_result_text(sterna_result result) {
  switch (result) {
    case STERNA_OK: return "no error";
    case STERNA_REFUSED: return "a file or a value in it is not as it should be";
    case STERNA_BAD_CALL: return "the call is wrong";
    case STERNA_NO_MEMORY: return "there is not enough memory";
    case STERNA_FAILED: return "a fault of the library or the system";
    case STERNA_FULL: return "as many frames are in flight as there may be";
    case STERNA_EMPTY: return "no frame is in flight";
  }
  return "an unknown result";
}

const char* sterna_last_error(void) { return last_error.c_str(); }

sterna_result sterna_package_open(const char* path, sterna_package** package) {
  return guarded([&] {
    require(path && package, "sterna_package_open", "path and package must not be null");
    *package = new sterna_package{sterna::load_package(path)};
  });
}

sterna_result sterna_package_open_signed(const char* path, const char* public_key, sterna_package** package) {
  return guarded([&] {
    require(path && public_key && package, "sterna_package_open_signed", "path, public_key and package must not be null");
    *package = new sterna_package{sterna::load_signed_package(path, public_key)};
  });
}

sterna_result sterna_package_read(const void* data, size_t bytes, sterna_package** package) {
  return guarded([&] {
    require((data || !bytes) && package, "sterna_package_read", "data and package must not be null");
    *package = new sterna_package{sterna::read_package({static_cast<const std::uint8_t*>(data), bytes}, "package")};
  });
}

void sterna_package_close(sterna_package* package) { delete package; }

size_t sterna_package_layers(const sterna_package* package) { return package ? package->package.graph->layers().size() : 0; }

sterna_result sterna_package_layer(const sterna_package* package, size_t index, sterna_layer* layer) {
  return guarded([&] {
    require(package && layer, "sterna_package_layer", "package and layer must not be null");
    const sterna::Graph& graph = *package->package.graph;
    require(index < graph.layers().size(), "sterna_package_layer",
            "index = " + std::to_string(index) + "; allowed: below " + std::to_string(graph.layers().size()));
    const sterna::Layer& found = graph.layers()[index];
    const sterna::TensorInfo& map = graph.tensor(index);
    *layer = {found.name.c_str(), map.channels, map.height, map.width, map.zero_point, map.scale,
              std::holds_alternative<sterna::Input>(found.operation),
              std::holds_alternative<sterna::Output>(found.operation)};
  });
}

sterna_result sterna_emulator_open(const sterna_package* package, const size_t* layers, size_t count, int32_t threads,
                                   sterna_emulator** emulator) {
  return guarded([&] {
    require(package && (layers || !count) && emulator, "sterna_emulator_open",
            "package, layers and emulator must not be null");
    require(threads >= 0 && threads <= sterna::Emulator::kMostThreads, "sterna_emulator_open",
            "threads = " + std::to_string(threads) + "; allowed: 0 .. " + std::to_string(sterna::Emulator::kMostThreads));
    const std::vector<std::size_t> kept(layers, layers + count);
    for (std::size_t layer : kept) {
      require(layer < package->package.graph->layers().size(), "sterna_emulator_open",
              "layer = " + std::to_string(layer) + "; allowed: below " +
                  std::to_string(package->package.graph->layers().size()));
    }
    *emulator = new sterna_emulator{
        {package->package.graph, kept, sterna::threads_or_cores(threads), sterna::available_simd().back()}};
  });
}

sterna_result sterna_emulator_run(sterna_emulator* emulator, const int8_t* image, size_t bytes, int8_t* const* maps) {
  return guarded([&] {
    require(emulator && image && maps, "sterna_emulator_run", "emulator, image and maps must not be null");
    const sterna::Graph& graph = emulator->emulator.graph();
    const std::size_t size = graph.tensor(graph.input()).size(), count = emulator->emulator.kept().size();
    require(bytes == size, "sterna_emulator_run",
            "the image has " + std::to_string(bytes) + " bytes; allowed: " + std::to_string(size));
    for (std::size_t map = 0; map < count; ++map) {
      require(maps[map], "sterna_emulator_run", "map " + std::to_string(map) + " must not be null");
    }
    emulator->emulator.run(image, {maps, count});
  });
}

void sterna_emulator_close(sterna_emulator* emulator) { delete emulator; }

void sterna_detector_defaults(sterna_detector_options* options) {
  const sterna::PipelineOptions defaults;
  if (!options) return;
  *options = {"emulator:",       defaults.limits.threshold, defaults.limits.overlap,
              STERNA_AS_PACKAGE, defaults.threads,          defaults.frames};
}

sterna_result sterna_detector_open(const sterna_package* package, const sterna_detector_options* options,
                                   sterna_detector** detector) {
  return guarded([&] {
    sterna_detector_options wanted;
    sterna_detector_defaults(&wanted);
    if (options) wanted = *options;
    require(package && wanted.device && detector, "sterna_detector_open",
            "package, device and detector must not be null");
    require(wanted.aspect >= STERNA_AS_PACKAGE && wanted.aspect <= STERNA_LETTERBOX, "sterna_detector_open",
            "aspect = " + std::to_string(wanted.aspect) + "; allowed: those of sterna_aspect");
    std::optional<sterna::Aspect> aspect;
    if (wanted.aspect == STERNA_STRETCH) aspect = sterna::Aspect::stretch;
    if (wanted.aspect == STERNA_LETTERBOX) aspect = sterna::Aspect::letterbox;
    sterna::Decoder decoder(package->package, aspect);
    const std::vector<std::string> classes = decoder.classes();
    *detector = new sterna_detector{classes,
                                    {sterna::open_device(wanted.device, package->package), std::move(decoder),
                                     {{wanted.threshold, wanted.overlap}, wanted.threads, wanted.frames}}};
  });
}

size_t sterna_detector_classes(const sterna_detector* detector) {
  return detector ? detector->classes.size() : 0;
}

const char* sterna_detector_class(const sterna_detector* detector, size_t kind) {
  return kind < sterna_detector_classes(detector) ? detector->classes[kind].c_str() : nullptr;
}

sterna_result sterna_detector_submit(sterna_detector* detector, const sterna_image* image, uint64_t* ticket) {
  bool is_full = false;
  const sterna_result result = guarded([&] {
    require(detector, "sterna_detector_submit", "detector must not be null");
    const std::optional<std::uint64_t> taken =
        detector->detector.pipeline().submit(picture_of(image, "sterna_detector_submit"));
    is_full = !taken;
    if (ticket && taken) *ticket = *taken;
  });
  return is_full ? STERNA_FULL : result;
}

sterna_result sterna_detector_wait(sterna_detector* detector, sterna_box* boxes, size_t* count, uint64_t* ticket) {
  bool is_empty = false;
  const sterna_result result = guarded([&] {
    require(detector && boxes && count, "sterna_detector_wait", "detector, boxes and count must not be null");
    const std::optional<sterna::Found> found = detector->detector.pipeline().wait();
    is_empty = !found;
    if (!found) return;
    if (ticket) *ticket = found->ticket;
    if (found->error) std::rethrow_exception(found->error);
    write(found->boxes, boxes, count);
  });
  return is_empty ? STERNA_EMPTY : result;
}

sterna_result sterna_detector_run(sterna_detector* detector, const sterna_image* image, sterna_box* boxes,
                                  size_t* count) {
  return guarded([&] {
    require(detector && boxes && count, "sterna_detector_run", "detector, boxes and count must not be null");
    const std::optional<std::vector<sterna::Box>> found =
        detector->detector.pipeline().run(picture_of(image, "sterna_detector_run"));
    require(found.has_value(), "sterna_detector_run", "frames are in flight; wait for them first");
    write(*found, boxes, count);
  });
}

void sterna_detector_close(sterna_detector* detector) { delete detector; }
