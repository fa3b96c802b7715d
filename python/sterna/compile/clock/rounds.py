"""The one point at which rounds wait, with the words that they take (`sterna_issuer`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.compile.build import ENDS, TAKES_WORD
from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import BEATS_RING, FETCH_RING, Record, Records
from sterna.compile.clock.timing import (
    FETCH_BEATS,
    FIFO_LATENCY,
    FLIGHT_CYCLES,
    NEAR_WORDS,
    RAM_FIFO_EXTRA,
    RAM_FIFO_LATENCY,
)
from sterna.spec.tape import FETCH_QUEUE, WINDOW_GUARD

# Rows of the counts.
BUSY, WAIT_VECTORS, WAIT_WEIGHTS, WAIT_DRAIN = range(4)
COUNTS = 4


@compiled
def begin_step(issue: Record, step: Record) -> None:
    """A step starts."""
    issue.front = 0
    issue.groups = step.groups


@compiled
def idle(issue: Record) -> bool:
    """All rounds of the step are issued, and all words have come."""
    return issue.groups == 0 and issue.flight == 0


@compiled
def _may_issue(issue: Record, distributor: Record, flags: int) -> bool:
    """Whether the round that is offered is issued; `flags`: those of the round."""
    if not distributor.round_valid or issue.undrained or issue.guarded or issue.reads:
        return False
    return not flags & TAKES_WORD or issue.released


@compiled
def _count(
    issue: Record, distributor: Record, step: Record, operations: int, counts: NDArray[np.int64], machine: Record
) -> None:
    """What the PEs do, which all wait together."""
    pes = machine.clusters * machine.pes
    if not distributor.round_valid:
        counts[WAIT_WEIGHTS] += pes * (issue.groups > 0)
    elif issue.undrained or issue.reads:
        counts[WAIT_DRAIN] += pes
    elif issue.issued:
        counts[BUSY] += operations * step.shared
    else:
        counts[WAIT_VECTORS] += pes


@compiled
def _ask(issue: Record, step: Record, takes_word: bool) -> None:
    """Ask for the windows of a word, one for each tile, from the cycle after its issue on."""
    last = issue.position == step.shared - 1
    issue.asked_now = issue.asking
    issue.flight = FLIGHT_CYCLES if issue.asking or takes_word else max(issue.flight - 1, 0)
    if issue.asking:
        issue.position = 0 if last else issue.position + 1
    issue.asking = takes_word or (issue.asking and not last)


@compiled
def _take_fetch(issue: Record, step: Record, takes_word: bool, written: int, after: NDArray[np.int64]) -> bool:
    """The fetch word in front comes next when the one before is used; whether it does."""
    take = not issue.next_valid or takes_word
    taken = take and issue.near > 0
    if take:
        issue.next_valid = taken
        if taken:
            issue.next = issue.front
            issue.front = issue.front + 1 if issue.front < step.fetches - 1 else 0
    issue.released = issue.next_valid and after[step.fetch + issue.next] <= written
    return taken


@compiled
def _queue_words(issue: Record, taken: bool, now: int) -> None:
    """Beats are cut into fetch words, which go through two queues."""
    near_room, word_room = issue.near < NEAR_WORDS, issue.fetches < FETCH_QUEUE + RAM_FIFO_EXTRA
    moved = near_room and issue.fetches > 0 and issue.fetch_time[issue.fetch_head] + RAM_FIFO_LATENCY <= now
    issue.near += moved - taken
    if moved:
        issue.fetch_head = (issue.fetch_head + 1) & (FETCH_RING - 1)
        issue.fetches -= 1
    pushed = word_room and issue.serial_left > 0
    if pushed:
        issue.fetch_time[(issue.fetch_head + issue.fetches) & (FETCH_RING - 1)] = now
        issue.fetches += 1
    free = issue.serial_left == 0 or (issue.serial_left == 1 and word_room)
    if free and issue.beat_count > 0 and issue.beat_time[issue.beat_head] + FIFO_LATENCY <= now:
        issue.serial_left = issue.beat_words[issue.beat_head]
        issue.beat_head = (issue.beat_head + 1) & (BEATS_RING - 1)
        issue.beat_count -= 1
    elif pushed:
        issue.serial_left -= 1


@compiled
def _halves(issue: Record, drains: Records, ends: bool) -> None:
    """The pass ends in its half of the accumulators, and the next one goes to the other, if that is drained."""
    half = issue.half
    issue.half = half ^ ends
    issue.undrained = False
    reads = False
    for index in range(len(drains)):
        drain = drains[index]
        for each in range(2):
            drain.pass_ended_next[each] = (drain.pass_ended[each] and not drain.freed[each]) or (ends and each == half)
        issue.undrained = issue.undrained or drain.pass_ended_next[issue.half]
        reads = reads or drain.read
    issue.reads = reads
    issue.guarded = ends or issue.guard > 0
    issue.guard = WINDOW_GUARD - 1 if ends else max(issue.guard - 1, 0)
    issue.groups -= ends


@compiled
def cycle_issue(
    issue: Record, distributor: Record, drains: Records, step: Record, written: int, now: int,
    rounds: NDArray[np.uint8], operations: NDArray[np.uint8], after: NDArray[np.int64], counts: NDArray[np.int64],
    machine: Record,
) -> None:  # fmt: skip
    """A cycle on the round that is offered, when each drain has `written` so many words of the step before."""
    issue.beat_room, issue.beat_go = issue.beat_go, issue.beat_few
    issue.beat_few = issue.beat_count <= FETCH_BEATS - 4
    at = step.round + distributor.offered
    flags = rounds[at] if distributor.round_valid else 0
    issue.issued = _may_issue(issue, distributor, flags)
    takes_word = issue.issued and flags & TAKES_WORD != 0
    ends = issue.issued and flags & ENDS != 0
    _count(issue, distributor, step, operations[at] if distributor.round_valid else 0, counts, machine)
    _ask(issue, step, takes_word)
    taken = _take_fetch(issue, step, takes_word, written, after)
    _queue_words(issue, taken, now)
    _halves(issue, drains, ends)


@compiled
def queue_fetches(issue: Record, words: int, now: int) -> None:
    """A beat of `words` fetch words comes in."""
    place = (issue.beat_head + issue.beat_count) & (BEATS_RING - 1)
    issue.beat_time[place] = now
    issue.beat_words[place] = words
    issue.beat_count += 1
