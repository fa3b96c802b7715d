// SPDX-License-Identifier: Apache-2.0
// Threads that share the parts of one piece of work after another.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace sterna {

/// `threads`, or for 0 one per core.
int threads_or_cores(int threads);

/// Threads beside the caller's, which wait for work. What waits, here or there, first looks for a while and then sleeps:
/// to be woken takes as long as some pieces of work.
class Workers {
 public:
  /// `count` of them, or as many as the system gives.
  explicit Workers(int count);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

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
  /// Written under the mutex.
  std::atomic<std::size_t> round_ = 0;
  std::atomic<int> working_ = 0;
  std::atomic<bool> is_over_ = false;
};

class Threads {
 public:
  /// `count` threads, the caller's among them; at least 1.
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  int count() const { return count_; }

  /// As that of `Workers`. In a process that was forked since, where no other thread is left, the caller does it all.
  void run(std::size_t parts, const std::function<void(std::size_t, int)>& part);
  /// Calls `each(number)` for each number below `count`, in few parts: to take one costs as much as a short call.
  void run_each(std::size_t count, const std::function<void(std::size_t)>& each);

 private:
  bool is_forked() const;

  int count_;
  pid_t owner_;
  std::unique_ptr<Workers> workers_;
};

}  // namespace sterna
