// SPDX-License-Identifier: Apache-2.0
// Threads that share the parts of one piece of work after another.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace sterna {

class Threads {
 public:
  /// `count` threads, the caller's among them; at least 1.
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  int count() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls `part(number, thread)` for each number below `parts`, at most one at a time on each thread, and returns when
  /// all have ended. The parts must not throw.
  void run(std::size_t parts, const std::function<void(std::size_t, int)>& part);

 private:
  void serve(int thread);
  void take_parts(int thread);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable begun_, ended_;
  const std::function<void(std::size_t, int)>* part_ = nullptr;
  std::size_t parts_ = 0;
  std::atomic<std::size_t> next_ = 0;
  std::size_t round_ = 0;
  int working_ = 0;
  bool is_over_ = false;
};

}  // namespace sterna
