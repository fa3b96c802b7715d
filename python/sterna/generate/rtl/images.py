"""Memory images of a package: the tape, and how frame and results lie in memory."""

from __future__ import annotations

import json

from sterna.package.package import Package
from sterna.spec.config import EngineConfig


def hex_words(data: bytes, config: EngineConfig) -> str:
    """`data` for `$readmemh`: one bus word per line, most significant digit first, zero padded at the end."""
    size = config.beat_bytes
    padded = data + bytes(-len(data) % size)
    return "".join(f"{padded[at : at + size][::-1].hex()}\n" for at in range(0, len(padded), size))


def images(package: Package) -> dict[str, bytes]:
    """The files of `memory/` by name."""
    schedule = package.schedule
    layout = {
        "word_bytes": package.config.word_bytes,
        "tile_h": package.config.tile_h,
        "tile_w": package.config.tile_w,
        "frame_bytes": schedule.frame_bytes,
        "result_bytes": schedule.result_bytes,
        "input": schedule.input.model_dump(),
        "stores": [store.model_dump() for store in schedule.stores],
        "outputs": {name: package.source_of(name).layer for name in schedule.outputs},
    }
    return {
        "tape.bin": package.tape,
        "tape.hex": hex_words(package.tape, package.config).encode(),
        "layout.json": (json.dumps(layout, indent=1) + "\n").encode(),
    }
