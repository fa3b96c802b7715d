"""The steps of a frame (`sterna_sequencer`): signals are found at the start of a cycle, registers set at its end."""

from __future__ import annotations

from sterna.compile.clock import issuer as passes
from sterna.compile.clock import moves as transfers
from sterna.compile.clock import stream
from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import Record, Records
from sterna.compile.clock.timing import OPEN_STEPS
from sterna.spec.tape import Op

_LOAD, _CONV, _TABLE = int(Op.LOAD), int(Op.CONV), int(Op.TABLE)

CLEAR, START, STEP, NEXT_CONV, CONV, QUIET, READ_ALL, SUM, ASK, MOVE, WRITTEN, TABLE = range(12)


@compiled
def _look(sequencer: Record, issuer: Record, drains: int, vectors_done: bool) -> None:
    """What the other parts say is looked at a cycle late."""
    sequencer.vectors_done_next = issuer.left == 0 and vectors_done
    sequencer.quiet_next = sequencer.vectors_done_next and passes.drained(issuer, drains)
    sequencer.earlier_drained_next = passes.earlier_drained(issuer, drains)


@compiled
def _end_steps(sequencer: Record, issuer: Record, drains: int) -> None:
    """Whether the oldest open step ends."""
    valid = sequencer.open_count > 0
    conv = valid and sequencer.open[sequencer.open_head] > 0
    sequencer.noted = conv
    sequencer.step_ends = valid and (not conv or passes.step_drained(issuer, drains))


@compiled
def _note(sequencer: Record, conv: bool) -> None:
    """A step begins."""
    sequencer.noting = 1
    sequencer.noting_conv = conv


@compiled
def _in_step(sequencer: Record, tape: Record, table: Record, moves: Record, steps: Records) -> None:
    """Take the next step, or end the frame."""
    if tape.state == stream.STEP:
        if table.left > 0:
            return
        sequencer.take = 1
        sequencer.next = tape.step
        step = steps[tape.step]
        sequencer.next_state = QUIET
        if step.op == _CONV:
            sequencer.next_state = NEXT_CONV
            sequencer.table_wanted = 1
        elif step.op == _LOAD and step.next:
            sequencer.next_state = READ_ALL
    elif tape.state == stream.DONE:
        done = sequencer.quiet and transfers.writer_idle(moves) and not sequencer.load_busy
        sequencer.finish = done and sequencer.open_count == 0


@compiled
def _in_next_conv(sequencer: Record, room: bool) -> None:
    """A CONV step starts when the vectors of the one before are read and its table has been begun."""
    if sequencer.table_wanted:
        if sequencer.earlier_drained:
            sequencer.table_start = 1
    elif sequencer.vectors_done and room:
        _note(sequencer, True)
        sequencer.first_next = 1
        sequencer.next_state = CONV


@compiled
def _in_quiet(sequencer: Record, step: Record, room: bool, machine: Record) -> None:
    """A LOAD, STORE or TABLE waits until all is written; a LOAD whose image is there has nothing to do."""
    if not sequencer.quiet or sequencer.load_busy or not room:
        return
    if step.op == _TABLE:
        sequencer.table_start = 1
        sequencer.next_state = TABLE
        return
    sequencer.next_state = SUM
    if step.op == _LOAD and machine.has_image:
        _note(sequencer, False)
        sequencer.next_state = STEP


@compiled
def _in_read_all(sequencer: Record, room: bool, machine: Record) -> None:
    """A LOAD in the background waits until all vectors are read; nothing to do if no frame is queued."""
    if sequencer.vectors_done and not sequencer.load_busy and room:
        _note(sequencer, False)
        sequencer.next_state = SUM if machine.is_queued else STEP


@compiled
def _in_ask(sequencer: Record, step: Record, moves: Record, port: Record) -> None:
    if step.op == _LOAD:
        sequencer.load_start = port.left == 0
    else:
        sequencer.store_start = moves.left == 0
    if sequencer.load_start or sequencer.store_start:
        sequencer.next_state = STEP if step.op == _LOAD and step.next else MOVE


@compiled
def _in_table(sequencer: Record, table: Record) -> None:
    """The frame load takes the words of its table; the last one ends the step."""
    if table.left == 1 and table.serial_left > 0:
        _note(sequencer, False)
        sequencer.next_state = STEP


@compiled
def look(
    sequencer: Record, tape: Record, table: Record, issuer: Record, moves: Record, load_port: Record, steps: Records,
    drains: int, vectors_done: bool, machine: Record,
) -> None:  # fmt: skip
    """Start of a cycle: what the sequencer does in it. `vectors_done`: distributor and loader hold nothing."""
    sequencer.take = 0
    sequencer.table_start = 0
    sequencer.first_next = 0
    sequencer.noting = 0
    sequencer.load_start = 0
    sequencer.store_start = 0
    sequencer.next_state = sequencer.state
    _look(sequencer, issuer, drains, vectors_done)
    _end_steps(sequencer, issuer, drains)
    state, room, step = sequencer.state, sequencer.open_count < OPEN_STEPS, steps[sequencer.next]
    if state in (CLEAR, START, SUM):
        sequencer.next_state = state + 1
    elif state == STEP:
        _in_step(sequencer, tape, table, moves, steps)
    elif state == NEXT_CONV:
        _in_next_conv(sequencer, room)
    elif state == CONV:
        if tape.done_late:
            sequencer.next_state = STEP
    elif state == QUIET:
        _in_quiet(sequencer, step, room, machine)
    elif state == READ_ALL:
        _in_read_all(sequencer, room, machine)
    elif state == ASK:
        _in_ask(sequencer, step, moves, load_port)
    elif state == MOVE:
        if transfers.load_done(moves) if step.op == _LOAD else transfers.store_done(moves):
            sequencer.next_state = WRITTEN
    elif state == TABLE:
        _in_table(sequencer, table)
    elif transfers.writer_idle(moves):
        _note(sequencer, False)
        sequencer.next_state = STEP


@compiled
def commit(sequencer: Record, load_done: bool) -> None:
    """End of the cycle."""
    sequencer.state = sequencer.next_state
    sequencer.vectors_done = sequencer.vectors_done_next
    sequencer.quiet = sequencer.quiet_next
    sequencer.earlier_drained = sequencer.earlier_drained_next
    sequencer.load_busy = (sequencer.load_busy or sequencer.load_start) and not load_done
    sequencer.first = sequencer.first_next
    if sequencer.table_start:
        sequencer.table_wanted = 0
    if sequencer.first:
        sequencer.step = sequencer.next
    if sequencer.step_ends:
        sequencer.open_head = (sequencer.open_head + 1) & (OPEN_STEPS - 1)
        sequencer.open_count -= 1
    if sequencer.noting:
        sequencer.open[(sequencer.open_head + sequencer.open_count) & (OPEN_STEPS - 1)] = sequencer.noting_conv
        sequencer.open_count += 1
