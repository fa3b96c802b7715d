// SPDX-License-Identifier: Apache-2.0
// An engine on a PCIe card, by VFIO: registers in a base address region (BAR), memory of the host mapped by the IOMMU,
// message signalled interrupts by an event descriptor.
#pragma once

#include <cstdint>
#include <string>

#include <sterna/board.h>

#include "device/board.h"

namespace sterna {

/// As they come, for a card with Sterna's own design.
struct PcieOptions {
  /// Bytes of the host's memory that the engine may use, a multiple of 2 MiB; 0: it uses the card's own.
  std::uint64_t memory_bytes = 0;
  /// Which region holds the registers, 0 to 5, and where in it.
  unsigned bar = STERNA_PCIE_REGISTERS_BAR;
  std::uint64_t first_register = 0;
  /// Which region shows the card's own memory, from its first byte on.
  unsigned window = STERNA_PCIE_MEMORY_BAR;
};

class PcieTransport : public Board {
 public:
  /// The engine sees the host's memory from here on, above all 32-bit addresses, some of which IOMMUs keep for interrupts.
  static constexpr std::uint64_t kMemoryBase = std::uint64_t{1} << 32;

  /// address: as 0000:03:00.0.
  PcieTransport(std::string address, PcieOptions pcie = {}, BoardOptions options = {});

  void open() override;
  void close() override;
  bool wait(std::uint64_t cycles) override;

  /// The hardware keeps the caches up to date. What was written to the card is there once it has been read back.
  void sync_for_device(std::uint64_t offset, std::uint64_t bytes) override;
  void sync_for_cpu(std::uint64_t, std::uint64_t) override {}
  /// Of a VFIO file. The argument is a structure of <linux/vfio.h>, text that ends with a zero, or nothing; what the
  /// kernel writes goes there. An integer that the kernel takes in place of an address is in `number`. A negative result
  /// comes with errno.
  virtual int ioctl(int file, unsigned long request, void* argument, std::size_t bytes, unsigned long number);

 private:
  template <typename Argument>
  void command(const Descriptor& file, unsigned long request, Argument& argument, const char* what);
  void open_group();
  void open_device_file();
  void map_registers();
  void enable_bus_master();
  void map_host_memory();
  void map_card_memory();
  bool is_on_card() const { return !pcie_.memory_bytes; }
  Descriptor signal(unsigned index, const char* what);

  const PcieOptions pcie_;
  Descriptor container_, group_, device_, interrupt_, request_;
};

}  // namespace sterna
