// SPDX-License-Identifier: Apache-2.0
#include "emulator/threads.h"

#include <unistd.h>

#include <system_error>

#include <algorithm>

namespace sterna {
namespace {

/// How often what waits looks before it sleeps: about 100 us.
constexpr int kLooks = 10000;
/// Of `run_each`: so many keep all threads busy although they end one by one.
constexpr std::size_t kPartsPerThread = 4;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <typename IsDone>
void look_for(IsDone is_done) {
  for (int look = 0; look < kLooks && !is_done(); ++look) pause();
}

}  // namespace

int threads_or_cores(int threads) {
  return threads ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Workers::Workers(int count) {
  workers_.reserve(static_cast<std::size_t>(count));
  try {
    for (int thread = 1; thread <= count; ++thread) workers_.emplace_back([this, thread] { serve(thread); });
  } catch (const std::system_error&) {
    // The system gives no more threads: those that there are, and the caller's, do the work.
  }
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  begun_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Workers::run(std::size_t parts, const std::function<void(std::size_t, int)>& part) {
  part_ = &part;
  parts_ = parts;
  next_ = 0;
  if (!workers_.empty() && parts > 1) {
    {
      const std::lock_guard lock(mutex_);
      ++round_;
      working_ = static_cast<int>(workers_.size());
    }
    begun_.notify_all();
  }
  take_parts(0);
  const auto has_ended = [this] { return working_ == 0; };
  look_for(has_ended);
  std::unique_lock lock(mutex_);
  ended_.wait(lock, has_ended);
}

void Workers::take_parts(int thread) {
  for (std::size_t number = next_++; number < parts_; number = next_++) (*part_)(number, thread);
}

void Workers::serve(int thread) {
  std::size_t seen = 0;
  const auto has_begun = [&] { return is_over_ || round_ != seen; };
  while (true) {
    look_for(has_begun);
    std::unique_lock lock(mutex_);
    begun_.wait(lock, has_begun);
    if (is_over_) return;
    seen = round_;
    lock.unlock();
    take_parts(thread);
    lock.lock();
    if (--working_ == 0) ended_.notify_one();
  }
}

Threads::Threads(int count) : count_(count), owner_(getpid()), workers_(std::make_unique<Workers>(count - 1)) {}

Threads::~Threads() {
  // To join or to wake what only the other process has would fail or wait for ever.
  if (is_forked()) static_cast<void>(workers_.release());
}

void Threads::run(std::size_t parts, const std::function<void(std::size_t, int)>& part) {
  if (!is_forked()) return workers_->run(parts, part);
  for (std::size_t number = 0; number < parts; ++number) part(number, 0);
}

void Threads::run_each(std::size_t count, const std::function<void(std::size_t)>& each) {
  const std::size_t parts = std::min(count, kPartsPerThread * static_cast<std::size_t>(count_));
  run(parts, [&](std::size_t part, int) {
    for (std::size_t number = part * count / parts; number < (part + 1) * count / parts; ++number) each(number);
  });
}

bool Threads::is_forked() const { return getpid() != owner_; }

}  // namespace sterna
