"""The first layer in LOAD (`sterna_first_layer`): pieces of rows to columns, columns to pixels, pixels to words."""

from __future__ import annotations

from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import FIRST_QUEUE, PART_RING, Record
from sterna.compile.clock.timing import (
    FIRST_GROUP_WORDS,
    FIRST_PIXEL_LATENCY,
    FIRST_REQUANT_LATENCY,
    FIRST_ROWS,
    WIDE_PIECE,
)

#: Where the columns of a pair of rows are: none, left of the image, in it, right of it.
_IDLE, _LEFT, _BODY, _RIGHT = range(4)
#: The writer waits for a bank, sums an address, writes words.
_WAIT, _BEGIN, _WRITE = range(3)


@compiled
def done(first: Record, idle: bool) -> bool:
    """Whether all of the map is written; `idle`: the feature memory has every word."""
    return first.running and not first.open and not first.write_valid and idle


@compiled
def takes_piece(first: Record) -> bool:
    """Whether there is room for a piece of the image."""
    return first.piece_ready


@compiled
def _cycle_rows(first: Record, step: Record, piece: bool, column: bool) -> None:
    """Pieces go into the ring of rows; pairs of rows are fetched from it, and shifted out column by column."""
    body = column and first.state == _BODY
    row_written = piece and first.piece == step.row_pieces - 1
    move = first.word_valid and (first.left == 0 or (body and first.left == 1))
    fetch = first.fetching and first.enough and not first.ended and (not first.word_valid or move)
    last_fetch = first.fetch_piece == step.row_pieces - 1
    ended = fetch and last_fetch
    ends_body = body and first.pixels_last and first.left == 1
    odd = first.state == _BODY and not first.is_first and not first.odd
    if column:
        first.is_first = first.state == _LEFT
        first.odd = odd
    if column and first.state == _RIGHT:
        first.state = _IDLE if first.pairs == 1 else _LEFT
        first.pairs -= 1
    elif column and first.state == _LEFT:
        first.state = _BODY
    elif ends_body:
        first.state = _RIGHT
    if move:
        first.left = step.last_pixels if first.word_last else step.tile_w
        first.pixels_last = first.word_last
    else:
        first.left -= body
    first.word_valid = fetch or (first.word_valid and not move)
    if fetch:
        first.word_last = last_fetch
        first.fetch_piece = 0 if last_fetch else first.fetch_piece + 1
    first.fetching = first.fetching and not (ended and first.fetch_pairs == 1)
    first.fetch_pairs -= ended
    wide = step.tile_w >= WIDE_PIECE
    first.held += (first.row_written if wide else row_written) - 2 * first.ended
    first.row_written = row_written
    first.piece_ready = first.filling and first.room and first.beat % (4 if wide else 2) == 0
    first.beat = (first.beat + 1) & 3
    first.ended = ended
    first.room = first.held != FIRST_ROWS
    first.enough = first.held >= FIRST_ROWS // 2 or not first.filling
    if piece:
        first.piece = 0 if row_written else first.piece + 1
    first.filling = first.filling and not (row_written and first.to_come == 1)
    first.to_come -= row_written


@compiled
def _queue(first: Record, step: Record, column: bool, pixel: bool, now: int) -> None:
    """Pixels of a column come into the queue after the sums; each has had its place since the column was let in."""
    output = first.state == _RIGHT or (first.state == _BODY and not first.is_first)
    count = 0
    if column and output:
        second = first.pairs != 1 or step.rows % 2 == 0
        count = first.odd if step.pooled else 1 + second
    for index in range(count):
        place = (first.queue_head + first.queue_count) & (FIRST_QUEUE - 1)
        first.queue_time[place] = now + FIRST_PIXEL_LATENCY + index
        first.queue_count += 1
    first.queue_count -= pixel
    if pixel:
        first.queue_head = (first.queue_head + 1) & (FIRST_QUEUE - 1)
    first.queue_room = first.queue_count <= FIRST_QUEUE - 2
    first.pause = column and not step.pooled


@compiled
def _cycle_groups(first: Record, step: Record, group: bool, pixel: bool, now: int) -> None:
    """The groups of a pixel go to the requantiser; the last pixel of a part fills a bank when it comes out."""
    if group:
        first.group = 0 if pixel else first.group + 1
    if not pixel:
        return
    has_lower = not step.pooled and first.rows != 1
    ends_col = first.lower or not has_lower
    first.lower = has_lower and not first.lower
    if not ends_col:
        return
    ends_row = first.cols == 1
    ends_part = ends_row or first.col == step.tile_w - 1
    first.col = 0 if ends_part else first.col + 1
    first.cols = step.map_cols if ends_row else first.cols - 1
    if ends_part:
        place = (first.part_head + first.part_count) & (PART_RING - 1)
        first.part_time[place] = now + FIRST_REQUANT_LATENCY
        first.part_count += 1
        first.busy[first.bank] = 1
        first.bank = 1 - first.bank
    if ends_row:
        first.active = first.rows > 2 - step.pooled
        first.rows -= 2 - step.pooled


@compiled
def _cycle_writes(first: Record, step: Record, go: bool, now: int) -> None:
    """The words of a full bank, row after row."""
    takes = first.writer == _WRITE and go
    last_word = takes and first.words == 1
    has_lower = not step.pooled and first.write_rows != 1
    ends_bank = last_word and (first.write_lower or not has_lower)
    full = first.full[first.write_bank]
    first.write_valid = takes
    if first.writer == _WAIT:
        first.writer = _BEGIN if full else _WAIT
    elif first.writer == _BEGIN:
        first.writer = _WRITE
        first.words = step.first_words
    elif last_word:
        first.writer = _WAIT if ends_bank else _BEGIN
    first.words -= takes
    if last_word:
        first.write_lower = not ends_bank
    if first.part_count > 0 and first.part_time[first.part_head] == now:
        first.full[first.part_bank] = 1
        first.part_bank = 1 - first.part_bank
        first.part_head = (first.part_head + 1) & (PART_RING - 1)
        first.part_count -= 1
    if ends_bank:
        first.full[first.write_bank] = 0
        first.busy[first.write_bank] = 0
        first.write_bank = 1 - first.write_bank
        if first.write_cols <= step.tile_w:
            first.open = first.write_rows > 2 - step.pooled
            first.write_rows -= 2 - step.pooled
            first.write_cols = step.map_cols
        else:
            first.write_cols -= step.tile_w


@compiled
def _begin(first: Record, step: Record) -> None:
    """Counters of a new image, two cycles after the start."""
    pairs = (step.rows + 1 - step.pooled) // 2
    first.filling, first.fetching, first.active = 1, 1, 1
    first.held, first.room, first.enough = 1, 1, 0
    first.piece, first.fetch_piece, first.beat = 0, 0, 0
    first.to_come, first.fetch_pairs, first.pairs = step.rows, pairs, pairs
    first.state = _LEFT
    first.group, first.lower, first.col = 0, 0, 0
    first.rows = step.rows // 2 if step.pooled else step.rows
    first.cols = step.map_cols
    first.write_lower = 0
    first.write_rows, first.write_cols = first.rows, first.cols


@compiled
def cycle(
    first: Record, steps: Record, next_step: int, start: int, piece: bool, go: bool, idle: bool, now: int
) -> None:  # fmt: skip
    """A cycle: a `piece` is taken, a write may `go`; `start`: it begins with step `next_step`. `idle`: as in `done`."""
    if done(first, idle):
        first.running = 0
    step = steps[first.step]
    on = first.state == _LEFT or first.state == _RIGHT or (first.state == _BODY and first.left > 0)
    column = on and first.queue_room and not first.pause
    there = first.queue_count > 0 and first.queue_time[first.queue_head] <= now
    group = first.active and there and not first.busy[first.bank]
    pixel = group and first.group == (step.first_words - 1) // FIRST_GROUP_WORDS
    _queue(first, step, column, pixel, now)
    _cycle_rows(first, step, piece, column)
    _cycle_groups(first, step, group, pixel, now)
    _cycle_writes(first, step, go, now)
    if first.begun:
        _begin(first, step)
    first.begun = first.start
    if first.start:
        first.running, first.open = 1, 1
    first.start = 0
    if start:
        first.on = steps[next_step].first_words > 0
        first.start = first.on
        if first.on:
            first.step = next_step
