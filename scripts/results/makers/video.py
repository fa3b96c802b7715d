"""docs/results/video.json and docs/video.jpg: small objects in 4K video, with and without tiles, and their tracks.

`make results-video` measures all frames, and goes on where it was interrupted. `python -m results.makers.video N`
prints the same of the first N frames of each scene, and writes nothing.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import motrics
import numpy as np
from numpy.typing import NDArray

import sterna
from results.record import ROOT, Metric, TableRow, write
from results.runs import folder_of
from sterna.bench import PARTS, Speed, bench
from sterna.cli.guard import guarded
from sterna.cli.progress import bar
from sterna.files import write_atomically
from sterna.train.data.frames import Labels
from sterna.train.data.scenes import CLASSES, SceneSequence
from sterna.train.data.street import Conditions
from sterna.train.report.coco_precision import measure
from sterna.vision.boxes import Detections
from sterna.vision.defaults import SHOWN, TILE_OVERLAP
from sterna.vision.follow import Follow
from sterna.vision.frames import Frame
from sterna.vision.overlay import Overlay
from sterna.vision.places import Places
from sterna.vision.sources import find
from sterna.vision.tiles import Tiles
from sterna.vision.video.follower import Follower
from sterna.vision.video.tracks import Tracks
from sterna.vision.video.writer import VideoWriter

SEED, SCENES, FRAMES, RATE = 27, 6, 50, 25
HEIGHT, WIDTH = 2160, 3840
#: From far above: things are a fifth as large as in the scenes of the training, for their size.
CONDITIONS = Conditions(zoom=0.2, crowd=1.5)
#: Sides of the tiles; None: the whole image alone.
TILES = (None, 960, 480)
#: Least score of a box for average precision; tracks take those that `sterna detect` shows.
LEAST = 0.05
MOST_BOXES = 300
#: Least intersection over union of a track's box and its object.
MATCH = 0.5
#: Frames on which time is measured.
TIMED = 10
PICTURE = ROOT / "docs" / "video.jpg"
MODEL = "demo-nano"
BACKEND = "emulator:"


class Measured(NamedTuple):
    """One frame: its truth, the number of each of its objects, and what was found in each of TILES."""

    labels: Labels
    numbers: NDArray[np.int64]
    found: tuple[Detections, ...]


def main(arguments: Sequence[str]) -> None:
    """Measure all frames, or as many per scene as the argument says."""
    frames = int(arguments[0]) if arguments else FRAMES
    scenes = [_scene(number, frames) for number in range(SCENES)]
    speeds = [speed(side, min(TIMED, frames)) for side in TILES]
    rows = [row(index, scenes, each.seconds / speeds[0].seconds) for index, each in enumerate(speeds)]
    found = metrics(rows, scenes, speeds[-1])
    if arguments:
        print(*rows, *(f"{name}: {metric.value} {metric.unit}" for name, metric in found.items()), sep="\n")
        return
    picture(scenes[0])
    write("video", found, command="make results-video", config="demo-nano", seed=SEED, rows=rows)


def _scene(number: int, frames: int) -> list[Measured]:
    """The first frames of a scene, each measured once and kept."""
    with bar(f"scene {number + 1} of {SCENES}") as show:
        measured = []
        for index in range(frames):
            show(index, frames, "")
            measured.append(_frame(number, index))
    return measured


def _frame(scene: int, index: int) -> Measured:
    path = _kept() / f"{scene}_{index:03}.npz"
    if not path.is_file():
        frame, numbers = _sequence(scene).followed(index)
        found = [_detector(side).detect(frame.image) for side in TILES]
        arrays = {"boxes": frame.boxes, "classes": frame.classes, "numbers": numbers}
        for tiling, each in enumerate(found):
            arrays |= {f"{tiling}_{name}": getattr(each, name) for name in ("boxes", "scores", "classes")}
        write_atomically(path, lambda partial: _save(partial, arrays))
    with np.load(path) as kept:
        found = [
            Detections(kept[f"{tiling}_boxes"], kept[f"{tiling}_scores"], kept[f"{tiling}_classes"])
            for tiling in range(len(TILES))
        ]
        return Measured(Labels.of(kept["boxes"], kept["classes"]), kept["numbers"], tuple(found))


def _save(path: Path, arrays: dict[str, Any]) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)


@cache
def _kept() -> Path:
    return folder_of("video")


@cache
def _sequence(scene: int) -> SceneSequence:
    return SceneSequence((SEED, 2, scene), HEIGHT, WIDTH, conditions=CONDITIONS)


@cache
def _detector(side: int | None) -> sterna.Detector:
    return sterna.Detector(sterna.compile(MODEL, cycles=False), BACKEND, threshold=LEAST, tiles=side)


def speed(side: int | None, frames: int) -> Speed:
    """How fast the first frames of a scene, as a video file, become a drawn video and lines, with tracks."""
    package = sterna.compile(MODEL, cycles=False)
    with tempfile.TemporaryDirectory() as folder, sterna.Detector(package, BACKEND, tiles=side) as each:
        video = VideoWriter(Path(folder) / "street.mp4", RATE)
        for index in range(frames):
            video.add(_sequence(0).frame(index).image, index / RATE)
        video.close()
        return bench(each, find([str(video.path)]), Follow(track=True), ("drawn", "jsonl"))


def row(tiling: int, scenes: Sequence[Sequence[Measured]], time_ratio: float) -> TableRow:
    """One of TILES: precision, tracks, and the time relative to the first of them."""
    side = TILES[tiling]
    images = [(each.labels, each.found[tiling]) for scene in scenes for each in scene]
    precision = measure(images, len(CLASSES), MOST_BOXES).precision[..., 0]
    tracked = [_tracked(scene, tiling) for scene in scenes]
    parts = 1 if side is None else len(Tiles.of(side, side, TILE_OVERLAP).on(HEIGHT, WIDTH))
    return {
        "tiles": "none" if side is None else f"{side}x{side}",
        "images_per_frame": parts,
        "map50": _mean(precision[0]),
        "map": _mean(precision),
        "switches": sum(each.clear.num_switches for each in tracked),
        "idf1": round(float(np.mean([each.identity.idf1 for each in tracked])), 4),
        "time_ratio": round(time_ratio, 2),
    }


def _mean(precision: NDArray[np.float64]) -> float:
    """Over classes, and overlaps if there are several; -1 stands where a class has no truth."""
    return round(float(precision[precision >= 0].mean()), 4)


def _tracked(scene: Sequence[Measured], tiling: int) -> Any:
    """CLEAR and identity metrics of the tracks in a scene."""
    judge, tracks = motrics.Accumulator(), Tracks()
    for index, each in enumerate(scene):
        shown = each.found[tiling].select(each.found[tiling].scores >= SHOWN)
        numbers = tracks.follow(shown, index / RATE)
        own = numbers > 0
        truth, found = each.labels.boxes.astype(float), shown.boxes[own].astype(float)
        judge.update(each.numbers.tolist(), truth, numbers[own].tolist(), found)
    return judge.compute()


def metrics(rows: Sequence[TableRow], scenes: Sequence[Sequence[Measured]], timed: Speed) -> dict[str, Metric]:
    """The metrics that rows and frames come to; times are relative to the first row, the whole image alone."""
    whole, fine = rows[0], rows[-1]
    boxes = np.concatenate([each.labels.boxes for scene in scenes for each in scene])
    sides = boxes[:, 2:] - boxes[:, :2]
    frames = sum(map(len, scenes))
    where = f"{frames} generated frames of {WIDTH}x{HEIGHT} in {len(scenes)} scenes, {MODEL} (input 160x160)"
    precision = f"COCO's average precision over both classes on {where}"
    identity = f"CLEAR MOT by motrics, IoU of at least {MATCH}, summed over the scenes; each object and track by itself"
    found = {
        "frames": Metric(what="4K frames", value=frames, unit="", method=where),
        "objects": Metric(what="Objects in them", value=len(boxes), unit="", method="labels of all frames"),
        "median_height": Metric(
            what="Median height of an object", value=round(float(np.median(sides[:, 1])), 1), unit="pixels",
            method="labels of all frames",
        ),
        "largest_share": Metric(
            what="Largest object's share of its frame",
            value=round(100 * float(sides.prod(1).max()) / HEIGHT / WIDTH, 3), unit="%",
            method="area of the box by that of the frame",
        ),
        "map50_whole": Metric(what="mAP50 without tiles", value=whole["map50"], unit="", method=precision),
        "map50_tiles": Metric(
            what=f"mAP50 with tiles of {fine['tiles']}", value=fine["map50"], unit="", method=precision
        ),
        "map_whole": Metric(what="mAP50-95 without tiles", value=whole["map"], unit="", method=precision),
        "map_tiles": Metric(
            what=f"mAP50-95 with tiles of {fine['tiles']}", value=fine["map"], unit="", method=precision
        ),
        "switches": Metric(
            what=f"Identity switches of the tracks with tiles of {fine['tiles']}", value=fine["switches"], unit="",
            method=identity,
        ),
        "idf1": Metric(
            what="IDF1 of these tracks", value=fine["idf1"], unit="", method=f"mean over scenes; {identity}"
        ),
        "slower": Metric(
            what=f"Time per frame with tiles of {fine['tiles']}, relative to none",
            value=fine["time_ratio"], unit="x",
            method=f"from a video file to a drawn one and lines, with tracks, {timed.frames} frames, backend {BACKEND}",
        ),
    }  # fmt: skip
    return found | {
        f"share_{part}": Metric(
            what=f"Share of the time with tiles: {part}",
            value=round(100 * timed.share(part), 1),
            unit="%",
            method=f"sterna.bench; backend {BACKEND}",
        )
        for part in PARTS
    }


def picture(scene: Sequence[Measured]) -> None:
    """A part of a frame with tracks, a line and a zone, as docs/video.jpg."""
    last = len(scene) - 1
    places = Places.parse(["gate=1900,900,1900,1400"], ["crossing=1300,900,1750,900,1750,1250,1300,1250"])
    follower, overlay = Follower(Follow(places=places), HEIGHT, WIDTH), Overlay(CLASSES, places)
    blank = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for index, each in enumerate(scene):
        image = _sequence(0).frame(index).image if index == last else blank
        shown = each.found[-1].select(each.found[-1].scores >= SHOWN)
        drawn = overlay.draw(follower.see(Frame(image, index, index / RATE), shown))
    part = drawn.crop((1120, 780, 2400, 1500))
    write_atomically(PICTURE, lambda partial: part.save(partial, "JPEG", quality=85))


if __name__ == "__main__":
    sys.exit(guarded(lambda: main(sys.argv[1:])))
