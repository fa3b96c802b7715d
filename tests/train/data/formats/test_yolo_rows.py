"""Rows of YOLO label files: boxes, polygons and poses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sterna.errors import SternaError
from sterna.train.data.formats.yolo_rows import (
    CONFIDENCE_NOT_USED,
    POINTS_NOT_USED,
    POLYGONS,
    Points,
    Row,
    looks_like_pose,
    parse,
)

Got = Callable[[object], None]
BOX = "0.5 0.5 0.25 0.5"
EDGES = (0.375, 0.25, 0.625, 0.75)
EYES = "0.45 0.40 0.55 0.40 0.50 0.50 0.46 0.60 0.54 0.60"
share = st.floats(0, 1).map(lambda value: round(value, 4))


def row(text: str, points: Points | None = None) -> Row:
    return parse(text.split(), points, "a.txt: line 1")


@pytest.mark.case(
    "yolo-class-as-decimal",
    kind="format",
    expected="1.0 is class 1, 1.5 is refused",
    source="roboflow/supervision#2580",
)
@pytest.mark.parametrize("number", ["1", "1.0", "1.", "+1", "1.000000000000000000e+00", "0.1e1"])
def test_a_class_number_may_be_written_as_decimal(number: str, got: Got) -> None:
    assert row(f"{number} {BOX}") == Row(1, EDGES)
    got(f"{number}: class 1")


@pytest.mark.case(
    "yolo-class-as-decimal",
    kind="format",
    expected="1.0 is class 1, 1.5 is refused",
    source="roboflow/supervision#2580",
)
@pytest.mark.parametrize("number", ["1.5", "nan", "inf", "1_0", "0x1", "\u0661", "", "-"])
def test_a_class_that_is_no_whole_number_is_refused(number: str, got: Got) -> None:
    text = f"{number} {BOX}"
    with pytest.raises(SternaError, match=r"a\.txt: line 1: a row that is not an object; row = ") as refused:
        row(text)
    got(refused.value)


@pytest.mark.parametrize("text", ["0 0,5 0,5 0,2 0,2", "0,0.5,0.5,0.2,0.2", "0 0.5 0.5 0.2 0_1", "0", "dog 1 1 1 1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(SternaError, match="a row that is not an object"):
        row(text)


@pytest.mark.case(
    "yolo-confidence-column", kind="stated and not used", expected="a confidence after the box is not used, and said"
)
def test_a_confidence_is_not_used(got: Got) -> None:
    assert row(f"1 {BOX} 0.93") == Row(1, EDGES, CONFIDENCE_NOT_USED)
    with pytest.raises(SternaError, match="not an object"):
        row(f"1 {BOX} 1.5")
    got(CONFIDENCE_NOT_USED)


POSES = {
    "kind": "stated and not used",
    "expected": "with kpt_shape the first four numbers are the box; without it, rows that may be poses are refused",
    "source": "ultralytics#17489",
}


@pytest.mark.case("yolo-pose-rows", **POSES)
@pytest.mark.parametrize(
    ("shape", "points"),
    [
        (Points(5, 2), EYES),
        (Points(2, 3), "0.45 0.40 2 0.55 0.40 2"),
        (Points(1, 3), "0.45 0.40 1"),
        (Points(17, 3), "0.5 0.5 2 " * 17),
    ],
)
def test_the_first_four_numbers_of_a_pose_are_its_box(shape: Points, points: str, got: Got) -> None:
    assert row(f"0 {BOX} {points}", shape) == Row(0, EDGES, POINTS_NOT_USED)
    assert row(f"0 {BOX}", shape) == Row(0, EDGES)
    with pytest.raises(SternaError, match=f"nothing or the {shape.points * shape.numbers} numbers of kpt_shape"):
        row(f"0 {BOX} {points} 0.5", shape)
    got(f"kpt_shape {list(shape)}: box {EDGES}")


@given(st.lists(st.tuples(share, share), min_size=3, max_size=9), st.sampled_from([None, Points(0, 0)]))
def test_a_polygon_is_the_box_around_it(corners: list[tuple[float, float]], points: Points | None) -> None:
    found = row("2 " + " ".join(f"{x} {y}" for x, y in corners), points)
    xy = np.array(corners)
    assert found == Row(2, (*xy.min(0), *xy.max(0)), POLYGONS)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 9, 11, 55])
def test_a_row_of_another_length_is_refused(count: int) -> None:
    with pytest.raises(SternaError, match=r"with points only if data\.yaml has their kpt_shape"):
        row("0 " + "0.5 " * count)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"0 {BOX} {EYES}", True),
        (f"0 {BOX} 0.45 0.40 2 0.55 0.40 2", True),
        (f"0 {BOX} 0.45 0.40 2 0 0 0", True),
        (f"0 {BOX} 0.45 0.40 2 0.55 0.40 3", False),
        (f"0 {BOX} 0.05 0.40 0.55 0.40 0.5 0.5", False),
        (f"0 {BOX}", False),
        (f"0 {BOX} 0.45 0.40 0.55 0.40", False),  # eight numbers are an oriented box
        ("0 0.5 0.5 0.9 0.9 0.6 0.6 0.7 0.6 0.5 0.5", False),  # a polygon that is closed
        ("0 0.25 0.5 0.5 0.25 0.75 0.75", False),
    ],
)
def test_what_looks_like_a_pose(text: str, expected: bool) -> None:
    assert looks_like_pose(text.split()) is expected
