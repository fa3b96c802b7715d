"""Two PEs that share a vector buffer, with their decoders (`sterna_pe`, `sterna_decoder`, `sterna_vector_buffer`)."""

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
# An operation: its accumulator, and whether it takes a vector, whether it ends the pass.
_ACC_INDEX, _VECTOR, _LAST = 63, 64, 128
# Rows of the counts.
BUSY, WAIT_VECTORS, WAIT_WEIGHTS, WAIT_DRAIN = range(4)
COUNTS = 4


def entry_table(config: EngineConfig) -> NDArray[np.int64]:
    """What each entry is, int64[3, codes]: kind, vectors that it advances by, accumulator."""
    codes = np.arange(1 << config.entry_bits)
    low = codes & ((1 << (config.acc_index_w + 1)) - 1)
    skip = codes >> (config.acc_index_w + 1)
    adds = skip != tape.ENTRY_CONTROL
    doubles = low >= 1 << config.acc_index_w
    ends, skips = low & ~3 == Command.END_PASS, low & ~7 == Command.SKIP
    kind = np.select([adds, doubles, ends, skips, low == Command.PAD], [_ADD, _DOUBLE, _END, _SKIP, _PAD], _NOP)
    advance = np.select([kind == _ADD, kind == _END, kind == _SKIP], [skip, low & 3, 1 << (low & 7)], 0)
    acc_index = np.select([kind == _ADD, kind == _DOUBLE], [low >> 1, low & ((1 << config.acc_index_w) - 1)], 0)
    return np.stack([kind, advance, acc_index]).astype(np.int64)


@compiled
def begin_step(pe: Record, step: Record, index: int, stream: int, entries: int) -> None:
    """The chunks that come next are those of `stream` of `step`."""
    pe.step = index
    pe.passes_left = step.groups
    pe.chunks_left = step.rounds
    pe.first_at = step.codes + stream * entries
    pe.next_at = pe.first_at
    pe.chunk_stride = step.streams * entries


@compiled
def _next_chunk(pe: Record, steps: Records, machine: Record, place: int) -> None:
    """Go on to the chunk after the one that is taken; PE `place` of the engine."""
    pe.next_at += pe.chunk_stride
    pe.chunks_left -= 1
    if pe.chunks_left > 0:
        return
    pe.passes_left -= 1
    if pe.passes_left > 0:
        pe.next_at = pe.first_at
        pe.chunks_left = steps[pe.step].rounds
    elif steps[pe.step].next_conv >= 0:
        following = steps[pe.step].next_conv
        cluster, own = place // machine.pes, place % machine.pes
        stream = cluster // steps[following].shared * machine.pes + own
        begin_step(pe, steps[following], following, stream, machine.chunk_entries)


@compiled
def _decode(pe: Record, codes: NDArray[np.uint8], table: NDArray[np.int64]) -> None:
    """Look at the entry in front, and at the one after it if it is a SKIP that goes with that."""
    entry = codes[pe.at]
    advance, taken = table[1, entry], 1
    if table[0, entry] == _SKIP and pe.left > 1:
        entry = codes[pe.at + 1]
        advance, taken = advance + table[1, entry], 2
    kind = table[0, entry]
    vector = kind == _ADD and table[1, entry] > 0
    pe.act_vector = vector
    pe.act_op = kind in (_ADD, _DOUBLE, _END)
    pe.act_moves = vector or taken == 2 or kind in (_SKIP, _END)
    pe.act_drops = kind in (_END, _PAD)
    pe.act_advance = advance
    pe.act_taken = taken
    pe.act_code = table[2, entry] + (_VECTOR if vector else 0) + (_LAST if kind == _END else 0)


@compiled
def _issue(pe: Record, written: int, drain_reads: int) -> None:
    """What the operation in front does, and which vector it requests."""
    takes_vector = (pe.op & _VECTOR) != 0
    free = pe.op_valid and not pe.undrained
    ends = (pe.op & _LAST) != 0
    ready = (pe.asked or not takes_vector) and not (pe.added and pe.same)
    pe.add = free and not ends and not drain_reads and ready
    pe.ends = free and ends
    pe.take = pe.add and takes_vector
    pe.vector = pe.requests[pe.request_head]
    pe.wants = pe.request_count > 0 and written > pe.vector and (not pe.asked or pe.take)


@compiled
def cycle_port(pair: Records) -> None:
    """A read serves both PEs if they ask for the same vector; otherwise the slower one goes first."""
    first, second = pair[0], pair[1]
    first.served, second.served = first.wants, second.wants
    if first.wants and second.wants and first.vector != second.vector:
        first.served = first.vector < second.vector
        second.served = not first.served


@compiled
def _count(pe: Record, written: int, drain_reads: int, counts: NDArray[np.int64]) -> None:
    """Count the cycle for the first thing that the PE waits for."""
    if pe.op_valid:
        ends = pe.op & _LAST
        counts[BUSY] += pe.add
        if pe.undrained or (drain_reads and not ends):
            counts[WAIT_DRAIN] += 1
        elif not ends and pe.op & _VECTOR and not pe.asked:
            counts[WAIT_VECTORS] += 1
    elif pe.left == 0:
        counts[WAIT_WEIGHTS] += pe.op_count == 0
    elif (pe.act_moves and written <= pe.pointer) or (pe.request_count > 0 and not pe.served):
        counts[WAIT_VECTORS] += 1


@compiled
def _retire(pe: Record, freed: NDArray[np.int64]) -> None:
    """End of the cycle for the operation in front: the next one, halves, the requested vector."""
    for half in range(2):
        if freed[half]:
            pe.ended[half] = 0
    if pe.ends:
        pe.ended[pe.half] = 1
        pe.half = 1 - pe.half
    pe.undrained = pe.ended[pe.half]
    pe.asked = pe.served or (pe.asked and not pe.take)
    pe.added = pe.add
    if not pe.op_valid or pe.add or pe.ends:
        pe.op_valid = pe.op_count > 0
        if pe.op_valid:
            following = pe.ops[pe.op_head]
            pe.same = (following & _ACC_INDEX) == (pe.op & _ACC_INDEX)
            pe.op = following
            pe.op_head = (pe.op_head + 1) & (OP_DEPTH - 1)
            pe.op_count -= 1
    if pe.served:
        pe.request_head = (pe.request_head + 1) & (REQUEST_DEPTH - 1)
        pe.request_count -= 1


@compiled
def _take_entry(pe: Record, written: int, op_room: bool, request_room: bool) -> bool:
    """Whether the entry in front leaves: then its operation and its request are queued and the pointer moves."""
    if pe.left == 0 or (pe.act_moves and written <= pe.pointer):
        return False
    if (pe.act_op and not op_room) or (pe.act_vector and not request_room):
        return False
    pe.pointer += pe.act_advance
    if pe.act_op:
        pe.ops[(pe.op_head + pe.op_count) & (OP_DEPTH - 1)] = pe.act_code
        pe.op_count += 1
    if pe.act_vector:
        pe.requests[(pe.request_head + pe.request_count) & (REQUEST_DEPTH - 1)] = pe.pointer
        pe.request_count += 1
    return True


@compiled
def _feed(
    pe: Record, place: int, taken: bool, steps: Records, machine: Record, codes: NDArray[np.uint8],
    table: NDArray[np.int64],
) -> None:  # fmt: skip
    """The entry that comes to the front when the one there has been `taken`."""
    pe.chunk_room = pe.chunks < machine.fifo_chunks
    if pe.left == 0 or (taken and (pe.act_drops or pe.left == pe.act_taken)):
        pe.left = 0
        if pe.chunks > 0:
            pe.chunks -= 1
            pe.left = machine.chunk_entries
            pe.at = pe.next_at
            _next_chunk(pe, steps, machine, place)
            _decode(pe, codes, table)
    elif taken:
        pe.left -= pe.act_taken
        pe.at += pe.act_taken
        _decode(pe, codes, table)


@compiled
def _cycle_pe(
    pe: Record, place: int, cluster: Record, drain: Record, steps: Records, machine: Record,
    codes: NDArray[np.uint8], table: NDArray[np.int64], counts: NDArray[np.int64],
) -> None:  # fmt: skip
    """The rest of a PE's cycle, when it is known which vectors are served."""
    _count(pe, cluster.written_seen, drain.read, counts)
    op_room, request_room = pe.op_count < OP_DEPTH, pe.request_count < REQUEST_DEPTH
    if cluster.taken - pe.tail >= machine.buffer_vectors - ROOM_MARGIN:
        cluster.room_next = 0
    pe.tail = pe.vector if pe.request_count > 0 else pe.pointer
    cluster.ended_next[0] &= pe.ended[0]
    cluster.ended_next[1] &= pe.ended[1]
    _retire(pe, drain.freed)
    taken = _take_entry(pe, cluster.written_seen, op_room, request_room)
    _feed(pe, place, taken, steps, machine, codes, table)


@compiled
def cycle_cluster(
    pes: Records, index: int, cluster: Record, drain: Record, steps: Records, machine: Record,
    codes: NDArray[np.uint8], table: NDArray[np.int64], counts: NDArray[np.int64],
) -> None:  # fmt: skip
    """A cycle of all PEs of cluster `index`."""
    cluster.room_next = 1
    cluster.ended_next[0] = 1
    cluster.ended_next[1] = 1
    start = index * machine.pes
    for place in range(start, start + machine.pes, 2):
        first, second = pes[place], pes[place + 1]
        _issue(first, cluster.written_seen, drain.read)
        _issue(second, cluster.written_seen, drain.read)
        cycle_port(pes[place : place + 2])
        _cycle_pe(first, place, cluster, drain, steps, machine, codes, table, counts)
        _cycle_pe(second, place + 1, cluster, drain, steps, machine, codes, table, counts)
