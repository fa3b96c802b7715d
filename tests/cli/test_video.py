"""`sterna detect` on videos, cameras and raw frames."""

from __future__ import annotations

import io
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from support import processes, videos

from .conftest import Ended, Sterna
from .test_refusals import assert_refused

Got = Callable[[object], None]
#: What every box of the small network passes, so that there are some.
ALL = ("--threshold", 0.01)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return videos.write(tmp_path / "street.mp4", videos.images(8))


@pytest.fixture
def piped(sterna: Sterna, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """The command with bytes on its standard input."""

    def run(data: bytes, *arguments: object) -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        return sterna(*arguments)

    return run


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_video_is_drawn_and_listed(sterna: Sterna, package_path: Path, video: Path, tmp_path: Path) -> None:
    ended = sterna("detect", package_path, video, "-o", tmp_path / "out", *ALL)
    assert ended.code == 0, ended.err
    found = lines((tmp_path / "out" / "detections.jsonl").read_text())
    boxes = sum(len(line["boxes"]) for line in found)
    assert ended.out.startswith(f"1 video, {boxes} boxes: {tmp_path / 'out'}\n") and boxes
    assert [line["frame"] for line in found] == list(range(8))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "0000_street.mp4", "detections.jsonl", "detections.json",
    }  # fmt: skip
    report = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert report["complete"] is True and report["images"] == [] and report["aspect"] == "stretch"
    assert report["videos"][0] | {"video": ""} == {
        "video": "", "drawn": "0000_street.mp4", "frames": 8, "seconds": 0.28, "boxes": boxes,
    }  # fmt: skip
    drawn = videos.read(tmp_path / "out" / "0000_street.mp4")
    np.testing.assert_allclose([seconds for seconds, _ in drawn], np.arange(8) / 25, atol=1e-3)
    assert drawn[0][1].shape == (48 * 8, 64 * 8, 3), "small frames are enlarged as small images are"


def test_images_and_videos_together(sterna: Sterna, package_path: Path, images: Path, video: Path) -> None:
    output = video.parent / "out"
    ended = sterna("detect", package_path, images / "a.png", video, images / "b.jpg", "-o", output, "--frames", 2)
    assert ended.code == 0 and ended.out.startswith("2 images, 1 video, ")
    found = lines((output / "detections.jsonl").read_text())
    assert [Path(line["source"]).name for line in found] == ["a.png", "street.mp4", "street.mp4", "b.jpg"]
    report = json.loads((output / "detections.json").read_text())
    assert [record["drawn"] for record in report["images"]] == ["0000_a.png", "0002_b.png"]
    assert "frame" not in found[0] and found[2]["frame"] == 1
    again = sterna("detect", package_path, images / "a.png", "-o", output)
    assert "removed the images of an earlier run (3)" in again.out
    assert {path.name for path in output.iterdir()} == {"0000_a.png", "detections.json"}


def test_boxes_are_those_of_the_frames_as_images(
    sterna: Sterna, package_path: Path, video: Path, tmp_path: Path
) -> None:
    from PIL import Image

    frames = tmp_path / "frames"
    frames.mkdir()
    for number, (_, pixels) in enumerate(videos.read(video)):
        Image.fromarray(pixels).save(frames / f"{number}.png")
    out = [sterna("detect", package_path, each, "-o", "-", *ALL).out for each in (video, frames)]
    assert [line["boxes"] for line in lines(out[0])] == [line["boxes"] for line in lines(out[1])]


def test_frames_in_lines_out(piped: Callable[..., Ended], package_path: Path) -> None:
    images = videos.images(3, 40, 40)
    data = b"".join(image.tobytes() for image in images)
    ended = piped(data, "detect", package_path, "-", "--raw", "40x40:rgb24", "--rate", 5, "-o", "-", *ALL)
    assert ended.code == 0
    found = lines(ended.out)
    assert [(line["source"], line["frame"], line["seconds"]) for line in found] == [
        ("-", 0, 0), ("-", 1, 0.2), ("-", 2, 0.4),
    ]  # fmt: skip
    assert ended.err.startswith("1 video, ")
    assert found[0]["width"] == 40 and all("score" in box for line in found for box in line["boxes"])


def test_raw_frames_that_end_early(piped: Callable[..., Ended], package_path: Path, tmp_path: Path) -> None:
    data = videos.images(1, 40, 40)[0].tobytes() * 2
    ended = piped(data[:-1], "detect", package_path, "-", "--raw", "40x40:rgb24", "-o", tmp_path / "out")
    assert_refused(ended, "-: ends within frame 1; bytes = 4799; allowed: 4800 per frame of 40x40:rgb24")
    report = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert report["complete"] is False and report["videos"][0]["frames"] == 1
    assert len(videos.read(tmp_path / "out" / "0000_stdin.mp4")) == 1


def test_tracks_lines_and_zones_are_counted(sterna: Sterna, package_path: Path, video: Path, tmp_path: Path) -> None:
    places = tmp_path / "places.yaml"
    places.write_text("lines:\n  gate: [0.5, 0, 0.5, 1]\n")
    ended = sterna("detect", package_path, video, "-o", tmp_path / "out", *ALL, "--places", places,
                   "--zone", "all=0,0,1,0,1,1,0,1", "--unusual")  # fmt: skip
    assert ended.code == 0, ended.err
    assert "gate: 0 to the right, 0 to the left; all: 0 tracks, at most 0 at once" in ended.out
    (record,) = json.loads((tmp_path / "out" / "detections.json").read_text())["videos"]
    assert record["lines"] == {"gate": {"right": 0, "left": 0}} and record["unusual"] == []
    assert all(line["inside"] == {"all": 0} for line in lines((tmp_path / "out" / "detections.jsonl").read_text()))


def test_tiles_and_aspect_are_recorded(sterna: Sterna, package_path: Path, images: Path, tmp_path: Path) -> None:
    options = ("--tiles", "20x16", "--tile-overlap", 0.5, "--aspect", "letterbox")
    assert sterna("detect", package_path, images / "a.png", "-o", tmp_path / "out", *options).code == 0
    report = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert (report["tiles"], report["tile_overlap"], report["aspect"]) == ("20x16", 0.5, "letterbox")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tiles", "4"), "there are no such tiles"),
        (("--tiles", "big"), "tiles: is no size of tiles; got big; allowed: SIDE or WIDTHxHEIGHT"),
        (("--aspect", "wide"), "there is no such aspect; aspect = wide; allowed: stretch, letterbox"),
        (("--line", "1,2"), "'1,2': is no line"),
        (("--zone", "1,2"), "'1,2': is no zone"),
        (("--places", "/nowhere.yaml"), "/nowhere.yaml"),
        (("--write", "png"), "--write: there is no such form of detections; got png; allowed: drawn, frames, jsonl"),
        (("--raw", "40x40"), "--raw: is no form of raw frames"),
        (("--frames", "0"), "--frames"),
        (("-o", "-", "--write", "coco"), "--write"),
    ],
)
def test_wrong_options_are_refused_before_any_work(
    sterna: Sterna, package_path: Path, video: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    output = () if "-o" in options else ("-o", tmp_path / "out")
    source = "-" if "--raw" in options else video
    assert_refused(sterna("detect", package_path, source, *output, *options), said)
    assert not (tmp_path / "out").exists()


def test_the_output_is_not_a_source(sterna: Sterna, package_path: Path, video: Path) -> None:
    assert_refused(sterna("detect", package_path, video.parent, "-o", video.parent), "is also an input folder")
    assert_refused(sterna("detect", package_path, "-", "-o", video.parent / "o"), "standard input is not said")


@pytest.mark.case(
    "video-cut-off-in-the-middle-of-detecting",
    kind="outputs",
    expected="one line; what was seen until then is written, and valid",
)
def test_a_video_that_is_cut_off(sterna: Sterna, package_path: Path, tmp_path: Path, got: Got) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (40, 48, 64, 3)).astype(np.uint8)
    path = videos.write(tmp_path / "cut.mp4", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    ended = sterna("detect", package_path, path, "-o", tmp_path / "out", "--write", "drawn,jsonl,coco,yolo,frames")
    assert_refused(ended, "cut.mp4: the video is cut off; frames = ", "allowed: 40 by its header")
    report = json.loads((tmp_path / "out" / "detections.json").read_text())
    frames = report["videos"][0]["frames"]
    assert report["complete"] is False and 5 < frames < 40
    assert len(videos.read(tmp_path / "out" / "0000_cut.mp4")) == frames
    assert len(json.loads((tmp_path / "out" / "coco.json").read_text())["images"]) == frames
    assert len(lines((tmp_path / "out" / "detections.jsonl").read_text())) == frames
    got(f"{frames} of 40 frames are written")


@pytest.mark.case(
    "ctrl-c-while-a-video-is-written", kind="signals", expected="every file is ended and valid; exit code 130"
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_valid_files(package_path: Path, tmp_path: Path, number: int, got: Got) -> None:
    frame = videos.images(1, 40, 40)[0].tobytes()
    command = [sys.executable, "-m", "sterna", "detect", str(package_path), "-", "--raw", "40x40:rgb24",
               "-o", str(tmp_path), "--write", "drawn,jsonl,coco", "--track"]  # fmt: skip
    child = processes.start(command, fed=True)
    assert child.stdin is not None and child.stderr is not None
    child.stdin.buffer.write(frame * 20)
    child.stdin.buffer.flush()
    while not any(path.suffix == ".partial" for path in tmp_path.iterdir()):
        assert child.poll() is None
        time.sleep(0.05)
    child.send_signal(number)
    assert child.wait(60) == 130 and child.stderr.read() == "error: interrupted\n"
    report = json.loads((tmp_path / "detections.json").read_text())
    frames = report["videos"][0]["frames"]
    assert report["complete"] is False and 0 < frames <= 20
    assert len(videos.read(tmp_path / "0000_stdin.mp4")) == frames
    assert len(json.loads((tmp_path / "coco.json").read_text())["images"]) == frames
    assert len(lines((tmp_path / "detections.jsonl").read_text())) == frames
    assert not list(tmp_path.glob("*.partial"))
    got(f"{frames} frames in each file, exit code 130")
