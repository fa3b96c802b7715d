"""Fetch words to vectors (`sterna_vector_loader`, `sterna_tile_cursor`, `sterna_vector_writer`, `sterna_cluster`)."""

from __future__ import annotations

from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import BEATS_RING, FETCH_RING, VECTOR_RING, Record, Records
from sterna.compile.clock.timing import (
    FIFO_LATENCY,
    GATHER_LATENCY,
    LOADER_BEATS,
    RAM_FIFO_EXTRA,
    RAM_FIFO_LATENCY,
    VECTORS_MARGIN,
)


@compiled
def cycle_ring(cluster: Record) -> None:
    """A cluster takes vectors into its rings."""
    take = cluster.vector_valid and cluster.ready
    cluster.put = cluster.held > 0 and (take or not cluster.vector_valid)
    cluster.vector_valid = cluster.put or (cluster.vector_valid and not take)
    cluster.ready = cluster.room
    cluster.room = cluster.room_next
    cluster.written_seen = cluster.written
    cluster.written += cluster.pending
    cluster.pending = take
    cluster.taken += take


@compiled
def cycle_writer(cluster: Record, now: int) -> None:
    """A cluster's vector writer: cuts the word that came in into vectors, counts the room that is not promised."""
    cluster.held += (cluster.waiting > 0) - cluster.put
    cluster.waiting = max(cluster.waiting - 1, 0)
    if cluster.word_count > 0 and cluster.word_time[cluster.word_head] == now:
        cluster.waiting = cluster.word_vectors[cluster.word_head]
        cluster.word_head = (cluster.word_head + 1) & (VECTOR_RING - 1)
        cluster.word_count -= 1
    cluster.free -= cluster.promised
    cluster.promised = cluster.announced - cluster.put
    cluster.roomy = cluster.free >= VECTORS_MARGIN or (cluster.roomy and cluster.announced == 0)
    cluster.pause = max(cluster.pause, 1) - 1 if cluster.announced == 0 else cluster.announced - 1
    cluster.announced = 0


@compiled
def _may_ask(loader: Record, clusters: Records, step: Record) -> bool:
    """Whether the fetch word that is walked can be requested at the next position in the tile group."""
    if not loader.released or clusters[loader.position].tile_left > 0:
        return False
    room = True
    for cluster in range(loader.position, len(clusters), step.shared):
        room = room and clusters[cluster].roomy and clusters[cluster].pause == 0
    return room


@compiled
def _ask(loader: Record, clusters: Records, step: Record, now: int, fetches: Records) -> bool:
    """Ask for the fetch word at the next position; whether that was the last position."""
    fetch = fetches[step.fetch + loader.fetch]
    loader.last_ask = now
    for index in range(loader.position, len(clusters), step.shared):
        cluster = clusters[index]
        place = (cluster.word_head + cluster.word_count) & (VECTOR_RING - 1)
        cluster.word_time[place] = now + GATHER_LATENCY
        cluster.word_vectors[place] = fetch.vectors
        cluster.word_count += 1
        cluster.announced = fetch.vectors
    if loader.fetch == step.fetches - 1:
        # The position's cursor goes on by as many tiles as there are at once, one per cycle.
        clusters[loader.position].tile_left = step.shared
    loader.position += 1
    if loader.position < step.shared:
        return False
    loader.position = 0
    return True


@compiled
def _walk(loader: Record, step: Record, walked: bool, written: int, now: int, fetches: Records) -> None:
    """The fetch word in front is the one that is walked next, when the one before has been `walked`."""
    if not loader.walked or walked:
        loader.walked = loader.fetches > 0 and loader.fetch_time[loader.fetch_head] + RAM_FIFO_LATENCY <= now
        if loader.walked:
            loader.fetch_head = (loader.fetch_head + 1) & (FETCH_RING - 1)
            loader.fetches -= 1
            loader.fetch = loader.front
            loader.front = loader.front + 1 if loader.front < step.fetches - 1 else 0
    loader.released = loader.walked and fetches[step.fetch + loader.fetch].after <= written


@compiled
def begin_vectors(loader: Record, clusters: Records) -> None:
    """A step starts: the cursors walk to their first tiles."""
    loader.front = 0
    for index in range(len(clusters)):
        clusters[index].tile_left = index


@compiled
def cycle_loader(
    loader: Record, clusters: Records, step: Record, written: int, now: int, fetches: Records, machine: Record
) -> None:
    """A cycle of the loader on `step`, when each drain has `written` so many words of the step before."""
    loader.room = loader.beat_count < LOADER_BEATS
    word_room = loader.fetches < machine.buffer_vectors + RAM_FIFO_EXTRA
    walked = _may_ask(loader, clusters, step) and _ask(loader, clusters, step, now, fetches)
    _walk(loader, step, walked, written, now, fetches)
    for index in range(len(clusters)):
        if clusters[index].tile_left > 0:
            clusters[index].tile_left -= 1
    pushed = word_room and loader.serial_left > 0
    if pushed:
        loader.fetch_time[(loader.fetch_head + loader.fetches) & (FETCH_RING - 1)] = now
        loader.fetches += 1
    free = loader.serial_left == 0 or (loader.serial_left == 1 and word_room)
    if free and loader.beat_count > 0 and loader.beat_time[loader.beat_head] + FIFO_LATENCY <= now:
        loader.serial_left = loader.beat_words[loader.beat_head]
        loader.beat_head = (loader.beat_head + 1) & (BEATS_RING - 1)
        loader.beat_count -= 1
    elif pushed:
        loader.serial_left -= 1


@compiled
def queue_fetches(loader: Record, words: int, now: int) -> None:
    """A beat of `words` fetch words comes in."""
    place = (loader.beat_head + loader.beat_count) & (BEATS_RING - 1)
    loader.beat_time[place] = now
    loader.beat_words[place] = words
    loader.beat_count += 1


@compiled
def loader_idle(loader: Record, now: int) -> bool:
    """No fetch word is held and no read under way."""
    held = loader.beat_count + loader.serial_left + loader.fetches + loader.walked
    # The loader knows of a word in the cycle before it comes.
    return held == 0 and now > loader.last_ask + GATHER_LATENCY - 1
