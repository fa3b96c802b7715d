"""`sterna bench`: frames per second, end to end and by part."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from sterna import api
from sterna.bench import Speed
from sterna.bench import bench as measure
from sterna.cli.backends import opened, with_engine
from sterna.cli.detect import Options
from sterna.cli.progress import bar
from sterna.compile.packages import load as load_package
from sterna.errors import SternaError
from sterna.files import check_file, write_bytes
from sterna.vision import forms, sources
from sterna.vision.sources import Images, Source

#: Of the frames that are generated where none are given: how many differ, and their most pixels a side.
_DIFFERENT, _MOST_SIDE = 4, 16_384


def bench(
    path: Path, inputs: Sequence[str], size: str, backend: str, engine: Path | None, json_file: Path | None,
    options: Options,
) -> None:  # fmt: skip
    """Print how fast `inputs`, or generated frames of `size`, become detections."""
    if json_file:
        check_file(json_file)
    follow, _ = options.follow(), options.detector()
    named = None if options.write is None else forms.parse(options.write)
    (uri,) = with_engine([backend], engine)
    package = load_package(path)
    options.check(package, named or ())
    most = options.frames or 1
    found: list[Source] = options.find(inputs, None, print) if inputs else [_generated(size, most)]
    sources.check(found, print)
    with opened(uri) as runner, bar("bench") as show:
        detector = options.opened(package, runner)
        speed = measure(detector, found, follow, named or forms.usual(found), most=most, show=show, say=print)
        note = runner.note()
    _show(speed)
    if note:
        print(note)
    if json_file:
        write_bytes(json_file, f"{json.dumps({'backend': uri, **speed.as_json()}, indent=1)}\n".encode())
        print(f"Measured: {json_file}")


def _generated(size: str, count: int) -> Images:
    """A video of a few scenes of `size`, which takes no time to read."""
    sides = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", size)
    width, height = (int(sides[1]), int(sides[2])) if sides else (0, 0)
    if not all(1 <= side <= _MOST_SIDE for side in (width, height)):
        raise SternaError("is no size of frames", where="--size", value=size,
                          allowed=f"WIDTHxHEIGHT, 1 .. {_MOST_SIDE} pixels a side", remedy="give 1280x720")  # fmt: skip
    scenes = [_scene(seed, height, width) for seed in range(min(_DIFFERENT, count))]

    def images() -> Iterator[NDArray[np.uint8]]:
        return islice(cycle(scenes), count)

    source = Images(images(), Source.USUAL_RATE)
    source.count, source.size = count, (height, width)
    return source


def _scene(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    side = api.MOST_PIXELS
    scene = api.scene(seed, min(height, side), min(width, side))
    return np.asarray(Image.fromarray(scene).resize((width, height)))


def _show(speed: Speed) -> None:
    table = Table("part", "ms per frame", "share", box=SIMPLE_HEAD, pad_edge=False)
    for part in speed.parts:
        table.add_row(part, f"{speed.milliseconds(part):.2f}", f"{speed.share(part):.1%}")
    Console().print(table)
    print(f"{speed.per_second:.2f} frames per second end to end, over {speed.frames} frames")
