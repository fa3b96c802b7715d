"""Writes a video file, by PyAV (FFmpeg): H.264 in MP4, which every player shows."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.error import FFmpegError
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.files import cannot_write, partial_of

#: In order of preference; builds of PyAV without x264 have one of the others.
_CODECS = ("libx264", "libopenh264", "mpeg4")
_OPTIONS = {"libx264": {"crf": "21", "preset": "veryfast"}}
#: Of times: the usual rates are whole numbers of it, and MPEG-4 allows no finer one.
_TICK = Fraction(1, 60_000)
#: H.264 and MPEG-4 keep colours for pairs of pixels.
_EVEN = 2


class VideoWriter:
    """A video of frames of one size, in the file `path` once it is closed."""

    def __init__(self, path: Path, rate: float) -> None:
        """rate: frames per second, for players; each frame has its own time."""
        self.path, self._rate = path, rate
        self._partial = partial_of(path)
        self._last = -1
        self._size: tuple[int, int] | None = None

    def add(self, image: NDArray[np.uint8], seconds: float) -> None:
        """The next frame, RGB uint8 [H, W, 3], shown from `seconds` on. Raises SternaError if it cannot be written."""
        if self._size is None:
            self._size = (image.shape[0], image.shape[1])
            self._begin()
        if image.shape[:2] != self._size:
            raise SternaError(
                "the frames change their size, which a video cannot", where=str(self.path), attribute="height, width",
                value=", ".join(map(str, image.shape[:2])), allowed=", ".join(map(str, self._size)),
                remedy="write frames instead of a video",
            )  # fmt: skip
        frame = av.VideoFrame.from_ndarray(_even(image), format="rgb24")
        self._last = max(self._last + 1, round(seconds / _TICK))
        frame.pts, frame.time_base = self._last, _TICK
        self._encode(frame)

    def close(self) -> None:
        """End the video and put it in its place; without a frame there is none. May be called twice."""
        if self._size is None:
            return
        self._encode(None)
        try:
            self._container.close()
            self._file.close()
            self._partial.replace(self.path)
        except OSError as error:
            self.discard()
            raise cannot_write(self.path, error) from None
        self._size = None

    def discard(self) -> None:
        """Remove what was written of it."""
        if self._size is None:
            return
        self._size = None
        for close in (self._container.close, self._file.close, self._partial.unlink):
            with suppress(OSError, ValueError):
                close()

    def _begin(self) -> None:
        assert self._size is not None
        name = next(name for name in _CODECS if _is_there(name))
        try:
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._partial.open("wb")
        except OSError as error:
            self._size = None
            raise cannot_write(self.path, error) from None
        self._container = av.open(self._file, "w", format="mp4")
        rate = Fraction(self._rate).limit_denominator(1001)
        stream = self._container.add_stream(name, rate=rate, options=_OPTIONS.get(name, {}))
        assert isinstance(stream, av.VideoStream)
        self._stream = stream
        self._stream.height, self._stream.width = (side + side % _EVEN for side in self._size)
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = _TICK

    def _encode(self, frame: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except OSError as error:
            self.discard()
            raise cannot_write(self.path, error) from None
        except FFmpegError as error:
            self.discard()
            raise SternaError(f"the video cannot be encoded ({error.strerror})", where=str(self.path),
                              remedy="write frames instead of a video") from None  # fmt: skip


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`image`; a side of an odd number of pixels gets its last one twice."""
    height, width, _ = image.shape
    return np.ascontiguousarray(np.pad(image, ((0, height % _EVEN), (0, width % _EVEN), (0, 0)), "edge"))


def _is_there(codec: str) -> bool:
    try:
        Codec(codec, "w")
    except UnknownCodecError:
        return False
    return True
