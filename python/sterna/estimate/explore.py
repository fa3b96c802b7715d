"""The search for an engine: every config of a grid, its cycles from the compiler and its size from synthesis."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.estimate.engine import FULL, estimate_engine
from sterna.estimate.kept import kept
from sterna.graph import Graph
from sterna.graph import file as graph_file
from sterna.spec import tape
from sterna.spec.config import MOST_FM_WORDS, WORD_CHANNELS, EngineConfig, make_config
from sterna.spec.fpga import Fpga
from sterna.spec.tape import Op, Pool

TILES, PES, ACCUMULATORS = (5, 7, 9, 11, 13, 15), (4, 8, 16, 32), (8, 16)
#: Clusters and drains.
CLUSTERS = ((1, 1), (2, 1), (2, 2), (4, 2), (4, 4))
#: Words of the feature memory are rounded up to this.
WORDS_STEP = 512
#: ALMs that a lane of a PE takes at least: the memories of its window and its accumulators, and four adders.
LEAST_LANE_ALMS = 40
_STERNA = Path(__file__).parents[1]
#: What decides, besides graph and config, what the compiler makes of them.
SOURCES = [path for room in ("compile", "graph", "spec") for path in sorted((_STERNA / room).rglob("*.py"))]


@dataclass(frozen=True)
class Point:
    """A config that runs the graph."""

    config: EngineConfig
    #: Clock cycles from one frame to the next.
    cycles: int
    #: Additions on existing pixels: the work that any engine has to do.
    lane_work: int
    alms: int = 0
    mlabs: int = 0
    block_rams: int = 0
    dsps: int = 0

    def frames(self, fpga: Fpga) -> float:
        """Frames per second at the FPGA's clock."""
        return fpga.mhz * 1e6 / self.cycles

    def fits(self, fpga: Fpga) -> bool:
        """Whether every resource, with the board's shell, is within the share FULL."""
        kinds = ("alms", "mlabs", "block_rams", "dsps")
        return all(getattr(self, kind) + getattr(fpga, f"shell_{kind}") <= FULL * getattr(fpga, kind) for kind in kinds)


def search(
    graph: Graph,
    base: EngineConfig,
    fpga: Fpga,
    least_frames: float,
    cache: Path,
    progress: Callable[[int, int, str], None],
) -> list[Point]:
    """The engines like `base` that run `graph` at `min_fps` frames per second or more on `fpga`.

    Results are kept in `cache`, so an interrupted search resumes. Raises SternaError if there is no such engine.
    """
    points = list(Explorer(graph, fpga, cache).points(candidates(base, fpga), least_frames, progress))
    if not points:
        # A graph that no engine can run is refused for that.
        compile_graph(graph, base.model_copy(update={"fm_words": MOST_FM_WORDS}))
        raise SternaError(
            "no engine is fast enough", where="explore", attribute="min-fps", value=least_frames,
            remedy="lower --min-fps, or name a larger FPGA",
        )  # fmt: skip
    return points


def candidates(base: EngineConfig, fpga: Fpga) -> list[EngineConfig]:
    """Configs like `base` of every size that may fit.

    Large ones come first: they compile fastest, and the first tells how much work there is for all of them. The share
    of windows in block RAM is that of `base`.
    """
    found = []
    for tile, (clusters, drains), pes, accumulators in itertools.product(TILES, CLUSTERS, PES, ACCUMULATORS):
        if tile * tile * clusters * pes * LEAST_LANE_ALMS > FULL * fpga.alms:
            continue
        changes = {
            "tile_h": tile, "tile_w": tile, "clusters": clusters, "drains": drains, "pes": pes,
            "accumulators": accumulators, "fm_words": MOST_FM_WORDS,
            "block_windows": base.block_windows * clusters * pes // base.all_pes,
        }  # fmt: skip
        name = f"{tile}x{tile}-{clusters}x{pes}-{accumulators}-{drains}"
        found.append(make_config(name, base.model_dump(exclude={"name"}) | changes, "explore"))
    return sorted(found, key=lambda config: config.all_lanes, reverse=True)


class Explorer:
    """Evaluates configs for a graph; what was evaluated once is kept in `cache`."""

    def __init__(self, graph: Graph, fpga: Fpga, cache: Path) -> None:
        self._graph, self._fpga, self._cache = graph, fpga, cache
        self._origin = hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES) + graph_file.to_bytes(graph))

    def points(
        self, configs: Sequence[EngineConfig], least_frames: float, progress: Callable[[int, int, str], None]
    ) -> Iterator[Point]:
        """A point for each config that can run the graph at that many frames per second."""
        most_cycles = self._fpga.mhz * 1e6 / least_frames
        work = 0
        for done, config in enumerate(configs):
            progress(done, len(configs), config.name)
            if work > most_cycles * config.all_lanes * WORD_CHANNELS:
                continue
            point = self._compiled(config)
            if point is None:
                continue
            work = point.lane_work
            if point.frames(self._fpga) >= least_frames:
                yield self._sized(point, partial(progress, done, len(configs)))

    def _compiled(self, config: EngineConfig) -> Point | None:
        """The point of `config` with as much feature memory as the graph needs; None if it cannot run the graph."""
        digest = self._origin.copy()
        digest.update(f"{config.hash} {config.memory_timing}".encode())
        fields = kept(self._cache / f"{digest.hexdigest()[:20]}.json", lambda: _compile(self._graph, config))
        if fields is None:
            return None
        return Point(config.model_copy(update={"fm_words": fields.pop("fm_words")}), **fields)

    def _sized(self, point: Point, progress: Callable[[str], None]) -> Point:
        def show(done: int, total: int, module: str) -> None:
            progress(f"{point.config.name} {module}")

        size = estimate_engine(point.config, self._fpga, progress=show)
        used = size.resources
        return replace(point, alms=size.alms, mlabs=used.mlabs, block_rams=used.block_rams, dsps=used.dsps)


def _compile(graph: Graph, config: EngineConfig) -> dict[str, int] | None:
    """Cycles, work and feature memory of the graph; None if the config cannot run it."""
    try:
        package = compile_graph(graph, config)
    except SternaError:
        return None
    steps = package.schedule.steps
    used = max(_last_word(step, config) for step in tape.read(package.tape).steps)
    return {
        "cycles": package.schedule.queued_cycles,
        "lane_work": sum(step.lane_work for step in steps),
        "fm_words": -(-used // WORDS_STEP) * WORDS_STEP,
    }


def _last_word(step: dict[str, int], config: EngineConfig) -> int:
    """The feature memory word after the last one that the step touches."""
    if step["op"] != Op.CONV:
        return step["fm_base"] + step["fm_words"]
    words = config.clusters // step["tiles_at_once"] * step["group_words"] * step["out_plane"]
    kept = step["keep_base"] + 4 * words if step["pool"] == Pool.KEEP else 0
    return max(step["fm_base"] + words, kept)


def front(points: Sequence[Point]) -> list[Point]:
    """The points that no other one beats in cycles, ALMs and block RAM at once; fast ones first."""
    return sorted((point for point in points if not any(_beats(other, point) for other in points)), key=_merit)


def _merit(point: Point) -> tuple[int, int, int]:
    return point.cycles, point.alms, point.block_rams


def _beats(one: Point, other: Point) -> bool:
    pairs = list(zip(_merit(one), _merit(other), strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)
