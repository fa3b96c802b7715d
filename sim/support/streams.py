"""Cycle-based drivers and monitors for cocotb benches, with random stalls on every handshake.

`Bench` owns clock, reset and time. In every cycle all its agents first `drive` the inputs (after the falling
edge), then, once everything has settled, `sample` what the next rising edge will see. Two awaits a cycle,
however many agents there are, and no race with the design.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Protocol

from cocotb.clock import Clock
from cocotb.handle import Immediate
from cocotb.triggers import FallingEdge, ReadOnly


class Agent(Protocol):
    """Something that takes part in every cycle."""

    def drive(self) -> None:
        """Write inputs of the design for this cycle."""

    def sample(self) -> None:
        """Read what the coming rising edge sees."""


class Field:
    """`width` bits of a packed port from bit `lsb` up (the whole port when `width` is left out)."""

    _written: ClassVar[dict[str, int]] = {}

    def __init__(self, handle: Any, lsb: int = 0, width: int | None = None) -> None:
        self.handle, self.lsb, self.width = handle, lsb, len(handle) if width is None else width
        self._mask = (1 << self.width) - 1
        self._key = handle._path
        self._whole = self.width == len(handle)

    def read(self) -> int:
        """Unsigned value."""
        return int(self.handle.value) >> self.lsb & self._mask

    def write(self, value: int) -> None:
        """Write `value` (signed values are cut to the width) and leave the port's other bits as they are."""
        value &= self._mask
        if not self._whole:
            other = self._written.get(self._key, 0) & ~(self._mask << self.lsb)
            value = other | value << self.lsb
            self._written[self._key] = value
        self.handle.value = value


class Source:
    """Valid/ready driver: sends the items of `queue`, each a mapping of payload field to value.

    `idle` is the chance that a cycle begins no new item. Payloads are random while valid is low. The fields `late`
    are driven in the cycle after an item was accepted.
    """

    def __init__(
        self, valid: Field, ready: Field | None, payload: Mapping[str, Field], idle: float = 0.3,
        late: Mapping[str, Field] | None = None,
    ) -> None:
        self.valid, self.ready, self.payload, self.idle, self.late = valid, ready, payload, idle, late or {}
        self.queue: deque[Mapping[str, int]] = deque()
        #: The item that was accepted in this cycle, if any.
        self.accepted: Mapping[str, int] | None = None
        self.sent = 0
        self._busy = False

    def send(self, items: Iterable[Mapping[str, int]]) -> None:
        """Queue `items`."""
        self.queue.extend(items)

    def drive(self) -> None:
        """Keep an item that waits; else begin the next one or idle."""
        for name, field in self.late.items():
            field.write(self.accepted[name] if self.accepted else random.getrandbits(field.width))
        if not self._busy:
            self._busy = bool(self.queue) and random.random() >= self.idle
            self.valid.write(self._busy)
            for name, field in self.payload.items():
                field.write(self.queue[0][name] if self._busy else random.getrandbits(field.width))

    def sample(self) -> None:
        """An accepted item is done."""
        self.accepted = None
        if self._busy and (self.ready is None or self.ready.read()):
            self.accepted = self.queue.popleft()
            self.sent += 1
            self._busy = False

    def withdraw(self) -> None:
        """Offer nothing."""
        self.valid.write(0)

    def clear(self) -> None:
        """Forget what is queued."""
        self.queue.clear()
        self.accepted = None
        self._busy = False


class AheadSource(Source):
    """Sends an item only `ahead` cycles after one in which `go` said that there is room; each is taken at once."""

    def __init__(
        self, valid: Field, go: Field, payload: Mapping[str, Field], idle: float = 0.3, ahead: int = 2
    ) -> None:  # fmt: skip
        super().__init__(valid, None, payload, idle)
        self.go, self.rate, self.ahead = go, idle, ahead
        self._went = deque([0] * ahead)

    def drive(self) -> None:
        """As a source, or nothing if there was no room."""
        self.idle = self.rate if self._went.popleft() else 1.0
        super().drive()

    def sample(self) -> None:
        """Look whether there is room."""
        super().sample()
        self._went.append(self.go.read())

    def clear(self) -> None:
        """Forget what is queued, and that there was room."""
        super().clear()
        self._went = deque([0] * self.ahead)


class Sink:
    """Valid/ready monitor: takes items with random back-pressure into `taken`, each a dict of its fields.

    `stall` is the chance that a cycle is not ready; without a `ready` field it only watches. Checks that a
    waiting item stays valid and unchanged. The fields `late` are read in the cycle after an item was taken.
    """

    def __init__(
        self, valid: Field, ready: Field | None, payload: Mapping[str, Field], stall: float = 0.3,
        late: Mapping[str, Field] | None = None,
    ) -> None:
        self.valid, self.ready, self.payload, self.stall, self.late = valid, ready, payload, stall, late or {}
        self.taken: list[dict[str, int]] = []
        self._waiting: dict[str, int] | None = None
        self._ready = ready is None
        self._just_taken = False

    def drive(self) -> None:
        """Choose this cycle's ready."""
        if self.ready is not None:
            self._ready = random.random() >= self.stall
            self.ready.write(self._ready)

    def sample(self) -> None:
        """Take an item when both sides agree."""
        if self._just_taken:
            self.taken[-1] |= {name: field.read() for name, field in self.late.items()}
        self._just_taken = bool(self.late and self.valid.read() and self._ready)
        if not self.valid.read():
            assert self._waiting is None, f"valid was withdrawn before ready: {self._waiting}"
            return
        item = {name: field.read() for name, field in self.payload.items()}
        assert self._waiting in (None, item), f"payload changed while waiting: {self._waiting} -> {item}"
        self._waiting = None if self._ready else item
        if self._ready:
            self.taken.append(item)

    def clear(self) -> None:
        """Forget what was taken and what waits."""
        self.taken.clear()
        self._waiting = None
        self._just_taken = False


class AheadSink(Sink):
    """Says by `go` that there is room, and checks that items come only `AHEAD` cycles after that."""

    AHEAD = 2

    def __init__(self, valid: Field, go: Field, payload: Mapping[str, Field], stall: float = 0.3) -> None:
        super().__init__(valid, None, payload, stall)
        self.go = go
        self._went = deque([False] * self.AHEAD)

    def drive(self) -> None:
        """Choose whether there is room."""
        self._went.append(random.random() >= self.stall)
        self.go.write(self._went[-1])

    def sample(self) -> None:
        """Take an item."""
        went = self._went.popleft()
        assert went or not self.valid.read(), "an item came without room"
        super().sample()


class Bench:
    """Clock, reset and agents of one design with ports `clk_i`, `rst_ni` and (where it has one) `clear_i`.

    A design with several clocks has a bench for each: `clock` and `reset` are its ports, `period` is in ps.
    """

    def __init__(self, dut: Any, *, clock: str = "clk_i", reset: str = "rst_ni", period: int = 10_000) -> None:
        self.dut = dut
        self.clock, self._rst_n, self.period = getattr(dut, clock), getattr(dut, reset), period
        self.agents: list[Agent] = []
        self.cycle = 0

    async def start(self, **inputs: int) -> None:
        """Start the clock and reset the design with `inputs` set and all agents idle; once in a test."""
        Field._written.clear()
        for name, value in inputs.items():
            getattr(self.dut, name).value = value
        if hasattr(self.dut, "clear_i"):
            self.dut.clear_i.value = 0
        for agent in self.agents:
            if isinstance(agent, Source):
                agent.withdraw()
            elif isinstance(agent, Sink) and agent.ready is not None:
                agent.ready.write(0)
        # At once, before the random state of the start of time can look like a clock edge to an assertion.
        self._rst_n.value = Immediate(0)
        self.clock.value = Immediate(0)
        Clock(self.clock, self.period, unit="ps").start()
        for _ in range(3):
            await FallingEdge(self.clock)
        self._rst_n.value = 1

    async def step(self, cycles: int = 1) -> None:
        """Run `cycles` cycles; ends just before the rising edge of the last one."""
        for _ in range(cycles):
            await FallingEdge(self.clock)
            for agent in self.agents:
                agent.drive()
            await ReadOnly()
            for agent in self.agents:
                agent.sample()
            self.cycle += 1

    async def run(self) -> None:
        """Run for ever, beside a bench of another clock."""
        while True:
            await self.step()

    async def run_until(self, done: Callable[[], bool], limit: int) -> int:
        """Run until `done()`; returns the cycles it took. Fails after `limit` cycles."""
        start = self.cycle
        while not done():
            assert self.cycle - start < limit, f"not done after {limit} cycles"
            await self.step()
        return self.cycle - start

    async def clear(self) -> None:
        """One cycle of `clear_i`; agents that have a `clear` forget what is under way and leave their inputs idle."""
        await FallingEdge(self.clock)
        self.dut.clear_i.value = 1
        for agent in self.agents:
            if hasattr(agent, "clear"):
                agent.clear()
            if isinstance(agent, Source):
                agent.withdraw()
        await FallingEdge(self.clock)
        self.dut.clear_i.value = 0
