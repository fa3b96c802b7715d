"""The self-checking testbench of a package and an image: the frame, and the results expected of the engine."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from sterna.generate.rtl.images import hex_words
from sterna.native import libsterna
from sterna.package import layout
from sterna.package.counters import StepCounters
from sterna.package.package import Package
from sterna.run.backend import Results
from sterna.run.backends.reference import ReferenceBackend
from sterna.run.engine import WATCHDOG
from sterna.run.program import cycle_limit
from sterna.run.transports.sim import MEMORY_BASE
from sterna.spec import tape as tape_format
from sterna.spec.memory import Memory
from sterna.spec.registers import PROFILE_STEPS, FrameLayout
from sterna.spec.tape import Op, SegmentKind


def memory_files(package: Package, image: NDArray[np.int8]) -> dict[str, bytes]:
    """The files of `memory/` by name that `image` int8[C, H, W] adds.

    `expected.hex` holds an entry for each value of each stored layer, by layer, channel, row and column: a 32-bit
    offset in bytes from the start of the memory, and the value. `profile.hex` holds the counters of each step.
    """
    frame = frame_bytes(package, image)
    return {
        "frame.bin": frame,
        "frame.hex": hex_words(frame, package.config).encode(),
        "expected.hex": _expected(package, image).encode(),
        "profile.hex": _profile(package).encode(),
    }


def frame_bytes(package: Package, image: NDArray[np.int8]) -> bytes:
    """The frame memory that holds `image` int8[C, H, W]."""
    written = layout.frame(image)
    offset = package.schedule.input.dram_offset
    frame = bytearray(package.schedule.frame_bytes)
    frame[offset : offset + len(written)] = written
    return bytes(frame)


def values(package: Package) -> dict[str, object]:
    """The values in the template of `sterna_tb_pkg.sv`."""
    schedule, config = package.schedule, package.config
    kept = schedule.steps[:PROFILE_STEPS]
    layers = _layers(package)
    return {
        "config_hash": config.hash,
        "data_w": config.axi_data_w,
        "base": MEMORY_BASE,
        "frame_layout": FrameLayout.INTERLEAVED if layout.is_interleaved(schedule.input.channels) else 0,
        "memory": _places(package),
        "timing": _timing(config.memory_timing),
        "watchdog": WATCHDOG,
        "timeout": cycle_limit(package, WATCHDOG),
        "totals": {
            "Busy": sum(step.busy for step in schedule.steps),
            "BeatsRead": beats_read(package),
            "BeatsWritten": sum(layout.region_bytes(store, config) for store in schedule.stores) // config.beat_bytes,
        },
        "steps": len(schedule.steps),
        "kept_steps": len(kept),
        "layers": layers,
        "values": sum(int(np.prod(package.graph.info[store.layer].shape)) for store in schedule.stores),
    }


def _timing(memory: Memory) -> dict[str, int]:
    """Cycles of the memory."""
    return {
        "Latency": memory.latency,
        "RefreshEvery": memory.refresh_every,
        "RefreshCycles": memory.refresh_cycles,
        "GapEvery": memory.gap_every,
        "GapCycles": memory.gap_cycles,
    }


def beats_read(package: Package) -> int:
    """Bus beats that a single frame reads: the tape, weights as often as they are streamed, and the image."""
    config, size, times = package.config, tape_format.ALIGN, 1
    for segment in tape_format.read(package.tape).segments:
        if segment.kind is SegmentKind.STEP:
            step = tape_format.unpack_step(segment.payload)
            times = step["tile_groups"]
            if step["op"] == Op.LOAD and not step["next"]:
                size += step["dram_bytes"]
        repeated = times if segment.kind is SegmentKind.WEIGHTS else 1
        size += tape_format.ALIGN + repeated * len(segment.payload)
    return size // config.beat_bytes


def _places(package: Package) -> dict[str, int]:
    """The offsets of tape, frame, result and scratch memory in bytes from the start of the memory."""
    schedule = package.schedule
    frame = libsterna.page_up(len(package.tape))
    result = libsterna.page_up(frame + schedule.frame_bytes)
    scratch = libsterna.page_up(result + schedule.result_bytes)
    return {
        "TapeBytes": len(package.tape),
        "FrameOffset": frame,
        "FrameBytes": schedule.frame_bytes,
        "ResultOffset": result,
        "ResultBytes": schedule.result_bytes,
        "ScratchOffset": scratch,
        "MemoryBytes": libsterna.page_up(scratch + schedule.scratch_bytes),
    }


def _stored(package: Package) -> list[str]:
    """The stored layers in the order of the graph, in which backends are compared."""
    return [layer.name for layer in package.graph.layers if package.schedule.stored(layer.name)]


def _layers(package: Package) -> list[dict[str, object]]:
    layers: list[dict[str, object]] = []
    first = 0
    for name in _stored(package):
        channels, height, width = package.graph.info[name].shape
        layers.append({"name": name, "first": first, "height": height, "width": width})
        first += channels * height * width
    return layers


def _results(package: Package, image: NDArray[np.int8]) -> Results:
    with ReferenceBackend() as backend:
        backend.load(package)
        return backend.infer(image[np.newaxis])


def _expected(package: Package, image: NDArray[np.int8]) -> str:
    results, base = _results(package, image), _places(package)["ResultOffset"]
    parts = []
    for name in _stored(package):
        store = package.schedule.stored(name)
        assert store is not None
        offsets = base + store.dram_offset + layout.places(store, package.config)
        entries = zip(offsets.flat, results[name][0].view(np.uint8).flat, strict=True)
        parts.append(f"// layer {name}\n")
        parts.extend(f"{offset:08x}_{value:02x}\n" for offset, value in entries)
    return "".join(parts)


def _profile(package: Package) -> str:
    steps = [astuple(StepCounters.expected(step)) for step in package.schedule.steps[:PROFILE_STEPS]]
    return "".join("_".join(f"{value:08x}" for value in step) + "\n" for step in steps)
