"""The feature memory allocator and the places of maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sterna.compile.memory import Allocator, Region, image_map, join_maps, phase_view, place, split_counts
from sterna.errors import SternaError
from sterna.spec import load_config

WORDS = 100


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


def test_joined_maps_keep_their_places() -> None:
    config = load_config("nano")
    first = image_map(config, 7, 6, 5, Region(40, 8))
    second = image_map(config, 7, 6, 4, Region(10, 4))
    both = join_maps([first, second, first])
    assert both.tiles == 4
    assert both.regions == (Region(40, 8), Region(10, 4))
    np.testing.assert_array_equal(both.plane, [40, 40, 40, 40, 44, 10, 10, 10, 10, 40, 40, 40, 40, 44])
    assert both.stored_channels()[:9] == [[0, 0], [0, 1], [0, 2], [0, 3], [1, 0], [2, 0], [2, 1], [2, 2], [2, 3]]


def test_phases_of_a_split_map_are_its_reorg() -> None:
    config = load_config("nano")
    tiles_h, tiles_w = split_counts(config, 12, 8)
    assert (tiles_h, tiles_w) == (8, 1)
    split = image_map(config, tiles_h * 5, 5, 5, Region(16, 16))
    reorg = phase_view(split, 6, 4)
    assert (reorg.height, reorg.width, reorg.tiles) == (6, 4, 2)
    np.testing.assert_array_equal(reorg.plane[:6], [16, 16, 16, 16, 24, 18])
    np.testing.assert_array_equal(reorg.byte[:6], [0, 1, 2, 3, 0, 0])


def test_next_image_has_a_place_as_soon_as_the_memory_allows() -> None:
    made = [[("a", 60)], [("b", 30)], [("c", 30)], [("d", 10)]]
    uses = {"image": 0, "a": 1, "b": 2, "c": 3, "d": 3}
    roomy = place(100, ("image", 40), made, uses)
    assert roomy.load_behind == 2
    free = set(range(40))
    for name in ("c", "d"):
        region = roomy.regions[name]
        assert not free & set(range(region.base, region.base + region.words))
    assert place(130, ("image", 40), made, uses).load_behind == 0
    assert place(100, ("image", 80), [[("a", 20)], [("b", 80)]], {"image": 0, "a": 1, "b": 1}).load_behind is None
    unneeded = place(100, ("image", 40), [[("a", 20)], [("b", 20), ("unneeded", 20)]], {"image": 0, "a": 1, "b": 1})
    assert unneeded.regions["unneeded"].base >= 40
    with pytest.raises(SternaError, match=r"layer a: .*fm_words >= 101"):
        place(100, ("image", 40), [[("a", 61)]], {"image": 0, "a": 0})


def test_maps_alternate_between_the_ends_where_that_leaves_room() -> None:
    """A wide map in the middle would leave two gaps, neither of which the next one fits."""
    made = [[("a", 60)], [("b", 35)]]
    regions = place(100, ("image", 30), made, {"image": 0, "a": 1, "b": 1}).regions
    assert not regions["a"].overlaps(regions["b"]) and not regions["a"].overlaps(regions["image"])
