"""The feature memory allocator and the places of maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sterna.compile.memory import Allocator, Region, join_maps, plain_map
from sterna.errors import SternaError
from sterna.spec import load_config

WORDS = 100


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=60))
def test_regions_never_overlap_and_refusals_are_right(requests: list[tuple[bool, int]]) -> None:
    memory, taken = Allocator(WORDS), list[Region]()
    for give_back, words in requests:
        if give_back and taken:
            memory.give_back(taken.pop(words % len(taken)))
            continue
        used = {word for region in taken for word in range(region.base, region.base + region.words)}
        gaps = [all(base + i not in used for i in range(words)) for base in range(WORDS - words + 1)]
        if any(gaps):
            region = memory.take(words, "conv")
            assert not used & set(range(region.base, region.base + words))
            assert region.base + words <= WORDS
            taken.append(region)
        else:
            with pytest.raises(SternaError, match=f"layer conv: .*words = {words}; allowed: {WORDS} words"):
                memory.take(words, "conv")
    assert memory.in_use == sum(region.words for region in taken)


def test_joined_maps_keep_their_places() -> None:
    config = load_config("nano")
    first = plain_map(config, 7, 6, 5, Region(40, 8))
    second = plain_map(config, 7, 6, 4, Region(10, 4))
    both = join_maps([first, second, first])
    assert both.tiles == 4
    assert both.regions == (Region(40, 8), Region(10, 4))
    np.testing.assert_array_equal(both.plane, [40, 40, 40, 40, 44, 10, 10, 10, 10, 40, 40, 40, 40, 44])
    assert both.stored_channels()[:9] == [[0, 0], [0, 1], [0, 2], [0, 3], [1, 0], [2, 0], [2, 1], [2, 2], [2, 3]]
