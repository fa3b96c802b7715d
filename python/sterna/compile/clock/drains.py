"""Accumulators to words in the feature memory (`sterna_drain`, `sterna_drain_reader`, `sterna_word_queue`)."""

from __future__ import annotations

from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import WORD_RING, Record, Records
from sterna.compile.clock.timing import DRAIN_LATENCY, FIFO_LATENCY, LOAD_WORDS, TURN_CYCLES, WORD_DEPTH
from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import Pool

_NONE, _KEEP = int(Pool.NONE), int(Pool.KEEP)
_PHASES = 4


@compiled
def look(port: Record, drains: Records) -> None:
    """Start of a cycle: whether a drain writes to the feature memory in it."""
    port.taken = 0
    for index in range(len(drains)):
        port.taken = port.taken or (drains[index].valid and drains[index].word_written)


@compiled
def cycle_port(port: Record, written: bool) -> None:
    """The words of a LOAD go through a register and a queue, and are written when no drain does.

    `written`: one goes into the register.
    """
    port.go, port.few = port.few, port.loads <= LOAD_WORDS - 5
    port.idle, port.empty = port.empty and not port.late, port.loads == 0 and not port.late
    port.loads += port.late - (port.loads > 0 and not port.taken)
    port.late = written


@compiled
def _writes(step: Record, group: int, cluster: int) -> bool:
    """Whether the tile of a cluster exists."""
    return group * step.shared + cluster % step.shared < step.tiles


@compiled
def _cycle_words(drain: Record, has_turn: bool, now: int) -> None:
    """The channels of the oldest word are read, one per cycle, but the last one only when the drain has its turn."""
    drain.done = drain.valid and drain.word_last
    head = drain.head
    drain.valid = 0
    drain.released = 0
    if drain.count > 0 and drain.word_time[head] <= now:
        last = drain.channels_read >= drain.channels[head] - 1
        drain.released = last and (has_turn or drain.channels[head] == 0)
        drain.channels_read += not last
    if drain.released:
        drain.valid = 1
        drain.word_written = drain.channels[head] > 0
        drain.word_last = drain.last[head]
        drain.channels_read = 0
        drain.head = (head + 1) & (WORD_RING - 1)
        drain.count -= 1


@compiled
def _queue_word(drain: Record, channels: int, last: bool, now: int, machine: Record) -> None:
    place = (drain.head + drain.count) & (WORD_RING - 1)
    drain.word_time[place] = now + machine.round_delay + DRAIN_LATENCY + FIFO_LATENCY
    drain.channels[place] = channels
    drain.last[place] = last
    drain.count += 1


@compiled
def _begin(drain: Record, step: Record, machine: Record) -> None:
    """Start on the pass in front."""
    drain.active = 1
    drain.keep = step.pool == _KEEP
    drain.cluster = 0
    drain.pe = 0
    drain.phase = 0
    drain.row = 0
    drain.left = (step.filters - 1) // machine.pes


@compiled
def _leave(drain: Record, step: Record) -> None:
    """The pass in front leaves the queue, a cycle after its end."""
    drain.ended = 0
    drain.passes -= 1
    drain.group += 1
    if drain.group == step.groups:
        drain.group = 0
        drain.step = step.next_conv


@compiled
def _advance(drain: Record, step: Record, machine: Record) -> None:
    """Go on to the next value of the row, or to the next row."""
    drain.pe += 1
    if drain.pe < machine.pes:
        return
    drain.pe = 0
    drain.cluster += 1
    if drain.cluster < machine.drain_clusters:
        return
    drain.cluster = 0
    if step.pool != _NONE and drain.phase < _PHASES - 1:
        drain.phase += 1
        return
    drain.phase = 0
    if drain.keep:
        drain.keep = 0
    else:
        drain.keep = step.pool == _KEEP
        drain.row += 1
        drain.left -= 1


@compiled
def _walk(drain: Record, step: Record, first_cluster: int, now: int, machine: Record) -> None:
    """A step of the reader, if there is room for the word that it begins."""
    empty = True
    for cluster in range(machine.drain_clusters):
        empty = empty and not _writes(step, drain.group, first_cluster + cluster)
    channel = drain.row * machine.pes + drain.pe
    last_row, last_phase = drain.left == 0, step.pool == _NONE or drain.phase == _PHASES - 1
    given = (drain.keep or last_phase) and not empty and _writes(step, drain.group, first_cluster + drain.cluster)
    given = given and channel < step.filters
    row_end = drain.pe == machine.pes - 1 and drain.cluster == machine.drain_clusters - 1
    # An empty pass has two steps.
    ends = drain.pe > 0 if empty else row_end and last_row and last_phase and not drain.keep
    begins = (given and channel % WORD_CHANNELS == 0) or (ends and not given)
    # There is to be room wherever a word may begin.
    if not drain.room and (channel % WORD_CHANNELS == 0 or drain.pe == machine.pes - 1 or empty):
        return
    drain.words += begins
    drain.read = not empty and drain.pe == 0 and drain.cluster == 0
    drain.free_next = ends if empty else last_row and last_phase and not drain.keep and drain.read
    word_ends = channel % WORD_CHANNELS == WORD_CHANNELS - 1 or channel == step.filters - 1
    if (given and word_ends) or ends:
        _queue_word(drain, 1 + channel % WORD_CHANNELS if given else 0, ends, now, machine)
    if ends:
        drain.active = 0
        drain.half = 1 - drain.half
        drain.ended = 1
    else:
        _advance(drain, step, machine)


@compiled
def cycle_drain(drain: Record, index: int, steps: Records, now: int, machine: Record) -> None:
    """A cycle of drain `index`."""
    drains = machine.clusters // machine.drain_clusters
    _cycle_words(drain, (now + TURN_CYCLES) % drains == index, now)
    room = drain.words < WORD_DEPTH - 1
    drain.read = 0
    drain.free_next = 0
    half = drain.half
    if drain.active or drain.passes > 0:
        step = steps[drain.step]
        if drain.ended:
            _leave(drain, step)
        elif drain.active:
            _walk(drain, step, index * machine.drain_clusters, now, machine)
        elif drain.pass_seen[half]:
            _begin(drain, step, machine)
    drain.words -= drain.released
    drain.room = room
    for each in range(2):
        drain.freed[each] = drain.free_next and each == half
        drain.pass_seen[each] = drain.pass_ended[each]
        drain.pass_ended[each] = drain.pass_ended_next[each]
    drain.passes += drain.given
    drain.given = drain.coming
    drain.coming = drain.given_next
