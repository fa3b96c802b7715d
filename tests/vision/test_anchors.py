from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from sterna.errors import SternaError
from sterna.vision.anchors import check_cells

PIXELS = ((36, 40), (88, 102), (160, 210), (300, 170), (340, 330))
CELLS = ((1.3221, 1.73145), (3.19275, 4.00944), (5.05587, 8.09892), (9.47112, 4.84053), (11.2364, 10.0071))


@pytest.mark.case(
    "anchors-in-pixels",
    kind="numbers in the wrong unit",
    expected="anchors far above the map are refused with the values in cells",
    source="AlexeyAB/darknet#3133",
)
def test_anchors_in_pixels_are_refused(got: Callable[[object], None]) -> None:
    with pytest.raises(SternaError) as refusal:
        check_cells(PIXELS, 13, 13, 32, "own.cfg")
    got(refusal.value)
    assert "allowed: width and height in cells of 32 pixels, of which the image has 13 x 13" in str(refusal.value)
    assert str(refusal.value).endswith(
        "divide pixels of the image by 32: 1.125,1.25,2.75,3.1875,5,6.5625,9.375,5.3125,10.625,10.312"
    )


@pytest.mark.parametrize(
    ("anchors", "height", "width"),
    [
        (((14, 15), (20, 30)), 13, 13),  # of small objects: none is far above the map, but each is above it
        (((1, 1), (2, 90)), 13, 13),
        (((90, 2), (1, 1)), 13, 13),
    ],
)
def test_signs_of_pixels(anchors: Sequence[Sequence[float]], height: int, width: int) -> None:
    with pytest.raises(SternaError, match="pixels"):
        check_cells(anchors, height, width, 32, "here")


@pytest.mark.parametrize(("height", "width"), [(13, 13), (19, 19), (3, 3), (2, 2)])
def test_published_anchors_pass_for_images_of_any_size(height: int, width: int) -> None:
    check_cells(CELLS, height, width, 32, "here")


def test_a_wide_anchor_in_a_low_image_passes() -> None:
    check_cells(((10, 1),), 2, 13, 32, "here")


def test_an_anchor_just_six_times_as_large_as_the_map_passes() -> None:
    check_cells(((6 * 13, 1), (1, 6 * 13)), 13, 13, 32, "here")
