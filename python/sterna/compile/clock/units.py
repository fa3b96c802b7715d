"""Two units that share a line buffer, with their decoders (`sterna_unit`, `sterna_decoder`, `sterna_line_buffer`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import Record, Records
from sterna.compile.clock.timing import OP_DEPTH, REQUEST_DEPTH, ROOM_MARGIN
from sterna.spec import tape
from sterna.spec.config import EngineConfig
from sterna.spec.tape import Command

_NOP, _ADD, _DOUBLE, _SKIP, _END, _PAD = range(6)
# An operation: its slot, and whether it takes a line, whether it ends the pass.
_SLOT, _LINE, _LAST = 63, 64, 128
# Rows of the counts.
BUSY, WAIT_LINES, WAIT_WEIGHTS, WAIT_DRAIN = range(4)
COUNTS = 4


def entry_table(config: EngineConfig) -> NDArray[np.int64]:
    """What each entry is, int64[3, codes]: kind, lines that it advances by, slot."""
    codes = np.arange(1 << config.entry_bits)
    low = codes & ((1 << (config.slot_bits + 1)) - 1)
    skip = codes >> (config.slot_bits + 1)
    adds = skip != tape.ENTRY_CONTROL
    doubles = low >= 1 << config.slot_bits
    ends, skips = low & ~3 == Command.END_PASS, low & ~7 == Command.SKIP
    kind = np.select([adds, doubles, ends, skips, low == Command.PAD], [_ADD, _DOUBLE, _END, _SKIP, _PAD], _NOP)
    advance = np.select([kind == _ADD, kind == _END, kind == _SKIP], [skip, low & 3, 1 << (low & 7)], 0)
    slot = np.select([kind == _ADD, kind == _DOUBLE], [low >> 1, low & ((1 << config.slot_bits) - 1)], 0)
    return np.stack([kind, advance, slot]).astype(np.int64)


@compiled
def begin_step(unit: Record, step: Record, index: int, stream: int, entries: int) -> None:
    """The chunks that come next are those of `stream` of `step`."""
    unit.step = index
    unit.passes_left = step.groups
    unit.chunks_left = step.rounds
    unit.first_at = step.codes + stream * entries
    unit.next_at = unit.first_at
    unit.chunk_stride = step.streams * entries


@compiled
def _next_chunk(unit: Record, steps: Records, machine: Record, place: int) -> None:
    """Go on to the chunk behind the one that is taken; unit `place` of the engine."""
    unit.next_at += unit.chunk_stride
    unit.chunks_left -= 1
    if unit.chunks_left > 0:
        return
    unit.passes_left -= 1
    if unit.passes_left > 0:
        unit.next_at = unit.first_at
        unit.chunks_left = steps[unit.step].rounds
    elif steps[unit.step].next_conv >= 0:
        following = steps[unit.step].next_conv
        cluster, own = place // machine.units, place % machine.units
        stream = cluster // steps[following].shared * machine.units + own
        begin_step(unit, steps[following], following, stream, machine.chunk_entries)


@compiled
def _decode(unit: Record, codes: NDArray[np.uint8], table: NDArray[np.int64]) -> None:
    """Look at the entry in front, and at the one behind it if it is a SKIP that goes with that."""
    entry = codes[unit.at]
    advance, taken = table[1, entry], 1
    if table[0, entry] == _SKIP and unit.left > 1:
        entry = codes[unit.at + 1]
        advance, taken = advance + table[1, entry], 2
    kind = table[0, entry]
    line = kind == _ADD and table[1, entry] > 0
    unit.act_line = line
    unit.act_op = kind in (_ADD, _DOUBLE, _END)
    unit.act_moves = line or taken == 2 or kind in (_SKIP, _END)
    unit.act_drops = kind in (_END, _PAD)
    unit.act_advance = advance
    unit.act_taken = taken
    unit.act_code = table[2, entry] + (_LINE if line else 0) + (_LAST if kind == _END else 0)


@compiled
def _issue(unit: Record, written: int, drain_reads: int) -> None:
    """What the operation in front does, and which line is asked for."""
    takes_line = (unit.op & _LINE) != 0
    free = unit.op_valid and not unit.undrained
    ends = (unit.op & _LAST) != 0
    ready = (unit.asked or not takes_line) and not (unit.added and unit.same)
    unit.add = free and not ends and not drain_reads and ready
    unit.ends = free and ends
    unit.take = unit.add and takes_line
    unit.line = unit.requests[unit.request_head]
    unit.wants = unit.request_count > 0 and written > unit.line and (not unit.asked or unit.take)


@compiled
def cycle_port(pair: Records) -> None:
    """A read serves both units if they ask for the same line; else the one that is behind goes first."""
    first, second = pair[0], pair[1]
    first.served, second.served = first.wants, second.wants
    if first.wants and second.wants and first.line != second.line:
        first.served = first.line < second.line
        second.served = not first.served


@compiled
def _count(unit: Record, written: int, drain_reads: int, counts: NDArray[np.int64]) -> None:
    """A cycle counts for the first thing that is waited for."""
    if unit.op_valid:
        ends = unit.op & _LAST
        counts[BUSY] += unit.add
        if unit.undrained or (drain_reads and not ends):
            counts[WAIT_DRAIN] += 1
        elif not ends and unit.op & _LINE and not unit.asked:
            counts[WAIT_LINES] += 1
    elif unit.left == 0:
        counts[WAIT_WEIGHTS] += unit.op_count == 0
    elif (unit.act_moves and written <= unit.pointer) or (unit.request_count > 0 and not unit.served):
        counts[WAIT_LINES] += 1


@compiled
def _retire(unit: Record, freed: NDArray[np.int64]) -> None:
    """End of the cycle for the operation in front: the next one, halves, the line asked for."""
    for half in range(2):
        if freed[half]:
            unit.ended[half] = 0
    if unit.ends:
        unit.ended[unit.half] = 1
        unit.half = 1 - unit.half
    unit.undrained = unit.ended[unit.half]
    unit.asked = unit.served or (unit.asked and not unit.take)
    unit.added = unit.add
    if not unit.op_valid or unit.add or unit.ends:
        unit.op_valid = unit.op_count > 0
        if unit.op_valid:
            following = unit.ops[unit.op_head]
            unit.same = (following & _SLOT) == (unit.op & _SLOT)
            unit.op = following
            unit.op_head = (unit.op_head + 1) & (OP_DEPTH - 1)
            unit.op_count -= 1
    if unit.served:
        unit.request_head = (unit.request_head + 1) & (REQUEST_DEPTH - 1)
        unit.request_count -= 1


@compiled
def _take_entry(unit: Record, written: int, op_room: bool, request_room: bool) -> bool:
    """Whether the entry in front leaves: then its operation and its request are queued and the pointer moves."""
    if unit.left == 0 or (unit.act_moves and written <= unit.pointer):
        return False
    if (unit.act_op and not op_room) or (unit.act_line and not request_room):
        return False
    unit.pointer += unit.act_advance
    if unit.act_op:
        unit.ops[(unit.op_head + unit.op_count) & (OP_DEPTH - 1)] = unit.act_code
        unit.op_count += 1
    if unit.act_line:
        unit.requests[(unit.request_head + unit.request_count) & (REQUEST_DEPTH - 1)] = unit.pointer
        unit.request_count += 1
    return True


@compiled
def _feed(
    unit: Record, place: int, taken: bool, steps: Records, machine: Record, codes: NDArray[np.uint8],
    table: NDArray[np.int64],
) -> None:  # fmt: skip
    """The entry that comes to the front when the one there has been `taken`."""
    unit.chunk_room = unit.chunks < machine.fifo_chunks
    if unit.left == 0 or (taken and (unit.act_drops or unit.left == unit.act_taken)):
        unit.left = 0
        if unit.chunks > 0:
            unit.chunks -= 1
            unit.left = machine.chunk_entries
            unit.at = unit.next_at
            _next_chunk(unit, steps, machine, place)
            _decode(unit, codes, table)
    elif taken:
        unit.left -= unit.act_taken
        unit.at += unit.act_taken
        _decode(unit, codes, table)


@compiled
def _cycle_unit(
    unit: Record, place: int, cluster: Record, drain: Record, steps: Records, machine: Record,
    codes: NDArray[np.uint8], table: NDArray[np.int64], counts: NDArray[np.int64],
) -> None:  # fmt: skip
    """The rest of a unit's cycle, when it is known which lines are served."""
    _count(unit, cluster.written_seen, drain.read, counts)
    op_room, request_room = unit.op_count < OP_DEPTH, unit.request_count < REQUEST_DEPTH
    if cluster.taken - unit.tail >= machine.buffer_lines - ROOM_MARGIN:
        cluster.room_next = 0
    unit.tail = unit.line if unit.request_count > 0 else unit.pointer
    cluster.ended_next[0] &= unit.ended[0]
    cluster.ended_next[1] &= unit.ended[1]
    _retire(unit, drain.freed)
    taken = _take_entry(unit, cluster.written_seen, op_room, request_room)
    _feed(unit, place, taken, steps, machine, codes, table)


@compiled
def cycle_cluster(
    units: Records, index: int, cluster: Record, drain: Record, steps: Records, machine: Record,
    codes: NDArray[np.uint8], table: NDArray[np.int64], counts: NDArray[np.int64],
) -> None:  # fmt: skip
    """A cycle of all units of cluster `index`."""
    cluster.room_next = 1
    cluster.ended_next[0] = 1
    cluster.ended_next[1] = 1
    start = index * machine.units
    for place in range(start, start + machine.units, 2):
        first, second = units[place], units[place + 1]
        _issue(first, cluster.written_seen, drain.read)
        _issue(second, cluster.written_seen, drain.read)
        cycle_port(units[place : place + 2])
        _cycle_unit(first, place, cluster, drain, steps, machine, codes, table, counts)
        _cycle_unit(second, place + 1, cluster, drain, steps, machine, codes, table, counts)
