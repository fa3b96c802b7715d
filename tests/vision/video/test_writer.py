"""Videos that are written can be read, with each frame at its time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.vision.video import writer
from sterna.vision.video.writer import VideoWriter
from support import videos


def test_frames_come_back_at_their_times(tmp_path: Path) -> None:
    times, images = [0.0, 0.04, 0.5, 0.52, 2.0], videos.images(5)
    video = VideoWriter(tmp_path / "sub" / "a.mp4", 25)
    for image, seconds in zip(images, times, strict=True):
        video.add(image, seconds)
    assert not video.path.exists(), "there is no half-written video"
    video.close()
    video.close()
    found = videos.read(video.path)
    np.testing.assert_allclose([seconds for seconds, _ in found], times, atol=1e-3)
    assert all(np.abs(there.astype(int) - image).mean() < 6 for (_, there), image in zip(found, images, strict=True))
    assert [path.name for path in video.path.parent.iterdir()] == ["a.mp4"]


@pytest.mark.case("video-of-odd-size", kind="videos", expected="the last row and column are there twice")
def test_odd_sizes_are_written(tmp_path: Path, got: object) -> None:
    image = np.repeat(np.arange(33 * 51).reshape(33, 51, 1) % 256, 3, axis=2).astype(np.uint8)
    video = VideoWriter(tmp_path / "a.mp4", 29.97)
    video.add(image, 0)
    video.close()
    ((_, there),) = videos.read(video.path)
    assert there.shape == (34, 52, 3) and np.abs(there[:33, :51].astype(int) - image).mean() < 6
    got("33 x 51 became 34 x 52")  # type: ignore[operator]


def test_times_that_stand_still_still_make_a_video(tmp_path: Path) -> None:
    video = VideoWriter(tmp_path / "a.mp4", 25)
    for image in videos.images(4):
        video.add(image, 1.0)
    video.close()
    assert len(videos.read(video.path)) == 4


def test_no_frame_makes_no_video(tmp_path: Path) -> None:
    video = VideoWriter(tmp_path / "a.mp4", 25)
    video.close()
    video.discard()
    assert not list(tmp_path.iterdir())


def test_a_discarded_video_leaves_nothing(tmp_path: Path) -> None:
    video = VideoWriter(tmp_path / "a.mp4", 25)
    video.add(videos.images(1)[0], 0)
    video.discard()
    assert not list(tmp_path.iterdir())


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    video = VideoWriter(tmp_path / "a.mp4", 25)
    video.add(videos.images(1)[0], 0)
    with pytest.raises(SternaError, match=r"change their size.*height, width = 32, 32; allowed: 48, 64"):
        video.add(np.zeros((32, 32, 3), np.uint8), 1)
    video.close()
    assert len(videos.read(video.path)) == 1


@pytest.mark.case("disk-full-while-a-video-is-written", kind="outputs", expected="one line, and no broken video")
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, got: object) -> None:
    monkeypatch.setattr(writer, "partial_of", lambda path: tmp_path / "full")
    (tmp_path / "full").symlink_to("/dev/full")
    video = VideoWriter(tmp_path / "a.mp4", 25)
    with pytest.raises(SternaError, match=r"a\.mp4: cannot be written \(No space left.*free disk space") as refused:
        for number, image in enumerate(videos.images(100, 480, 640)):
            video.add(image, number / 25)
        video.close()
    video.close()
    assert not list(tmp_path.iterdir())
    got(str(refused.value).replace(str(tmp_path), ""))  # type: ignore[operator]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    video = VideoWriter(tmp_path / "file" / "a.mp4", 25)
    with pytest.raises(SternaError, match=r"a\.mp4: cannot be written"):
        video.add(videos.images(1)[0], 0)
    video.close()


def test_other_codecs_do_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_CODECS", ("no such codec", "mpeg4"))
    video = VideoWriter(tmp_path / "a.mp4", 25)
    video.add(videos.images(1)[0], 0)
    video.close()
    assert len(videos.read(video.path)) == 1
