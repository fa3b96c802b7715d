"""Graph and config to package: lowers, places, schedules, encodes, and writes the tape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sterna.compile.encode import encode_pass, requant_payload
from sterna.compile.estimate import conv_cycles, move_cycles
from sterna.compile.lower import Operation, Program, lower
from sterna.compile.memory import Allocator, Map, Region, join_maps, place_map, plain_map, tile_counts
from sterna.compile.schedule import Pass, Spread, pass_work, spread
from sterna.errors import SternaError
from sterna.graph import Graph, Input, Output
from sterna.run.package import Package
from sterna.spec import tape
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from sterna.spec.tape import Activation, Op, Segment, SegmentKind

Progress = Callable[[str, int, int], None]


def compile_graph(
    graph: Graph, config: EngineConfig, *, observe: bool = False, progress: Progress | None = None
) -> Package:
    """Compile `graph` for `config`.

    With `observe` every map that the engine makes is stored to result memory, so that each can be checked; otherwise
    only the graph's outputs are. `progress(layer, done, total)` is called for each operation. Raises SternaError naming
    the layer that does not fit the config.
    """
    _check(graph, config)
    return _Compiler(graph, config, observe).run(progress)


def _check(graph: Graph, config: EngineConfig) -> None:
    if graph.act_bits != config.act_w:
        raise SternaError(
            "the graph's activations have another width than the config's",
            attribute="act_bits",
            value=graph.act_bits,
            allowed=str(config.act_w),
            remedy="quantise to that width or choose another config",
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
    observe: bool
    segments: list[Segment] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    stores: list[dict[str, Any]] = field(default_factory=list)
    maps: dict[str, Map] = field(default_factory=dict)
    result_bytes: int = 0

    def run(self, progress: Progress | None) -> Package:
        program = lower(self.graph)
        self.memory = Allocator(self.config.fm_words)
        wanted = self._stored_layers(program)
        last_use = _last_uses(program, wanted)
        source = next(layer for layer in self.graph.layers if isinstance(layer, Input))
        image = self._load(source)
        self._after(program, wanted, last_use, source.name, -1)
        for index, operation in enumerate(program.operations):
            if progress:
                progress(operation.output, index, len(program.operations))
            self._operation(program, operation)
            self._after(program, wanted, last_use, operation.output, index)
        return Package(self.graph, tape.write(self.config.hash, self.segments), self.config, self._metadata(image))

    def _stored_layers(self, program: Program) -> list[str]:
        """Layers to store: every computed map when observing, and what each output shows."""
        shown = [layer.sources[0] for layer in self.graph.layers if isinstance(layer, Output)]
        every = [operation.output for operation in program.operations] if self.observe else []
        return list(dict.fromkeys([*every, *shown]))

    def _load(self, layer: Input) -> dict[str, Any]:
        tiles_h, tiles_w = tile_counts(self.config, layer.height, layer.width)
        words = -(-layer.channels // WORD_CHANNELS) * tiles_h * tiles_w
        region = self.memory.take(words, layer.name)
        self.maps[layer.name] = plain_map(self.config, layer.height, layer.width, layer.channels, region)
        self._step([layer.name], Op.LOAD, cycles=move_cycles(self.config, words), fm_base=region.base, fm_words=words)
        return {
            "layer": layer.name,
            "dram_offset": 0,
            "plane": tiles_h * tiles_w,
            "tiles_h": tiles_h,
            "tiles_w": tiles_w,
            "channels": layer.channels,
        }

    def _after(self, program: Program, wanted: list[str], last_use: dict[str, int], made: str, index: int) -> None:
        """Store what can be stored now and free what nobody needs any more."""
        for name in wanted:
            parts = program.sources(name)
            if made in parts and all(part in self.maps for part in parts):
                self._store(name, join_maps([self.maps[part] for part in parts]))
        for name in [name for name in self.maps if last_use.get(name, index) <= index]:
            for region in self.maps.pop(name).regions:
                self.memory.give_back(region)

    def _store(self, name: str, stored: Map) -> None:
        offset = self.result_bytes
        for region in stored.regions:
            self._step(
                [name],
                Op.STORE,
                cycles=move_cycles(self.config, region.words),
                fm_base=region.base,
                fm_words=region.words,
                dram_offset=self.result_bytes,
            )
            self.result_bytes += region.words * self.config.word_bytes
        self.stores.append(
            {
                "layer": name,
                "dram_offset": offset,
                "words": stored.words // stored.tiles,
                "tiles_h": stored.tiles_h,
                "tiles_w": stored.tiles_w,
                "height": stored.height,
                "width": stored.width,
                "channels": stored.stored_channels(),
            }
        )

    def _operation(self, program: Program, operation: Operation) -> None:
        parts = [part for name in operation.sources for part in program.sources(name)]
        source = join_maps([self.maps[part] for part in parts])
        info = self.graph.info[operation.output]
        tiles_h, tiles_w = tile_counts(self.config, info.height, info.width)
        plan = spread(self.config, operation, tiles_h * tiles_w)
        words = sum(chosen.words for chosen in plan.passes) * tiles_h * tiles_w
        region = self.memory.take(words, operation.output)
        target = self._place(info.height, info.width, plan, region, operation.filters)
        self.maps[operation.output] = target
        base = region.base
        for number, chosen in enumerate(plan.passes):
            self._conv(operation, source, target, plan, number, chosen, base)
            base += chosen.words * target.tiles

    def _place(self, height: int, width: int, plan: Spread, region: Region, filters: int) -> Map:
        """The output map: drained channel i of group s of a pass lies in byte i mod 4 of the group's word i div 4."""
        word = np.zeros(filters, np.int64)
        byte = np.zeros(filters, np.int64)
        before = 0
        for chosen in plan.passes:
            group, channel = np.nonzero(chosen.filters >= 0)
            members = chosen.filters[group, channel]
            word[members] = before + group * chosen.group_words + channel // WORD_CHANNELS
            byte[members] = channel % WORD_CHANNELS
            before += chosen.words
        return place_map(self.config, height, width, word, byte, region)

    def _conv(
        self, operation: Operation, source: Map, target: Map, plan: Spread, number: int, chosen: Pass, base: int
    ) -> None:
        streams = chosen.filters.shape[0] * self.config.units
        work = pass_work(self.config, operation, source, chosen)
        encoded = encode_pass(self.config, streams, work)
        additions = len(work.additions.line)
        cycles = conv_cycles(
            self.config, chosen, encoded, pool=operation.pool, tiles=target.tiles, tiles_at_once=plan.tiles_at_once
        )
        self._step(
            list(operation.layers),
            Op.CONV,
            cycles=cycles,
            number=number,
            additions=additions * target.tiles,
            lane_work=additions * target.height * target.width,
            barrier=int(number == 0),
            pool=int(operation.pool),
            gather_stride=operation.gather_stride,
            activation=Activation[operation.requant.activation.upper()],
            shift=operation.requant.shift,
            pad_value=operation.pad_value,
            tiles_at_once=plan.tiles_at_once,
            fm_base=base,
            in_full_rows=source.height // self.config.tile_h,
            in_extra_rows=source.height % self.config.tile_h,
            in_full_cols=source.width // self.config.tile_w,
            in_extra_cols=source.width % self.config.tile_w,
            in_tiles_w=source.tiles_w,
            out_tiles_h=target.tiles_h,
            out_tiles_w=target.tiles_w,
            out_plane=target.tiles,
            tile_groups=-(-target.tiles // plan.tiles_at_once),
            filters=chosen.channels,
            group_words=chosen.group_words,
        )
        self.segments.append(Segment(SegmentKind.REQUANT, requant_payload(operation.requant, chosen)))
        self.segments.append(Segment(SegmentKind.WEIGHTS, encoded.payload))

    def _step(
        self,
        layers: list[str],
        op: Op,
        *,
        cycles: int,
        number: int = 0,
        additions: int = 0,
        lane_work: int = 0,
        **fields: int,
    ) -> None:
        try:
            payload = tape.pack_step(op=op, **fields)
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
                "op": op.name,
                "pass": number,
                "cycles": cycles,
                "nonzeros": additions,
                "lane_work": lane_work,
            }
        )

    def _metadata(self, image: dict[str, Any]) -> dict[str, Any]:
        words = -(-image["channels"] // WORD_CHANNELS) * image["plane"]
        return {
            "input": image,
            "stores": self.stores,
            "outputs": [layer.name for layer in self.graph.layers if isinstance(layer, Output)],
            "frame_bytes": words * self.config.word_bytes,
            "result_bytes": self.result_bytes,
            "steps": self.steps,
        }


def _last_uses(program: Program, wanted: list[str]) -> dict[str, int]:
    """Index of the last operation after which each map is still needed; maps that nothing needs are absent."""
    made = {operation.output: index for index, operation in enumerate(program.operations)}
    uses: dict[str, int] = {}
    for index, operation in enumerate(program.operations):
        for name in operation.sources:
            uses.update(dict.fromkeys(program.sources(name), index))
    for name in wanted:
        parts = program.sources(name)
        stored = max(made.get(part, -1) for part in parts)
        uses.update({part: max(uses.get(part, -1), stored) for part in parts})
    return uses
