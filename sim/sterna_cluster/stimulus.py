"""Random words, operations and row steps for PEs that go in step, often at the closest distances that are legal."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sim.sterna_cluster.model import ABSENT, Entry, Operand, Pe
from sim.support.words import pack

from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import REPEAT_DISTANCE, WINDOW_WORDS, EntryKind

#: Cycles from an operation to the first in which a word may come into a slot that it reads.
REUSE_DISTANCE = 2


@dataclass(frozen=True)
class Shape:
    """The parameters of PEs; `accumulators` of one half."""

    lanes: int
    pes: int
    accumulators: int
    act_w: int
    acc_w: int


def shape_of(dut: Any) -> Shape:
    """The parameters of a cluster or a PE."""
    names = ("Lanes", "Pes", "Accumulators", "ActW", "AccW")
    return Shape(*(int(getattr(dut, name).value) if hasattr(dut, name) else 1 for name in names))


@dataclass(frozen=True)
class Cycle:
    """What comes to the PEs in one cycle. An accumulator's number is `half * accumulators + acc_index`."""

    word: tuple[int, np.ndarray] | None = None  # slot, int[WORD_CHANNELS, lanes]
    half: int = 0
    entries: list[Entry] | None = None  # an operation for each PE
    load: int | None = None  # the accumulator that the row registers read
    row: tuple[int, ...] = ()  # what they read
    shift: bool = False

    @property
    def busy(self) -> int:
        """PEs that have an operation."""
        return sum(entry.kind != EntryKind.NONE for entry in self.entries or ())


class Stimulus:
    """Chooses what comes in each cycle; holds windows and accumulators as they are after what was chosen."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.pes = [Pe(shape.lanes, shape.acc_w) for _ in range(shape.pes)]
        self.window: dict[int, np.ndarray] = {}
        self.time = max(REUSE_DISTANCE, REPEAT_DISTANCE)  # so that time 0, when nothing was done, is long ago
        #: How often something was done, and at the closest distance.
        self.counts: Counter[str] = Counter()
        self._read_at: dict[int, int] = {}  # by slot
        self._touched_at: list[dict[int, int]] = [{} for _ in self.pes]  # by accumulator

    def cycle(self) -> Cycle:
        """What comes in the next cycle."""
        self.time += 1
        word = self._word() if random.random() < 0.7 else None
        new = None if word is None else word[0]
        half = random.getrandbits(1)
        if random.random() < 0.8:
            entries = [self._apply(pe, half, self._entry(pe, half, new)) for pe in range(len(self.pes))]
            return Cycle(word, half, entries, shift=self._shift())
        number = self._loadable()
        if number is None or random.random() < 0.3:
            return Cycle(word, half, shift=self._shift())
        self.counts["load"] += 1
        row = tuple(pack(pe.sums[number].tolist(), self.shape.acc_w) for pe in self.pes)
        return Cycle(word, half, load=number, row=row)

    def _shift(self) -> bool:
        shift = random.random() < 0.3
        self.counts["shift"] += shift
        return shift

    def _word(self) -> tuple[int, np.ndarray]:
        """A random word in a slot that may be written."""
        free = [s for s in range(WINDOW_WORDS) if self._read_at.get(s, 0) <= self.time - REUSE_DISTANCE]
        closest = [s for s in free if self._read_at.get(s) == self.time - REUSE_DISTANCE]
        slot = random.choice(closest if closest and random.random() < 0.6 else free)
        self.counts["word over one just read"] += slot in closest
        self.window[slot] = np.array([self._vector() for _ in range(WORD_CHANNELS)])
        return slot, self.window[slot]

    def _vector(self) -> list[int]:
        limit = 1 << self.shape.act_w - 1
        if random.random() < 0.1:
            return [random.choice((-limit, limit - 1))] * self.shape.lanes
        return random.choices(range(-limit, limit), k=self.shape.lanes)

    def _entry(self, pe: int, half: int, new: int | None) -> Entry:
        """An operation on an accumulator that may be touched again; `new` is the slot of the word that comes."""
        touched, accumulators = self._touched_at[pe], self.shape.accumulators
        last = self.time - REPEAT_DISTANCE
        numbers = range(half * accumulators, (half + 1) * accumulators)
        free = [number for number in numbers if touched.get(number, 0) <= last]
        closest = [number for number in free if touched.get(number) == last]
        if not free or random.random() < 0.1:
            operands = [(random.getrandbits(5), random.getrandbits(1)) for _ in range(WORD_CHANNELS)]
            return Entry(EntryKind.NONE, random.randrange(accumulators), operands, random.getrandbits(1))
        number = random.choice(closest if closest and random.random() < 0.6 else free)
        kind = random.choices((EntryKind.ADD, EntryKind.SET, EntryKind.DOUBLE), (6, 1, 2))[0]
        if number not in self.pes[pe].sums:
            kind = EntryKind.SET
        operands = [ABSENT if kind == EntryKind.DOUBLE else self._operand(new) for _ in range(WORD_CHANNELS)]
        entry = Entry(kind, number % accumulators, operands, random.getrandbits(1))
        if not self.pes[pe].fits(self.pes[pe].after(entry, number, self.window)):
            entry = Entry(EntryKind.SET, entry.acc_index, operands, entry.control)
        return entry

    def _operand(self, new: int | None) -> Operand:
        if not self.window or random.random() < 0.2:
            return ABSENT
        slot = new if new is not None and random.random() < 0.5 else random.choice(list(self.window))
        return slot, random.getrandbits(1)

    def _apply(self, pe: int, half: int, entry: Entry) -> Entry:
        """Do what `entry` says to the model of a PE."""
        if entry.kind == EntryKind.NONE:
            return entry
        number = half * self.shape.accumulators + entry.acc_index
        touched = self._touched_at[pe]
        self.counts[entry.kind.name] += 1
        self.counts["again at once"] += touched.get(number) == self.time - REPEAT_DISTANCE
        self.pes[pe].sums[number] = self.pes[pe].after(entry, number, self.window)
        touched[number] = self.time
        for slot, _ in entry.operands:
            self._read_at[slot] = self.time
        return entry

    def _loadable(self) -> int | None:
        """An accumulator that all PEs have set and none has just touched."""
        last = self.time - REPEAT_DISTANCE
        numbers = [
            number for number in range(2 * self.shape.accumulators)
            if all(0 < touched.get(number, 0) <= last for touched in self._touched_at)
        ]
        closest = [number for number in numbers if any(touched[number] == last for touched in self._touched_at)]
        if not numbers:
            return None
        number = random.choice(closest if closest and random.random() < 0.6 else numbers)
        self.counts["load of one just touched"] += number in closest
        return number

    def covered(self, least: int) -> None:
        """Everything was done at least so often."""
        wanted = ("ADD", "SET", "DOUBLE", "load", "shift", "again at once", "word over one just read",
                  "load of one just touched")
        assert min(self.counts[name] for name in wanted) >= least, self.counts


class Rows:
    """The row registers of a chain of PEs: a load or a shift is done `delay` cycles after it came."""

    def __init__(self, pes: int, delay: int) -> None:
        self._coming: deque[Cycle] = deque([Cycle()] * delay)
        self._registers: list[int | None] = [None] * pes

    @property
    def first(self) -> int | None:
        """The first register, None if it is unknown."""
        return self._registers[0]

    def cycle(self, cycle: Cycle, beyond: int) -> None:
        """`cycle` comes in, and `beyond` is behind the last register."""
        self._coming.append(cycle)
        due = self._coming.popleft()
        if due.load is not None:
            self._registers = list(due.row)
        elif due.shift:
            self._registers = [*self._registers[1:], beyond]

    def know(self, first: int) -> None:
        """The first register holds `first`."""
        self._registers[0] = first


class Player:
    """An agent that gives what a stimulus chooses, and compares the first row register.

    `idle`: the inputs that are 0 while nothing comes. `row_delay`: cycles from `give` to the one in which the row
    registers take their new values.
    """

    def __init__(self, dut: Any, shape: Shape, idle: Sequence[str], row_delay: int) -> None:
        self.dut, self.shape, self.row_delay = dut, shape, row_delay
        self.idle = dict.fromkeys(idle, 0)
        self.begin()

    def begin(self) -> None:
        """Nothing is known or under way."""
        self.stimulus = Stimulus(self.shape)
        self.rows = Rows(self.shape.pes, self.row_delay)
        self._fresh = True

    def clear(self) -> None:
        """Begin anew, with idle inputs."""
        for name, value in self.idle.items():
            getattr(self.dut, name).value = value
        self.begin()

    def drive(self) -> None:
        """All that comes in one cycle."""
        self.given = self.give(self.stimulus.cycle())
        self.beyond = random.getrandbits(len(self.dut.row_i))
        self.dut.row_i.value = self.beyond

    def give(self, cycle: Cycle) -> Cycle:
        """Write the inputs of a cycle; returns what of it the row registers are to do, `row_delay` cycles later."""
        raise NotImplementedError

    def sample(self) -> None:
        """The row register holds what was loaded or shifted in last; after a clear it stays as it is."""
        row = int(self.dut.row_o.value)
        if self._fresh:
            self.rows.know(row)
            self._fresh = False
        assert self.rows.first in (None, row), "the row register differs"
        self.rows.cycle(self.given, self.beyond)

    def give_word(self, word: tuple[int, np.ndarray] | None) -> None:
        """Write the inputs of a word."""
        self.dut.word_valid_i.value = word is not None
        self.dut.word_slot_i.value = random.getrandbits(5) if word is None else word[0]
        if word is not None:
            self.dut.word_data_i.value = pack(word[1].reshape(-1).tolist(), self.shape.act_w)
        elif random.random() < 0.2:
            self.dut.word_data_i.value = random.getrandbits(len(self.dut.word_data_i))

    def give_row_step(self, cycle: Cycle) -> None:
        """Write the inputs of a load or a shift."""
        self.dut.row_load_i.value, self.dut.row_shift_i.value = cycle.load is not None, cycle.shift
        address = random.randrange(2 * self.shape.accumulators) if cycle.load is None else cycle.load
        self.dut.row_address_i.value = address
