"""Lines and zones from options and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.vision.places import Place, Places


def test_options_name_places() -> None:
    places = Places.parse(["0.1,0.5,0.9,0.5", "gate = 10,20,30,40"], ["a=b=0,0,1,0,1,1"])
    assert places.lines == (
        Place("line1", ((0.1, 0.5), (0.9, 0.5))), Place("gate", ((10, 20), (30, 40))),
    )  # fmt: skip
    assert places.zones == (Place("a=b", ((0, 0), (1, 0), (1, 1))),)


def test_numbers_up_to_1_are_shares() -> None:
    shares, pixels = Place("a", ((0, 0.5), (1, 0.25))), Place("b", ((0, 0.5), (2, 1)))
    assert shares.on(200, 400).tolist() == [[0, 100], [400, 50]]
    assert pixels.on(200, 400).tolist() == [[0, 0.5], [2, 1]]


def test_a_file_names_places(tmp_path: Path) -> None:
    path = tmp_path / "places.yaml"
    path.write_text("lines:\n  gate: [0.1, 0.5, 0.9, 0.5]\nzones:\n  yard: [[0, 0], [100, 0], [100, 100]]\n")
    places = Places.read(path)
    assert places == Places.parse(["gate=0.1,0.5,0.9,0.5"], ["yard=0,0,100,0,100,100"])
    path.write_text("lines: {gate: [0, 0, 1, 1]}")
    assert Places.read(path).zones == ()
    with pytest.raises(SternaError, match="two lines have one name; name = gate; remedy: give each its own name"):
        _ = places + Places.read(path)


@pytest.mark.parametrize(
    ("lines", "zones", "said"),
    [
        (["1,2,3"], [], "'1,2,3': is no line; line1 = 1,2,3; allowed: X1,Y1,X2,Y2: two different points; "),
        (["a=1,2,1,2"], [], "is no line; a = 1,2,1,2"),
        (["1,2,3,4,5,6"], [], "is no line"),
        (["1,2,3,x"], [], "is no line.*allowed: numbers of at least 0: pixels, or shares if none is more than 1"),
        (["1,2,3,-4"], [], "is no line"),
        (["1,2,3,inf"], [], "is no line"),
        (["1,2,3,nan"], [], "is no line"),
        (["=1,2,3,4"], [], "is no line; name = 1,2,3,4"),
        ([""], [], "is no line; line1 = nothing"),
        ([], ["1,2,3,4"], "'1,2,3,4': is no zone; zone1 = 1,2,3,4; allowed: X,Y,X,Y,...: at least three points"),
        ([], ["1,2,3,4,1,2"], "is no zone"),
        ([], ["1,2,3,4,5"], "is no zone"),
        ([], ["a=0,0,1,0,1,1", "a=0,0,1,0,1,1"], "two zones have one name"),
    ],
)  # fmt: skip
def test_options_that_name_none(lines: list[str], zones: list[str], said: str) -> None:
    with pytest.raises(SternaError, match=said):
        Places.parse(lines, zones)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds something else than lines and zones"),
        ("[1, 2]", "holds something else"),
        ("line: {a: [0, 0, 1, 1]}", "holds something else"),
        ("lines: [0, 0, 1, 1]", "its lines or zones have no names"),
        ("lines: {a: 5}", "is no line; a = 5"),
        ("lines: {a: [true, 0, 1, 1]}", "is no line"),
        ("zones: {a: {x: 1}}", "is no zone"),
        ("lines: {a: [[0, 0], [1, [1]]]}", "is no line"),
        ("lines: {", "cannot be read as YAML"),
    ],
)
def test_files_that_name_none(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "places.yaml"
    path.write_text(text)
    with pytest.raises(SternaError, match=rf"places\.yaml: .*{said}"):
        Places.read(path)
