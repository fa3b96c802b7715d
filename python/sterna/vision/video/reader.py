"""Video files and network cameras, read by PyAV (FFmpeg)."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from numpy.typing import NDArray

from sterna import recognise
from sterna.errors import SternaError
from sterna.vision.frames import Frame
from sterna.vision.sources import Say, Source

#: Frames of a video that may be missing at its end, and their share, before it counts as cut off: headers round.
_MISSING, _MISSING_SHARE = 2, 0.05
#: Seconds to wait for a network camera: to open it, and for each part of its stream.
_PATIENCE = 10.0
_DURATION = re.compile(r"(\d+):(\d+):(\d+\.?\d*)")
_AGAIN = "copy or download it again"


class _Stream(Source):
    """The first video stream of a container."""

    moving = True

    @abstractmethod
    def _open(self) -> InputContainer: ...

    @abstractmethod
    def _failed(self, error: Exception, frames: int) -> SternaError:
        """What to say of `error` after so many frames."""

    @abstractmethod
    def _ended(self, frames: int, seconds: float, stream: av.VideoStream) -> SternaError | None:
        """What to say of the end of `stream` after `frames` and `seconds`; None: all is well."""

    def check(self, say: Say) -> None:
        """Raise SternaError if it cannot be opened, or its first frame cannot be read."""
        with self._opened() as container:
            stream = self._video(container)
            self.rate = float(stream.average_rate or stream.guessed_rate or 0) or None
            self.count = _count(stream)
            for frame in self._decoded(container, lambda _: None):
                self.size = _upright(frame).shape[:2]
                return
            raise self._none()

    def frames(self, say: Say) -> Iterator[Frame]:
        """The frames, turned upright as players show them, at the times that the video says.

        `say` is told of parts that were damaged. Raises SternaError if it ends before its time.
        """
        number, damaged = 0, 0

        def note(_: Exception) -> None:
            nonlocal damaged
            damaged += 1

        with self._opened() as container:
            stream = self._video(container)
            rate = float(stream.average_rate or stream.guessed_rate or self.USUAL_RATE)
            begin = None
            last = -1.0
            try:
                for frame in self._decoded(container, note):
                    at = number / rate if frame.time is None else frame.time
                    begin = at if begin is None else begin
                    # Times that stand still or go back come from damaged or joined files.
                    last = at - begin if at - begin > last else last + 1 / rate
                    yield Frame(_upright(frame), number, last)
                    number += 1
            except FFmpegError as error:
                raise self._failed(error, number) from None
            if not number:
                raise self._none()
            if damaged:
                say(f"{self.origin}: {damaged} damaged parts passed over")
            if ended := self._ended(number, last + 1 / rate, stream):
                raise ended

    def _decoded(self, container: InputContainer, damaged: Callable[[Exception], None]) -> Iterator[av.VideoFrame]:
        for packet in container.demux(self._video(container)):
            try:
                yield from packet.decode()
            except InvalidDataError as error:
                damaged(error)

    @contextmanager
    def _opened(self) -> Iterator[InputContainer]:
        try:
            container = self._open()
        except (FFmpegError, OSError, ValueError) as error:
            raise self._failed(error, 0) from None
        with container:
            yield container

    def _video(self, container: InputContainer) -> av.VideoStream:
        if not container.streams.video:
            raise self._none()
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        return stream

    def _none(self) -> SternaError:
        return SternaError("the video has no frames", where=self.origin, remedy="give a video with a picture")


class VideoFile(_Stream):
    """A video in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), path.stem)
        self._path = path

    def _open(self) -> InputContainer:
        # By a file of Python's: FFmpeg would read some names as protocols.
        return av.open(self._path.open("rb"), "r")

    def _failed(self, error: Exception, frames: int) -> SternaError:
        kind = recognise.kind_of(self._path)
        if (isinstance(error, InvalidDataError) or kind == recognise.EMPTY) and not frames:
            return SternaError("is not a readable video", where=self.origin, value=kind,
                               remedy=recognise.AGAIN.get(kind, _AGAIN))  # fmt: skip
        after = f" after {frames} frames" if frames else ""
        return SternaError(f"the video cannot be read{after} ({_reason(error)})", where=self.origin, remedy=_AGAIN)

    def _ended(self, frames: int, seconds: float, stream: av.VideoStream) -> SternaError | None:
        count, length = _count(stream), _seconds(stream)
        if count is None or length is None or length - seconds <= max(_MISSING / count, _MISSING_SHARE) * length:
            return None
        return SternaError("the video is cut off", where=self.origin, attribute="frames", value=frames,
                           allowed=f"{count} by its header", remedy=_AGAIN)  # fmt: skip


class NetworkCamera(_Stream):
    """A camera, or a stream of another program, at a URL such as rtsp://... or tcp://..."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "camera")

    def _open(self) -> InputContainer:
        options = {"rtsp_transport": "tcp"} if self.origin.startswith("rtsp") else {}
        return av.open(self.origin, "r", options=options, timeout=(_PATIENCE, _PATIENCE))

    def _failed(self, error: Exception, frames: int) -> SternaError:
        if not frames:
            return SternaError(f"the camera cannot be opened ({_reason(error)})", where=self.origin,
                               remedy="check the address, and that it sends")  # fmt: skip
        return self.lost(frames)

    def _ended(self, frames: int, seconds: float, stream: av.VideoStream) -> SternaError | None:
        return self.lost(frames)


def _seconds(stream: av.VideoStream) -> float | None:
    """How long a stream should be; None if the container does not tell."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    tag = _DURATION.fullmatch(stream.metadata.get("DURATION", ""))  # of Matroska and WebM
    return 3600 * int(tag[1]) + 60 * int(tag[2]) + float(tag[3]) if tag else None


def _count(stream: av.VideoStream) -> int | None:
    """How many frames a stream should have; None if the container does not tell."""
    seconds, rate = _seconds(stream), stream.average_rate or stream.guessed_rate
    return stream.frames or (round(seconds * rate) if seconds and rate else None) or None


def _upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """RGB uint8 [H, W, 3], turned as the video says."""
    pixels = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90) % 4))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
