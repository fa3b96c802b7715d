"""Random passes for a cluster: blocks of lines, entries of every kind, drain commands and their tables."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from sim.sterna_cluster.model import Unit, Word, drain

from sterna.spec.tape import Command


@dataclass(frozen=True)
class Shape:
    """The parameters of a cluster."""

    lanes: int
    units: int
    slots: int
    block_lines: int
    act_w: int
    acc_w: int
    mul_w: int
    address_w: int
    chunk_bytes: int


@dataclass(frozen=True)
class Pass:
    """All that goes into a pass, and what must come out."""

    blocks: list[list[np.ndarray]]  # lines int[lanes] of each block
    chunks: list[list[bytes]]  # of each unit
    command: dict[str, int]  # fields of pass_t
    table: list[int]  # 64-bit entries
    words: list[Word]
    units: list[Unit]  # the accumulators at the end of the pass
    additions: int


def random_line(shape: Shape) -> np.ndarray:
    """A line, often with extreme values."""
    limit = 1 << shape.act_w - 1
    if random.random() < 0.1:
        return np.full(shape.lanes, random.choice([-limit, limit - 1]), np.int64)
    return np.array([random.randrange(-limit, limit) for _ in range(shape.lanes)], np.int64)


def random_pass(shape: Shape, entries: int, table_half: int) -> Pass:
    """A pass of one to three blocks with about `entries` entries a unit and block."""
    lengths = [random.choice([1, 2, shape.block_lines, random.randint(1, shape.block_lines)])
               for _ in range(random.randint(1, 3))]
    blocks = [[random_line(shape) for _ in range(length)] for length in lengths]
    units = [Unit(shape.lanes, shape.slots, shape.acc_w) for _ in range(shape.units)]
    chunks: list[list[bytes]] = []
    for unit in units:
        stream: list[bytes] = []
        for index, lines in enumerate(blocks):
            end = Command.END_PASS if index == len(blocks) - 1 else Command.END_BLOCK
            body = _block_entries(unit, lines, random.randint(0, 2 * entries))
            unit.apply(_command(end), lines)
            stream += _chunks([*body, _command(end)], shape.chunk_bytes)
        chunks.append(stream)
    command, table = random_command(shape, table_half)
    words = drain(units, command, table, shape.act_w, shape.address_w)
    return Pass(blocks, chunks, command, table, words, units, sum(unit.additions for unit in units))


def random_command(shape: Shape, table_half: int, **fixed: int) -> tuple[dict[str, int], list[int]]:
    """Fields of a `pass_t`, those in `fixed` as given, and the table entries of its channels."""
    pool = fixed.get("pool", random.randint(0, 1))
    most = shape.units * shape.slots // (4 if pool else 1)
    command = {
        "write": int(random.random() < 0.85),
        "table_half": table_half,
        "pool": pool,
        "activation": random.randrange(3),
        "shift": random.choice([0, 1, 2, random.randint(3, 40)]),
        "filters": random.choice([1, most, random.randint(1, most)]),
        "address": random.getrandbits(shape.address_w),
        "plane": random.getrandbits(shape.address_w),
    } | fixed
    return command, [_table_entry(shape, command["shift"]) for _ in range(command["filters"])]


def dense_pass(shape: Shape, density: float, blocks: int) -> Pass:
    """A pass as the compiler makes it: full blocks, each weight present with chance `density`, line by line, no
    accumulator touched twice running where that can be had."""
    lines = [[np.ones(shape.lanes, np.int64)] * shape.block_lines for _ in range(blocks)]
    chunks: list[list[bytes]] = []
    additions = 0
    for _ in range(shape.units):
        stream: list[bytes] = []
        last = -1
        for block in range(blocks):
            entries: list[int] = []
            skip = 0
            for _ in range(shape.block_lines):
                skip += 1
                slots = [slot for slot in range(shape.slots) if random.random() < density]
                if len(slots) > 1 and slots[0] == last:
                    slots.append(slots.pop(0))
                for slot in slots:
                    while skip > 2:
                        jump = (skip - 1).bit_length() - 1
                        entries.append(_command(Command.SKIP | jump))
                        skip -= 1 << jump
                    entries.append(skip << 6 | slot << 1 | random.getrandbits(1))
                    skip, last = 0, slot
            additions += sum(entry >> 6 != 3 for entry in entries)
            end = Command.END_PASS if block == blocks - 1 else Command.END_BLOCK
            stream += _chunks([*entries, _command(end)], shape.chunk_bytes)
        chunks.append(stream)
    command = {"write": 0, "table_half": 0, "pool": 0, "activation": 0, "shift": 0, "filters": 1,
               "address": 0, "plane": 0}
    return Pass(lines, chunks, command, [0], [], [], additions)


def _command(code: int) -> int:
    return 3 << 6 | code


def _block_entries(unit: Unit, lines: list[np.ndarray], count: int) -> list[int]:
    """Random entries that are legal for a block of `lines`; applies them to `unit`."""
    entries: list[int] = []
    while len(entries) < count:
        entry = _random_entry(unit, len(lines))
        if unit.fits(entry, lines):
            unit.apply(entry, lines)
            entries.append(entry)
            if entry >> 6 == 3 and entry & ~7 == _command(Command.SKIP):
                unit.line = None  # the next addition must name its line
    return entries


def _random_entry(unit: Unit, lines: int) -> int:
    left = lines - 1 - unit.pointer
    slot = random.choice([random.randrange(unit.slots), next(iter(unit.accumulators), 0)])
    choice = random.random()
    if choice < 0.8:
        skips = [skip for skip in (0, 0, 1, 1, 2) if (skip <= left if skip else unit.line is not None)]
        if skips:
            return random.choice(skips) << 6 | slot << 1 | random.getrandbits(1)
    if choice < 0.84 and left:
        return _command(Command.SKIP | random.randrange(left.bit_length()))
    if choice < 0.9 and slot in unit.accumulators:
        return _command(Command.DOUBLE | slot)
    if choice < 0.95:
        return _command(random.choice([Command.NOP, Command.PAD]))
    return _command(Command.REWIND)


def _chunks(entries: list[int], size: int) -> list[bytes]:
    """Entries in chunks; whatever follows a PAD or an end in its chunk is random."""
    chunks: list[bytes] = []
    chunk = bytearray()
    for entry in entries:
        chunk.append(entry)
        drops = entry in (_command(Command.PAD), _command(Command.END_BLOCK), _command(Command.END_PASS))
        if drops or len(chunk) == size:
            chunks.append(bytes(chunk) + random.randbytes(size - len(chunk)))
            chunk.clear()
    return chunks


def _table_entry(shape: Shape, shift: int) -> int:
    """A multiplier and a bias that give results inside and outside the range of an activation."""
    multiplier = random.choice([0, 1, (1 << shape.mul_w) - 1, random.getrandbits(shape.mul_w)])
    bits = random.choice([1, 45, min(45, shift + shape.act_w), random.randint(1, 45)])
    bias = random.randrange(-(1 << bits), 1 << bits)
    return (bias & (1 << 46) - 1) << 18 | multiplier
