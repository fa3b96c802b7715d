"""Passes for the drains, and what has not been drained yet (`sterna_pass_issuer`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import Record, Records
from sterna.compile.clock.timing import PASS_DEPTH, PREPARE_CYCLES
from sterna.spec.tape import AFTER_ALL


@compiled
def _any(numbers: NDArray[np.int64], drains: int) -> bool:
    """Whether the number of any drain is not 0."""
    total = 0
    for drain in range(drains):
        total += numbers[drain]
    return total > 0


@compiled
def earlier_drained(issuer: Record, drains: int) -> bool:
    """Whether every pass of the steps before the current one is drained."""
    return not issuer.earlier_open and not _any(issuer.earlier, drains)


@compiled
def _current_drained(issuer: Record, drains: int) -> bool:
    return issuer.left == 0 and not _any(issuer.current, drains)


@compiled
def drained(issuer: Record, drains: int) -> bool:
    """Whether every pass of every step is drained."""
    return earlier_drained(issuer, drains) and _current_drained(issuer, drains)


@compiled
def step_drained(issuer: Record, drains: int) -> bool:
    """Whether the oldest step that was not yet noted is drained."""
    if issuer.earlier_open:
        return not _any(issuer.earlier, drains)
    return issuer.current_open and _current_drained(issuer, drains)


@compiled
def _note_drained(issuer: Record) -> None:
    if issuer.earlier_open:
        issuer.earlier_open = 0
    else:
        issuer.current_open = 0


@compiled
def _levels(issuer: Record, drains: int, first: int) -> None:
    """What is written of the step before, by way of two registers."""
    written = AFTER_ALL
    for drain in range(drains):
        written = min(written, issuer.level[drain])
        level = issuer.words[drain] if issuer.earlier[drain] == 1 else 0
        if issuer.earlier[drain] == 0:
            level = AFTER_ALL
        issuer.level[drain] = 0 if first else level
    issuer.written = 0 if first else written


@compiled
def _count_drained(issuer: Record, index: int, done: int, word: bool) -> None:
    """A pass of drain `index` is `done`, a `word` of it is taken."""
    if word:
        issuer.words[index] = min(issuer.words[index] + 1, AFTER_ALL - 1)
    if done:
        issuer.words[index] = word
        if issuer.earlier[index] > 0:
            issuer.earlier[index] -= 1
        else:
            issuer.current[index] -= 1


@compiled
def _begin_step(issuer: Record, drains: int, step: Record) -> None:
    for drain in range(drains):
        issuer.earlier[drain] = issuer.current[drain]
        issuer.current[drain] = 0
    issuer.left = step.groups
    issuer.prepare = PREPARE_CYCLES
    issuer.earlier_open = issuer.current_open
    issuer.current_open = 1


@compiled
def _wait(issuer: Record, drains: int) -> None:
    """A pass waits for every drain."""
    for drain in range(drains):
        issuer.waiting[drain] = 1


@compiled
def cycle_issuer(issuer: Record, drains: Records, step: Record, first: int, table_ready: bool, noted: int) -> None:
    """A cycle: `first` if it is the first one of `step`."""
    count = len(drains)
    _levels(issuer, count, first)
    if noted:
        _note_drained(issuer)
    waiting, issued = False, issuer.left > 0 and issuer.prepare == 0
    for index in range(count):
        gives = table_ready and issuer.waiting[index] and issuer.current[index] + issuer.earlier[index] < PASS_DEPTH
        if gives:
            issuer.waiting[index] = 0
        waiting = waiting or issuer.waiting[index] > 0
        _count_drained(issuer, index, drains[index].done_seen, drains[index].word_seen)
        drains[index].done_seen = drains[index].done
        drains[index].word_seen = drains[index].valid and drains[index].word_written
        issuer.current[index] += gives
        drains[index].given_next = gives
    if issuer.prepare > 0:
        issuer.prepare -= 1
        if issuer.prepare == 0:
            _wait(issuer, count)
    elif issued and not waiting:
        issuer.left -= 1
        if issuer.left > 0:
            _wait(issuer, count)
    if first:
        _begin_step(issuer, count, step)
