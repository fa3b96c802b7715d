"""Parts to tape payloads. Weights and fetch words are encoded by libsterna, `sw/src/tape`: the one encoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sterna.compile.schedule import Fetches, PartWork
from sterna.graph import Input, Requant
from sterna.graph.layers import LEVELS
from sterna.native import libsterna
from sterna.package.plan import Part
from sterna.spec import tape
from sterna.spec.config import EngineConfig


@dataclass(frozen=True)
class EncodedPart:
    """The WEIGHTS payload of a part, and what is in it as the cycle model takes it."""

    payload: bytes
    fetches: Fetches
    #: The entries uint8[round, stream, entry] of all chunks.
    codes: NDArray[np.uint8]
    #: The records int64[record, 2] in order: kind, count.
    records: NDArray[np.int64]


def encode_part(config: EngineConfig, streams: int, work: PartWork) -> EncodedPart:
    """Encode `work` for `streams` PE streams: the same work gives the same bytes, always."""
    fetches, additions = work.fetches, work.additions
    payload, codes, records = libsterna.encode_part(
        libsterna.EncoderConfig(
            config.tile_h, config.tile_w, config.buffer_vectors, config.acc_index_w, config.chunk_bytes,
            config.beat_bytes,
        ),
        streams,
        [_integers(each) for each in (fetches.plane, fetches.row, fetches.col, fetches.mask, fetches.after)],
        [_integers(each) for each in (additions.stream, additions.vector, additions.acc_index, additions.plane)],
        np.ascontiguousarray(additions.subtract, np.uint8),
        work.planes,
    )  # fmt: skip
    return EncodedPart(payload, fetches, codes, records)


def _integers(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.ascontiguousarray(values, np.int64)


def input_table_payload(layer: Input, act_bits: int) -> bytes:
    """REQUANT payload of a TABLE step: a word for each byte value; without a table values are shifted."""
    plain = np.arange(-LEVELS // 2, LEVELS // 2) >> (8 - act_bits)
    tables = np.tile(plain.astype(np.int8), (tape.INPUT_TABLES, 1))
    if layer.table is not None:
        tables[: layer.channels] = layer.table
    words = np.zeros((LEVELS, tape.INPUT_WORD.size), np.int8)
    words[:, : tape.INPUT_TABLES] = tables.T
    return words.tobytes()


def requant_payload(requant: Requant, chosen: Part) -> bytes:
    """REQUANT payload of a part: a word for each drained channel; absent filters drain as zero."""
    index = chosen.filters.ravel()
    present = index >= 0
    multiplier = np.where(present, requant.multiplier[index], 0).astype(np.uint64)
    bias = np.where(present, requant.bias[index], 0).astype(np.uint64)
    return ((bias << np.uint64(tape.REQUANT_MULTIPLIER_BITS)) | multiplier).astype("<u8").tobytes()
