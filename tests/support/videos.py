"""Small videos, of squares that move on a plain ground."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

TICK = Fraction(1, 1000)
RATE = 25


def images(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Frames that are grey, each brighter than the one before, with a red square that goes right by 2 pixels."""
    found = []
    for number in range(count):
        image = np.full((height, width, 3), 40 + number % 100, np.uint8)
        image[10:20, 2 * number % width : 2 * number % width + 10] = (220, 30, 30)
        found.append(image)
    return found


def write(path: Path, frames: Iterable[np.ndarray], times: Sequence[float] | None = None, codec: str = "mpeg4") -> Path:
    """`frames` as a video; `times` in seconds, if not evenly. The header of an MP4 comes first, as for the web."""
    with av.open(str(path), "w", options={"movflags": "faststart"} if path.suffix == ".mp4" else {}) as container:
        stream = None
        for number, image in enumerate(frames):
            if stream is None:
                stream = container.add_stream(codec, rate=RATE, options={"qscale": "3"})
                stream.height, stream.width, stream.pix_fmt = *image.shape[:2], "yuv420p"
                tick = Fraction(1, RATE) if times is None else TICK
                stream.codec_context.time_base = tick
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number if times is None else round(times[number] / tick), tick
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))
    return path


def read(path: Path) -> list[tuple[float, np.ndarray]]:
    """Time and pixels of the frames of a video."""
    with av.open(str(path)) as container:
        return [(float(frame.time or 0), frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def turned(path: Path, result: Path) -> Path:
    """A copy of an MP4 whose header turns it by a quarter, as phones that are held upright write them."""
    data = path.read_bytes()
    upright = np.array([1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30], ">i4").tobytes()
    quarter = np.array([0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30], ">i4").tobytes()
    at = data.index(upright, data.index(b"tkhd"))
    result.write_bytes(data[:at] + quarter + data[at + len(quarter) :])
    return result
