"""A camera of this machine, of which tests have none: OpenCV's part is played."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.vision import camera, sources
from sterna.vision.camera import Camera
from sterna.vision.frames import Frame


class Played:
    """A camera that gives three frames and is then unplugged."""

    released = 0

    def __init__(self, name: str, api: int) -> None:
        self.left = 3 if name.endswith("video7") else 0

    def isOpened(self) -> bool:  # noqa: N802 (OpenCV's name)
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (True, np.full((4, 6, 3), (1, 2, 3), np.uint8)) if self.left >= 0 else (False, None)

    def get(self, what: int) -> float:
        return 30.0

    def release(self) -> None:
        Played.released += 1


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera.cv2, "VideoCapture", Played)
    monkeypatch.setattr(Played, "released", 0)


@pytest.mark.usefixtures("played")
@pytest.mark.case("camera-unplugged", kind="videos", expected="its frames are kept, then one line")
def test_a_camera_that_is_unplugged(got: object) -> None:
    source = Camera(Path("/dev/video7"))
    source.check(print)
    assert (source.size, source.rate, source.stem, source.moving) == ((4, 6), 30.0, "video7", True)
    frames: list[Frame] = []
    said = "/dev/video7: the camera gives no more frames, after 3; remedy: plug"
    with pytest.raises(SternaError, match=said) as refused:
        frames.extend(source.frames(print))
    assert [frame.number for frame in frames] == [0, 1, 2] and frames[0].seconds <= frames[1].seconds
    assert (frames[0].image == (3, 2, 1)).all(), "red, green and blue"
    assert Played.released == 2
    got(str(refused.value))  # type: ignore[operator]


@pytest.mark.usefixtures("played")
def test_a_camera_that_gives_nothing_is_refused() -> None:
    with pytest.raises(SternaError, match="/dev/video8: is no camera that gives frames; remedy: name a camera"):
        Camera(Path("/dev/video8")).check(print)


def test_what_is_no_camera_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    (source,) = sources.find([os.devnull])
    with pytest.raises(SternaError, match="/dev/null: is no camera"):
        source.check(print)
    assert capfd.readouterr() == ("", "")
