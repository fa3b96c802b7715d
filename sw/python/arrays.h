// SPDX-License-Identifier: Apache-2.0
// Arrays that come from Python and go there.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace sterna {

template <typename Value, int dimensions>
using Array = nanobind::ndarray<const Value, nanobind::ndim<dimensions>, nanobind::c_contig, nanobind::device::cpu>;

/// A new array of the values and the shape, made of `values`.
template <typename Value, std::size_t dimensions>
nanobind::ndarray<nanobind::numpy, Value, nanobind::ndim<dimensions>> moved(
    std::vector<Value> values, const std::array<std::size_t, dimensions>& shape) {
  auto held = std::make_unique<std::vector<Value>>(std::move(values));
  Value* data = held->data();
  nanobind::capsule owner(held.get(), [](void* vector) noexcept { delete static_cast<std::vector<Value>*>(vector); });
  held.release();
  return {data, dimensions, shape.data(), owner};
}

/// Adds to the module what the other files define.
void add_tape(nanobind::module_& module);
void add_engine(nanobind::module_& module);
void add_detector(nanobind::module_& module);
void add_vision(nanobind::module_& module);

}  // namespace sterna
