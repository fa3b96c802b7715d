"""The first look at an engine on a board: from identity to frames per second, each step with what helps if it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.native import libsterna
from sterna.package.package import Package
from sterna.run.backend import Results
from sterna.run.compare import compare_results
from sterna.run.engine import EngineBackend
from sterna.run.transport import Transport
from sterna.spec import tape
from sterna.spec.registers import ENGINE_VERSION, IDENTITY, Register

_ALL_ONES = (1 << 32) - 1
_PAGE, _BLOCK = 4096, 1 << 16
#: Registers that keep what is written to them while no frame runs, and their bits that do.
_KEPT = {
    Register.TAPE_ADDR_LO: -tape.ALIGN & _ALL_ONES,
    Register.FRAME_ADDR_LO: -tape.ALIGN & _ALL_ONES,
    Register.RESULT_ADDR_LO: -tape.ALIGN & _ALL_ONES,
    Register.WATCHDOG: _ALL_ONES,
}


#: Called with how much of a step is done, of how much, and of what.
Show = Callable[[int, int | None, str], None]
#: Shows a step by its name while it goes on.
Watch = Callable[[str], AbstractContextManager[Show]]


@dataclass(frozen=True)
class Passed:
    """A step that went well, and what was seen."""

    step: str
    seen: str


def identify(transport: Transport) -> int:
    """The config hash of the engine that the open `transport` reaches.

    Raises SternaError if there is none, or one of another version.
    """
    identity = transport.read32(Register.IDENTITY)
    if identity in (0, _ALL_ONES):
        raise _refusal(
            "answers with nothing but equal bits", "IDENTITY", identity, IDENTITY,
            "load the bitstream, open the bridge to the registers, check their address or region",
        )  # fmt: skip
    if identity != IDENTITY:
        raise _refusal(
            "is no engine of Sterna", "IDENTITY", identity, IDENTITY,
            "load the bitstream of the board's project; check the address of the registers",
        )  # fmt: skip
    version = transport.read32(Register.VERSION)
    if version != ENGINE_VERSION:
        raise _refusal(
            "is another version", "VERSION", version, ENGINE_VERSION, "generate and build the engine with this Sterna"
        )
    return transport.read32(Register.CONFIG_HASH)


def unwatched(step: str) -> AbstractContextManager[Show]:
    """Shows nothing of a step."""
    return nullcontext(lambda *_: None)


@dataclass(frozen=True)
class Known:
    """A frame whose answer is known, and how much is tried.

    package: for the engine's config, with every layer stored or those that are to be compared; plain: the same
    network, of which nothing is stored that is not needed; image: int8[C, H, W]; expected: every layer of its that
    `package` stores, from the reference; frames: whose speed is measured; tried: bytes of the memory that are tried one
    by one, and of a larger memory also a page at each power of two, and the last.
    """

    package: Package
    plain: Package
    image: NDArray[np.int8]
    expected: Results
    frames: int
    tried: int


def bring_up(transport: Transport, known: Known, watch: Watch = unwatched) -> Iterator[Passed]:
    """The steps, as each of them passes, of an engine that `transport`, which is not open, reaches.

    Raises SternaError for the first step that fails.
    """
    transport.open()
    try:
        yield Passed("identity", f"config hash {identify(transport):08x}")
        _registers(transport)
        yield Passed("registers", f"{len(_KEPT)} keep what is written")
        with watch("memory") as show:
            tried = _memory(transport, known.tried, show)
        yield Passed("memory, from here", f"{tried:,} of {transport.memory_bytes:,} bytes kept a pattern")
        places = _places(transport, known.package)
    finally:
        transport.close()
    with watch("frame") as show:
        for number, place in enumerate(places):
            show(number, len(places), "")
            _frame(_Part(transport, *place), known)
    at = ", ".join(f"{base - places[0][0]:#x}" for base, _ in places)
    yield Passed("memory, from the engine", f"a frame equals the reference, with tape and maps from {at} on")
    with EngineBackend(transport) as backend:
        backend.load(known.plain)
        backend.infer(known.image[np.newaxis])
        yield Passed("counters", _counters(transport, backend, known))
        with watch("speed") as show:
            speed = _speed(backend, known, show)
        yield Passed("speed", speed)


def _refusal(what: str, name: str, value: int, allowed: int, remedy: str) -> SternaError:
    return SternaError(
        what, where="engine", attribute=name, value=f"{value:#010x}", allowed=f"{allowed:#010x}", remedy=remedy
    )


def _registers(transport: Transport) -> None:
    """Each bit of registers that keep theirs goes there and back alone."""
    for register, kept in _KEPT.items():
        before = transport.read32(register)
        for bit in (1 << position for position in range(32)):
            transport.write32(register, bit)
            found = transport.read32(register)
            if found != bit & kept:
                raise _refusal(
                    "a register does not keep a bit", register.name, found, bit & kept,
                    "check the width and the byte lanes of the bus to the registers, and its clock",
                )  # fmt: skip
        transport.write32(register, before)


def _pattern(offset: int, size: int) -> bytes:
    """Bytes that no other place has."""
    return np.random.default_rng(offset).bytes(size)


def _memory(transport: Transport, tried: int, show: Show) -> int:
    """Bytes of the memory that kept a pattern, written before any of them was read."""
    base, size = transport.memory_base, transport.memory_bytes
    tried = min(size, tried)
    blocks = {offset: min(_BLOCK, tried - offset) for offset in range(0, tried, _BLOCK)}
    powers = (1 << bit for bit in range(tried.bit_length() - 1, size.bit_length()))
    blocks |= {offset: _PAGE for offset in (*powers, size - _PAGE) if tried <= offset <= size - _PAGE}
    for number, (offset, count) in enumerate(blocks.items()):
        show(number, 2 * len(blocks), "written")
        transport.write_memory(base + offset, _pattern(offset, count))
    for number, (offset, count) in enumerate(blocks.items(), len(blocks)):
        show(number, 2 * len(blocks), "read")
        found = transport.read_memory(base + offset, count)
        if found != _pattern(offset, count):
            raise _lost(base, offset, found, blocks)
    return sum(blocks.values())


def _lost(base: int, offset: int, found: bytes, blocks: dict[int, int]) -> SternaError:
    """What is wrong with a memory that holds `found` at an offset."""
    other = next((at for at, count in blocks.items() if at != offset and _pattern(at, count)[:64] == found[:64]), None)
    if other is not None:
        return SternaError(
            "two addresses are one place", where="memory", attribute="addresses",
            value=f"{base + offset:#x} and {base + other:#x}",
            remedy="make the buffer or the region no larger than the memory; check the address lines",
        )  # fmt: skip
    wanted = _pattern(offset, len(found))
    at = next(place for place, (one, two) in enumerate(zip(found, wanted, strict=True)) if one != two)
    bits = np.bitwise_or.reduce(np.frombuffer(found, np.uint8) ^ np.frombuffer(wanted, np.uint8))
    return SternaError(
        "does not keep what is written", where="memory", attribute="address", value=f"{base + offset + at:#x}",
        allowed=f"{wanted[at]:#04x}, not {found[at]:#04x}",
        remedy=f"check the memory's calibration and its data lines: bits {bits:#04x} of some byte are wrong",
    )  # fmt: skip


class _Part(Transport):
    """A part of the memory as if it were the whole."""

    def __init__(self, whole: Transport, base: int, size: int) -> None:
        super().__init__()
        self._whole, self._place = whole, (base, size)

    def open(self) -> None:
        self._whole.open()
        self.memory_base, self.memory_bytes = self._place
        self.memory_latency = self._whole.memory_latency

    def close(self) -> None:
        self._whole.close()

    def read32(self, register: int) -> int:
        return self._whole.read32(register)

    def write32(self, register: int, value: int) -> None:
        self._whole.write32(register, value)

    def read_memory(self, address: int, size: int) -> bytes:
        return self._whole.read_memory(address, size)

    def write_memory(self, address: int, data: bytes) -> None:
        self._whole.write_memory(address, data)

    def wait(self, cycles: int) -> bool:
        return self._whole.wait(cycles)


def _places(transport: Transport, package: Package) -> list[tuple[int, int]]:
    """Parts of the memory where the package has room: each quarter, or all of it."""
    base, size = transport.memory_base, transport.memory_bytes
    quarter = size // 4 // _PAGE * _PAGE
    schedule = package.schedule
    frame = sum(map(libsterna.page_up, (schedule.frame_bytes, schedule.result_bytes, schedule.scratch_bytes)))
    needed = libsterna.page_up(len(package.tape)) + libsterna.Engine.CAPACITY * frame
    if needed > quarter:
        return [(base, size)]
    return [(base + part * quarter, quarter) for part in range(4)]


def _frame(transport: Transport, known: Known) -> None:
    """A frame with everything in a part of the memory equals the reference."""
    with EngineBackend(transport) as backend:
        backend.load(known.package)
        found = backend.infer(known.image[np.newaxis])
        base = transport.memory_base
    layers = (layer.name for layer in known.package.graph.layers)
    first = compare_results(known.expected, found, layers).first
    if first is None:
        return
    nothing = not any(maps.any() for maps in found.values())
    raise SternaError(
        "a frame differs from the reference", where="engine", attribute=f"memory from {base:#x} on", value=str(first),
        allowed="reference and engine alike",
        remedy=(
            "the engine writes nothing that is read here: check that its bus sees the memory at the same address, and "
            "what flushes caches"
            if nothing
            else "check the timing report for negative slack, the clock, and the memory's calibration"
        ),
    )  # fmt: skip


def _counters(transport: Transport, backend: EngineBackend, known: Known) -> str:
    """What a frame alone cost, beside what the compiler expects; additions and frames have to be what they are."""
    schedule, before = known.plain.schedule, transport.read32(Register.FRAMES)
    backend.infer(known.image[np.newaxis])
    ended = (transport.read32(Register.FRAMES) - before) & _ALL_ONES
    counters = backend.counters()
    if counters is None or ended != 1:
        raise SternaError(
            "counts frames wrongly", where="engine", attribute="FRAMES", value=f"{ended} more", allowed="1 more",
            remedy="check the timing report for negative slack",
        )  # fmt: skip
    expected = sum(step.busy for step in schedule.steps)
    if schedule.timed and counters.busy != expected:
        raise SternaError(
            "counts other additions than the tape has", where="engine", attribute="busy", value=counters.busy,
            allowed=str(expected), remedy="check the timing report for negative slack",
        )  # fmt: skip
    told = f", {schedule.alone_cycles:,} by the cycle model" if schedule.timed else ""
    return f"{counters.cycles:,} cycles for a frame alone{told}"


def _speed(backend: EngineBackend, known: Known, show: Show) -> str:
    """Frames per second of queued frames, there and back, and what they say of the clock."""
    start = perf_counter()
    for number, _ in enumerate(backend.stream(known.image for _ in range(known.frames)), 1):
        show(number, known.frames, "")
    seconds = perf_counter() - start
    counters = backend.counters()
    assert counters is not None, "a frame has ended"
    rate = known.frames / seconds
    least = rate * counters.cycles / 1e6
    return f"{rate:,.1f} frames/s ({known.frames} queued), so the clock is {least:,.1f} MHz or more"
