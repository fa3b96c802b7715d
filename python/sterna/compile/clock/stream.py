"""The tape to PEs, loader and tables (`sterna_tape_reader`, `sterna_tape_requester`, `sterna_distributor`,
`sterna_table_writer`)."""

from __future__ import annotations

from sterna.compile.clock import rounds
from sterna.compile.clock.bus import beat_there, take_beat
from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import ROUND_RING, TABLE_RING, Record, Records
from sterna.compile.clock.timing import (
    COMMAND_CYCLES,
    DISTRIBUTOR_BEATS,
    FIRST_COMMAND_CYCLES,
    ROUND_BEATS,
    ROUND_DEPTH,
    TAPE_BEATS,
)
from sterna.spec.tape import ALIGN, Op, RecordKind, SegmentKind

_FETCH = int(RecordKind.FETCH)
_STEP, _REQUANT, _WEIGHTS = int(SegmentKind.STEP), int(SegmentKind.REQUANT), int(SegmentKind.WEIGHTS)
_CONV, _TABLE = int(Op.CONV), int(Op.TABLE)
#: Words in a line of the tape.
_LINE_WORDS = ALIGN // 8
#: Lines that are requested at the start.
_FIRST_LINES = 4

(
    IDLE, _TAPE_HEADER, _TAPE_LAST, _TAPE_SUM, _TAPE_MATCH, _TAPE_CHECK, _NEXT, _HEADER, _HEADER_LAST, _HEADER_SUM,
    _HEADER_MATCH, _HEADER_CHECK, _HEADER_PASS, _PAYLOAD, _PAYLOAD_LAST, _PAYLOAD_SUM, _PAYLOAD_MATCH, _PAYLOAD_CHECK,
    _STEP_END, _STEP_FIT, _STEP_CHECK, _STEP_FAULT, _STEP_PASS, STEP, DONE,
) = range(25)  # fmt: skip


# ------------------------------------------------------------------------------------------------ distributor


@compiled
def _hold(distributor: Record, step: Record) -> None:
    """Queue a beat of rounds."""
    count = min(distributor.record_left, step.beat_rounds) if step.round_beats == 1 else 1
    distributor.beat_rounds[(distributor.head + distributor.count) & (ROUND_RING - 1)] = count
    distributor.count += 1
    distributor.round_beat += 1
    if distributor.round_beat == step.round_beats:
        distributor.round_beat = 0
        distributor.record_left -= count


@compiled
def _take_record_beat(
    distributor: Record, room: bool, issue: Record, step: Record, records: Records, machine: Record
) -> bool:  # fmt: skip
    """Take the beat in front, if what it is for has room; `room`: that of rounds has."""
    if distributor.record_left == 0:
        # After the last record comes padding.
        if distributor.record < step.records - 1:
            distributor.record += 1
            distributor.record_left = records[step.record + distributor.record].count
    elif records[step.record + distributor.record].kind == _FETCH:
        if not issue.beat_room:
            return False
        distributor.fetch_words = min(distributor.record_left, machine.beat_words)
        distributor.record_left -= distributor.fetch_words
    else:
        if not room:
            return False
        _hold(distributor, step)
    return True


@compiled
def _offer(distributor: Record, step: Record, issued: bool) -> None:
    """Put the next round together, if there is room in the queue of rounds, of which one is `issued`."""
    free, distributor.round_room = distributor.round_room, distributor.round_few
    distributor.round_few = distributor.made_count <= ROUND_DEPTH - 4
    held = distributor.count > 0
    distributor.made_count += distributor.made - issued
    if issued:
        distributor.offered = distributor.offered + 1 if distributor.offered < step.rounds - 1 else 0
    last_place = distributor.place == step.round_beats - 1
    last_round = distributor.round_place + 1 == distributor.beat_rounds[distributor.head]
    emits = held and last_place and free
    if held and (not last_place or (free and last_round)):
        distributor.head = (distributor.head + 1) & (ROUND_RING - 1)
        distributor.count -= 1
        distributor.place = 0 if last_place else distributor.place + 1
    distributor.made = emits
    distributor.round_valid = distributor.made_count > 0
    if emits:
        distributor.round_place = 0 if last_round else distributor.round_place + 1


@compiled
def distributor_idle(distributor: Record) -> bool:
    """Nothing is held and no record is open."""
    held = distributor.beats + distributor.early + distributor.staged + distributor.record_left + distributor.count
    return held == 0 and not distributor.made and distributor.made_count == 0


@compiled
def begin_weights(distributor: Record) -> None:
    """The next beat is the first of a payload."""
    distributor.record = -1
    distributor.beat = 0


@compiled
def cycle_distributor(
    distributor: Record, issue: Record, step: Record, records: Records, now: int, machine: Record
) -> None:
    """A cycle of the distributor on the payload of `step`."""
    distributor.room, distributor.first_few = distributor.first_few, distributor.beats <= DISTRIBUTOR_BEATS - 3
    room, distributor.few = distributor.few, distributor.count <= ROUND_BEATS - 3
    _offer(distributor, step, issue.issued)
    if distributor.fetch_words > 0:
        rounds.queue_fetches(issue, distributor.fetch_words, now)
        distributor.fetch_words = 0
    if distributor.staged and _take_record_beat(distributor, room, issue, step, records, machine):
        distributor.staged = 0
        distributor.beat += 1
        if distributor.beat == step.weights_lines * machine.line_beats:
            begin_weights(distributor)
    if not distributor.staged:
        distributor.staged = distributor.early
        distributor.early = distributor.beats > 0
        distributor.beats -= distributor.early


# ------------------------------------------------------------------------------------------------ tables


@compiled
def cycle_table(table: Record, sequencer: Record, steps: Records, now: int, machine: Record) -> None:
    """A cycle of the table writer and the queue of REQUANT beats."""
    table.room = table.beat_count < machine.table_beats
    taken = table.left > 0 and table.serial_left > 0
    table.left -= taken
    free = table.serial_left == 0 or (table.serial_left == 1 and taken)
    if free and table.beat_count > 0 and table.beat_time[table.beat_head] + machine.table_latency <= now:
        table.serial_left = machine.beat_words
        table.beat_head = (table.beat_head + 1) & (TABLE_RING - 1)
        table.beat_count -= 1
    elif taken:
        table.serial_left -= 1
    if sequencer.table_start:
        table.step = sequencer.next
        table.left = steps[sequencer.next].requant_lines * _LINE_WORDS


@compiled
def _queue_table(table: Record, now: int) -> None:
    table.beat_time[(table.beat_head + table.beat_count) & (TABLE_RING - 1)] = now
    table.beat_count += 1


# ------------------------------------------------------------------------------------------------ tape reader


@compiled
def _payload_lines(tape: Record, steps: Records) -> int:
    if tape.kind == _REQUANT:
        return steps[tape.step].requant_lines
    return steps[tape.step].weights_lines if tape.kind == _WEIGHTS else 1


@compiled
def _ready(tape: Record, table: Record, distributor: Record) -> bool:
    """Whether a beat would be taken."""
    if tape.state == _PAYLOAD and tape.kind == _REQUANT:
        return table.room
    if tape.state == _PAYLOAD and tape.kind == _WEIGHTS:
        return distributor.room
    return tape.state in (_TAPE_HEADER, _HEADER, _PAYLOAD)


@compiled
def _hand_on(tape: Record, table: Record, distributor: Record, now: int) -> None:
    if tape.state == _PAYLOAD and tape.kind == _REQUANT:
        _queue_table(table, now)
    elif tape.state == _PAYLOAD and tape.kind == _WEIGHTS:
        distributor.beats += 1


@compiled
def _after_payload(tape: Record, steps: Records, machine: Record) -> None:
    """The payload's sum is checked: what comes next."""
    tape.state = _NEXT
    if tape.kind == _WEIGHTS and tape.repeats > 1:
        tape.state = _HEADER_PASS
        tape.left = steps[tape.step].weights_lines * machine.line_beats
    else:
        tape.place += _payload_lines(tape, steps) + 1
    if tape.kind == _STEP:
        tape.state = _STEP_END
    elif tape.kind == _REQUANT and steps[tape.step].op == _CONV:
        tape.kind = _WEIGHTS
    else:
        tape.repeats -= 1
        if tape.repeats <= 0:
            tape.kind = _STEP
            tape.step += 1


@compiled
def _ask_for_step(tape: Record, step: Record) -> None:
    """The step is taken: ask for its payloads, WEIGHTS for every tile group, and for the step after them."""
    conv = step.op == _CONV
    payloads = 2 if conv else int(step.op == _TABLE)
    payloads_end = tape.place + step.requant_lines + step.weights_lines + payloads
    asked, limit = tape.limit, (payloads_end + 3 if payloads else tape.limit + 2)
    tape.limit = min(limit, tape.lines)
    tape.start = asked
    tape.stop = payloads_end
    tape.again = payloads_end - step.weights_lines
    tape.commands = step.groups if conv else int(asked != tape.lines)
    tape.command_wait = FIRST_COMMAND_CYCLES - 1
    tape.repeats = step.groups
    tape.state = _NEXT
    if payloads:
        tape.kind = _REQUANT
    else:
        tape.step += 1


@compiled
def begin_tape(tape: Record, machine: Record) -> None:
    """The frame starts: the tape's header comes first."""
    tape.limit = min(_FIRST_LINES, tape.lines)
    tape.start = 0
    tape.commands = 1
    tape.command_wait = COMMAND_CYCLES - 1
    tape.state = _TAPE_HEADER
    tape.kind = _STEP
    tape.place = 1
    tape.left = machine.line_beats


@compiled
def cycle_tape(
    tape: Record, port: Record, table: Record, distributor: Record, steps: Records, taken_step: int,
    weights_enabled: bool, now: int, machine: Record,
) -> None:  # fmt: skip
    """A cycle of the tape reader; `taken_step`: the sequencer takes the step that is offered."""
    last = False
    tape.done_late = tape.state == _PAYLOAD_CHECK and tape.kind == _WEIGHTS and tape.repeats == 1
    room = tape.beats < TAPE_BEATS
    if tape.beats > 0 and _ready(tape, table, distributor):
        tape.beats -= 1
        _hand_on(tape, table, distributor, now)
        tape.left -= 1
        last = tape.left == 0
    if room and beat_there(port, now):
        take_beat(port)
        tape.beats += 1
    if tape.state in (_TAPE_HEADER, _HEADER, _PAYLOAD):
        tape.state += last
    elif tape.state == _NEXT:
        tape.left = machine.line_beats
        tape.state = DONE if tape.step == len(steps) else _HEADER
    elif tape.state == _HEADER_CHECK:
        tape.left = _payload_lines(tape, steps) * machine.line_beats
        tape.state = _HEADER_PASS
    elif tape.state == _HEADER_PASS:
        tape.state += tape.kind != _WEIGHTS or weights_enabled
    elif tape.state == _PAYLOAD_CHECK:
        _after_payload(tape, steps, machine)
    elif tape.state == STEP:
        if taken_step:
            _ask_for_step(tape, steps[tape.step])
    elif tape.state not in (IDLE, DONE):
        tape.state += 1
