"""Tiles cover an image, and boxes from them become one list in which each object is once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.vision.boxes import Detections
from sterna.vision.tiles import Tile, Tiles, merge

#: Three tiles side by side, of which neighbours share 20 columns.
TILES = Tiles(100, 100, 0.2)
WHOLE, LEFT, MIDDLE, RIGHT = TILES.on(100, 260)


def found(*rows: tuple[float, ...]) -> Detections:
    """Boxes of rows left, top, right, bottom, score, class."""
    table = np.array(rows, np.float32).reshape(len(rows), 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


def merged(*parts: tuple[Tile, Detections]) -> list[list[float]]:
    given = {WHOLE: found(), LEFT: found(), MIDDLE: found(), RIGHT: found()} | dict(parts)
    together = merge(TILES, list(given.items()), 100, 260, 0.45)
    assert (np.diff(together.scores) <= 0).all()
    return together.boxes.tolist()


@pytest.mark.parametrize(("height", "width"), [(2160, 3840), (721, 1281), (480, 640), (1000, 640), (481, 641)])
@pytest.mark.parametrize("overlap", [0.0, 0.2, 0.5])
def test_tiles_cover_the_image_and_share_enough(height: int, width: int, overlap: float) -> None:
    whole, *tiles = Tiles(640, 480, overlap).on(height, width)
    assert whole == (0, 0, width, height)
    seen = np.zeros((height, width), bool)
    for tile in tiles:
        assert (tile.right - tile.left, tile.bottom - tile.top) == (640, 480)
        tile.cut_from(seen[..., None])[:] = True
    assert seen.all() or not tiles
    assert bool(tiles) == (height > 480 or width > 640)
    for low, high, shared in (("left", "right", 640 * overlap), ("top", "bottom", 480 * overlap)):
        sides = sorted({(getattr(tile, low), getattr(tile, high)) for tile in tiles})
        assert all(before[1] - after[0] >= int(shared) for before, after in pairwise(sides))


def test_an_image_smaller_than_a_tile_is_taken_as_it_is() -> None:
    assert Tiles(640, 640).on(300, 200) == [(0, 0, 200, 300)]


def test_boxes_are_moved_to_their_place() -> None:
    assert MIDDLE == (80, 0, 180, 100) and RIGHT == (160, 0, 260, 100)
    assert merged((MIDDLE, found((30, 20, 40, 30, 0.5, 0)))) == [[110, 20, 120, 30]]


def test_an_object_in_two_tiles_is_one() -> None:
    pair = (LEFT, found((84, 20, 94, 30, 0.5, 0))), (MIDDLE, found((4, 20, 14, 31, 0.9, 0)))
    assert merged(*pair) == [[84, 20, 94, 31]]
    of_other_class = found((4, 20, 14, 31, 0.9, 1))
    assert len(merged(pair[0], (MIDDLE, of_other_class))) == 2


def test_a_cut_box_gives_way_to_the_whole_one_even_if_its_score_is_better() -> None:
    cut, whole = (LEFT, found((90, 20, 100, 40, 0.9, 0))), (MIDDLE, found((10, 20, 35, 40, 0.4, 0)))
    assert merged(cut, whole) == [[90, 20, 115, 40]]
    assert merged(cut) == [[90, 20, 100, 40]]


def test_the_border_of_the_image_cuts_nothing() -> None:
    """An object that leaves the image is whole, as far as there is anything to see of it."""
    at_border = found((0, 20, 18, 40, 0.9, 0), (0, 22, 40, 38, 0.3, 0))
    assert merged((LEFT, at_border)) == [[0, 20, 18, 40], [0, 22, 40, 38]]
    beside = (MIDDLE, found((20, 0, 40, 99, 0.9, 0))), (WHOLE, found((95, 0, 125, 99, 0.5, 0)))
    assert len(merged(*beside)) == 1


def test_a_small_object_inside_a_large_one_stays() -> None:
    assert len(merged((WHOLE, found((10, 10, 200, 90, 0.9, 0))), (MIDDLE, found((20, 40, 30, 50, 0.6, 0))))) == 2


def test_large_objects_come_from_the_whole_image_and_small_ones_from_tiles() -> None:
    large, small = (60, 10, 200, 90, 0.8, 0), (110, 20, 120, 30, 0.9, 0)
    parts = found((0, 10, 100, 90, 0.95, 0))
    assert merged((WHOLE, found(large, small)), (MIDDLE, parts)) == [list(large[:4])]


def test_one_tile_keeps_what_suppression_left() -> None:
    """Boxes of one tile were compared there already."""
    close = found((10, 10, 30, 30, 0.9, 0), (12, 10, 32, 30, 0.8, 0))
    assert len(merged((LEFT, close))) == 2


@pytest.mark.parametrize("text", ["", "x", "640x", "640 480", "-640", "640x480x3", "6e2", "١٦"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(SternaError, match="tiles: is no size of tiles"):
        Tiles.parse(text)


@pytest.mark.parametrize(
    ("width", "height", "overlap"), [(15, 100, 0.2), (100, 0, 0.2), (100, 100, -0.1), (100, 100, 0.95)]
)
def test_tiles_that_cannot_be_are_refused(width: int, height: int, overlap: float) -> None:
    with pytest.raises(SternaError, match="there are no such tiles"):
        Tiles.of(width, height, overlap)
    with pytest.raises(SternaError, match="there are no such tiles"):
        Tiles.of(100, 100, float("nan"))


def test_sizes_are_read() -> None:
    assert Tiles.parse("640") == Tiles(640, 640) and Tiles.parse("640x480", 0.5) == (640, 480, 0.5)
    assert str(Tiles.parse("640x480")) == "640x480"
