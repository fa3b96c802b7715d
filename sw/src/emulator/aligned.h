// SPDX-License-Identifier: Apache-2.0
// Vectors that begin at a cache line, which a load or store of a whole line then does not cross.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace sterna {

constexpr std::size_t kLineBytes = 64;

template <typename T>
struct AlignedAllocator {
  using value_type = T;

  AlignedAllocator() = default;
  template <typename Other>
  AlignedAllocator(const AlignedAllocator<Other>&) {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{kLineBytes}));
  }
  void deallocate(T* at, std::size_t) { ::operator delete(at, std::align_val_t{kLineBytes}); }

  template <typename Other>
  bool operator==(const AlignedAllocator<Other>&) const {
    return true;
  }
};

template <typename T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace sterna
