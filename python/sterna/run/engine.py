"""An engine as a device: its registers, its memory, its frames, over any transport."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.run import layout
from sterna.run.device import Counters, Device, Progress, Results, StepCounters
from sterna.run.engine_error import engine_error
from sterna.run.package import Package
from sterna.run.transport import Transport
from sterna.spec.registers import (
    ENGINE_VERSION,
    IDENTITY,
    PROFILE_STEPS,
    Control,
    Register,
    Status,
)

PAGE = 4096
#: Clock cycles without progress after which the engine gives up a frame by itself.
WATCHDOG = 100_000
#: Clock cycles between two looks at a running frame.
LOOK = 20_000


class EngineDevice(Device):
    """Runs packages on an engine behind `transport`.

    `watchdog` is the engine's own limit of cycles without progress; `timeout` limits the cycles of a frame
    (None: 20 times the compiler's estimate and four watchdogs). With `verify` off, `load` leaves it to the
    engine to check the tape.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        watchdog: int = WATCHDOG,
        timeout: int | None = None,
        verify: bool = True,
    ) -> None:
        super().__init__()
        self._transport = transport
        self._watchdog, self._timeout, self._verify = watchdog, timeout, verify
        self._counters: Counters | None = None

    def _open(self) -> None:
        """Reach the engine and check that it is one this driver knows."""
        self._transport.open()
        try:
            self._check_identity()
        except BaseException:
            self._transport.close()
            raise

    def _check_identity(self) -> None:
        for register, expected in ((Register.IDENTITY, IDENTITY), (Register.VERSION, ENGINE_VERSION)):
            found = self._transport.read32(register)
            if found != expected:
                raise SternaError(
                    "this is not an engine that the driver knows",
                    where="engine",
                    attribute=register.name,
                    value=f"{found:#010x}",
                    allowed=f"{expected:#010x}",
                    remedy="generate the engine with this version",
                )

    def _close(self) -> None:
        """Let go of the engine."""
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
        self._transport.write_memory(self._result, bytes(package.schedule.result_bytes))
        for register, address in (
            (Register.TAPE_ADDR_LO, self._tape),
            (Register.FRAME_ADDR_LO, self._frame),
            (Register.RESULT_ADDR_LO, self._result),
        ):
            self._transport.write32(register, address & 0xFFFF_FFFF)
            self._transport.write32(register + 4, address >> 32)
        self._transport.write32(Register.TAPE_BYTES, len(package.tape))
        self._transport.write32(Register.WATCHDOG, self._watchdog)

    def _place(self, package: Package) -> None:
        sizes = (len(package.tape), package.schedule.frame_bytes, package.schedule.result_bytes)
        self._tape = self._transport.memory_base
        self._frame = _page_up(self._tape + sizes[0])
        self._result = _page_up(self._frame + sizes[1])
        used = _page_up(self._result + sizes[2]) - self._tape
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
        """What the last image cost; None before the first."""
        return self._counters

    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        frames = []
        for number, image in enumerate(images):
            self._frame_in(image, package)
            try:
                self._frame_run(package, number, progress)
            except KeyboardInterrupt:
                self._abort()
                raise
            self._counters = self._read_counters()
            frames.append(self._frame_out(package))
        return {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}

    def _frame_in(self, image: NDArray[np.int8], package: Package) -> None:
        packed = layout.pack(image >> (8 - package.graph.act_bits), package.config)
        self._transport.write_memory(self._frame + package.schedule.input.dram_offset, packed.tobytes())

    def _frame_out(self, package: Package) -> Results:
        memory = memoryview(self._transport.read_memory(self._result, package.schedule.result_bytes))
        results = {}
        for store in package.schedule.stores:
            region = memory[store.dram_offset :][: layout.region_bytes(store, package.config)]
            results[store.layer] = layout.unpack(region, store, package.config)
        return results

    def _frame_run(self, package: Package, number: int, progress: Progress | None) -> None:
        self._transport.write32(Register.STATUS, Status.DONE | Status.ERROR | Status.IRQ)
        self._transport.write32(Register.CONTROL, Control.START | Control.IRQ_ENABLE)
        left = self._limit(package)
        while not self._transport.wait(min(left, LOOK)):
            left -= LOOK
            if left <= 0:
                raise self._timed_out(package)
            if progress:
                progress(number, self._transport.read32(Register.STEPS))
        status = Status(self._transport.read32(Register.STATUS))
        if Status.ERROR in status or Status.DONE not in status:
            raise self._engine_error(package, status)
        if progress:
            progress(number, len(package.schedule.steps))

    def _limit(self, package: Package) -> int:
        estimate = sum(step.cycles for step in package.schedule.steps)
        return self._timeout or 20 * estimate + 4 * self._watchdog

    def _timed_out(self, package: Package) -> SternaError:
        steps, names = self._transport.read32(Register.STEPS), package.schedule.steps
        stopped = self._abort()
        layers = ", ".join(names[steps].layers) if steps < len(names) else "none"
        return SternaError(
            "the engine did not finish the frame in time" + ("" if stopped else ", and cannot be aborted"),
            where=f"engine, step {steps} of {len(names)} (layer {layers})",
            attribute="cycles",
            value=self._limit(package),
            remedy="raise the time-out for a slow memory; otherwise reset the engine",
        )

    def _abort(self) -> bool:
        """End the frame; whether the engine obeyed."""
        self._transport.write32(Register.CONTROL, Control.ABORT | Control.IRQ_ENABLE)
        return self._transport.wait(self._watchdog)

    def _engine_error(self, package: Package, status: Status) -> SternaError:
        code = self._transport.read32(Register.ERROR_CODE)
        segment = self._transport.read32(Register.ERROR_SEGMENT)
        return engine_error(package, status, code, segment)

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


def _page_up(address: int) -> int:
    return -(-address // PAGE) * PAGE
