"""Registers of the cycle model: a record for each part, integers only. What has no comment is named as in the RTL.

A function of a part takes its record and those of its neighbours, and does one cycle. Parts are called downstream first
(`frame.run`), so each sees the others' registers as they were at the start of the cycle; where two look at each other,
a register has a twin `*_next`, or `*_room` is what a queue had room for at the start.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.compile.clock.timing import (
    BURSTS,
    FETCH_BEATS,
    FIFO_LATENCY,
    FIRST_QUEUE_PIXELS,
    GATHER_LATENCY,
    LOAD_CHANNELS,
    OPEN_STEPS,
    ROUND_BEATS,
    STAGE_DEPTH,
    STORE_BEATS_AHEAD,
    TAPE_BUFFER_BEATS,
    WORD_DEPTH,
)
from sterna.spec.config import EngineConfig
from sterna.spec.memory import Memory
from sterna.spec.tape import ALIGN, FETCH_QUEUE

#: A record, or an array of them, of one of the layouts below.
Record = Any
Records = NDArray[Any]

#: Places of queues that hold times, powers of two: each is more than the queue can hold.
BEAT_RING = 2 * TAPE_BUFFER_BEATS
BEATS_RING = 2 * FETCH_BEATS
FETCH_RING = 2 * FETCH_QUEUE
ROUND_RING = 2 * ROUND_BEATS
TABLE_RING = 8192
WORD_RING = 2 * WORD_DEPTH
STORE_RING = STORE_BEATS_AHEAD
ANSWER_RING = 2 * BURSTS
FIRST_QUEUE = FIRST_QUEUE_PIXELS
#: Parts of a row that wait for their last activations: at most one of each bank.
PART_RING = 4

_MOST_CLUSTERS = 4


def _layout(names: str, **arrays: int) -> np.dtype[Any]:
    single = [(name, np.int64) for name in names.split()]
    return np.dtype(single + [(name, np.int64, (size,)) for name, size in arrays.items()])


#: The engine's config and the frame: `has_image`, it was loaded while the frame before ran; `is_queued`, another frame
#: waits. Names with `beat` count bus beats, or by them.
MACHINE = _layout(
    "clusters drain_clusters pes round_delay table_beats table_latency beat_words line_beats has_image is_queued"
    " beat_bytes ring_bytes turns burst_beats"
    " memory_latency refresh_every refresh_cycles gap_every gap_cycles"
)

#: A step of the tape. `round`, `fetch` and `record` are where its part of the work begins, with the number of rounds,
#: fetch words and records; a round has `round_beats`, or a beat `beat_rounds`; `shared` are the tiles at once, `groups`
#: the tile groups; `address` is the beat of its page at which a move begins; `next_conv` is the CONV step after it, or
#: -1. Of a LOAD that computes the first layer: words of a pixel (else 0), whether it is pooled, rows of the image,
#: columns of the map, pixels of a piece and the last one.
STEP = _layout(
    "op next scratch beside_stores beside_loads address beats pieces row_pieces piece_bytes last_bytes"
    " tiles shared groups filters pool requant_lines weights_lines round rounds round_beats beat_rounds fetch"
    " fetches record records next_conv"
    " first_words pooled rows map_cols tile_w last_pixels"
)
RECORD = _layout("kind count")

#: The issuer: queue of beats, serializer, two queues of fetch words; number of the fetch word that is next (if any) and
#: that is in front of the queues, whether what the next one reads is written; `asking`: the windows of a word are asked
#: for, at a position in the tile group. From `issued` on: signals.
ISSUE = _layout(
    "beat_room beat_go beat_few beat_head beat_count serial_left fetch_head fetches near next_valid next front released"
    " asking position flight half undrained guard guarded reads groups issued asked_now",
    beat_time=BEATS_RING,
    beat_words=BEATS_RING,
    fetch_time=FETCH_RING,
)

#: A drain. `step` and `group` are those of the pass in front, `words` those begun; the words on their way down the
#: pipeline wait with the time at which they come to the memory's register (`valid`, `word_*`). `ended`: the pass in
#: front has been walked; `given`: a pass comes; `pass_ended`: the PEs have ended the pass in that half. `read` and
#: `freed` are registers.
DRAIN = _layout(
    "passes given coming given_next step group active ended half keep cluster pe phase row left words read"
    " free_next room done done_seen word_seen released head count channels_read valid word_written word_last",
    freed=2,
    pass_ended=2,
    pass_ended_next=2,
    pass_seen=2,
    word_time=WORD_RING,
    channels=WORD_RING,
    last=WORD_RING,
)

ISSUER = _layout(
    "left prepare current_open earlier_open written",
    waiting=_MOST_CLUSTERS,
    current=_MOST_CLUSTERS,
    earlier=_MOST_CLUSTERS,
    words=_MOST_CLUSTERS,
    level=_MOST_CLUSTERS,
)

#: The distributor. `beat` counts the beats of the payload; `staged`: a beat is behind the first queue; beats of rounds
#: wait with the rounds in them. Of the round that is put together: beats of it, and rounds of its beat, that are done.
#: `made` is one that comes into the queue of rounds, `offered` the number of the one that is offered.
DISTRIBUTOR = _layout(
    "beats room first_few few early staged fetch_words record record_left beat round_beat head count place round_place"
    " round_room round_few made made_count round_valid offered",
    beat_rounds=ROUND_RING,
)

#: Tables: queue of REQUANT beats, serializer, words that are still to be written to the table of `step`.
TABLE = _layout("room beat_head beat_count serial_left left step", beat_time=TABLE_RING)

#: The tape reader. `lines`, `place`, `limit`, `start`, `stop`, `again` are in lines of the tape, `left` in beats.
#: The next command comes in `command_wait` cycles; `done_late`: WEIGHTS has passed, a cycle late.
TAPE = _layout("state kind left beats place step repeats lines limit start stop again commands command_wait done_late")

#: A port of the AXI reader: beats of its longest burst, most beats that leave room for one, the same in a hurry, the
#: latency of its buffer; beats still to ask for and cycles until the next burst, beats under way or waiting with
#: whether there is room for a burst, both a cycle late; beats that wait.
PORT = _layout("longest most hurries latency left address wait reserved has_room leaves head count", time=BEAT_RING)

#: The bus: address register, whether it begins a frame's tape, bursts that the memory has, those outstanding; the cycle
#: from which on its refresh and gaps are counted.
BUS = _layout(
    "ar_valid ar_port ar_beats ar_first outstanding head count first_cycle", time=BURSTS, port=BURSTS, beats=BURSTS
)  # fmt: skip

#: Frame load, frame store and AXI writer. Of the store: `asked`, a read waits in the gather; `windows_first`, for that
#: of a window.
MOVES = _layout(
    "load_running load_pieces load_column load_row load_piece_bytes load_last_bytes load_bytes"
    " load_turning load_writes load_room load_go load_starts load_next load_ended"
    " store_running unasked store_room asks asked windows_first beat_head beat_count ahead"
    " left address wait burst_left w_valid w_last outstanding answer_head answer_count",
    beat_time=STORE_RING,
    answer_time=ANSWER_RING,
)

#: The first layer. `on`: the LOAD that began last, `step`, computes it; `start`, `begun`: a cycle and two after that.
#: Up to `to_come`: rows that come in; up to `fetch_pairs`: pairs of rows that are fetched; up to `pairs`: columns.
#: The queue has a place for each pixel that is under way, with the time at which it is there. Up to `rows`: that
#: which is requantised; parts of rows wait with the time at which their last activations come; from `writer`: writes.
FIRST = _layout(
    "on step start begun running open filling held room enough beat piece_ready row_written piece to_come"
    " fetching ended fetch_piece word_valid word_last fetch_pairs state left pixels_last is_first odd pairs"
    " queue_head queue_count queue_room pause active group lower col cols bank rows"
    " part_head part_count part_bank writer words write_bank write_lower write_cols write_rows write_valid",
    busy=2,
    full=2,
    queue_time=FIRST_QUEUE,
    part_time=PART_RING,
)

#: The sequencer. `next` is the step that it took last, `step` the CONV step that runs, `waiting_store` the STORE that
#: waits; from `take` on: signals.
SEQUENCER = _layout(
    "state next_state next step table_wanted first first_next vectors_done vectors_done_next quiet quiet_next"
    " earlier_drained earlier_drained_next load_busy load_open store_waits store_busy store_moves waiting_store"
    " open_head open_count tape_done tape_done_next table_done table_done_soon table_done_late table_done_next"
    " enabled enabled_next take"
    " table_start load_start queue_store store_start store_ends noting noting_until noted step_ends finish",
    open=OPEN_STEPS,
)

#: The feature memory: a drain writes in this cycle; words of the LOAD that wait, and whether one is on its way to them;
#: whether there is room for more, and whether all that came are written, as was found a cycle and two before.
WRITE_PORT = _layout("taken loads late few go empty idle")


def machine(config: EngineConfig, memory: Memory) -> Record:
    """The MACHINE record of `config` with `memory` on its bus."""
    result = np.zeros(1, MACHINE)
    table_beats = config.all_pes * config.accumulators * 8 // config.beat_bytes
    values = {
        "clusters": config.clusters,
        "drain_clusters": config.drain_clusters,
        "pes": config.pes,
        "round_delay": GATHER_LATENCY + config.clusters,
        "beat_words": config.beat_bytes // 8,
        "table_beats": table_beats,
        "table_latency": FIFO_LATENCY * max(1, table_beats // STAGE_DEPTH),
        "line_beats": ALIGN // config.beat_bytes,
        "beat_bytes": config.beat_bytes,
        "burst_beats": config.burst_beats,
        "ring_bytes": _ring_bytes(config),
        # A step for every two bits of a place in the ring.
        "turns": _ring_bytes(config).bit_length() // 2,
        "memory_latency": memory.latency,
        "refresh_every": memory.refresh_every,
        "refresh_cycles": memory.refresh_cycles,
        "gap_every": memory.gap_every,
        "gap_cycles": memory.gap_cycles,
    }
    for name, value in values.items():
        result[name] = value
    return result


def _ring_bytes(config: EngineConfig) -> int:
    """Bytes of the ring of `sterna_frame_load`: a power of two beats, in which a beat and nearly two pieces fit."""
    beats = -(-(2 * LOAD_CHANNELS * config.tile_w - 1) // config.beat_bytes) + 1
    return int((1 << (beats - 1).bit_length()) * config.beat_bytes)
