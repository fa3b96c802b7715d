"""A folder of detections: earlier results go, other files stay, and the list tells what is there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sterna.errors import SternaError
from sterna.vision import detections
from sterna.vision.boxes import Detections
from sterna.vision.detections import REPORT, DetectionsFolder, as_json

DRAWN = Image.new("RGB", (4, 4))


def listed(folder: Path) -> dict[str, object]:
    report: dict[str, object] = json.loads((folder / REPORT).read_text())
    return report


def test_what_drawn_images_are_called_is_what_an_earlier_list_may_name() -> None:
    for stem in ("a", "写" * 200, "", "a\nb"):
        assert detections._DRAWN.fullmatch(f"0000_{detections._kept(stem)}.png")


def test_the_list_says_whether_it_is_whole(tmp_path: Path) -> None:
    found = DetectionsFolder(tmp_path, [Path("a.png"), Path("b.png")], [])
    assert found.start({"backend": "reference:"}) == 0
    assert listed(tmp_path)["complete"] is False
    found.add(DRAWN, [{"class": "cat"}])
    found.add(DRAWN, [{"class": "dog"}, {"class": "cat"}])
    assert found.finish() == 3
    report = listed(tmp_path)
    assert (report["backend"], report["complete"]) == ("reference:", True)
    assert report["images"] == [
        {"image": "a.png", "drawn": "0000_a.png", "boxes": [{"class": "cat"}]},
        {"image": "b.png", "drawn": "0001_b.png", "boxes": [{"class": "dog"}, {"class": "cat"}]},
    ]


def test_earlier_results_go_and_other_files_stay(tmp_path: Path) -> None:
    first = DetectionsFolder(tmp_path, [Path("a.png"), Path("b.png")], [])
    first.start({})
    first.add(DRAWN, [])
    (tmp_path / "0000_c.png").write_text("mine")
    with pytest.raises(SternaError, match=r"would be replaced and that no earlier detection made.*0000_c\.png"):
        DetectionsFolder(tmp_path, [Path("c.png")], [])
    assert DetectionsFolder(tmp_path, [Path("d.png")], []).start({}) == 2
    assert {path.name for path in tmp_path.iterdir()} == {REPORT, "0000_c.png"}


def test_boxes_as_json() -> None:
    found = Detections(np.array([[1.04, 2.0, 3.26, 4.0]]), np.array([0.123456]), np.array([1]))
    assert as_json(found, ["cat", "dog"]) == [{"class": "dog", "score": 0.1235, "box": [1.0, 2.0, 3.3, 4.0]}]
