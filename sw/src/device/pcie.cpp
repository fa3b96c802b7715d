// SPDX-License-Identifier: Apache-2.0
#include "device/pcie.h"

#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sterna/registers.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "error.h"

namespace sterna {
namespace {

constexpr std::uint64_t kRegisters = std::uint64_t{1} << STERNA_REGISTER_ADDR_W;
constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20, kMostMemory = std::uint64_t{1} << 36;
constexpr const char* kBind = "bind the device to vfio-pci, and allow yourself its group in /dev/vfio";

/// A vfio_irq_set and the event descriptor that it ends with.
using SetEvent = std::array<std::uint8_t, sizeof(vfio_irq_set) + sizeof(std::int32_t)>;

/// Signals an event descriptor when interrupt 0 of an index comes.
SetEvent set_event(unsigned index, std::int32_t event) {
  vfio_irq_set header{};
  header.argsz = sizeof(SetEvent);
  header.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
  header.index = index;
  header.count = 1;
  SetEvent set;
  std::memcpy(set.data(), &header, sizeof header);
  std::memcpy(set.data() + sizeof header, &event, sizeof event);
  return set;
}

}  // namespace

PcieTransport::PcieTransport(std::string address, PcieOptions pcie, BoardOptions options)
    : Board(std::move(address), std::move(options)), pcie_(pcie) {
  if (pcie_.memory_bytes % kHugePage || pcie_.memory_bytes > kMostMemory) {
    refuse({name_, "bad size of the memory", "memory = " + std::to_string(pcie_.memory_bytes) + " bytes",
            "0 for the card's own, or 2 MiB .. 64 GiB in steps of 2 MiB", "choose one of these"});
  }
  for (const auto& [what, region] : {std::pair{"bar", pcie_.bar}, std::pair{"window", pcie_.window}}) {
    if (region <= VFIO_PCI_BAR5_REGION_INDEX) continue;
    refuse({name_, "there is no such region", std::string(what) + " = " + std::to_string(region), "0 .. 5",
            "choose one of these"});
  }
}

void PcieTransport::open() {
  close();
  try {
    open_group();
    open_device_file();
    map_registers();
    enable_bus_master();
    is_on_card() ? map_card_memory() : map_host_memory();
    interrupt_ = signal(VFIO_PCI_MSI_IRQ_INDEX, "its message signalled interrupts cannot be had");
    request_ = signal(VFIO_PCI_REQ_IRQ_INDEX, "the kernel cannot ask for it back");
  } catch (...) {
    close();
    throw;
  }
}

/// The kernel stops the device, unmaps its memory and resets it when its file is closed.
void PcieTransport::close() {
  device_.reset();
  group_.reset();
  container_.reset();
  interrupt_.reset();
  request_.reset();
  Board::close();
}

bool PcieTransport::wait(std::uint64_t cycles) {
  require_open();
  const int which = wait_for(name_, {request_.get(), interrupt_.get()}, time_of(cycles, options_.mhz));
  if (which < 0) return false;
  if (which == 0) refuse({name_, "the system takes the device away", "", "", "close it, and open it again when it is back"});
  std::uint64_t count = 0;
  return read(interrupt_.get(), &count, sizeof count) == sizeof count;
}

int PcieTransport::ioctl(int file, unsigned long request, void* argument, std::size_t, unsigned long number) {
  return argument ? ::ioctl(file, request, argument) : ::ioctl(file, request, number);
}

template <typename Argument>
void PcieTransport::command(const Descriptor& file, unsigned long request, Argument& argument, const char* what) {
  if (ioctl(file.get(), request, &argument, sizeof argument, 0) < 0) refuse_errno(name_, what, kBind);
}

void PcieTransport::open_group() {
  const std::string group = link_name(path("/sys/bus/pci/devices/" + name_ + "/iommu_group"));
  if (group.empty()) {
    refuse({name_, "is no PCIe device that an IOMMU guards", "", "an address as 0000:03:00.0",
            "check it with lspci -D, and that the IOMMU is enabled"});
  }
  container_ = Descriptor(::open(path("/dev/vfio/vfio").c_str(), O_RDWR | O_CLOEXEC));
  if (!container_) refuse_errno("/dev/vfio/vfio", "cannot be opened", kBind);
  const int version = ioctl(container_.get(), VFIO_GET_API_VERSION, nullptr, 0, 0);
  const bool has_iommu = ioctl(container_.get(), VFIO_CHECK_EXTENSION, nullptr, 0, VFIO_TYPE1v2_IOMMU) > 0;
  if (version != VFIO_API_VERSION || !has_iommu) {
    refuse({name_, "the kernel's VFIO is another one", "version = " + std::to_string(version),
            std::to_string(VFIO_API_VERSION) + ", with an IOMMU of type 1v2", "use a kernel with it"});
  }
  group_ = open_alone(path("/dev/vfio/" + group));
  vfio_group_status status{};
  status.argsz = sizeof status;
  command(group_, VFIO_GROUP_GET_STATUS, status, "its group cannot be asked");
  if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
    refuse({name_, "a device of its group " + group + " has another driver", "", "", "bind all of them to vfio-pci"});
  }
  std::int32_t container = container_.get();
  command(group_, VFIO_GROUP_SET_CONTAINER, container, "its group cannot be used");
  if (ioctl(container_.get(), VFIO_SET_IOMMU, nullptr, 0, VFIO_TYPE1v2_IOMMU) < 0) {
    refuse_errno(name_, "the IOMMU cannot be used", kBind);
  }
}

void PcieTransport::open_device_file() {
  std::string text = name_;
  device_ = Descriptor(ioctl(group_.get(), VFIO_GROUP_GET_DEVICE_FD, text.data(), text.size() + 1, 0));
  if (!device_) refuse_errno(name_, "cannot be opened", kBind);
  vfio_device_info info{};
  info.argsz = sizeof info;
  command(device_, VFIO_DEVICE_GET_INFO, info, "cannot be asked what it is");
  if (!(info.flags & VFIO_DEVICE_FLAGS_PCI)) refuse({name_, "is no PCIe device", "", "", "name one"});
  if (!(info.flags & VFIO_DEVICE_FLAGS_RESET)) return;
  if (ioctl(device_.get(), VFIO_DEVICE_RESET, nullptr, 0, 0) < 0) {
    refuse_errno(name_, "cannot be reset", "power the board off and on");
  }
}

void PcieTransport::map_registers() {
  vfio_region_info region{};
  region.argsz = sizeof region;
  region.index = pcie_.bar;
  command(device_, VFIO_DEVICE_GET_REGION_INFO, region, "its regions cannot be asked");
  first_register_ = pcie_.first_register;
  const bool fits = region.size >= kRegisters && first_register_ <= region.size - kRegisters && first_register_ % 4 == 0;
  if (!(region.flags & VFIO_REGION_INFO_FLAG_MMAP) || !fits) {
    refuse({name_, "region " + std::to_string(pcie_.bar) + " does not hold the engine's registers",
            "bytes = " + std::to_string(region.size),
            "at least " + std::to_string(kRegisters) + " from byte " + std::to_string(first_register_) + " on",
            "choose another region or first register"});
  }
  registers_ = Mapping(name_, device_.get(), region.offset, region.size);
}

/// Lets the device read and write memory, and send interrupts.
void PcieTransport::enable_bus_master() {
  vfio_region_info config{};
  config.argsz = sizeof config;
  config.index = VFIO_PCI_CONFIG_REGION_INDEX;
  command(device_, VFIO_DEVICE_GET_REGION_INFO, config, "its configuration space cannot be asked");
  const auto place = static_cast<off_t>(config.offset + PCI_COMMAND);
  std::uint16_t bits = 0;
  bool is_done = pread(device_.get(), &bits, sizeof bits, place) == sizeof bits;
  bits |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
  is_done = is_done && pwrite(device_.get(), &bits, sizeof bits, place) == sizeof bits;
  if (!is_done) refuse_errno(name_, "its configuration space cannot be written", kBind);
}

void PcieTransport::map_card_memory() {
  vfio_region_info region{};
  region.argsz = sizeof region;
  region.index = pcie_.window;
  command(device_, VFIO_DEVICE_GET_REGION_INFO, region, "its regions cannot be asked");
  if (!(region.flags & VFIO_REGION_INFO_FLAG_MMAP) || !region.size) {
    refuse({name_, "region " + std::to_string(pcie_.window) + " does not show the card's memory",
            "bytes = " + std::to_string(region.size), "", "name the right one by window, or give it memory of the host"});
  }
  memory_base = STERNA_PCIE_MEMORY;
  memory_bytes = region.size;
  memory_ = Mapping(name_, device_.get(), region.offset, region.size);
}

void PcieTransport::sync_for_device(std::uint64_t offset, std::uint64_t bytes) {
  if (is_on_card() && bytes) read_register(memory_, (offset + bytes - 1) / 4 * 4);
}

void PcieTransport::map_host_memory() {
  memory_base = kMemoryBase;
  memory_bytes = pcie_.memory_bytes;
  memory_ = Mapping("memory for " + name_, -1, 0, memory_bytes);
  vfio_iommu_type1_dma_map map{};
  map.argsz = sizeof map;
  map.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
  map.vaddr = reinterpret_cast<std::uintptr_t>(memory_.data());
  map.iova = memory_base;
  map.size = memory_bytes;
  if (ioctl(container_.get(), VFIO_IOMMU_MAP_DMA, &map, sizeof map, 0) < 0) {
    refuse_errno(name_, "the IOMMU does not map its memory", "raise the limit of locked memory (ulimit -l), or ask for less");
  }
}

Descriptor PcieTransport::signal(unsigned index, const char* what) {
  vfio_irq_info info{};
  info.argsz = sizeof info;
  info.index = index;
  command(device_, VFIO_DEVICE_GET_IRQ_INFO, info, what);
  if (!info.count || !(info.flags & VFIO_IRQ_INFO_EVENTFD)) refuse({name_, what, "", "", "correct the board's design"});
  Descriptor event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) refuse_errno(name_, what, "close other programs");
  SetEvent set = set_event(index, event.get());
  command(device_, VFIO_DEVICE_SET_IRQS, set, what);
  return event;
}

}  // namespace sterna
