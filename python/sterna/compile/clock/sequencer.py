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

CLEAR, START, STEP, NEXT_CONV, CONV, QUIET, MAY_MOVE, SUM, ASK, TABLE = range(10)
#: What a step that has begun waits for until it ends.
_NOTHING, _DRAINED, _LOADED, _STORED = range(4)


@compiled
def _look(sequencer: Record, issuer: Record, drains: int, vectors_done: bool) -> None:
    """What the other parts say is looked at a cycle late."""
    sequencer.vectors_done_next = issuer.left == 0 and vectors_done
    sequencer.quiet_next = sequencer.vectors_done_next and passes.drained(issuer, drains)
    sequencer.earlier_drained_next = passes.earlier_drained(issuer, drains)


@compiled
def _end_steps(sequencer: Record, issuer: Record, moves: Record, drains: int) -> None:
    """Whether the oldest open step ends, or if it is a STORE, starts."""
    valid, until = sequencer.open_count > 0, sequencer.open[sequencer.open_head]
    sequencer.store_ends = sequencer.store_busy and not sequencer.store_moves and transfers.writer_idle(moves)
    sequencer.store_start = valid and until == _STORED and sequencer.store_waits and not sequencer.store_busy
    sequencer.noted = valid and until == _DRAINED
    ends = until == _NOTHING
    if until == _DRAINED:
        ends = passes.step_drained(issuer, drains)
    elif until == _LOADED:
        ends = not sequencer.load_open
    elif until == _STORED:
        ends = sequencer.store_ends
    sequencer.step_ends = valid and ends


@compiled
def _note(sequencer: Record, until: int) -> None:
    """A step begins, which ends when what it waits for has come."""
    sequencer.noting = 1
    sequencer.noting_until = until


@compiled
def _stores_fit(sequencer: Record, step: Record) -> bool:
    """Whether no more STORE steps go on than may beside `step`."""
    return sequencer.store_waits + sequencer.store_busy <= step.beside_stores


@compiled
def _in_step(sequencer: Record, tape: Record, table: Record, moves: Record, steps: Records) -> None:
    """Take the next step, or end the frame."""
    if tape.state == stream.STEP:
        step = steps[tape.step]
        if table.left > 0 or (sequencer.load_open and not step.beside_loads):
            return
        sequencer.take = 1
        sequencer.next = tape.step
        sequencer.next_state = QUIET if step.op == _TABLE else MAY_MOVE
        if step.op == _CONV:
            sequencer.next_state = NEXT_CONV
            sequencer.table_wanted = 1
    elif sequencer.tape_done:
        done = sequencer.quiet and transfers.writer_idle(moves) and not sequencer.load_busy
        sequencer.finish = done and sequencer.open_count == 0


@compiled
def _in_next_conv(sequencer: Record, step: Record, room: bool) -> None:
    """A CONV step starts when the vectors of the one before are read, its table has been begun and STOREs let it."""
    if sequencer.table_wanted:
        if sequencer.earlier_drained:
            sequencer.table_start = 1
    elif sequencer.vectors_done and room and _stores_fit(sequencer, step):
        _note(sequencer, _DRAINED)
        sequencer.first_next = 1
        sequencer.next_state = CONV


@compiled
def _in_quiet(sequencer: Record, room: bool) -> None:
    """A TABLE waits until all is written."""
    if sequencer.quiet and not sequencer.load_busy and room:
        sequencer.table_wanted = 1
        sequencer.next_state = TABLE


@compiled
def _in_may_move(sequencer: Record, step: Record, room: bool, machine: Record) -> None:
    """A STORE waits for its register, a LOAD until it may write. Not if its image is there, or is that of no frame."""
    if step.op != _LOAD:
        if not sequencer.store_waits and room:
            sequencer.next_state = SUM
        return
    if sequencer.vectors_done and not sequencer.load_busy and room and _stores_fit(sequencer, step):
        sequencer.next_state = SUM
        if (step.next and not machine.is_queued) or (not step.next and machine.has_image and not step.scratch):
            _note(sequencer, _NOTHING)
            sequencer.next_state = STEP


@compiled
def _in_ask(sequencer: Record, step: Record, port: Record) -> None:
    """A LOAD asks the bus; a STORE goes to its register."""
    if step.op == _LOAD:
        sequencer.load_start = port.left == 0
        if not sequencer.load_start:
            return
        _note(sequencer, _NOTHING if step.next else _LOADED)
    else:
        sequencer.queue_store = 1
        _note(sequencer, _STORED)
    sequencer.next_state = STEP


@compiled
def _in_table(sequencer: Record, table: Record) -> None:
    """The words of the table are taken from the next cycle on; a cycle after the last one the step ends."""
    sequencer.table_start = sequencer.table_wanted
    sequencer.table_done_next = table.left == 1 and table.serial_left > 0
    if sequencer.table_done:
        _note(sequencer, _NOTHING)
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
    sequencer.queue_store = 0
    sequencer.next_state = sequencer.state
    _look(sequencer, issuer, drains, vectors_done)
    sequencer.tape_done_next = tape.state == stream.DONE
    sequencer.table_done_next = 0
    sequencer.enabled_next = sequencer.state == CONV and not tape.done_late
    _end_steps(sequencer, issuer, moves, drains)
    state, room, step = sequencer.state, sequencer.open_count < OPEN_STEPS, steps[sequencer.next]
    if state in (CLEAR, START, SUM):
        sequencer.next_state = state + 1
    elif state == STEP:
        _in_step(sequencer, tape, table, moves, steps)
    elif state == NEXT_CONV:
        _in_next_conv(sequencer, step, room)
    elif state == CONV:
        if tape.done_late:
            sequencer.next_state = STEP
    elif state == QUIET:
        _in_quiet(sequencer, room)
    elif state == MAY_MOVE:
        _in_may_move(sequencer, step, room, machine)
    elif state == ASK:
        _in_ask(sequencer, step, load_port)
    else:
        _in_table(sequencer, table)


@compiled
def commit(sequencer: Record, load_done: bool, store_done: bool, steps: Records) -> None:
    """End of the cycle."""
    sequencer.state = sequencer.next_state
    sequencer.vectors_done = sequencer.vectors_done_next
    sequencer.quiet = sequencer.quiet_next
    sequencer.earlier_drained = sequencer.earlier_drained_next
    sequencer.tape_done = sequencer.tape_done_next
    sequencer.table_done = sequencer.table_done_soon
    sequencer.table_done_soon = sequencer.table_done_late
    sequencer.table_done_late = sequencer.table_done_next
    sequencer.enabled = sequencer.enabled_next
    own_load = sequencer.load_start and not steps[sequencer.next].next
    sequencer.load_busy = (sequencer.load_busy or sequencer.load_start) and not load_done
    sequencer.load_open = (sequencer.load_open or own_load) and not load_done
    sequencer.store_busy = (sequencer.store_busy or sequencer.store_start) and not sequencer.store_ends
    sequencer.store_moves = (sequencer.store_moves or sequencer.store_start) and not store_done
    sequencer.store_waits = (sequencer.store_waits and not sequencer.store_start) or sequencer.queue_store
    if sequencer.queue_store:
        sequencer.waiting_store = sequencer.next
    sequencer.first = sequencer.first_next
    if sequencer.table_start:
        sequencer.table_wanted = 0
    if sequencer.first:
        sequencer.step = sequencer.next
    if sequencer.step_ends:
        sequencer.open_head = (sequencer.open_head + 1) & (OPEN_STEPS - 1)
        sequencer.open_count -= 1
    if sequencer.noting:
        sequencer.open[(sequencer.open_head + sequencer.open_count) & (OPEN_STEPS - 1)] = sequencer.noting_until
        sequencer.open_count += 1
