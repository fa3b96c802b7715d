"""Maps that spill to scratch memory, and operations that run by bands of rows of tiles."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sterna.compile import compile_graph, packages
from sterna.compile.bands import Needs
from sterna.compile.build import build
from sterna.compile.decide import decide
from sterna.compile.lowered import Lowered
from sterna.errors import SternaError
from sterna.graph import Conv, Graph, Input, MaxPool, Output, Requant, reference
from sterna.native import libsterna
from sterna.package import file, plan
from sterna.package.package import Package
from sterna.package.plan import Bands, Plan
from sterna.spec import load_config, tape
from sterna.spec.config import EngineConfig
from sterna.spec.tape import MOST_BESIDE_STORES, Op, Segment, SegmentKind
from support.network_graphs import passthrough_graph, random_network_graph
from support.random_configs import random_config
from support.random_graphs import random_graph, random_image
from support.tape_emulator import emulated

NANO = load_config("nano")
#: So few words that most of the graphs below spill and few are refused.
WORDS = 96


def small(config: EngineConfig, words: int = WORDS) -> EngineConfig:
    return config.model_copy(update={"fm_words": words})


def spilling(seed: int) -> tuple[Package, np.ndarray]:
    """A graph of which maps spill, and an image; one in four has a passthrough, and every second one is traced."""
    rng = np.random.default_rng(seed)
    while True:
        sizes = (2 * int(size) for size in rng.integers(6, 14, 2))
        graph = passthrough_graph(rng, *sizes) if seed % 4 == 3 else random_graph(rng, max_size=30)
        try:
            package = compile_graph(graph, small(random_config(rng)), trace=seed % 2 == 1, cycles=False)
        except SternaError:
            continue
        if package.plan.bands:
            return package, random_image(rng, graph)


def check(package: Package, image: np.ndarray) -> None:
    layers, found = reference.execute(package.graph, image), emulated(package, image)
    assert found
    for name, values in found.items():
        np.testing.assert_array_equal(values, layers[name][0], err_msg=name)


@pytest.mark.parametrize("seed", range(16))
def test_a_tape_that_spills_equals_the_reference(seed: int) -> None:
    package, image = spilling(seed)
    check(package, image)


def hasty(segment: Segment) -> Segment:
    """A LOAD from scratch memory, so that it waits for no STORE."""
    step = tape.unpack_step(segment.payload) if segment.kind is SegmentKind.STEP else {}
    if not step or step["op"] != Op.LOAD or not step["scratch"]:
        return segment
    return Segment(segment.kind, tape.pack_step(**step | {"beside": MOST_BESIDE_STORES}))


@pytest.mark.parametrize("seed", [0, 4, 5, 7])
def test_a_load_that_does_not_wait_for_stores_shows(seed: int) -> None:
    """It reads what the memory held before, or writes over what is still written, if STORE steps are late."""
    package, image = spilling(seed)
    data = tape.write(package.config.hash, map(hasty, tape.read(package.tape).segments))
    with pytest.raises(AssertionError):
        check(replace(package, tape=data), image)


def tower(width: int, height: int, channels: int = 8, last: int = 4) -> Graph:
    """Convs and a pool, whose maps are far larger than the memory below."""
    rng = np.random.default_rng(1)

    def conv(name: str, source: str, filters: int, inputs: int) -> Conv:
        weights = rng.integers(-1, 2, (filters, inputs, 3, 3)).astype(np.int8)
        requant = Requant(np.ones(filters, np.int64), np.zeros(filters, np.int64), 4, "leaky")
        return Conv(name, source, weights, 1, (1, 1, 1, 1), requant, 1.0)

    return Graph((
        Input("image", 3, height, width, 1.0, 0), conv("first", "image", channels, 3), MaxPool("pool", "first", 2),
        conv("second", "pool", channels, channels), conv("third", "second", last, channels), Output("out", "third"),
    ))  # fmt: skip


def test_an_image_that_does_not_fit_is_loaded_by_bands() -> None:
    """It begins at a bus beat, which rows of this one do not all do."""
    graph = tower(36, 60, 4)
    package = compile_graph(graph, small(NANO, 64), cycles=False)
    assert "image" not in package.plan.bases and package.plan.load_after is None
    check(package, random_image(np.random.default_rng(2), graph))


def test_nothing_spills_without_need() -> None:
    package = compile_graph(tower(20, 20), NANO, cycles=False)
    assert package.plan.bands == {} and package.schedule.scratch_bytes == 0
    assert "bands" not in plan.to_sections(package.plan)[0]


def test_a_refusal_names_what_would_do() -> None:
    """The layer, what it needs, what there is, and the least memory: one word less does not do."""
    graph = tower(200, 12, 24, 24)
    text = r"layer second: .*bands.*; words = 360; allowed: 256 words in total \(fm_words\), of which 0 are taken; "
    with pytest.raises(SternaError, match=text + r"remedy: use a narrower image or a config with fm_words >= 360$"):
        compile_graph(graph, small(NANO, 256), cycles=False)
    assert compile_graph(graph, small(NANO, 360), cycles=False).plan.bands
    with pytest.raises(SternaError, match="fm_words >= 360"):
        compile_graph(graph, small(NANO, 359), cycles=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("height", "width", "words"), [(832, 1248, 3072), (1664, 832, 3072), (704, 1280, 3904), (864, 1248, 3648)]
)
def test_full_yolov2_runs_at_the_sizes_that_the_documents_tell(height: int, width: int, words: int) -> None:
    """More than arria10's words only where they are needed; then, those that its refusal names."""
    config = load_config("arria10")
    graph = random_network_graph(np.random.default_rng(0), "yolov2", height, width, density=0.15)
    assert decide(Lowered(graph, small(config, words)), trace=False).bands
    if words > config.fm_words:
        with pytest.raises(SternaError, match=f"remedy: use a narrower image or a config with fm_words >= {words}$"):
            decide(Lowered(graph, config), trace=False)


@given(st.data())
def test_a_buffer_holds_what_each_band_needs(data: st.DataObject) -> None:
    """Rows are loaded in order, and those that are loaded beside a band do not lie where its own are."""
    draw = data.draw
    stride, above, below = draw(st.integers(1, 2)), draw(st.integers(0, 2)), draw(st.integers(0, 12))
    needs = Needs(5, stride, above, below, draw(st.integers(1, 20)), draw(st.integers(1, 20)), draw(st.integers(1, 3)))
    rows = draw(st.integers(1, needs.map))
    room = needs.most(rows) + draw(st.integers(0, 12))
    buffer: dict[int, int] = {}
    before = None
    for band, held in zip(needs.bands(rows), needs.held(rows, room), strict=True):
        for row in range(held.end - held.loads, held.end):
            place = held.place + row - held.first
            beside = before is not None and before.stay_beside(held)
            assert not (beside and before.place <= place < before.place + before.rows)
            buffer[place] = row
        assert [buffer[held.place + i] for i in range(held.rows)] == list(range(held.first, held.end))
        assert held.place + held.rows <= room
        first, last = band[0], sum(band) - 1
        wanted = range(max(0, first * stride - above), ((5 * last + 4) * stride + below) // 5 + 1)
        assert {row for row in wanted if row < needs.sources} <= set(range(held.first, held.end))
        before = held


def test_a_package_says_what_spills(tmp_path: Path) -> None:
    for seed in (0, 3):
        package, _ = spilling(seed)
        file.save(package, tmp_path / "p.sterna")
        again = packages.load(tmp_path / "p.sterna")
        assert again.tape == package.tape and again.plan.bands == package.plan.bands
        assert again.schedule == package.schedule
        assert libsterna.package_tape((tmp_path / "p.sterna").read_bytes(), "p") == package.tape


def planned() -> tuple[Lowered, Plan]:
    lowered = Lowered(tower(20, 80, 16), small(NANO))
    decided = decide(lowered, trace=False)
    assert set(decided.bands) >= {0, 1}
    return lowered, decided


CHANGES = {
    "none for an operation": lambda bands: {key: each for key, each in bands.items() if key},
    "too many rows": lambda bands: bands | {0: replace(bands[0], rows=99)},
    "no outputs": lambda bands: bands | {0: replace(bands[0], outputs=())},
    "no input": lambda bands: bands | {1: replace(bands[1], input_rows=0)},
    "an input for nothing": lambda bands: bands | {0: replace(bands[0], input_rows=3)},
    "too few rows of input": lambda bands: bands | {1: replace(bands[1], input_rows=1)},
    "input beyond the memory": lambda bands: bands | {1: replace(bands[1], input_base=WORDS - 1)},
    "output beyond the memory": lambda bands: bands | {0: replace(bands[0], outputs=(WORDS - 1,))},
    "an operation that is none": lambda bands: bands | {9: Bands(1, 0, 1, (0,))},
}


@pytest.mark.parametrize("change", CHANGES)
def test_bands_that_do_not_fit_are_refused(change: str) -> None:
    lowered, decided = planned()
    build(lowered, decided)
    with pytest.raises(SternaError, match="its parts contradict each other"):
        build(lowered, replace(decided, bands=CHANGES[change](dict(decided.bands))))


def test_a_base_too_many_or_too_few_is_refused() -> None:
    lowered, decided = planned()
    spilled = next(name for name in ("pool", "second") if name not in decided.bases)
    for bases in (decided.bases | {spilled: 0}, {}):
        with pytest.raises(SternaError, match="its parts contradict each other"):
            build(lowered, replace(decided, bases=bases))


@pytest.mark.parametrize("key", ["operation", "rows", "input_base", "input_rows", "outputs"])
def test_a_record_that_is_damaged_is_refused(key: str) -> None:
    lowered, decided = planned()
    planned_json, filters = plan.to_sections(decided)
    planned_json["bands"][1][key] = -1
    with pytest.raises(SternaError):
        plan.from_sections(planned_json, filters, lowered.config)
    with pytest.raises(SternaError):
        config = json.dumps(lowered.config.model_dump()).encode()
        from sterna.compile.build import _native

        libsterna.build_tape(
            _native(lowered), config, lowered.config.hash, json.dumps(planned_json).encode(), filters, False, None
        )


@pytest.mark.slow
@pytest.mark.parametrize("size", [(608, 608)])
def test_yolov2_at_608_compiles_for_arria10(size: tuple[int, int]) -> None:
    graph = random_network_graph(np.random.default_rng(0), "yolov2", *size, density=0.15)
    package = compile_graph(graph, load_config("arria10"), cycles=False)
    assert package.plan.bands and package.schedule.scratch_bytes
