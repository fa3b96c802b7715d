"""The parts of a measurement are there and add up; no test says how fast anything is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import sterna
from sterna.bench import PARTS, Speed, bench
from sterna.vision.follow import Follow
from sterna.vision.sources import Images


@pytest.fixture(scope="module")
def package() -> sterna.Package:
    return sterna.compile("demo-nano", cycles=False)


def test_every_part_is_measured(package: sterna.Package) -> None:
    shown: list[int] = []
    with sterna.Detector(package, tiles=100) as detector:
        source = Images([sterna.scene(7)] * 3, 25)
        speed = bench(detector, [source], Follow(track=True), ("drawn", "jsonl"),
                      show=lambda done, total, part: shown.append(done))  # fmt: skip
    assert tuple(speed.parts) == tuple(part for part in PARTS if part != "classes") and shown == [1, 2, 3]
    assert speed.frames == 3 and 0 < sum(speed.parts.values()) <= speed.seconds
    assert all(seconds > 0 for seconds in speed.parts.values())


def test_what_does_not_happen_is_not_listed(package: sterna.Package) -> None:
    with sterna.Detector(package) as detector:
        speed = bench(detector, [Images([np.zeros((9, 9, 3), np.uint8)] * 4, 25)], Follow(), ("jsonl",), most=2)
    assert speed.frames == 2 and "draw" not in speed.parts


def test_shares_are_of_the_whole() -> None:
    speed = Speed(4, 2.0, {"read": 0.5, "device": 1.0})
    assert speed.per_second == 2 and speed.milliseconds("read") == 125 and speed.share("device") == 0.5
    assert speed.as_json() == {
        "frames": 4, "frames_per_second": 2.0,
        "parts": {"read": {"milliseconds": 125.0, "share": 0.25}, "device": {"milliseconds": 250.0, "share": 0.5}},
    }  # fmt: skip


def test_nothing_is_left_behind(package: sterna.Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with sterna.Detector(package) as detector:
        bench(detector, [Images([sterna.scene(7)], 25)], Follow(), ("drawn", "coco", "yolo", "frames"))
    assert not list(tmp_path.iterdir())
    assert json.dumps(Speed(1, 1.0, {}).as_json())
