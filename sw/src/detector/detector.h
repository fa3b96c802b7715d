// SPDX-License-Identifier: Apache-2.0
// A pipeline that its process alone uses.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "detector/pipeline.h"
#include "error.h"

namespace sterna {

/// A process that was forked has none of the pipeline's threads: there it is refused, and never closed.
class Detector {
 public:
  Detector(std::unique_ptr<Device> device, Decoder decoder, const PipelineOptions& options)
      : owner_(getpid()), pipeline_(std::make_unique<Pipeline>(std::move(device), std::move(decoder), options)) {}
  ~Detector() {
    if (getpid() != owner_) static_cast<void>(pipeline_.release());
  }
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;

  Pipeline& pipeline() const {
    if (getpid() != owner_) refuse({"detector", "belongs to another process", "", "", "open it after the fork"});
    return *pipeline_;
  }

 private:
  pid_t owner_;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace sterna
