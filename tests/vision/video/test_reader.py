"""Videos are read frame by frame, and damaged ones are refused in one line."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.vision import sources
from sterna.vision.frames import Frame
from sterna.vision.sources import Source
from support import videos


def quiet(text: str) -> None:
    raise AssertionError(text)


def opened(path: Path) -> Source:
    (source,) = sources.find([str(path)])
    source.check(quiet)
    return source


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return videos.write(tmp_path / "a.mp4", videos.images(60))


@pytest.mark.parametrize("name", ["a.mp4", "b.mkv", "c.avi", "d.mov", "e:f%d ü.mp4"])
def test_every_frame_is_read_at_its_time(tmp_path: Path, name: str) -> None:
    images = videos.images(12)
    source = opened(videos.write(tmp_path / name, images) if ":" not in name else odd_name(tmp_path / name, images))
    assert (source.size, source.rate, source.moving) == ((48, 64), 25, True)
    assert source.count in (12, None)
    frames = list(source.frames(quiet))
    assert [frame.number for frame in frames] == list(range(12))
    np.testing.assert_allclose([frame.seconds for frame in frames], np.arange(12) / 25, atol=2e-3)
    for frame, image in zip(frames, images, strict=True):
        assert np.abs(frame.image.astype(int) - image).mean() < 6


def odd_name(path: Path, images: list[np.ndarray]) -> Path:
    return videos.write(path.with_name("plain.mp4"), images).rename(path)


@pytest.mark.case(
    "video-of-variable-rate",
    kind="videos",
    expected="each frame has the time that the video says",
)
def test_a_variable_rate_keeps_its_times(tmp_path: Path, got: object) -> None:
    times = [0.0, 0.04, 0.5, 0.52, 2.0]
    frames = list(opened(videos.write(tmp_path / "a.mkv", videos.images(5), times)).frames(quiet))
    np.testing.assert_allclose([frame.seconds for frame in frames], times, atol=2e-3)
    got(f"times {times}")  # type: ignore[operator]


@pytest.mark.case("video-turned-by-its-header", kind="videos", expected="frames are upright, as players show them")
def test_a_turned_video_is_upright(video: Path, tmp_path: Path, got: object) -> None:
    source = opened(videos.turned(video, tmp_path / "turned.mp4"))
    assert source.size == (64, 48)
    frame, plain = (next(iter(each.frames(quiet))) for each in (source, opened(video)))
    assert np.array_equal(frame.image, np.rot90(plain.image, -1))
    got("64 x 48 became 48 x 64")  # type: ignore[operator]


@pytest.mark.case(
    "video-cut-off", kind="videos", expected="one line says after how many of its frames; those before are read"
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_video_that_is_cut_off(tmp_path: Path, name: str, got: object) -> None:
    path = videos.write(tmp_path / name, np.random.default_rng(1).integers(0, 255, (60, 48, 64, 3)).astype(np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    frames: list[Frame] = []
    with pytest.raises(SternaError, match=r"the video is cut off; frames = \d+; allowed: 60 by its header") as refused:
        frames.extend(opened(path).frames(lambda text: None))
    assert f"frames = {len(frames)};" in str(refused.value) or name == "a.mp4"
    got(str(refused.value).replace(str(tmp_path), ""))  # type: ignore[operator]


def test_a_damaged_part_is_told(video: Path) -> None:
    data = bytearray(video.read_bytes())
    begin = data.index(b"mdat") + 2000
    data[begin : begin + 300] = np.random.default_rng(3).bytes(300)
    video.write_bytes(data)
    said: list[str] = []
    frames = list(opened(video).frames(said.append))
    assert 40 < len(frames) < 60
    assert said == [f"{video}: {60 - len(frames)} damaged parts passed over"]
    assert frames[-1].seconds == pytest.approx(59 / 25, abs=1e-3), "what follows is at its time"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a readable video; got an empty file; remedy: copy it again"),
        (b"<!DOCTYPE html><html>", "is not a readable video; got a web page.*download it again"),
        (b"\0" * 5000, "is not a readable video; remedy: copy or download"),
        (b"\0\0\0\x20ftypisom" + b"\1" * 500, "is not a readable video; got a video; remedy: copy or download"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(SternaError, match=said):
        opened(path)


@pytest.mark.case("video-without-frames", kind="videos", expected="one line before any work")
def test_a_video_without_frames_is_refused(tmp_path: Path, got: object) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(SternaError, match=r"sound\.mp4: the video has no frames; remedy: ") as refused:
        opened(path)
    got(str(refused.value).replace(str(tmp_path), ""))  # type: ignore[operator]


def test_a_video_is_known_by_its_content(video: Path) -> None:
    for name in ("street.bin", "street"):
        path = video.with_name(name)
        path.write_bytes(video.read_bytes())
        assert opened(path).moving


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[str]:
    """The address of a program that sends the first half of a stream and then goes away."""
    stream = videos.write(tmp_path / "a.ts", videos.images(50), codec="mpeg2video").read_bytes()
    server = socket.create_server(("127.0.0.1", 0))

    def send() -> None:
        for _ in range(2):  # it is opened to be checked, then to be read
            connection, _ = server.accept()
            with connection:
                connection.sendall(stream[: len(stream) // 2])

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
    server.close()
    thread.join()


@pytest.mark.case(
    "camera-that-goes-away", kind="videos", expected="what it sent is read, then one line says that no more comes"
)
def test_a_network_camera_that_goes_away(sender: str, got: object) -> None:
    (source,) = sources.find([sender])
    source.check(quiet)
    frames: list[Frame] = []
    with pytest.raises(SternaError, match=r"tcp://.*: the camera gives no more frames, after \d+; remedy: ") as refused:
        frames.extend(source.frames(lambda text: None))
    assert 10 < len(frames) < 50 and f"after {len(frames)};" in str(refused.value)
    got(f"the camera gives no more frames, after {len(frames)}")  # type: ignore[operator]


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:9", "nosuch://x", "rtsp://127.0.0.1:9/x"])
def test_a_camera_that_is_not_there(url: str) -> None:
    (source,) = sources.find([url])
    with pytest.raises(SternaError, match=f"{url}: the camera cannot be opened .*; remedy: check the address"):
        source.check(quiet)
