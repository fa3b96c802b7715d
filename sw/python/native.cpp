// SPDX-License-Identifier: Apache-2.0
// The module sterna._native: libsterna for Python. Its types are written down in python/sterna/_native.pyi.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "emulator/emulator.h"
#include "error.h"
#include "graph/graph.h"
#include "package/package.h"
#include "package/signature.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace sterna {
namespace {

using Bytes = Array<std::int8_t, 4>;
using Table = Array<std::int8_t, 2>;
using Integers = Array<std::int64_t, 1>;
using Maps = nb::ndarray<nb::numpy, std::int8_t, nb::ndim<4>>;

template <typename Values>
auto copied(const Values& array) {
  return std::vector(array.data(), array.data() + array.size());
}

Input make_input(int channels, int height, int width, double scale, int zero_point, const Table& table) {
  return {channels, height, width, scale, zero_point, copied(table)};
}

Conv make_conv(const Bytes& weights, int stride, std::array<int, 4> padding, Requant requant, double scale,
               int zero_point, int groups) {
  if (weights.shape(2) != weights.shape(3)) refuse({"weights", "have a kernel that is not square", "", "", ""});
  return {static_cast<int>(weights.shape(0)), static_cast<int>(weights.shape(1)), static_cast<int>(weights.shape(2)),
          copied(weights), stride, padding, std::move(requant), scale, zero_point, groups};
}

Add make_add(Requant requant, double scale, int zero_point, std::array<int, 2> weights) {
  return {std::move(requant), scale, zero_point, weights};
}

Requant make_requant(const Integers& multiplier, const Integers& bias, int shift, Activation activation,
                     std::optional<std::array<int, 2>> clamp, bool half_even) {
  return {copied(multiplier), copied(bias), shift, activation, clamp, half_even};
}

using LayerOf = std::pair<std::vector<std::string>, Operation>;

std::shared_ptr<Graph> make_graph(std::vector<std::pair<std::string, LayerOf>> layers, int act_bits, int acc_bits) {
  std::vector<Layer> made;
  for (auto& [name, layer] : layers) made.push_back({name, std::move(layer.first), std::move(layer.second)});
  return std::make_shared<Graph>(std::move(made), act_bits, acc_bits);
}

std::shared_ptr<const Graph> package_graph(const nb::bytes& data, const std::string& where) {
  const auto* bytes = static_cast<const std::uint8_t*>(data.data());
  const std::size_t size = data.size();
  const nb::gil_scoped_release released;
  return read_package({bytes, size}, where).graph;
}

void check_bytes_signature(const nb::bytes& data, const std::string& signature, const std::string& public_key) {
  check_signature({static_cast<const std::uint8_t*>(data.data()), data.size()}, signature, public_key);
}

std::unique_ptr<Emulator> make_emulator(std::shared_ptr<Graph> graph, const std::vector<std::string>& layers,
                                        int threads, Simd simd) {
  std::vector<std::size_t> kept;
  for (const std::string& name : layers) kept.push_back(graph->find(name));
  const nb::gil_scoped_release released;
  return std::make_unique<Emulator>(std::move(graph), std::move(kept), threads, simd);
}

/// A new array int8 [images, *tensor].
Maps new_maps(std::size_t images, const TensorInfo& tensor) {
  auto data = std::make_unique<std::int8_t[]>(images * tensor.size());
  nb::capsule owner(data.get(), [](void* held) noexcept { delete[] static_cast<std::int8_t*>(held); });
  const std::size_t shape[] = {images, static_cast<std::size_t>(tensor.channels),
                               static_cast<std::size_t>(tensor.height), static_cast<std::size_t>(tensor.width)};
  return Maps(data.release(), 4, shape, owner);
}

std::vector<Maps> run(Emulator& emulator, const Bytes& images) {
  const TensorInfo& input = emulator.graph().tensor(emulator.graph().input());
  const auto fits = [&](std::size_t axis, int size) { return images.shape(axis) == static_cast<std::size_t>(size); };
  if (!fits(1, input.channels) || !fits(2, input.height) || !fits(3, input.width)) {
    refuse({"images", "do not fit the graph's Input", "", "", "resize them"});
  }
  std::vector<Maps> made;
  for (std::size_t layer : emulator.kept()) made.push_back(new_maps(images.shape(0), emulator.graph().tensor(layer)));
  std::vector<std::int8_t*> places(made.size());
  const nb::gil_scoped_release released;
  for (std::size_t image = 0; image < images.shape(0); ++image) {
    for (std::size_t place = 0; place < made.size(); ++place) {
      places[place] = made[place].data() + image * emulator.graph().tensor(emulator.kept()[place]).size();
    }
    emulator.run(images.data() + image * input.size(), places);
  }
  return made;
}

}  // namespace
}  // namespace sterna

NB_MODULE(_native, module) {
  using namespace sterna;
  // Refusals of the library are SternaErrors.
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Error& error) {
      PyErr_SetString(nb::module_::import_("sterna.errors").attr("SternaError").ptr(), error.what());
    }
  });

  nb::enum_<Activation>(module, "Activation")
      .value("LINEAR", Activation::linear)
      .value("RELU", Activation::relu)
      .value("LEAKY", Activation::leaky);
  nb::enum_<Simd>(module, "Simd")
      .value("SCALAR", Simd::scalar)
      .value("AVX2", Simd::avx2)
      .value("AVX512", Simd::avx512)
      .value("NEON", Simd::neon);
  module.def("available_simd", &available_simd);
  nb::class_<Requant>(module, "Requant")
      .def(nb::new_(&make_requant), "multiplier"_a, "bias"_a, "shift"_a, "activation"_a,
           "clamp"_a.none(), "half_even"_a);
  nb::class_<Input>(module, "Input")
      .def(nb::new_(&make_input), "channels"_a, "height"_a, "width"_a, "scale"_a, "zero_point"_a, "table"_a);
  nb::class_<Conv>(module, "Conv")
      .def(nb::new_(&make_conv), "weights"_a, "stride"_a, "padding"_a, "requant"_a, "scale"_a,
           "zero_point"_a, "groups"_a);
  nb::class_<MaxPool>(module, "MaxPool")
      .def(nb::init<int, int, std::array<int, 4>>(), "stride"_a, "kernel"_a, "padding"_a);
  nb::class_<Reorg>(module, "Reorg").def(nb::init<>());
  nb::class_<Concat>(module, "Concat").def(nb::init<>());
  nb::class_<Add>(module, "Add")
      .def(nb::new_(&make_add), "requant"_a, "scale"_a, "zero_point"_a, "weights"_a);
  nb::class_<Output>(module, "Output").def(nb::init<>());
  nb::class_<Graph>(module, "Graph")
      .def(nb::new_(&make_graph), "layers"_a, "act_bits"_a, "acc_bits"_a);
  module.def("check_signature", &check_bytes_signature, "data"_a, "signature"_a, "public_key"_a);
  module.def("package_graph", &package_graph, "data"_a, "where"_a);
  nb::class_<Emulator>(module, "Emulator")
      .def(nb::new_(&make_emulator), "graph"_a, "layers"_a, "threads"_a, "simd"_a)
      .def("run", &run, "images"_a);
  add_tape(module);
  add_engine(module);
  add_detector(module);
  add_vision(module);
}
