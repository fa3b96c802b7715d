"""A frame, cycle by cycle: all parts of the engine, the tape's steps from the start to the end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sterna.compile.clock import bus, drains, first, issuer, moves, rounds, sequencer, state, stream
from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import Records
from sterna.compile.clock.timing import BUSY_LATENCY, STEP_END_LATENCY, WAIT_LATENCY
from sterna.spec.config import EngineConfig
from sterna.spec.memory import Memory
from sterna.spec.tape import Op

_CONV = int(Op.CONV)
#: Places of the counts of the last cycles, a power of two.
_HISTORY = 32


class Work(NamedTuple):
    """What a tape makes the engine do: steps, flags and operations of all rounds, `after` of fetch words, records."""

    steps: Records
    rounds: NDArray[np.uint8]
    operations: NDArray[np.uint8]
    after: NDArray[np.int64]
    records: Records


class Parts(NamedTuple):
    """Registers of all parts."""

    machine: Records
    issue: Records
    drains: Records
    issuer: Records
    distributor: Records
    table: Records
    tape: Records
    ports: Records
    bus: Records
    moves: Records
    first: Records
    sequencer: Records
    write_port: Records


def parts(
    config: EngineConfig, memory: Memory, work: Work, tape_lines: int, *, has_image: bool, is_queued: bool
) -> Parts:  # fmt: skip
    """All parts as the start of a frame with a tape of `tape_lines` lines finds them, with `memory` on the bus.

    `has_image`: its image was loaded while the frame before ran; `is_queued`: so will be that of the frame after it.
    """
    layouts = (
        (1, state.ISSUE),
        (config.drains, state.DRAIN),
        (1, state.ISSUER),
        (1, state.DISTRIBUTOR),
        (1, state.TABLE),
        (1, state.TAPE),
        (2, state.PORT),
        (1, state.BUS),
        (1, state.MOVES),
        (1, state.FIRST),
        (1, state.SEQUENCER),
        (1, state.WRITE_PORT),
    )
    machine = state.machine(config, memory)
    machine["has_image"], machine["is_queued"] = has_image, is_queued
    result = Parts(machine, *(np.zeros(count, layout) for count, layout in layouts))
    result.tape["lines"] = tape_lines
    bus.set_ports(result.ports, config.burst_beats, config.beat_bytes)
    _begin_frame(result, work)
    return result


@compiled
def _begin_frame(parts: Parts, work: Work) -> None:
    """Drains wait for the first CONV step."""
    conv = 0
    parts.first[0].queue_room = 1
    while conv < len(work.steps) and work.steps[conv].op != _CONV:
        conv += 1
    stream.begin_weights(parts.distributor[0])
    if conv == len(work.steps):
        return
    for index in range(len(parts.drains)):
        parts.drains[index].step = conv


@compiled
def _look(parts: Parts, work: Work, now: int) -> None:
    """Start of a cycle: what depends on the registers of several parts."""
    issue = parts.issue[0]
    # A round leaves the queue in the cycle after its issue.
    vectors_done = stream.distributor_idle(parts.distributor[0]) and rounds.idle(issue) and not issue.issued
    sequencer.look(
        parts.sequencer[0], parts.tape[0], parts.table[0], parts.issuer[0], parts.moves[0],
        parts.ports[bus.LOAD_PORT], work.steps, len(parts.drains), vectors_done, parts.machine[0],
    )  # fmt: skip
    drains.look(parts.write_port[0], parts.drains)


@compiled
def _cycle_issue(parts: Parts, work: Work, counts: NDArray[np.int64], now: int) -> None:
    control, step = parts.sequencer[0], work.steps[parts.sequencer[0].step]
    rounds.cycle_issue(
        parts.issue[0], parts.distributor[0], parts.drains, step, parts.issuer[0].written, now, work.rounds,
        work.operations, work.after, counts, parts.machine[0],
    )  # fmt: skip
    if control.first:
        rounds.begin_step(parts.issue[0], step)


@compiled
def _cycle_drains(parts: Parts, work: Work, now: int) -> None:
    control, table, machine = parts.sequencer[0], parts.table[0], parts.machine[0]
    table_ready = table.left == 0 or table.step != control.step
    noted = control.noted and control.step_ends
    issuer.cycle_issuer(
        parts.issuer[0], parts.drains, work.steps[control.step], control.first, table_ready, noted
    )  # fmt: skip
    for index in range(len(parts.drains)):
        drains.cycle_drain(parts.drains[index], index, work.steps, now, machine)


@compiled
def _cycle_stream(parts: Parts, work: Work, now: int) -> None:
    control, machine, tape = parts.sequencer[0], parts.machine[0], parts.tape[0]
    stream.cycle_distributor(
        parts.distributor[0], parts.issue[0], work.steps[control.step], work.records, now, machine
    )  # fmt: skip
    stream.cycle_table(parts.table[0], control, work.steps, now, machine)
    bus.cycle_bus(parts.bus[0], parts.ports, tape, work.steps[control.next], control.load_start, now, machine)
    stream.cycle_tape(
        tape, parts.ports[bus.TAPE_PORT], parts.table[0], parts.distributor[0], work.steps, control.take,
        control.enabled, now, machine,
    )  # fmt: skip
    if control.state == sequencer.START:
        stream.begin_tape(tape, machine)


@compiled
def _cycle_moves(parts: Parts, work: Work, now: int) -> None:
    control, machine, move = parts.sequencer[0], parts.machine[0], parts.moves[0]
    load, store = work.steps[move.load_next], work.steps[control.waiting_store]
    layer, port = parts.first[0], parts.write_port[0]
    idle, go = port.idle and not port.late, port.go
    load_done, store_done = moves.load_done(move, idle), moves.store_done(move)
    piece = layer.on and move.load_writes > 0 and first.takes_piece(layer)
    granted = piece if layer.on else move.load_writes > 0 and go
    drains.cycle_port(port, layer.write_valid if layer.on else granted)
    if layer.on:
        load_done = first.done(layer, idle)
    first.cycle(layer, work.steps, move.load_next, move.load_starts, piece, go, idle, now)
    moves.cycle_load(move, parts.ports[bus.LOAD_PORT], load, idle, granted, now, machine)
    move.load_starts = control.load_start
    move.load_next = control.next
    moves.cycle_store(move, parts.bus[0], store, control.store_start, now, machine)
    move.windows_first = parts.issue[0].asked_now
    sequencer.commit(control, move.load_ended, store_done, work.steps)
    move.load_ended = load_done


@compiled
def _copy(source: NDArray[np.int64], target: NDArray[np.int64]) -> None:
    """As `target[:] = source`, for which numba compiles a second longer."""
    for index in range(len(source)):
        target[index] = source[index]


@compiled
def run(parts: Parts, work: Work, most_cycles: int) -> NDArray[np.int64]:
    """Run the frame; int64[steps + 1, 5]: the cycle at which each step ended, and the frame, with what the PEs did
    until then (`rounds.BUSY` and the others). A frame that has not ended after `most_cycles` leaves zeros."""
    ends = np.zeros((len(work.steps) + 1, 1 + rounds.COUNTS), np.int64)
    counts = np.zeros(rounds.COUNTS, np.int64)
    history = np.zeros((_HISTORY, rounds.COUNTS), np.int64)
    ended, control, busy_latency = 0, parts.sequencer[0], parts.machine[0].round_delay + BUSY_LATENCY
    for now in range(1, most_cycles + 1):
        _look(parts, work, now)
        if control.step_ends or control.finish:
            noted = now if control.finish else now + STEP_END_LATENCY
            ends[ended, 0] = noted
            _copy(history[(noted - WAIT_LATENCY) & (_HISTORY - 1)], ends[ended, 1:])
            ends[ended, 1 + rounds.BUSY] = history[(noted - busy_latency) & (_HISTORY - 1), rounds.BUSY]
            ended += 1
        if control.finish:
            break
        _cycle_issue(parts, work, counts, now)
        _copy(counts, history[now & (_HISTORY - 1)])
        _cycle_drains(parts, work, now)
        _cycle_stream(parts, work, now)
        _cycle_moves(parts, work, now)
    return ends
