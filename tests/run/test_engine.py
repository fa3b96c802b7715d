"""The simulated engine gives the reference's results by the same calls, and clear errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.generate.rtl import generate
from sterna.generate.rtl.sim import SimBackend
from sterna.graph import reference
from sterna.native import libsterna
from sterna.package import layout
from sterna.package.counters import StepCounters
from sterna.package.package import Package
from sterna.run import open_backend
from sterna.run.backend import Backend
from sterna.run.compare import compare_backends
from sterna.run.engine import EngineBackend, check_limits
from sterna.run.program import cycle_limit
from sterna.run.transports.sim import MemoryTiming, SimTransport
from sterna.spec import tape
from sterna.spec.memory import IDEAL, load_memory
from sterna.spec.registers import Control, Register, Status
from sterna.spec.tape import EntryKind, Op, RecordKind, Segment, SegmentKind
from support.engines import SIMULATORS
from support.other_backends import install_backends
from support.packages import NANO, small_graph, small_images, small_package

HEADER, SEGMENT_HEADER = tape.TAPE_HEADER.size, tape.SEGMENT_HEADER.size


@pytest.fixture(scope="module")
def package() -> Package:
    return small_package()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("engine")
    generate(NANO, path)
    return path


@pytest.fixture(scope="module")
def transport(folder: Path) -> SimTransport:
    """The transport of `engine`, for tests that reach under it."""
    return SimTransport(folder, build_dir=SIMULATORS)


@pytest.fixture(scope="module")
def engine(transport: SimTransport) -> Iterator[EngineBackend]:
    """An engine that checks tapes by itself, with little patience; it stays open through all tests that fail frames."""
    with EngineBackend(transport, watchdog=3000, verify=False) as backend:
        yield backend


def works(backend: Backend, package: Package) -> bool:
    """Whether the backend computes `package` right."""
    with open_backend("reference:") as golden:
        return compare_backends(golden, backend, package, small_images(1)).equal


def failure(backend: Backend, package: Package) -> str:
    """The one-line error of a frame, after which the backend works again."""
    backend.load(package)
    with pytest.raises(SternaError) as caught:
        backend.infer(small_images(1))
    assert works(backend, small_package())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def segments(package: Package) -> list[tuple[SegmentKind, int, int]]:
    """(kind, position of the header on the tape, payload bytes) of each segment."""
    found, position = [], HEADER
    for segment in tape.read(package.tape).segments:
        found.append((segment.kind, position, len(segment.payload)))
        position += SEGMENT_HEADER + len(segment.payload)
    return found


def with_entries(package: Package, change: Callable[[int, dict[str, int]], dict[str, int]]) -> Package:
    """The package with the entries of its last WEIGHTS segment changed by `change(stream, entry)`, checksums right."""
    parts = list(tape.read(package.tape).segments)
    index = max(i for i, part in enumerate(parts) if part.kind is SegmentKind.WEIGHTS)
    payload, config, size = bytearray(parts[index].payload), package.config, tape.ENTRY.size
    streams, at = config.all_pes // tape.unpack_step(parts[index - 2].payload)["tiles_at_once"], 0
    while at < len(payload) and (header := int.from_bytes(payload[at : at + 8], "little")):
        kind, count, at = header & 0xFF, header >> 8, at + config.beat_bytes
        if kind == RecordKind.FETCH:
            at += config.in_beats(count * tape.FETCH_WORD.size)
            continue
        for number in range(count * streams):
            place = slice(at + number * size, at + (number + 1) * size)
            entry = tape.ENTRY.from_bytes(bytes(payload[place]))
            payload[place] = tape.ENTRY.to_bytes(**change(number % streams, entry))
        at += config.in_beats(count * streams * size)
    parts[index] = replace(parts[index], payload=bytes(payload))
    return replace(package, tape=tape.write(config.hash, parts))


def flipped(package: Package, position: int, bit: int = 4) -> Package:
    data = bytearray(package.tape)
    data[position] ^= 1 << bit
    return replace(package, tape=bytes(data))


# Arguments


@pytest.mark.parametrize(
    "timing",
    [
        *({"latency": latency} for latency in ((9, 3), (-1, 3), (0, 100_001))),
        *({"stall": stall} for stall in (-0.1, 0.951, 1.0)),
        *({"seed": seed} for seed in (-1, 1 << 63)),
    ],
)
def test_bad_timing(timing: dict[str, object]) -> None:
    (name, value), *_ = timing.items()
    limits = {"latency": "0 .. 100000, rising", "stall": "0 .. 0.95", "seed": f"0 .. {(1 << 63) - 1}"}
    with pytest.raises(SternaError) as caught:
        MemoryTiming(**timing)  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"bad memory timing; {name} = {value}; allowed: {limits[name]}; remedy: ")


def test_the_limits_of_timing() -> None:
    MemoryTiming(latency=(0, 100_000), stall=0.95, seed=(1 << 63) - 1)
    MemoryTiming(latency=(0, 0), stall=0.0, seed=0)


@pytest.mark.parametrize("cycles", [{"watchdog": -1}, {"watchdog": 1 << 32}, {"timeout": 0}, {"timeout": 1 << 63}])
def test_bad_number_of_cycles(transport: SimTransport, cycles: dict[str, int]) -> None:
    (name, value), *_ = cycles.items()
    with pytest.raises(SternaError, match=rf"engine: bad number of cycles; {name} = {value}; allowed: \d"):
        EngineBackend(transport, **cycles)  # type: ignore[arg-type]


def test_the_largest_numbers_of_cycles(folder: Path) -> None:
    transport = SimTransport(folder, build_dir=SIMULATORS)
    EngineBackend(transport, watchdog=(1 << 32) - 1, timeout=(1 << 63) - 1).close()


def test_the_least_numbers_of_cycles() -> None:
    check_limits(watchdog=0, timeout=1)


def test_a_frame_may_take_twenty_times_its_estimate_and_four_stalls(package: Package) -> None:
    estimated = sum(step.cycles for step in package.schedule.steps)
    assert cycle_limit(package, 7) == 20 * estimated + 4 * 7


# The simulated engine


def test_equal_on_every_layer(engine: EngineBackend, package: Package) -> None:
    seen: list[tuple[int, int]] = []
    with open_backend("reference:") as golden:
        assert compare_backends(golden, engine, package, small_images(3)).equal
        assert golden.infer(small_images(1)).keys() == engine.infer(small_images(1), lambda *at: seen.append(at)).keys()
    assert seen[-1] == (0, len(package.schedule.steps))


def test_packages_in_turn(engine: EngineBackend, package: Package) -> None:
    assert works(engine, small_package(trace=False))
    assert works(engine, package)


def test_counters(engine: EngineBackend, package: Package) -> None:
    engine.load(package)
    assert engine.counters() is None
    engine.infer(small_images(1))
    first = engine.counters()
    engine.infer(small_images(2))
    assert first is not None
    assert first.steps == tuple(map(StepCounters.expected, package.schedule.steps)), "with the config's memory"
    assert first.beats_written * NANO.beat_bytes == package.schedule.result_bytes
    assert first.beats_read * NANO.beat_bytes >= len(package.tape) + package.schedule.frame_bytes
    assert 0 < sum(step.cycles for step in first.steps) <= first.cycles
    for name in ("busy", "wait_vectors", "wait_weights", "wait_drain"):
        assert sum(getattr(step, name) for step in first.steps) <= getattr(first, name)
    # An operation adds up to four vectors.
    assert 4 * first.busy >= sum(step.nonzeros for step in package.schedule.steps)
    assert first.busy <= first.cycles * NANO.pes * NANO.clusters


def test_frames_follow_each_other(engine: EngineBackend, transport: SimTransport, package: Package) -> None:
    """The engine has the next frame while one runs, and the image of it as well: a batch costs less than its frames."""
    images = small_images(6)
    engine.load(package)
    start = transport.cycles
    alone = engine.infer(images[:1])
    single = transport.cycles - start
    cycles = engine.counters()
    start = transport.cycles
    together = engine.infer(images)
    assert transport.cycles - start < 0.95 * len(images) * single
    following = engine.counters()
    assert cycles is not None
    assert following is not None
    assert following.cycles < cycles.cycles
    assert 0 <= following.cycles - sum(step.cycles for step in following.steps) < 16
    for name, layer in alone.items():
        assert np.array_equal(layer, together[name][:1])
    expected = reference.execute(package.graph, images)
    for name, layer in together.items():
        assert np.array_equal(layer, expected[name])


def test_each_frame_has_a_scratch_memory(engine: EngineBackend, transport: SimTransport, package: Package) -> None:
    """What a tape stores there is not in the result, and that of the frame before is still there."""
    stored = package.schedule.stored("second")
    assert stored is not None

    def to_scratch(segment: Segment) -> Segment:
        step = tape.unpack_step(segment.payload) if segment.kind is SegmentKind.STEP else {}
        if step.get("op") != Op.STORE or step["dram_offset"] != stored.dram_offset:
            return segment
        return Segment(SegmentKind.STEP, tape.pack_step(**step | {"scratch": 1}))

    changed = tape.write(NANO.hash, map(to_scratch, tape.read(package.tape).segments))
    metadata = package.metadata | {"scratch_bytes": package.schedule.result_bytes}
    engine.load(replace(package, tape=changed, metadata=metadata))
    images, places = small_images(2), []
    for count in (1, 2):
        results = engine.infer(images[:count])
        assert not results["second"].any()
        low, high = (transport.read32(each) for each in (Register.SCRATCH_ADDR_LO, Register.SCRATCH_ADDR_HI))
        places.append(high << 32 | low)
    expected = reference.execute(package.graph, images)
    assert np.array_equal(results["pool"], expected["pool"])
    for image, scratch in zip(expected["second"], places, strict=True):
        memory = transport.read_memory(scratch + stored.dram_offset, layout.region_bytes(stored, NANO))
        assert np.array_equal(layout.unpack(memory, stored, NANO), image)


def test_a_stream_has_the_next_frame_queued(engine: EngineBackend, transport: SimTransport, package: Package) -> None:
    """Images are taken as frames end, and their frames are as close to each other as those of a batch."""
    images, taken = small_images(6), []

    def taking() -> Iterator[np.ndarray]:
        for number, image in enumerate(images):
            taken.append(number)
            yield image

    engine.load(package)
    start = transport.cycles
    together = engine.infer(images)
    batch = transport.cycles - start
    start, seen = transport.cycles, []
    for number, found in enumerate(engine.stream(taking())):
        seen.append(len(taken))
        assert all(np.array_equal(layer[0], together[name][number]) for name, layer in found.items())
    assert seen == [3, 4, 5, 6, 6, 6]
    assert transport.cycles - start == batch


def test_a_stream_that_is_not_wanted_any_more(engine: EngineBackend, package: Package) -> None:
    engine.load(package)
    stream = engine.stream(small_images(5))
    next(stream)
    stream.close()
    assert works(engine, package)


@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_an_image_that_cannot_be_had(engine: EngineBackend, package: Package, number: int) -> None:
    def images() -> Iterator[np.ndarray]:
        yield from small_images(number) if number else ()
        raise SternaError("gone")

    engine.load(package)
    with pytest.raises(SternaError, match="gone"):
        list(engine.stream(images()))
    assert works(engine, package)


@pytest.mark.parametrize("abort", [False, True])
def test_broken_off_at_any_time(
    engine: EngineBackend, transport: SimTransport, package: Package, *, abort: bool
) -> None:
    """Reset or abort in the middle of a frame, with another one queued: the next frame is exact."""
    engine.load(package)
    engine.infer(small_images(1))
    cycles = engine.counters()
    assert cycles is not None
    somewhere = transport.memory_base + (1 << 20)
    transport.write_memory(somewhere, bytes(1 << 16))
    for delay in range(1, cycles.cycles, cycles.cycles // 9):
        engine.load(package)
        for register in (Register.FRAME_ADDR_LO, Register.RESULT_ADDR_LO):
            transport.write32(register, somewhere & 0xFFFF_FFFF)
            transport.write32(register + 4, somewhere >> 32)
        for _ in range(2):
            transport.write32(Register.CONTROL, Control.START)
        assert not transport.wait(delay)
        if abort:
            transport.write32(Register.CONTROL, Control.ABORT | Control.IRQ_ENABLE)
            assert transport.wait(10_000)
            assert transport.read32(Register.STATUS) == Status.ERROR | Status.IRQ
        else:
            transport.reset()
            assert transport.read32(Register.STATUS) == 0
        assert works(engine, package)


@pytest.mark.parametrize(
    "timing",
    [
        MemoryTiming(latency=(0, 0)),
        MemoryTiming(latency=(300, 300)),
        MemoryTiming(latency=(0, 90), stall=0.5, seed=7),
        MemoryTiming(stall=0.9, seed=8),
    ],
)
def test_slow_and_stalling_memory(folder: Path, package: Package, timing: MemoryTiming) -> None:
    cycles = []
    for _ in range(2):
        with SimBackend(folder, timing=timing, build_dir=SIMULATORS) as backend:
            assert works(backend, package)
            counters = backend.counters()
            assert counters is not None
            cycles.append(counters.cycles)
    assert cycles[0] == cycles[1], "equal seeds give equal cycles"


def test_other_config(engine: EngineBackend) -> None:
    other = small_package(NANO.model_copy(update={"accumulators": 8}))
    with pytest.raises(SternaError, match=r"the engine has another config; config hash = "):
        engine.load(other)


# Tapes that the driver refuses, and that the engine refuses when the driver does not look


def test_driver_verifies_the_tape(folder: Path, package: Package) -> None:
    with SimBackend(folder, build_dir=SIMULATORS) as backend:
        for kind, position, size in segments(package):
            with pytest.raises(SternaError, match=f"{kind.name} checksum is wrong"):
                backend.load(flipped(package, position + SEGMENT_HEADER + size // 2))
        with pytest.raises(SternaError, match="no package is loaded"):
            backend.infer(small_images())


@pytest.mark.parametrize("kind", list(SegmentKind))
def test_engine_refuses_a_flipped_bit(engine: EngineBackend, package: Package, kind: SegmentKind) -> None:
    """In the first, a middle and the last byte of the last segment of the kind."""
    index = max(i for i, segment in enumerate(segments(package)) if segment[0] is kind)
    _, position, size = segments(package)[index]
    for offset in (0, size // 2, size - 1):
        message = failure(engine, flipped(package, position + SEGMENT_HEADER + offset))
        assert message.startswith(f"segment {index} ({kind.name} of step ")
        assert "the engine stopped: a segment's checksum is wrong; error = 7 SEGMENT_CRC" in message


@pytest.mark.parametrize("offset", [0, 4, 8, 16, 40, SEGMENT_HEADER - 4])
def test_engine_refuses_a_flipped_bit_in_a_segment_header(engine: EngineBackend, package: Package, offset: int) -> None:
    for index in (0, len(segments(package)) - 1):
        message = failure(engine, flipped(package, segments(package)[index][1] + offset))
        assert message.startswith(f"segment {index} (")
        assert "error = 6 SEGMENT_HEADER" in message


def test_layer_of_a_bad_segment_is_named(engine: EngineBackend, package: Package) -> None:
    weights = [i for i, segment in enumerate(segments(package)) if segment[0] is SegmentKind.WEIGHTS]
    for index, layer in zip(weights, ("first, pool", "second"), strict=True):
        message = failure(engine, flipped(package, segments(package)[index][1] + SEGMENT_HEADER))
        assert f"CONV part 0 of {layer})" in message


@pytest.mark.parametrize(
    ("position", "code"),
    [
        (0, "1 BAD_MAGIC"),
        (8, "2 BAD_VERSION"),
        (12, "3 BAD_CONFIG"),
        (16, "4 BAD_LENGTH"),
        (28, "5 HEADER_CRC"),
        (HEADER - 4, "5 HEADER_CRC"),
    ],
)
def test_engine_refuses_a_bad_header(engine: EngineBackend, package: Package, position: int, code: str) -> None:
    message = failure(engine, flipped(package, position))
    assert message.startswith("tape header: the engine stopped: ")
    assert f"error = {code}" in message


def test_engine_refuses_a_tape_of_another_config(engine: EngineBackend, package: Package) -> None:
    other = tape.write(package.config.hash ^ 1, tape.read(package.tape).segments)
    assert "error = 3 BAD_CONFIG" in failure(engine, replace(package, tape=other))


def test_engine_refuses_a_truncated_tape(engine: EngineBackend, package: Package) -> None:
    assert "error = 4 BAD_LENGTH" in failure(engine, replace(package, tape=package.tape[: -tape.ALIGN]))
    assert "error = " in failure(engine, replace(package, tape=package.tape[:HEADER]))
    assert "error = " in failure(engine, replace(package, tape=b""))


@pytest.mark.case(
    "length-that-a-step-does-not-have",
    kind="remedy",
    expected="the step's segment and layer are named, not the tape's header",
)
def test_engine_refuses_a_length_that_is_not_the_steps(
    engine: EngineBackend, package: Package, got: Callable[[object], None]
) -> None:
    """A CONV step, checksums right, whose REQUANT payload would be a line longer."""
    parts = list(tape.read(package.tape).segments)
    index = [part.kind for part in parts].index(SegmentKind.REQUANT) - 1
    step = tape.unpack_step(parts[index].payload)
    step["requant_bytes"] += tape.ALIGN
    parts[index] = replace(parts[index], payload=tape.pack_step(**step))
    message = failure(engine, replace(package, tape=tape.write(package.config.hash, parts)))
    assert message.startswith(f"segment {index} (STEP of step ")
    assert "first, pool" in message
    assert "error = 4 BAD_LENGTH" in message
    got(message)


# Engines and memories that fail


def test_memory_that_refuses(engine: EngineBackend, transport: SimTransport, package: Package) -> None:
    base = transport.memory_base
    frame = base + -(-len(package.tape) // 4096) * 4096
    result = frame + -(-package.schedule.frame_bytes // 4096) * 4096
    for address, expected in ((base + 64, "BUS_READ"), (frame, "BUS_READ"), (result, "BUS_WRITE")):
        engine.load(package)
        transport.set_fault(address, 1)
        with pytest.raises(SternaError, match=rf"the engine stopped: the memory refused a .*{expected}"):
            engine.infer(small_images(1))
        transport.set_fault(0, 0)
        assert works(engine, package)


def test_time_out(folder: Path, package: Package) -> None:
    with SimBackend(folder, build_dir=SIMULATORS, timeout=400) as backend:
        backend.load(package)
        for _ in range(2):
            with pytest.raises(SternaError, match=r"step 1 of 6 \(layer first, pool\): .* in time; cycles = 400"):
                backend.infer(small_images(1))


def test_watchdog(engine: EngineBackend, package: Package) -> None:
    """A tape whose checksums are right but whose rounds never end the pass."""
    endless = with_entries(
        package, lambda stream, entry: entry | {"control": 0} if stream == tape.END_STREAM else entry
    )
    assert endless.tape != package.tape
    message = failure(engine, endless)
    assert "nothing moved for the watchdog's cycles" in message
    assert "second" in message


@pytest.mark.case(
    "watchdog-below-memory-latency",
    kind="remedy",
    expected="the watchdog and the latency are named; the engine is not blamed",
)
@pytest.mark.parametrize(("watchdog", "latency"), [(1, (2, 2)), (50, (100, 100)), (99, (101, 300))])
def test_watchdog_below_the_latency(
    folder: Path, package: Package, watchdog: int, latency: tuple[int, int], got: Callable[[object], None]
) -> None:
    timing = MemoryTiming(load_memory(IDEAL), latency)
    with SimBackend(folder, build_dir=SIMULATORS, timing=timing, watchdog=watchdog) as backend:
        backend.load(package)
        for _ in range(3):
            with pytest.raises(SternaError) as caught:
                backend.infer(small_images(3))
            assert str(caught.value) == (
                "engine: the watchdog ended the frame before the memory answered; "
                f"watchdog = {watchdog} cycles; allowed: 0 for none, or {latency[1]} or more, as the memory takes "
                f"up to {latency[1]} cycles to answer; remedy: raise the watchdog"
            )
        got(caught.value)


@pytest.mark.parametrize("watchdog", [0, 100])
def test_watchdog_that_waits_for_the_memory(folder: Path, package: Package, watchdog: int) -> None:
    timing = MemoryTiming(load_memory(IDEAL), (100, 100))
    with SimBackend(folder, build_dir=SIMULATORS, timing=timing, watchdog=watchdog) as backend:
        assert works(backend, package)


def test_watchdog_against_a_stalling_memory(folder: Path, package: Package) -> None:
    """The engine gives up a bus that is at work: that is its right, and the memory's answers come to nothing."""
    timing = MemoryTiming(load_memory(IDEAL), stall=0.9, seed=3)
    with SimBackend(folder, build_dir=SIMULATORS, timing=timing, watchdog=20) as backend:
        backend.load(package)
        for _ in range(3):
            with pytest.raises(SternaError, match=r"error = 11 STALL; remedy: raise the watchdog for a slow memory$"):
                backend.infer(small_images(1))


@pytest.mark.parametrize("count", [1, 3])
def test_interrupted_by_the_user(engine: EngineBackend, package: Package, count: int) -> None:
    def interrupt(image: int, steps: int) -> None:
        raise KeyboardInterrupt

    engine.load(package)
    with pytest.raises(KeyboardInterrupt):
        engine.infer(small_images(count), interrupt)
    assert works(engine, package)


class OtherEngine(SimTransport):
    """The simulated engine with one register that reads as something else, or an interrupt that is never seen."""

    def __init__(self, folder: Path, values: dict[int, int], *, deaf: bool = False) -> None:
        super().__init__(folder, build_dir=SIMULATORS)
        self._values, self._deaf = values, deaf

    def read32(self, register: int) -> int:
        return self._values.get(register, super().read32(register))

    def wait(self, cycles: int) -> bool:
        return super().wait(cycles) and not self._deaf


@pytest.mark.parametrize("register", [Register.IDENTITY, Register.VERSION])
def test_not_our_engine(folder: Path, register: Register) -> None:
    transport = OtherEngine(folder, {register: 0xFFFF_FFFF})
    with pytest.raises(SternaError, match=f"the driver does not know this engine; {register.name} = 0xffffffff"):
        EngineBackend(transport)
    with pytest.raises(SternaError, match="is not open"):
        transport.read32(register)


@pytest.mark.parametrize(("register", "value"), [(Register.ERROR_CODE, 99), (Register.STATUS, 0)])
def test_state_that_does_not_exist(folder: Path, package: Package, register: Register, value: int) -> None:
    status = {} if register is Register.STATUS else {Register.STATUS: 4}
    with EngineBackend(OtherEngine(folder, status | {register: value})) as backend:
        backend.load(package)
        with pytest.raises(SternaError, match="in an unknown state"):
            backend.infer(small_images(1))


class OldEngine(OtherEngine):
    """The simulated engine after nearly as many frames as its register can count."""

    def read32(self, register: int) -> int:
        value = super().read32(register)
        return (value - 1) % (1 << 32) if register == Register.FRAMES else value


def test_the_count_of_frames_may_begin_again_between_two(folder: Path, package: Package) -> None:
    images = small_images(3)
    with EngineBackend(OldEngine(folder, {})) as backend, open_backend("reference:") as golden:
        assert compare_backends(golden, backend, package, images).equal


def test_the_driver_checks_a_tape_before_the_engine_does(folder: Path, package: Package) -> None:
    with EngineBackend(OtherEngine(folder, {})) as backend, pytest.raises(SternaError, match="tape"):
        backend.load(replace(package, tape=package.tape[: -tape.ALIGN]))


def test_a_transport_of_another_distribution(
    folder: Path, package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_backends(tmp_path, monkeypatch)
    monkeypatch.setenv("STERNA_BUILD_DIR", str(SIMULATORS))
    with open_backend(f"board:{folder}?watchdog=3000") as backend:
        assert works(backend, package)
    with open_backend(f"board:{folder}?timeout=400") as backend, pytest.raises(SternaError, match="cycles = 400"):
        works(backend, package)


def test_engine_that_stays_silent(folder: Path, package: Package) -> None:
    with EngineBackend(OtherEngine(folder, {Register.FRAMES: 0}, deaf=True), timeout=60_000) as backend:
        backend.load(package)
        with pytest.raises(SternaError, match="did not finish the frame in time, and cannot be aborted"):
            backend.infer(small_images(1))


def test_counters_of_64_bits(folder: Path, package: Package) -> None:
    with EngineBackend(OtherEngine(folder, {Register.CYCLES_HI: 5})) as backend:
        backend.load(package)
        backend.infer(small_images(1))
        counters = backend.counters()
        assert counters is not None and counters.cycles >> 32 == 5 and counters.busy >> 32 == 0


def test_time_out_after_the_last_step(folder: Path, package: Package) -> None:
    steps = len(package.schedule.steps)
    silent = OtherEngine(folder, {Register.FRAMES: 0, Register.STEPS_NOW: steps}, deaf=True)
    with EngineBackend(silent, timeout=60_000) as backend:
        backend.load(package)
        with pytest.raises(SternaError, match=rf"step {steps} of {steps} \(layer none\)"):
            backend.infer(small_images(1))


def test_engine_that_stays_busy(folder: Path, package: Package) -> None:
    busy = OtherEngine(folder, {Register.STATUS: Status.BUSY, Register.FRAMES: 0})
    with pytest.raises(SternaError, match="is at work on a frame of an earlier program, and cannot be aborted"):
        EngineBackend(busy, timeout=60_000)


def test_package_that_is_too_large(
    transport: SimTransport, engine: EngineBackend, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "memory_bytes", len(package.tape))
    with pytest.raises(SternaError, match="does not fit the engine's memory"):
        engine.load(package)


def test_package_that_just_fits(
    transport: SimTransport, engine: EngineBackend, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = package.schedule
    frame = sum(map(libsterna.page_up, (schedule.frame_bytes, schedule.result_bytes, schedule.scratch_bytes)))
    needed = libsterna.page_up(len(package.tape)) + 2 * frame
    monkeypatch.setattr(transport, "memory_bytes", needed)
    engine.load(package)
    monkeypatch.setattr(transport, "memory_bytes", needed - 1)
    with pytest.raises(SternaError, match=f"bytes = {needed}; allowed: 0 .. {needed - 1}"):
        engine.load(package)


def doubled_with_operands(package: Package) -> Package:
    """The package with entries that break the rule on DOUBLE, checksums right."""
    double = {"kind": EntryKind.DOUBLE}
    return with_entries(package, lambda stream, entry: entry | double if entry["kind"] == EntryKind.ADD else entry)


def test_assertion_in_the_rtl_is_an_error(folder: Path, package: Package) -> None:
    """A tape with right checksums that breaks the rule on DOUBLE: the simulation ends, not the process."""
    with SimBackend(folder, build_dir=SIMULATORS) as backend:
        backend.load(doubled_with_operands(package))
        for _ in range(2):
            with pytest.raises(
                SternaError, match=r"cycle \d+: the simulation failed: sterna_lane_group.sv:\d+: .*doubling"
            ):
                backend.infer(small_images(1))
    with SimBackend(folder, build_dir=SIMULATORS) as backend:
        assert works(backend, package)


@pytest.mark.case(
    "damaged-tape-in-simulation",
    kind="remedy",
    expected="the engine's error code and the segment, never the engine's sources",
)
def test_assertions_say_nothing_of_a_damaged_tape(
    engine: EngineBackend, package: Package, got: Callable[[object], None]
) -> None:
    """The entry of the test before under the checksum of another: the engine meets it before it knows the checksum."""
    kind, position, size = segments(package)[-2]
    assert kind is SegmentKind.WEIGHTS
    payload = slice(position + SEGMENT_HEADER, position + SEGMENT_HEADER + size)
    data = bytearray(package.tape)
    data[payload] = doubled_with_operands(package).tape[payload]
    message = failure(engine, replace(package, tape=bytes(data)))
    assert f"segment {len(segments(package)) - 2} (WEIGHTS of step " in message
    assert "error = 7 SEGMENT_CRC" in message
    got(message)


def test_a_package_without_cycles_has_no_shorter_limit() -> None:
    timed, untimed = (compile_graph(small_graph(), NANO, cycles=cycles) for cycles in (True, False))
    assert cycle_limit(untimed, 100) >= cycle_limit(timed, 100) > 0
    additions = sum(step.nonzeros for step in untimed.schedule.steps)
    moved = len(untimed.tape) + untimed.schedule.frame_bytes + untimed.schedule.result_bytes
    assert cycle_limit(untimed, 100) == 20 * (additions + moved) + 4 * 100
