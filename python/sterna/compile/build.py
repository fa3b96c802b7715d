"""A plan to a package: walks the operations, and writes the tape's steps and where the driver finds what they store."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from sterna.compile.beside import OpenStores
from sterna.compile.clock import Clock
from sterna.compile.encode import encode_part, input_table_payload, requant_payload
from sterna.compile.lower import Operation
from sterna.compile.lowered import Lowered
from sterna.compile.memory import Map, Region, image_map, join_maps, phase_view
from sterna.compile.schedule import drained_words, part_work
from sterna.errors import SternaError
from sterna.graph import Input, Reorg
from sterna.package import layout
from sterna.package.counters import UNTIMED
from sterna.package.plan import Part, Plan, Spread
from sterna.spec import tape
from sterna.spec.activations import ACTIVATIONS
from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import AFTER_ALL, Op, Pool, Segment, SegmentKind

#: Called before each operation with its number and the layer that it makes.
Show = Callable[[int, str], None]


@dataclass(frozen=True)
class Built:
    """A tape, and the metadata of its package, not timed."""

    tape: bytes
    metadata: dict[str, Any]


def build(lowered: Lowered, plan: Plan, *, clock: Clock | None = None, show: Show | None = None) -> Built:
    """The tape of a graph by `plan`, which `check` has found to fit it: always the same bytes.

    `clock` is told of each step. Raises SternaError naming the layer with a value that does not fit the tape.
    """
    return _Builder(lowered, plan, clock).run(show)


@dataclass
class _Builder:
    lowered: Lowered
    plan: Plan
    clock: Clock | None
    segments: list[Segment] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    stores: list[dict[str, Any]] = field(default_factory=list)
    maps: dict[str, Map] = field(default_factory=dict)
    open_stores: OpenStores = field(default_factory=OpenStores)
    result_bytes: int = 0
    convs: int = 0

    def __post_init__(self) -> None:
        self.graph, self.config, self.program = self.lowered.graph, self.lowered.config, self.lowered.program
        self.reorgs = {layer.name for layer in self.graph.layers if isinstance(layer, Reorg)}
        words = self.lowered.regions(self.plan.spreads)
        self.regions = {name: Region(base, words[name]) for name, base in self.plan.bases.items()}

    def run(self, show: Show | None) -> Built:
        if self.config.input_table:
            self._fill_tables(self.graph.input)
        image = self._load(self.graph.input)
        self._store_complete({self.graph.input.name})
        for index, (operation, spread) in enumerate(zip(self.program.operations, self.plan.spreads, strict=True)):
            if show:
                show(index, operation.output)
            self._operation(operation, spread)
            self._store_complete(set(operation.outputs))
            if self.plan.load_after == index:
                self._load_frame(self.graph.input, next=1)
        return Built(tape.write(self.config.hash, self.segments), self._metadata(image))

    def _fill_tables(self, layer: Input) -> None:
        payload = input_table_payload(layer, self.graph.act_bits)
        fields: dict[str, int] = {"op": Op.TABLE, "requant_bytes": len(payload)}
        if self.clock:
            self.clock.table(fields)
        self._step([layer.name], fields)
        self.segments.append(Segment(SegmentKind.REQUANT, payload))

    def _load(self, layer: Input) -> dict[str, Any]:
        region = self.regions[layer.name]
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
        region = self.regions[layer.name]
        self._move([layer.name], Op.LOAD, region, beside=self.open_stores.beside([region]), **fields)

    def _store_complete(self, made: set[str]) -> None:
        """Store what can be stored now that the maps `made` are complete."""
        for name in self.plan.stored:
            parts = self.program.sources(name)
            if made.intersection(parts) and all(part in self.maps for part in parts):
                self._store(name, self._map(name))

    def _map(self, name: str) -> Map:
        """The map of a layer, computed or a view."""
        if name in self.maps:
            return self.maps[name]
        sources = [self._map(source) for source in self.program.views[name]]
        if name in self.reorgs:
            return phase_view(sources[0], *self.lowered.size(name))
        return join_maps(sources)

    def _store(self, name: str, stored: Map) -> None:
        offset = self.result_bytes
        for region in stored.regions:
            size = region.words * self.config.word_bytes
            self._move([name], Op.STORE, region, dram_offset=self.result_bytes, dram_bytes=size)
            self.open_stores.add(region)
            self.result_bytes += size
        height, width = self.lowered.size(name)
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
        if self.clock:
            self.clock.move(fields)
        self._step(layers, fields)

    def _operation(self, operation: Operation, spread: Spread) -> None:
        source = join_maps([self._map(name) for name in operation.sources])
        bases = [self.regions[name].base for name in operation.outputs]
        for name in operation.outputs:
            self.maps[name] = self._output_map(name, operation, spread)
        for number, chosen in enumerate(spread.parts):
            self._conv(operation, source, spread, number, chosen, bases)
            made = self.lowered.made_by(operation, (chosen,))
            bases = [base + size for base, size in zip(bases, made.values(), strict=True)]

    def _output_map(self, name: str, operation: Operation, spread: Spread) -> Map:
        """A map that the operation makes.

        Drained channel i of group s of a part lies in byte i mod 4 of the group's word i div 4; split maps have a word
        for each phase.
        """
        height, width = self.lowered.size(name)
        tiles_h, tiles_w = self.lowered.counts(name)
        if name in self.program.split:
            height, width = tiles_h * self.config.tile_h, tiles_w * self.config.tile_w
        word, byte, step, written = (np.zeros(operation.filters, np.int64) for _ in range(4))
        before = 0
        for number, chosen in enumerate(spread.parts):
            group, channel = np.nonzero(chosen.filters >= 0)
            members = chosen.filters[group, channel]
            word[members] = before + group * chosen.group_words + channel // WORD_CHANNELS
            byte[members] = channel % WORD_CHANNELS
            step[members] = self.convs + number
            written[members] = AFTER_ALL
            if operation.pool is not Pool.KEEP:
                # The last cluster of its filter group in the drain, as windows may reach into all tiles, and the last
                # channel of its word, absent or not: block RAM gives nothing of a word that is being written.
                cluster = ((group + 1) * spread.tiles_at_once - 1) % self.config.drain_clusters
                last = np.minimum(channel | WORD_CHANNELS - 1, chosen.channels - 1)
                words = drained_words(self.config, operation.pool, chosen.channels)[cluster, last]
                written[members] = np.minimum(words, AFTER_ALL)
            before += chosen.words
        region = self.regions[name]
        plane = region.base + word * (tiles_h * tiles_w)
        return Map(height, width, tiles_h, tiles_w, plane, byte, (region,), step, written)

    def _conv(
        self, operation: Operation, source: Map, spread: Spread, number: int, chosen: Part, bases: list[int]
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
            "tiles_at_once": spread.tiles_at_once,
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
            "tile_groups": -(-target.tiles // spread.tiles_at_once),
            "filters": chosen.channels,
            "group_words": chosen.group_words,
            "requant_bytes": len(table),
            "weights_bytes": len(encoded.payload),
            "beside": self.open_stores.beside([self.regions[name] for name in operation.outputs]),
        }
        if self.clock:
            self.clock.conv(fields, encoded)
        self._step(
            list(operation.layers),
            fields,
            number=number,
            additions=additions * target.tiles,
            lane_work=additions * math.prod(self.lowered.size(operation.output)),
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
            "queued_cycles": 0,
        }
