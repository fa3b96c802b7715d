// SPDX-License-Identifier: Apache-2.0
// Images to boxes for Python, several at a time.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "detector/detector.h"
#include "device/emulator_device.h"
#include "vision.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace sterna {
namespace {

/// A detector that keeps the arrays whose pixels it looks at.
class KeepingDetector {
 public:
  KeepingDetector(const std::shared_ptr<Emulator>& emulator, std::vector<std::string> classes,
                  std::vector<std::array<double, 2>> anchors,
                  const std::string& aspect, float threshold, float overlap, int threads, int frames)
      : detector_(std::make_unique<EmulatorDevice>(emulator),
                  Decoder({{emulator, &emulator->graph()}, {"yolov2", std::move(classes), std::move(anchors), aspect}}),
                  {{threshold, overlap}, threads, frames}) {}

  bool submit(const Pixels& image) {
    if (!detector_.pipeline().submit({image_of(image)})) return false;
    kept_.push_back(image);
    return true;
  }

  std::optional<nb::tuple> wait() {
    std::optional<Found> found;
    {
      const nb::gil_scoped_release released;
      found = detector_.pipeline().wait();
    }
    if (!found) return {};
    kept_.pop_front();
    if (found->error) std::rethrow_exception(found->error);
    return arrays_of(found->boxes);
  }

  std::array<double, kParts> seconds() const { return detector_.pipeline().seconds(); }

 private:
  /// In the order of the frames; emptied after the detector has ended.
  std::deque<Pixels> kept_;
  Detector detector_;
};

}  // namespace

void add_detector(nb::module_& module) {
  nb::class_<KeepingDetector>(module, "Detector")
      .def(nb::init<const std::shared_ptr<Emulator>&, std::vector<std::string>,
                    std::vector<std::array<double, 2>>, const std::string&, float, float, int, int>(),
           "emulator"_a, "classes"_a, "anchors"_a, "aspect"_a, "threshold"_a, "overlap"_a, "threads"_a,
           "frames"_a)
      .def("submit", &KeepingDetector::submit, "image"_a.noconvert())
      .def("wait", &KeepingDetector::wait)
      .def("seconds", &KeepingDetector::seconds);
}

}  // namespace sterna
