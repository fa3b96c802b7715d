"""The feature memory allocator and the places of maps."""

from __future__ import annotations

import unittest.mock
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sterna.compile import compile_graph
from sterna.compile.memory import (
    UNLIMITED,
    Allocator,
    Demand,
    Region,
    least_words,
    place,
    plan,
    split_counts,
)
from sterna.errors import SternaError
from sterna.spec import load_config
from sterna.spec.config import MOST_FM_WORDS
from support.random_graphs import random_graph

WORDS = 100


def words_of(region: Region) -> set[int]:
    return set(range(region.base, region.end))


MARK = pytest.mark.case(
    "feature-memory-too-small",
    kind="remedy",
    expected="the fm_words that the refusal names compile, and one less does not",
)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=60), st.booleans())
def test_regions_never_overlap_and_refusals_are_right(requests: list[tuple[bool, int]], high: bool) -> None:
    memory, taken = Allocator(WORDS), list[Region]()
    for give_back, words in requests:
        if give_back and taken:
            memory.give_back(taken.pop(words % len(taken)))
            continue
        used = {word for region in taken for word in range(region.base, region.base + region.words)}
        gaps = [all(base + i not in used for i in range(words)) for base in range(WORDS - words + 1)]
        if any(gaps):
            region = memory.take(words, "conv", high=high)
            assert not used & set(range(region.base, region.base + words))
            assert region.base + words <= WORDS
            taken.append(region)
        else:
            with pytest.raises(SternaError, match=f"layer conv: .*words = {words}; allowed: {WORDS} words"):
                memory.take(words, "conv", high=high)
    assert memory.in_use == sum(region.words for region in taken)


def test_a_split_map_has_the_tiles_of_four_phases() -> None:
    assert split_counts(load_config("nano"), 12, 8) == (8, 1)


def test_next_image_has_a_place_as_soon_as_the_memory_allows() -> None:
    demand = Demand(
        ("image", 40),
        [[("a", 60)], [("b", 30)], [("c", 30)], [("d", 10)]],
        {"image": 0, "a": 1, "b": 2, "c": 3, "d": 3},
    )
    roomy = place(100, demand)
    assert roomy.load_after == 2
    free = set(range(40))
    for name in ("c", "d"):
        region = roomy.regions[name]
        assert not free & words_of(region)
    assert place(130, demand).load_after == 0
    tight = Demand(("image", 80), [[("a", 20)], [("b", 80)]], {"image": 0, "a": 1, "b": 1})
    assert place(100, tight).load_after is None
    unneeded = Demand(("image", 40), [[("a", 20)], [("b", 20), ("unneeded", 20)]], {"image": 0, "a": 1, "b": 1})
    assert place(100, unneeded).regions["unneeded"].base >= 40


def test_maps_alternate_between_the_ends_where_that_leaves_room() -> None:
    """A wide map in the middle would leave two gaps, neither of which the next one fits."""
    demand = Demand(("image", 30), [[("a", 60)], [("b", 35)]], {"image": 0, "a": 1, "b": 1})
    regions = place(100, demand).regions
    a = words_of(regions["a"])
    assert not a & words_of(regions["b"]) and not a & words_of(regions["image"])


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    """Operations that make one map or two; maps are needed by any later operation or by none."""
    counts = draw(st.lists(st.integers(1, 2), min_size=1, max_size=9))
    names = ["image"]
    made, last_use = [], {"image": draw(st.integers(0, len(counts) - 1))}
    for index, count in enumerate(counts):
        made.append([(f"map{len(names) + i}", draw(st.integers(1, 9))) for i in range(count)])
        for name, _ in made[-1]:
            names.append(name)
            if draw(st.integers(0, 9)):
                last_use[name] = draw(st.integers(index, len(counts) - 1))
    return Demand(("image", draw(st.integers(1, 9))), made, last_use)


@MARK
@given(demands(), st.integers(0, 30))
def test_the_least_memory_is_named(demand: Demand, more: int) -> None:
    """With as much as is named, or more, there is a plan; with less there is none in any way."""
    least = least_words(demand)
    for words in (least, least + more):
        regions = place(words, demand).regions
        assert max(region.end for region in regions.values()) <= words
    first = min(demand.last_use["image"] + 1, len(demand.made))
    ways = list(product(range(first, len(demand.made) + 1), (False, True)))
    for words, (reserved, alternate) in product(range(least), ways):
        with pytest.raises(SternaError):
            plan(words, demand, reserved, alternate=alternate)
    with pytest.raises(SternaError, match=rf"remedy: use a smaller image or a config with fm_words >= {least}$"):
        place(least - 1, demand)


@given(demands())
def test_the_least_memory_is_looked_for_from_what_is_needed_at_one_time(demand: Demand) -> None:
    """Less is never tried: that would only cost time."""
    size, since, until = dict([demand.image]), {"image": -1}, {"image": demand.last_use["image"]}
    for index, maps in enumerate(demand.made):
        for name, words in maps:
            size[name], since[name], until[name] = words, index, demand.last_use.get(name, index)
    times = range(-1, len(demand.made))
    needed = max(sum(size[name] for name in size if since[name] <= now <= until[name]) for now in times)
    with unittest.mock.patch("sterna.compile.memory.plan", wraps=plan) as planned:
        least = least_words(demand)
    tried = {call.args[0] for call in planned.call_args_list} - {UNLIMITED}
    assert tried <= set(range(needed, least + 1))
    assert needed in tried or needed == least


def test_no_engine_has_banks_as_large_as_this_needs() -> None:
    with pytest.raises(SternaError, match=r"layer image: .* remedy: use a smaller image$"):
        place(1000, Demand(("image", MOST_FM_WORDS), [[("a", 1)]], {"image": 0, "a": 0}))


@MARK
@pytest.mark.parametrize("seed", range(8))
def test_graphs_compile_with_the_memory_that_is_named(seed: int, got: Callable[[object], None]) -> None:
    graph = random_graph(np.random.default_rng(seed), max_size=40, max_channels=40)
    small = load_config("nano").model_copy(update={"fm_words": 1})
    with pytest.raises(SternaError, match=r"fm_words >= \d+$") as refused:
        compile_graph(graph, small)
    least = int(str(refused.value).rsplit(" ", 1)[1])
    compile_graph(graph, small.model_copy(update={"fm_words": least}))
    with pytest.raises(SternaError, match=rf"fm_words >= {least}$"):
        compile_graph(graph, small.model_copy(update={"fm_words": least - 1}))
    got(f"graph {seed}: {least} words named; {least} compile, {least - 1} do not")
