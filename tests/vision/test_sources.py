"""What people name becomes sources, in their order."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sterna.errors import FaultsError, SternaError
from sterna.vision import sources
from sterna.vision.raw_frames import RawForm, RawFrames
from support import videos


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "in"
    home.mkdir()
    for name in ("a.png", "c.png"):
        Image.new("RGB", (8, 8)).save(home / name)
    videos.write(home / "b.mp4", videos.images(3))
    (home / "notes.txt").write_text("")
    return home


def test_a_folder_gives_images_and_videos_by_name(folder: Path) -> None:
    said: list[str] = []
    found = sources.find([str(folder)], say=said.append)
    assert [(source.stem, source.moving) for source in found] == [("a", False), ("b", True), ("c", False)]
    assert said == [f"{folder}: 2 images, 1 video; not read: 1 file of other kinds"]
    sources.check(found, said.append)
    assert len(said) == 1 and [len(list(source.frames(said.append))) for source in found] == [1, 3, 1]


def test_everything_comes_in_the_order_in_which_it_is_named(folder: Path) -> None:
    stream = io.BytesIO(bytes(12))
    found = sources.find(
        [str(folder / "c.png"), "-", "rtsp://camera/1", str(folder / "a.png")],
        raw=lambda given: RawFrames(given, RawForm.parse("2x2:rgb24"), 25), stdin=stream,
    )  # fmt: skip
    assert [source.origin for source in found] == [str(folder / "c.png"), "-", "rtsp://camera/1", str(folder / "a.png")]
    assert [frame.image.shape for frame in found[1].frames(print)] == [(2, 2, 3)]


def test_raw_frames_need_their_form() -> None:
    with pytest.raises(SternaError, match="-: the form of the frames on standard input is not said; remedy: say it"):
        sources.find(["-"], stdin=io.BytesIO())


def test_all_faults_are_told_at_once(folder: Path) -> None:
    for name in ("bad.mp4", "bad.png"):
        (folder / name).write_bytes(b"nothing")
    with pytest.raises(FaultsError, match="2 faults") as refused:
        sources.check(sources.find([str(folder)]), print)
    assert [Path(str(fault.where)).name for fault in refused.value.faults] == ["bad.mp4", "bad.png"]


@pytest.mark.case("videos-without-their-packages", kind="machine", expected="one line names the package and the remedy")
def test_without_the_extra_the_remedy_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch, got: object) -> None:
    for name in [name for name in sys.modules if name.startswith("sterna.vision.video.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "av", None)
    said = r"b\.mp4 needs .* package = av; remedy: pip install 'sterna\[video\]'"
    with pytest.raises(SternaError, match=said) as refused:
        sources.find([str(folder / "b.mp4")])
    assert len(sources.find([str(folder / "a.png")])) == 1
    got(str(refused.value).replace(str(folder), ""))  # type: ignore[operator]


def test_images_of_a_program_are_a_video() -> None:
    images = [np.full((2, 2, 3), number, np.uint8) for number in range(3)]
    frames = [(frame.number, frame.seconds, frame.image.max()) for frame in sources.Images(images, 10).frames(print)]
    assert frames == [(0, 0, 0), (1, 0.1, 1), (2, 0.2, 2)]
