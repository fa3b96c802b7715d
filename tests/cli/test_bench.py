"""`sterna bench`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Sterna
from .test_refusals import assert_refused


def test_generated_frames_are_measured(sterna: Sterna, package_path: Path, tmp_path: Path) -> None:
    options = ("--backend", "reference:", "--frames", 3, "--size", "64x48", "--track")
    ended = sterna("bench", package_path, *options, "--json", tmp_path / "speed.json")
    assert ended.code == 0, ended.err
    assert "frames per second end to end, over 3 frames" in ended.out
    speed = json.loads((tmp_path / "speed.json").read_text())
    assert speed["backend"] == "reference:" and speed["frames"] == 3
    assert list(speed["parts"]) == ["read", "resize", "device", "boxes", "follow", "draw", "write"]
    assert all(part in ended.out for part in speed["parts"])


def test_images_are_measured(sterna: Sterna, package_path: Path, images: Path) -> None:
    ended = sterna("bench", package_path, images, "--write", "jsonl")
    assert ended.code == 0 and "over 3 frames" in ended.out and "follow" not in ended.out


@pytest.mark.parametrize("size", ["64", "0x4", "64x", "64x99999", "axb"])
def test_sizes_that_are_none(sterna: Sterna, package_path: Path, size: str) -> None:
    assert_refused(sterna("bench", package_path, "--size", size), "--size: is no size of frames; got", "1280x720")


def test_a_file_that_cannot_be_written(sterna: Sterna, package_path: Path, tmp_path: Path) -> None:
    assert_refused(sterna("bench", package_path, "--json", tmp_path), "is a folder, not a file to write")
