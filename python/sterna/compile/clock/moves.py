"""LOAD and STORE between bus and feature memory (`sterna_frame_load`, `sterna_frame_store`, `sterna_axi_writer`)."""

from __future__ import annotations

from sterna.compile.clock.bus import beat_there, burst_beats, pauses, take_beat
from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import ANSWER_RING, STORE_RING, Record
from sterna.compile.clock.timing import (
    ANSWER_CYCLES,
    ASKS,
    BURST_CYCLES,
    BURSTS,
    FIFO_LATENCY,
    GATHER_LATENCY,
    LOAD_WRITES,
    STORE_BEATS_AHEAD,
)


@compiled
def load_done(moves: Record, idle: bool) -> bool:
    """Whether every piece of the LOAD is written; `idle`: the feature memory has every word."""
    ended = moves.load_pieces == 0 and moves.load_turning == 0 and moves.load_writes == 0
    return moves.load_running and ended and idle


@compiled
def store_done(moves: Record) -> bool:
    """Whether the writer has every beat of the STORE."""
    return moves.store_running and moves.unasked == 0 and moves.ahead == 0


@compiled
def writer_idle(moves: Record) -> bool:
    """Whether the writer is idle and has all responses."""
    return moves.left == 0 and moves.outstanding == 0


@compiled
def cycle_load(moves: Record, port: Record, step: Record, idle: bool, granted: bool, now: int, machine: Record) -> None:
    """A cycle of the frame load, whose write is `granted`; if it starts, with `step`. `idle`: as in `load_done`.

    Pieces are turned step by step, all of them together, as long as there is room for what comes out.
    """
    if load_done(moves, idle):
        moves.load_running = 0
    go, moves.load_go = moves.load_go, moves.load_writes <= LOAD_WRITES - 3
    size = moves.load_last_bytes if moves.load_column == moves.load_row else moves.load_piece_bytes
    active = moves.load_pieces > 0
    turned = active and moves.load_bytes >= size and go
    beat = active and moves.load_room and beat_there(port, now)
    moves.load_room = moves.load_bytes <= machine.ring_bytes - machine.beat_bytes * (1 + beat)
    moves.load_writes -= granted
    if go:
        moves.load_writes += moves.load_turning >> machine.turns
        moves.load_turning = (moves.load_turning << 1 | turned) & ((2 << machine.turns) - 1)
    if beat:
        take_beat(port)
        moves.load_bytes += machine.beat_bytes
    if turned:
        moves.load_bytes -= size
        moves.load_pieces -= 1
        moves.load_column = moves.load_column + 1 if moves.load_column < moves.load_row else 1
    if moves.load_starts:
        moves.load_running = 1
        moves.load_pieces = step.pieces
        moves.load_row = step.row_pieces
        moves.load_piece_bytes = step.piece_bytes
        moves.load_last_bytes = step.last_bytes
        moves.load_column = 1
        moves.load_bytes = 0
        moves.load_room = 1


@compiled
def cycle_store(
    moves: Record, bus: Record, step: Record, start: int, now: int, machine: Record
) -> None:  # fmt: skip
    """A cycle of the frame store; `start`: it begins with `step`."""
    if store_done(moves):
        moves.store_running = 0
    reads = moves.asked and not moves.windows_first
    comes = (reads or not moves.asked) and moves.asks > 0
    asks = moves.asks < ASKS and moves.unasked > 0 and moves.store_room
    moves.store_room = moves.ahead <= STORE_BEATS_AHEAD - 2
    sent = moves.w_valid and not pauses(bus, now, machine)
    there = moves.beat_count > 0 and moves.beat_time[moves.beat_head] <= now
    given = there and moves.burst_left > 0 and (sent or not moves.w_valid)
    if reads:
        # A cycle after it asked, if no window is read.
        place = (moves.beat_head + moves.beat_count) & (STORE_RING - 1)
        moves.beat_time[place] = now - 1 + GATHER_LATENCY + FIFO_LATENCY
    if given:
        moves.beat_head = (moves.beat_head + 1) & (STORE_RING - 1)
    moves.asked = comes or (moves.asked and not reads)
    moves.asks += asks - comes
    moves.unasked -= asks
    moves.beat_count += reads - given
    moves.ahead += asks - given
    _cycle_writer(moves, given, sent, now, machine)
    if start:
        moves.unasked = step.beats
        moves.store_running = 1
        moves.left = moves.unasked
        moves.address = step.address
        moves.wait = BURST_CYCLES - 1


@compiled
def _cycle_writer(moves: Record, beat: bool, sent: bool, now: int, machine: Record) -> None:
    """A burst's address when the burst before has all its beats, then its beats.

    `beat`: one comes into the register; `sent`: the memory takes the one that is in it.
    """
    begins = moves.left > 0 and moves.wait == 0 and moves.burst_left == 0 and moves.outstanding < BURSTS
    moves.wait = max(moves.wait - 1, 0)
    if moves.answer_count > 0 and moves.answer_time[moves.answer_head] <= now:
        moves.answer_head = (moves.answer_head + 1) & (ANSWER_RING - 1)
        moves.answer_count -= 1
        moves.outstanding -= 1
    if sent and moves.w_last:
        place = (moves.answer_head + moves.answer_count) & (ANSWER_RING - 1)
        moves.answer_time[place] = now + ANSWER_CYCLES + machine.memory_latency
        moves.answer_count += 1
    if beat:
        moves.burst_left -= 1
        moves.w_last = moves.burst_left == 0
    moves.w_valid = beat or (moves.w_valid and not sent)
    if begins:
        moves.burst_left = burst_beats(moves.left, moves.address, machine.burst_beats)
        moves.left -= moves.burst_left
        moves.address += moves.burst_left
        moves.outstanding += 1
        moves.wait = BURST_CYCLES - 1
