"""Graph and config to package: lowers, places, schedules, encodes, and writes the tape."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from sterna.compile.clock import Clock
from sterna.compile.encode import encode_part, requant_payload
from sterna.compile.lower import PHASES, Operation, Program, lower
from sterna.compile.memory import (
    Demand,
    Map,
    Placement,
    Region,
    image_map,
    join_maps,
    phase_view,
    place,
    split_counts,
    tile_counts,
)
from sterna.compile.schedule import Part, Spread, drained_words, part_work, spread
from sterna.errors import SternaError
from sterna.graph import Graph, Input, Reorg
from sterna.package import layout
from sterna.package.counters import UNTIMED
from sterna.package.package import Package
from sterna.spec import tape
from sterna.spec.activations import ACTIVATIONS
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from sterna.spec.tape import AFTER_ALL, Op, Pool, Segment, SegmentKind

#: Called with how much is done, of how much, and of what comes.
Progress = Callable[[int, int, str], None]
#: What comes after the operations.
_CYCLES = "cycles"


def compile_graph(
    graph: Graph, config: EngineConfig, *, trace: bool = False, cycles: bool = True, progress: Progress | None = None
) -> Package:
    """Compile `graph` for `config`.

    With `trace` every map that the engine makes is stored to result memory, so that each can be checked; otherwise
    only the graph's outputs are. Without `cycles` the cycle model does not run, and the package's schedule is not
    timed. `progress` is called before each operation, with its layer, and before the cycle model. Raises SternaError
    naming the layer that does not fit the config.
    """
    _check(graph, config)
    return _Compiler(graph, config, trace).run(progress or _silent, cycles=cycles)


def compile_timed(graph: Graph, config: EngineConfig, *, progress: Progress | None = None) -> tuple[Package, Clock]:
    """As `compile_graph`, with the clock that tells the cycles on other memories."""
    _check(graph, config)
    compiler = _Compiler(graph, config, trace=False)
    return compiler.run(progress or _silent, cycles=True), compiler.clock


def _silent(*_: object) -> None:
    """Progress that nobody wants to see."""


def _check(graph: Graph, config: EngineConfig) -> None:
    if graph.act_bits != config.act_w:
        raise SternaError(
            "the activations of the graph and the config differ in width",
            attribute="act_bits",
            value=graph.act_bits,
            allowed=str(config.act_w),
            remedy="choose a config with this act_w",
        )
    if graph.acc_bits > config.acc_w:
        raise SternaError(
            "the graph's accumulators are wider than the config's",
            attribute="acc_bits",
            value=graph.acc_bits,
            allowed=f"up to {config.acc_w}",
            remedy="choose a config with a larger acc_w",
        )
    for layer in graph.layers:
        requant = getattr(layer, "requant", None)
        if requant is not None and requant.multiplier.max(initial=0) >= 1 << config.mul_w:
            raise SternaError(
                "a requantisation multiplier is too wide for the config",
                where=f"layer {layer.name}",
                attribute="multiplier",
                value=int(requant.multiplier.max()),
                allowed=f"below 2^{config.mul_w} (mul_w)",
                remedy="lower multiplier and shift or raise mul_w",
            )


@dataclass
class _Compiler:
    graph: Graph
    config: EngineConfig
    trace: bool
    segments: list[Segment] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    stores: list[dict[str, Any]] = field(default_factory=list)
    maps: dict[str, Map] = field(default_factory=dict)
    result_bytes: int = 0
    convs: int = 0

    def __post_init__(self) -> None:
        self.clock = Clock(self.config)

    def run(self, progress: Progress, *, cycles: bool) -> Package:
        self.program = lower(self.graph)
        self.reorgs = {layer.name for layer in self.graph.layers if isinstance(layer, Reorg)}
        operations = self.program.operations
        parts = len(operations) + cycles
        wanted = self._stored_layers()
        spreads = [spread(self.config, operation, self._tiles(operation)) for operation in operations]
        self.placement = self._placement(spreads, wanted)
        image = self._load(self.graph.input)
        self._store_complete(wanted, {self.graph.input.name})
        for index, (operation, plan) in enumerate(zip(operations, spreads, strict=True)):
            progress(index, parts, operation.output)
            self._operation(operation, plan)
            self._store_complete(wanted, set(operation.outputs))
            if self.placement.load_after == index:
                self._load_frame(self.graph.input, next=1)
        written = tape.write(self.config.hash, self.segments)
        if cycles:
            progress(len(operations), parts, _CYCLES)
        queued_cycles = self._time(len(written)) if cycles else 0
        return Package(self.graph, written, self.config, self._metadata(image) | {"queued_cycles": queued_cycles})

    def _time(self, tape_bytes: int) -> int:
        """Note the cycles of each step of a frame alone; those from one queued frame to the next."""
        # The cycle model runs outside Python's lock, so two cores take half of the time.
        with ThreadPoolExecutor(max_workers=1) as other:
            queued = other.submit(self.clock.frame, tape_bytes, queued=True)
            alone = self.clock.frame(tape_bytes)
        for step, counters in zip(self.steps, alone.steps, strict=True):
            step |= asdict(counters)
        return queued.result().cycles

    def _stored_layers(self) -> list[str]:
        """Layers to store: every computed map when tracing, and what each output shows."""
        shown = [layer.input for layer in self.graph.outputs]
        every = [name for operation in self.program.operations for name in operation.outputs] if self.trace else []
        return list(dict.fromkeys([*every, *shown]))

    def _tiles(self, operation: Operation) -> int:
        """Tiles of the operation's map."""
        height, width = self._size(operation.output)
        return math.prod(self._counts(operation.output)(self.config, height, width))

    def _size(self, name: str) -> tuple[int, int]:
        info = self.graph.info[name]
        return info.height, info.width

    def _counts(self, name: str) -> Callable[[EngineConfig, int, int], tuple[int, int]]:
        return split_counts if name in self.program.split else tile_counts

    def _placement(self, spreads: list[Spread], wanted: list[str]) -> Placement:
        source = self.graph.input
        tiles = math.prod(tile_counts(self.config, source.height, source.width))
        image = (source.name, -(-source.channels // WORD_CHANNELS) * tiles)
        made = []
        for operation, plan in zip(self.program.operations, spreads, strict=True):
            words = sum(chosen.words for chosen in plan.parts) * self._tiles(operation)
            sizes = (words * len(PHASES), words)[-len(operation.outputs) :]
            made.append(list(zip(operation.outputs, sizes, strict=True)))
        return place(self.config.fm_words, Demand(image, made, _last_uses(self.program, wanted)))

    def _load(self, layer: Input) -> dict[str, Any]:
        region = self.placement.regions[layer.name]
        self.maps[layer.name] = image_map(self.config, layer.height, layer.width, layer.channels, region)
        self._load_frame(layer)
        return {
            "layer": layer.name,
            "dram_offset": 0,
            "channels": layer.channels,
            "height": layer.height,
            "width": layer.width,
        }

    def _load_frame(self, layer: Input, **fields: int) -> None:
        fields |= {
            "in_full_rows": layer.height // self.config.tile_h,
            "in_extra_rows": layer.height % self.config.tile_h,
            "in_full_cols": layer.width // self.config.tile_w,
            "in_extra_cols": layer.width % self.config.tile_w,
            "filters": layer.channels,
            "dram_bytes": layout.frame_bytes(layer.channels, layer.height, layer.width, self.config),
        }
        self._move([layer.name], Op.LOAD, self.placement.regions[layer.name], **fields)

    def _store_complete(self, wanted: list[str], made: set[str]) -> None:
        """Store what can be stored now that the maps `made` are complete."""
        for name in wanted:
            parts = self.program.sources(name)
            if made.intersection(parts) and all(part in self.maps for part in parts):
                self._store(name, self._map(name))

    def _map(self, name: str) -> Map:
        """The map of a layer, computed or a view."""
        if name in self.maps:
            return self.maps[name]
        sources = [self._map(source) for source in self.program.views[name]]
        if name in self.reorgs:
            return phase_view(sources[0], *self._size(name))
        return join_maps(sources)

    def _store(self, name: str, stored: Map) -> None:
        offset = self.result_bytes
        for region in stored.regions:
            size = region.words * self.config.word_bytes
            self._move([name], Op.STORE, region, dram_offset=self.result_bytes, dram_bytes=size)
            self.result_bytes += size
        height, width = self._size(name)
        split = (stored.height, stored.width) != (height, width)
        self.stores.append(
            {
                "layer": name,
                "dram_offset": offset,
                "words": stored.words // stored.tiles,
                "tiles_h": stored.tiles_h,
                "tiles_w": stored.tiles_w,
                "height": height,
                "width": width,
                "split": split,
                "channels": stored.stored_channels(),
            }
        )

    def _move(self, layers: list[str], op: Op, region: Region, **fields: int) -> None:
        fields |= {"op": op, "fm_base": region.base, "fm_words": region.words}
        self.clock.move(fields)
        self._step(layers, fields)

    def _operation(self, operation: Operation, plan: Spread) -> None:
        source = join_maps([self._map(name) for name in operation.sources])
        bases = [self.placement.regions[name].base for name in operation.outputs]
        for name in operation.outputs:
            self.maps[name] = self._output_map(name, operation, plan)
        for number, chosen in enumerate(plan.parts):
            self._conv(operation, source, plan, number, chosen, bases)
            words = chosen.words * self._tiles(operation)
            sizes = (words * len(PHASES), words)[-len(bases) :]
            bases = [base + size for base, size in zip(bases, sizes, strict=True)]

    def _output_map(self, name: str, operation: Operation, plan: Spread) -> Map:
        """A map that the operation makes.

        Drained channel i of group s of a part lies in byte i mod 4 of the group's word i div 4; split maps have a word
        for each phase.
        """
        height, width = self._size(name)
        tiles_h, tiles_w = self._counts(name)(self.config, height, width)
        if name in self.program.split:
            height, width = tiles_h * self.config.tile_h, tiles_w * self.config.tile_w
        word, byte, step, written = (np.zeros(operation.filters, np.int64) for _ in range(4))
        before = 0
        for number, chosen in enumerate(plan.parts):
            group, channel = np.nonzero(chosen.filters >= 0)
            members = chosen.filters[group, channel]
            word[members] = before + group * chosen.group_words + channel // WORD_CHANNELS
            byte[members] = channel % WORD_CHANNELS
            step[members] = self.convs + number
            written[members] = AFTER_ALL
            if operation.pool is not Pool.KEEP:
                # The last cluster of its filter group in the drain, as windows may reach into all tiles.
                cluster = ((group + 1) * plan.tiles_at_once - 1) % self.config.drain_clusters
                words = drained_words(self.config, operation.pool, chosen.channels)[cluster, channel]
                written[members] = np.minimum(words, AFTER_ALL)
            before += chosen.words
        region = self.placement.regions[name]
        plane = region.base + word * (tiles_h * tiles_w)
        return Map(height, width, tiles_h, tiles_w, plane, byte, (region,), step, written)

    def _conv(
        self, operation: Operation, source: Map, plan: Spread, number: int, chosen: Part, bases: list[int]
    ) -> None:
        target = self.maps[operation.output]
        streams = chosen.filters.shape[0] * self.config.pes
        work = part_work(self.config, operation, source, chosen, self.convs)
        encoded = encode_part(self.config, streams, work)
        table = tape.pad(requant_payload(operation.requant, chosen))
        additions = len(work.additions.vector)
        fields: dict[str, int] = {
            "op": Op.CONV,
            "pool": operation.pool,
            "gather_stride": operation.gather_stride,
            "activation": ACTIVATIONS[operation.requant.activation],
            "shift": operation.requant.shift,
            "pad_value": operation.pad_value,
            "tiles_at_once": plan.tiles_at_once,
            "fm_base": bases[-1],
            "keep_base": bases[0] if operation.pool is Pool.KEEP else 0,
            "in_full_rows": source.height // self.config.tile_h,
            "in_extra_rows": source.height % self.config.tile_h,
            "in_full_cols": source.width // self.config.tile_w,
            "in_extra_cols": source.width % self.config.tile_w,
            "in_tiles_w": source.tiles_w,
            "out_tiles_h": target.tiles_h,
            "out_tiles_w": target.tiles_w,
            "out_plane": target.tiles,
            "tile_groups": -(-target.tiles // plan.tiles_at_once),
            "filters": chosen.channels,
            "group_words": chosen.group_words,
            "requant_bytes": len(table),
            "weights_bytes": len(encoded.payload),
        }
        self.clock.conv(fields, encoded)
        self._step(
            list(operation.layers),
            fields,
            number=number,
            additions=additions * target.tiles,
            lane_work=additions * math.prod(self._size(operation.output)),
        )
        self.segments.append(Segment(SegmentKind.REQUANT, table))
        self.segments.append(Segment(SegmentKind.WEIGHTS, encoded.payload))
        self.convs += 1

    def _step(
        self, layers: list[str], fields: dict[str, int], *, number: int = 0, additions: int = 0, lane_work: int = 0
    ) -> None:
        try:
            payload = tape.pack_step(**fields)
        except SternaError as error:
            raise SternaError(
                error.what,
                where=f"layer {layers[-1]}",
                attribute=error.attribute,
                value=error.value,
                allowed=error.allowed,
                remedy=error.remedy,
            ) from error
        self.segments.append(Segment(SegmentKind.STEP, payload))
        self.steps.append(
            {
                "layers": layers,
                "op": Op(fields["op"]).name,
                "part": number,
                "nonzeros": additions,
                "lane_work": lane_work,
            }
            | asdict(UNTIMED)
        )

    def _metadata(self, image: dict[str, Any]) -> dict[str, Any]:
        size = (image["channels"], image["height"], image["width"])
        return {
            "input": image,
            "stores": self.stores,
            "outputs": [layer.name for layer in self.graph.outputs],
            "frame_bytes": layout.frame_bytes(*size, self.config),
            "result_bytes": self.result_bytes,
            "steps": self.steps,
        }


def _last_uses(program: Program, wanted: list[str]) -> dict[str, int]:
    """Index of the last operation after which each map is still needed; maps that nothing needs are absent."""
    made = {name: index for index, operation in enumerate(program.operations) for name in operation.outputs}
    uses: dict[str, int] = {}
    for index, operation in enumerate(program.operations):
        for name in operation.sources:
            uses.update(dict.fromkeys(program.sources(name), index))
    for name in wanted:
        parts = program.sources(name)
        stored = max(made.get(part, -1) for part in parts)
        uses.update({part: max(uses.get(part, -1), stored) for part in parts})
    return uses
