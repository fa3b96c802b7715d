"""What libsterna's driver of engines is told of a package besides its tape, as JSON."""

from __future__ import annotations

import json

from sterna.package import layout
from sterna.package.package import Package, StoreRegion

#: What is loaded of scratch memory, at most, as a multiple of it.
_MOST_LOADS = 8


def places(package: Package) -> bytes:
    """Where images and maps of `package` lie in an engine's memory, and what the steps of its tape are for."""
    schedule, config = package.schedule, package.config
    record = {
        "config": {
            "name": config.name, "hash": config.hash, "tile_h": config.tile_h, "tile_w": config.tile_w,
            "word_bytes": config.word_bytes,
        },
        "frame_bytes": schedule.frame_bytes,
        "result_bytes": schedule.result_bytes,
        "scratch_bytes": schedule.scratch_bytes,
        "image_offset": schedule.input.dram_offset,
        "interleaved": int(layout.is_interleaved(schedule.input.channels)),
        "most_cycles": most_cycles(package),
        "steps": [{"op": step.op, "part": step.part, "layers": ", ".join(step.layers)} for step in schedule.steps],
        "stores": [_store(store) for store in schedule.stores],
    }  # fmt: skip
    return json.dumps(record, separators=(",", ":")).encode()


def _store(store: StoreRegion) -> dict[str, object]:
    """`channels`: channel word, and byte in it, of each channel, one after the other."""
    return {
        "layer": store.layer, "offset": store.dram_offset, "words": store.words, "tiles_h": store.tiles_h,
        "tiles_w": store.tiles_w, "height": store.height, "width": store.width, "split": int(store.split),
        "channels": [number for channel in store.channels for number in channel],
    }  # fmt: skip


def most_cycles(package: Package) -> int:
    """Clock cycles of a frame on a fast memory.

    Untimed it takes, at most, a cycle for each addition as if there were one PE, and for each byte that moves, of
    scratch memory several times, as rows that several bands need are loaded again.
    """
    schedule = package.schedule
    if schedule.timed:
        return schedule.alone_cycles
    moved = len(package.tape) + schedule.frame_bytes + schedule.result_bytes + _MOST_LOADS * schedule.scratch_bytes
    return sum(step.nonzeros for step in schedule.steps) + moved
