// SPDX-License-Identifier: Apache-2.0
// The driver of engines and its transports, for Python.
#include "device/engine.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <nanobind/trampoline.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "device/pcie.h"
#include "device/simulation.h"
#include "device/soc.h"
#include "error.h"
#include "package/program_records.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace sterna {
namespace {

template <typename Element>
using Region = nb::ndarray<const Element, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <typename Element>
using Map = nb::ndarray<nb::numpy, Element, nb::ndim<3>>;

std::span<const std::uint8_t> span_of(const nb::bytes& data) {
  return {static_cast<const std::uint8_t*>(data.data()), data.size()};
}

/// A transport that is written in Python, or derived there from one of the library's.
class PythonTransport : public Transport {
 public:
  NB_TRAMPOLINE(Transport);
  void open() override { NB_OVERRIDE_PURE(open); }
  void close() override { NB_OVERRIDE_PURE(close); }
  std::uint32_t read32(std::uint32_t address) override { NB_OVERRIDE_PURE(read32, address); }
  void write32(std::uint32_t address, std::uint32_t value) override { NB_OVERRIDE_PURE(write32, address, value); }
  bool wait(std::uint64_t cycles) override { NB_OVERRIDE_PURE(wait, cycles); }

  void write_memory(std::uint64_t address, std::span<const std::uint8_t> data) override {
    const nb::gil_scoped_acquire acquired;
    nb_trampoline.base().attr("write_memory")(address, nb::bytes(data.data(), data.size()));
  }
  void read_memory(std::uint64_t address, std::span<std::uint8_t> data) override {
    const nb::gil_scoped_acquire acquired;
    const auto read = nb::cast<nb::bytes>(nb_trampoline.base().attr("read_memory")(address, data.size()));
    if (read.size() != data.size()) refuse({"transport", "gives other bytes than it is asked for", "", "", "correct it"});
    std::ranges::copy(span_of(read), data.begin());
  }
};

class PythonSimulation : public Simulation {
 public:
  NB_TRAMPOLINE(Simulation);
  void open() override { NB_OVERRIDE(open); }
  void close() override { NB_OVERRIDE(close); }
  std::uint32_t read32(std::uint32_t address) override { NB_OVERRIDE(read32, address); }
  void write32(std::uint32_t address, std::uint32_t value) override { NB_OVERRIDE(write32, address, value); }
  bool wait(std::uint64_t cycles) override { NB_OVERRIDE(wait, cycles); }
};

/// Whether Python overrides a method, which then is `key`.
using Override = nb::detail::ticket;

class PythonSoc : public SocTransport {
 public:
  NB_TRAMPOLINE(SocTransport);
  std::uint32_t read32(std::uint32_t address) override { NB_OVERRIDE(read32, address); }
  void write32(std::uint32_t address, std::uint32_t value) override { NB_OVERRIDE(write32, address, value); }
  void tell(const std::string& attribute, const std::string& value) override { NB_OVERRIDE(tell, attribute, value); }

  int open_interrupts() override { NB_OVERRIDE(open_interrupts); }
};

class PythonPcie : public PcieTransport {
 public:
  NB_TRAMPOLINE(PcieTransport);
  void sync_for_device(std::uint64_t offset, std::uint64_t bytes) override { NB_OVERRIDE(sync_for_device, offset, bytes); }
  void sync_for_cpu(std::uint64_t offset, std::uint64_t bytes) override { NB_OVERRIDE(sync_for_cpu, offset, bytes); }
  std::uint32_t read32(std::uint32_t address) override { NB_OVERRIDE(read32, address); }
  void write32(std::uint32_t address, std::uint32_t value) override { NB_OVERRIDE(write32, address, value); }

  int ioctl(int file, unsigned long request, void* argument, std::size_t bytes, unsigned long number) override {
    {
      const Override override(nb_trampoline, "ioctl", nb::detail::str_hash("ioctl"), false);
      if (override.key.is_valid()) {
        const auto [result, written] = nb::cast<std::pair<int, nb::bytes>>(
            nb_trampoline.base().attr(override.key)(file, request, nb::bytes(argument, bytes), number));
        std::memcpy(argument, written.data(), std::min(bytes, written.size()));
        errno = result < 0 ? -result : 0;
        return result;
      }
    }
    return PcieTransport::ioctl(file, request, argument, bytes, number);
  }
};

std::pair<int, nb::bytes> ioctl(PcieTransport& transport, int file, unsigned long request, const nb::bytes& argument,
                                unsigned long number) {
  std::vector<std::uint8_t> written(span_of(argument).begin(), span_of(argument).end());
  const int result = transport.ioctl(file, request, written.empty() ? nullptr : written.data(), written.size(), number);
  return {result < 0 ? -errno : result, nb::bytes(written.data(), written.size())};
}

void write_memory(Transport& transport, std::uint64_t address, const nb::bytes& data) {
  const std::span<const std::uint8_t> written = span_of(data);
  const nb::gil_scoped_release released;
  transport.write_memory(address, written);
}

nb::bytes read_memory(Transport& transport, std::uint64_t address, std::size_t size) {
  std::vector<std::uint8_t> data(size);
  {
    const nb::gil_scoped_release released;
    transport.read_memory(address, data);
  }
  return nb::bytes(data.data(), data.size());
}

std::shared_ptr<Program> make_program(const nb::bytes& places, const nb::bytes& tape) {
  const std::span<const std::uint8_t> json = span_of(places), bytes = span_of(tape);
  const nb::gil_scoped_release released;
  return std::const_pointer_cast<Program>(read_program(json, {bytes.begin(), bytes.end()}));
}

template <typename Element>
Map<Element> new_map(const Store& store) {
  auto data = std::make_unique<Element[]>(store.map_size());
  nb::capsule owner(data.get(), [](void* held) noexcept { delete[] static_cast<Element*>(held); });
  const std::size_t shape[] = {store.channels.size(), store.height, store.width};
  return Map<Element>(data.release(), 3, shape, owner);
}

template <typename Element>
Map<Element> unpacked(const Region<Element>& region, const Store& store, const MemoryWord& word) {
  if (region.size() < store.bytes(word)) refuse({"region", "is smaller than the layer's", "", "", ""});
  Map<Element> map = new_map<Element>(store);
  const nb::gil_scoped_release released;
  unpack(region.data(), store, word, map.data());
  return map;
}

/// The maps of the oldest frame.
std::vector<Map<std::int8_t>> take(Engine& engine) {
  const Program& program = engine.program();
  std::vector<Map<std::int8_t>> maps;
  for (const Store& store : program.stores) maps.push_back(new_map<std::int8_t>(store));
  const nb::gil_scoped_release released;
  std::vector<std::uint8_t> result(program.result_bytes);
  engine.read_result(result);
  engine.take();
  for (std::size_t number = 0; number < maps.size(); ++number) {
    const Store& store = program.stores[number];
    unpack(reinterpret_cast<const std::int8_t*>(result.data()) + store.offset, store, program.word, maps[number].data());
  }
  return maps;
}

void start(Engine& engine, const nb::bytes& image) {
  const std::span<const std::uint8_t> bytes = span_of(image);
  const nb::gil_scoped_release released;
  engine.start(bytes);
}

using Totals = std::array<std::uint64_t, 7>;
using StepTotals = std::array<std::uint32_t, 5>;

std::pair<Totals, std::vector<StepTotals>> counters(Engine& engine) {
  const Counters found = engine.counters();
  std::vector<StepTotals> steps;
  for (const StepCounters& step : found.steps) {
    steps.push_back({step.cycles, step.busy, step.wait_vectors, step.wait_weights, step.wait_drain});
  }
  return {{found.cycles, found.busy, found.wait_vectors, found.wait_weights, found.wait_drain, found.beats_read,
           found.beats_written},
          steps};
}

void bind_transports(nb::module_& module) {
  using Released = nb::call_guard<nb::gil_scoped_release>;
  nb::class_<Transport, PythonTransport>(module, "Transport")
      .def(nb::init<>())
      .def("open", &Transport::open, Released())
      .def("close", &Transport::close, Released())
      .def("read32", &Transport::read32, "register"_a, Released())
      .def("write32", &Transport::write32, "register"_a, "value"_a, Released())
      .def("write_memory", &write_memory, "address"_a, "data"_a)
      .def("read_memory", &read_memory, "address"_a, "size"_a)
      .def("wait", &Transport::wait, "cycles"_a, Released())
      .def_rw("memory_base", &Transport::memory_base)
      .def_rw("memory_bytes", &Transport::memory_bytes)
      .def_rw("memory_latency", &Transport::memory_latency);
  nb::class_<SimulatedTiming>(module, "SimulatedTiming")
      .def(nb::init<std::uint32_t, std::uint32_t, std::uint32_t, std::uint64_t, std::uint32_t, std::uint32_t,
                    std::uint32_t, std::uint32_t>(),
           "latency_first"_a, "latency_last"_a, "stall_permille"_a, "seed"_a, "refresh_every"_a, "refresh_cycles"_a,
           "gap_every"_a, "gap_cycles"_a);
  nb::class_<Simulation, Transport, PythonSimulation>(module, "Simulation")
      .def("__init__",
           [](Simulation* self, std::string program, std::int64_t patience, std::uint64_t base, std::uint64_t bytes) {
             new (self) PythonSimulation(std::move(program), {}, std::chrono::milliseconds(patience), base, bytes);
           },
           "program"_a = "", "patience"_a = Simulation::kPatience.count(), "base"_a = Simulation::kMemoryBase,
           "bytes"_a = Simulation::kMemoryBytes)
      .def_rw("program", &Simulation::program)
      .def_rw("timing", &Simulation::timing)
      .def_prop_ro("cycles", &Simulation::cycles)
      .def_prop_ro("process", &Simulation::process)
      .def("reset", &Simulation::reset, Released())
      .def("set_fault", &Simulation::set_fault, "address"_a, "size"_a, Released())
      .def_ro_static("MEMORY_BASE", &Simulation::kMemoryBase)
      .def_ro_static("MEMORY_BYTES", &Simulation::kMemoryBytes);
  nb::class_<SocTransport, Transport, PythonSoc>(module, "SocTransport")
      .def("__init__",
           [](SocTransport* self, std::string device, std::string memory, double mhz, std::string root) {
             new (self) PythonSoc(std::move(device), std::move(memory), BoardOptions{mhz, std::move(root)});
           },
           "device"_a, "memory"_a, "mhz"_a, "root"_a = "")
      .def("open_interrupts", &SocTransport::open_interrupts, Released())
      .def("tell", &SocTransport::tell, "attribute"_a, "value"_a, Released());
  nb::class_<PcieTransport, Transport, PythonPcie>(module, "PcieTransport")
      .def("__init__",
           [](PcieTransport* self, std::string address, std::uint64_t memory_bytes, unsigned bar,
              std::uint64_t first_register, double mhz, std::string root, unsigned window) {
             new (self) PythonPcie(std::move(address), PcieOptions{memory_bytes, bar, first_register, window},
                                   BoardOptions{mhz, std::move(root)});
           },
           "address"_a, "memory_bytes"_a, "bar"_a, "first_register"_a, "mhz"_a, "root"_a = "",
           "window"_a = PcieOptions().window)
      .def("sync_for_device", &PcieTransport::sync_for_device, "offset"_a, "bytes"_a)
      .def("sync_for_cpu", &PcieTransport::sync_for_cpu, "offset"_a, "bytes"_a)
      .def("ioctl", &ioctl, "file"_a, "request"_a, "argument"_a, "number"_a)
      .def_ro_static("MEMORY_BASE", &PcieTransport::kMemoryBase);
}

}  // namespace

void add_engine(nb::module_& module) {
  using Released = nb::call_guard<nb::gil_scoped_release>;
  bind_transports(module);
  nb::class_<MemoryWord>(module, "MemoryWord")
      .def(nb::init<int, int, std::size_t>(), "tile_h"_a, "tile_w"_a, "bytes"_a);
  nb::class_<Store>(module, "Store")
      .def(nb::init<std::string, std::uint64_t, std::size_t, std::size_t, std::size_t, std::size_t, std::size_t, bool,
                    std::vector<std::pair<std::size_t, std::size_t>>>(),
           "layer"_a, "offset"_a, "words"_a, "tiles_h"_a, "tiles_w"_a, "height"_a, "width"_a, "is_split"_a,
           "channels"_a);
  module.def("unpack", &unpacked<std::int8_t>, "region"_a, "store"_a, "word"_a);
  module.def("unpack", &unpacked<std::int64_t>, "region"_a, "store"_a, "word"_a);
  nb::class_<Program>(module, "Program")
      .def(nb::new_(&make_program), "places"_a, "tape"_a);
  module.def("page_up", &page_up, "address"_a);
  module.def("cycle_limit", &cycle_limit, "most_cycles"_a, "watchdog"_a);
  module.attr("WATCHDOG") = Limits::kWatchdog;
  nb::class_<Engine>(module, "Engine")
      .def("__init__",
           [](Engine* self, std::shared_ptr<Transport> transport, std::uint32_t watchdog,
              std::optional<std::uint64_t> timeout) {
             const nb::gil_scoped_release released;
             new (self) Engine(std::move(transport), Limits{watchdog, timeout});
           },
           "transport"_a, "watchdog"_a, "timeout"_a.none())
      .def_ro_static("CAPACITY", &Engine::kCapacity)
      .def("close", &Engine::close, Released())
      .def("check_config", &Engine::check_config, "program"_a, Released())
      .def("load", &Engine::load, "program"_a, Released())
      .def("begin", &Engine::begin, Released())
      .def("start", &start, "image"_a)
      .def_prop_ro("held", &Engine::held)
      .def("look", &Engine::look, Released())
      .def("take", &take)
      .def("steps_now", &Engine::steps_now, Released())
      .def("counters", &counters, Released())
      .def("abort", &Engine::abort, Released());
}

}  // namespace sterna
