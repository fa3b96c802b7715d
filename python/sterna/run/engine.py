"""An engine as a backend: its registers, its memory, its frames, over any transport."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.package import layout
from sterna.package.counters import Counters, StepCounters
from sterna.package.package import Package
from sterna.run.backend import Backend, Progress, Results
from sterna.run.engine_error import engine_error, short_watchdog
from sterna.run.transport import Transport
from sterna.run.uri import Parameter
from sterna.spec.registers import (
    ENGINE_VERSION,
    IDENTITY,
    PROFILE_STEPS,
    Control,
    ErrorCode,
    FrameLayout,
    Register,
    Status,
)

PAGE = 4096
#: Clock cycles without progress after which the engine gives up a frame.
WATCHDOG = 100_000
#: Clock cycles between two checks of a running frame.
LOOK = 20_000


@dataclass(frozen=True)
class _Place:
    """Where a frame, its result and its scratch memory, if it has any, lie in the engine's memory."""

    frame: int
    result: int
    scratch: int


class EngineBackend(Backend):
    """Runs packages on the engine that `transport`, which it opens and closes, reaches.

    Of several images, the next one is queued in the engine while one runs, so that frames follow each other without a
    gap. `watchdog` is the engine's own limit of cycles without progress (0: none); `timeout` limits the cycles of a
    frame (None: 20 times the compiler's estimate and four watchdogs). With `verify` off, only the engine checks the
    tape. Raises SternaError if the engine has no such watchdog or no frame is that short.
    """

    #: For the URIs of those that derive from it: arguments of the same names.
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "watchdog": Parameter(
            "cycles without progress after which the engine gives up a frame; 0: none", "a whole number", int
        ),
        "timeout": Parameter("cycles that a frame may take", "a whole number", int),
    }

    def __init__(
        self,
        transport: Transport,
        *,
        watchdog: int = WATCHDOG,
        timeout: int | None = None,
        verify: bool = True,
    ) -> None:
        check_limits(watchdog, timeout)
        self._transport = transport
        self._watchdog, self._timeout, self._verify = watchdog, timeout, verify
        self._counters: Counters | None = None
        transport.open()
        try:
            self._check_identity()
        except BaseException:
            transport.close()
            raise

    def _check_identity(self) -> None:
        for register, expected in ((Register.IDENTITY, IDENTITY), (Register.VERSION, ENGINE_VERSION)):
            found = self._transport.read32(register)
            if found != expected:
                raise SternaError(
                    "the driver does not know this engine",
                    where="engine",
                    attribute=register.name,
                    value=f"{found:#010x}",
                    allowed=f"{expected:#010x}",
                    remedy="generate the engine with this version",
                )

    def _close(self) -> None:
        """Release the engine."""
        self._counters = None
        self._transport.close()

    def _load(self, package: Package) -> None:
        """Write the tape of `package` to the engine's memory."""
        found = self._transport.read32(Register.CONFIG_HASH)
        if found != package.config.hash:
            raise SternaError(
                "the engine has another config",
                where="engine",
                attribute="config hash",
                value=f"{found:08x}",
                allowed=f"{package.config.hash:08x} ('{package.config.name}', of the package)",
                remedy="generate the engine for the package's config, or compile the graph for this engine",
            )
        if self._verify:
            package.verify_tape()
        self._counters = None
        self._place(package)
        self._transport.write_memory(self._tape, package.tape)
        for place in self._places:
            self._transport.write_memory(place.result, bytes(package.schedule.result_bytes))
            self._transport.write_memory(place.scratch, bytes(package.schedule.scratch_bytes))
        self._write64(Register.TAPE_ADDR_LO, self._tape)
        self._transport.write32(Register.TAPE_BYTES, len(package.tape))
        self._transport.write32(Register.WATCHDOG, self._watchdog)
        interleaved = layout.is_interleaved(package.schedule.input.channels)
        self._transport.write32(Register.FRAME_LAYOUT, FrameLayout.INTERLEAVED if interleaved else 0)

    def _place(self, package: Package) -> None:
        """Find room for the tape and for two frames with their results and scratch memory."""
        self._tape = self._transport.memory_base
        end = page_up(self._tape + len(package.tape))
        places = []
        for _ in range(2):
            result = page_up(end + package.schedule.frame_bytes)
            scratch = page_up(result + package.schedule.result_bytes)
            places.append(_Place(end, result, scratch))
            end = page_up(scratch + package.schedule.scratch_bytes)
        self._places = tuple(places)
        used = end - self._tape
        if used > self._transport.memory_bytes:
            raise SternaError(
                "the package does not fit the engine's memory",
                where="engine",
                attribute="bytes",
                value=used,
                allowed=f"0 .. {self._transport.memory_bytes}",
                remedy="store fewer layers or use a smaller model",
            )

    def counters(self) -> Counters | None:
        """What the last image cost; None before the first. In a batch it counts from the end of the image before."""
        return self._counters

    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        results = list(self._stream(iter(images), package, progress))
        return {name: np.concatenate([result[name] for result in results]) for name in results[0]}

    def _stream(
        self, images: Iterator[NDArray[np.int8]], package: Package, progress: Progress | None
    ) -> Generator[Results]:
        """As many frames as there are places are with the engine: one runs, the next one is queued."""
        self._transport.write32(Register.STATUS, Status.DONE | Status.ERROR | Status.IRQ)
        before = self._transport.read32(Register.FRAMES)
        started = ended = 0
        try:
            for _ in self._places:
                started += self._start_next(started, started - ended, images, package)
            while ended < started:
                self._finish(ended, before, package, progress)
                results = self._frame_out(ended, package)
                ended += 1
                started += self._start_next(started, started - ended, images, package)
                self._counters = self._read_counters()
                yield results
        except (KeyboardInterrupt, GeneratorExit):
            if ended < started:
                self._abort()
            raise

    def _start_next(self, number: int, running: int, images: Iterator[NDArray[np.int8]], package: Package) -> bool:
        """Start frame `number` with the next image, if there is one; whether there is."""
        try:
            image = next(images, None)
        except Exception:
            if running:
                self._abort()
            raise
        if image is not None:
            self._start(number, image, package)
        return image is not None

    def _start(self, number: int, image: NDArray[np.int8], package: Package) -> None:
        """Start a frame, or queue it after the running one."""
        place = self._places[number % len(self._places)]
        self._transport.write_memory(place.frame + package.schedule.input.dram_offset, layout.frame(image))
        self._write64(Register.FRAME_ADDR_LO, place.frame)
        self._write64(Register.RESULT_ADDR_LO, place.result)
        self._write64(Register.SCRATCH_ADDR_LO, place.scratch)
        self._transport.write32(Register.CONTROL, Control.START | Control.IRQ_ENABLE)

    def _frame_out(self, number: int, package: Package) -> Results:
        place = self._places[number % len(self._places)]
        memory = memoryview(self._transport.read_memory(place.result, package.schedule.result_bytes))
        results = {}
        for store in package.schedule.stores:
            region = memory[store.dram_offset :][: layout.region_bytes(store, package.config)]
            results[store.layer] = layout.unpack(region, store, package.config)[np.newaxis]
        return results

    def _finish(self, number: int, before: int, package: Package, progress: Progress | None) -> None:
        """Wait until `number` more frames than `before` have ended."""
        left = self._limit(package)
        while (self._transport.read32(Register.FRAMES) - before) % (1 << 32) <= number:
            if self._transport.wait(min(left, LOOK)):
                # First cleared, then looked at: what comes later raises it again.
                self._transport.write32(Register.STATUS, Status.IRQ)
                status = Status(self._transport.read32(Register.STATUS))
                if Status.ERROR in status or not status & (Status.DONE | Status.BUSY):
                    raise self._engine_error(package, status)
                continue
            left -= LOOK
            if left <= 0:
                raise self._timed_out(package)
            if progress:
                progress(number, self._transport.read32(Register.STEPS_NOW))
        if progress:
            progress(number, len(package.schedule.steps))

    def _limit(self, package: Package) -> int:
        return self._timeout or cycle_limit(package, self._watchdog)

    def _timed_out(self, package: Package) -> SternaError:
        steps, names = self._transport.read32(Register.STEPS_NOW), package.schedule.steps
        stopped = self._abort()
        layers = ", ".join(names[steps].layers) if steps < len(names) else "none"
        return SternaError(
            "the engine did not finish the frame in time" + ("" if stopped else ", and cannot be aborted"),
            where=f"engine, step {steps} of {len(names)} (layer {layers})",
            attribute="cycles",
            value=self._limit(package),
            remedy="raise the time-out if the memory is slow; otherwise reset the engine",
        )

    def _abort(self) -> bool:
        """End the frame, and the one that is queued; whether the engine obeyed."""
        self._transport.write32(Register.CONTROL, Control.ABORT | Control.IRQ_ENABLE)
        # The first interrupt may be that of a frame that ended by itself.
        for _ in range(2):
            if not self._transport.wait(self._watchdog):
                return False
            self._transport.write32(Register.STATUS, Status.IRQ)
            if Status.BUSY not in Status(self._transport.read32(Register.STATUS)):
                return True
        return False

    def _engine_error(self, package: Package, status: Status) -> SternaError:
        code = self._transport.read32(Register.ERROR_CODE)
        segment = self._transport.read32(Register.ERROR_SEGMENT)
        latency = self._transport.memory_latency
        if Status.ERROR in status and code == ErrorCode.STALL and self._watchdog < latency:
            return short_watchdog(self._watchdog, latency)
        return engine_error(package, status, code, segment)

    def _write64(self, low: Register, value: int) -> None:
        self._transport.write32(low, value & 0xFFFF_FFFF)
        self._transport.write32(low + 4, value >> 32)

    def _read64(self, low: Register) -> int:
        return self._transport.read32(low) | self._transport.read32(low + 4) << 32

    def _read_counters(self) -> Counters:
        totals = {f.name: self._read64(Register[f"{f.name}_lo".upper()]) for f in fields(Counters) if f.name != "steps"}
        kept = min(self._transport.read32(Register.STEPS), PROFILE_STEPS)
        return Counters(**totals, steps=tuple(self._read_step(index) for index in range(kept)))

    def _read_step(self, index: int) -> StepCounters:
        self._transport.write32(Register.PROFILE_INDEX, index)
        return StepCounters(
            *(self._transport.read32(Register[f"profile_{f.name}".upper()]) for f in fields(StepCounters))
        )


def check_limits(watchdog: int, timeout: int | None) -> None:
    """Raise SternaError if the engine has no such watchdog, or no frame is as short as `timeout`."""
    _check("watchdog", watchdog, 0, (1 << 32) - 1)
    if timeout is not None:
        _check("timeout", timeout, 1, (1 << 63) - 1)


def _check(name: str, cycles: int, least: int, most: int) -> None:
    if not least <= cycles <= most:
        raise SternaError(
            "bad number of cycles",
            where="engine",
            attribute=name,
            value=cycles,
            allowed=f"{least} .. {most}",
            remedy="choose cycles in that range",
        )


def cycle_limit(package: Package, watchdog: int) -> int:
    """Clock cycles that a frame of `package` may take, on a slow memory too."""
    schedule = package.schedule
    # Untimed it takes, at most, a cycle for each addition as if there were one PE, and for each byte that moves.
    moved = len(package.tape) + schedule.frame_bytes + schedule.result_bytes
    most = schedule.alone_cycles if schedule.timed else sum(step.nonzeros for step in schedule.steps) + moved
    return 20 * most + 4 * watchdog


def page_up(address: int) -> int:
    """The next multiple of PAGE from `address` on."""
    return -(-address // PAGE) * PAGE
