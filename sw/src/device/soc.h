// SPDX-License-Identifier: Apache-2.0
// An engine in the fabric of a system on chip: its registers and interrupt by UIO, its memory by u-dma-buf.
#pragma once

#include <cstdint>
#include <string>

#include "device/board.h"

namespace sterna {

class SocTransport : public Board {
 public:
  /// device, memory: as /dev/uio0 and STERNA_SOC_MEMORY.
  SocTransport(std::string device, std::string memory, BoardOptions options = {});

  void open() override;
  void close() override;
  bool wait(std::uint64_t cycles) override;

  /// A new descriptor of the file where interrupts are waited for and enabled.
  virtual int open_interrupts();
  /// Writes to a file that u-dma-buf has for the memory in sysfs.
  virtual void tell(const std::string& attribute, const std::string& value);

 protected:
  void sync_for_device(std::uint64_t offset, std::uint64_t bytes) override;
  void sync_for_cpu(std::uint64_t offset, std::uint64_t bytes) override;

 private:
  void sync(const char* for_whom, int direction, std::uint64_t offset, std::uint64_t bytes);
  bool enable_interrupt();

  const std::string memory_name_;
  Descriptor device_file_, interrupts_, memory_file_;
};

}  // namespace sterna
