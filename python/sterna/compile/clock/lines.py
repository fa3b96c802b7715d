"""Fetch words to lines (`sterna_line_loader`, `sterna_tile_cursor`, `sterna_line_writer`, `sterna_cluster`)."""

from __future__ import annotations

from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import FETCH_RING, Record, Records
from sterna.compile.clock.timing import (
    GATHER_LATENCY,
    LOADER_FETCHES,
    RAM_FIFO_EXTRA,
    RAM_FIFO_LATENCY,
    WORDS_AHEAD,
    WRITER_LATENCY,
)


@compiled
def cycle_ring(cluster: Record, now: int) -> None:
    """A cluster takes lines into its rings, and its line writer puts the next one."""
    take = cluster.line_valid and cluster.ready
    cluster.ready = cluster.room
    cluster.room = cluster.room_next
    cluster.written_seen = cluster.written
    cluster.written += cluster.pending
    cluster.pending = take
    cluster.taken += take
    cluster.writer_room = cluster.word_count < WORDS_AHEAD
    held = cluster.word_count > 0 and cluster.word_time[cluster.word_head] <= now
    put = held and (take or not cluster.line_valid)
    if put:
        cluster.word_lines[cluster.word_head] -= 1
        if cluster.word_lines[cluster.word_head] == 0:
            cluster.word_head = (cluster.word_head + 1) & (WORDS_AHEAD - 1)
            cluster.word_count -= 1
    cluster.line_valid = put or (cluster.line_valid and not take)


@compiled
def _may_ask(loader: Record, clusters: Records, step: Record, written: int, fetches: Records) -> bool:
    """Whether the fetch word in front can be asked for at the position in the tile group that is next."""
    if loader.fetches == 0 or clusters[loader.position].tile_left > 0:
        return False
    if fetches[step.fetch + loader.fetch].after > written:
        return False
    room = True
    for cluster in range(loader.position, len(clusters), step.shared):
        room = room and clusters[cluster].writer_room
    return room


@compiled
def _ask(loader: Record, clusters: Records, step: Record, now: int, fetches: Records) -> bool:
    """Ask for the fetch word at the next position; whether that was the last position."""
    fetch = fetches[step.fetch + loader.fetch]
    loader.last_ask = now
    for index in range(loader.position, len(clusters), step.shared):
        cluster = clusters[index]
        place = (cluster.word_head + cluster.word_count) & (WORDS_AHEAD - 1)
        cluster.word_time[place] = now + GATHER_LATENCY + WRITER_LATENCY
        cluster.word_lines[place] = fetch.lines
        cluster.word_count += 1
    if loader.fetch == step.fetches - 1:
        # The position's cursor goes on by as many tiles as there are at once, one a cycle.
        clusters[loader.position].tile_left = step.shared
    loader.position += 1
    if loader.position < step.shared:
        return False
    loader.position = 0
    loader.fetch += 1
    if loader.fetch == step.fetches:
        loader.fetch = 0
    return True


@compiled
def begin_lines(loader: Record, clusters: Records) -> None:
    """A step starts: the cursors walk to their first tiles."""
    loader.fetch = 0
    for index in range(len(clusters)):
        clusters[index].tile_left = index


@compiled
def cycle_loader(
    loader: Record, clusters: Records, step: Record, written: int, now: int, fetches: Records, machine: Record
) -> None:
    """A cycle of the loader on `step`, when each drain has `written` so many words of the step before."""
    loader.room = loader.beat_count < machine.buffer_lines + RAM_FIFO_EXTRA
    word_room = loader.fetches < LOADER_FETCHES
    if _may_ask(loader, clusters, step, written, fetches):
        loader.fetches -= _ask(loader, clusters, step, now, fetches)
    for index in range(len(clusters)):
        if clusters[index].tile_left > 0:
            clusters[index].tile_left -= 1
    pushed = word_room and loader.serial_left > 0
    loader.fetches += pushed
    free = loader.serial_left == 0 or (loader.serial_left == 1 and word_room)
    if free and loader.beat_count > 0 and loader.beat_time[loader.beat_head] + RAM_FIFO_LATENCY <= now:
        loader.serial_left = loader.beat_words[loader.beat_head]
        loader.beat_head = (loader.beat_head + 1) & (FETCH_RING - 1)
        loader.beat_count -= 1
    elif pushed:
        loader.serial_left -= 1


@compiled
def queue_fetches(loader: Record, words: int, now: int) -> None:
    """A beat of `words` fetch words comes in."""
    place = (loader.beat_head + loader.beat_count) & (FETCH_RING - 1)
    loader.beat_time[place] = now
    loader.beat_words[place] = words
    loader.beat_count += 1


@compiled
def loader_idle(loader: Record, now: int) -> bool:
    """No fetch word is held and no read under way."""
    held = loader.beat_count + loader.serial_left + loader.fetches
    return held == 0 and now > loader.last_ask + GATHER_LATENCY
