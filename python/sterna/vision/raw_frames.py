"""Raw frames from another program through a pipe: the bytes of one frame after another and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.vision.frames import Frame
from sterna.vision.sources import STDIN, Say, Source

MOST_SIDE = 16_384  # pixels


class _Pixels(NamedTuple):
    """rows: bytes per pixel of a plane of one channel, or else channels. even: whether sides must be even."""

    shape: Callable[[int, int], tuple[int, ...]]
    code: int | None
    even: bool = False


#: Forms of pixels, by the names that FFmpeg and GStreamer users know.
FORMS = {
    "rgb24": _Pixels(lambda height, width: (height, width, 3), None),
    "bgr24": _Pixels(lambda height, width: (height, width, 3), cv2.COLOR_BGR2RGB),
    "rgba": _Pixels(lambda height, width: (height, width, 4), cv2.COLOR_RGBA2RGB),
    "bgra": _Pixels(lambda height, width: (height, width, 4), cv2.COLOR_BGRA2RGB),
    "gray": _Pixels(lambda height, width: (height, width), cv2.COLOR_GRAY2RGB),
    "yuv420p": _Pixels(lambda height, width: (height * 3 // 2, width), cv2.COLOR_YUV2RGB_I420, even=True),
    "nv12": _Pixels(lambda height, width: (height * 3 // 2, width), cv2.COLOR_YUV2RGB_NV12, even=True),
    "yuyv422": _Pixels(lambda height, width: (height, width, 2), cv2.COLOR_YUV2RGB_YUY2, even=True),
}


class RawForm(NamedTuple):
    """How frames lie in the stream: `width` x `height` pixels of the form `pixels`, one of FORMS."""

    width: int
    height: int
    pixels: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """`text` is WIDTHxHEIGHT:PIXELS. Raises SternaError for anything else."""
        found = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6}):([a-z0-9]+)", text)
        form = cls(int(found[1]), int(found[2]), found[3]) if found else None
        if form is None or form.pixels not in FORMS:
            raise SternaError(
                "is no form of raw frames", where="--raw", value=text,
                allowed=f"WIDTHxHEIGHT:PIXELS with PIXELS one of {', '.join(FORMS)}", remedy="give 1280x720:rgb24",
            )  # fmt: skip
        step = 2 if FORMS[form.pixels].even else 1
        if not all(1 <= side <= MOST_SIDE and side % step == 0 for side in form[:2]):
            raise SternaError(
                "frames cannot have this size", where="--raw", value=text,
                allowed=f"1 .. {MOST_SIDE} pixels a side" + (", even" if step > 1 else ""), remedy="give another size",
            )  # fmt: skip
        return form

    @property
    def length(self) -> int:
        """Bytes per frame."""
        return int(np.prod(FORMS[self.pixels].shape(self.height, self.width)))

    def image(self, data: bytes) -> NDArray[np.uint8]:
        """RGB uint8 [H, W, 3] of the bytes of a frame."""
        pixels = FORMS[self.pixels]
        planes = np.frombuffer(data, np.uint8).reshape(pixels.shape(self.height, self.width))
        return planes if pixels.code is None else np.asarray(cv2.cvtColor(planes, pixels.code), np.uint8)


class RawFrames(Source):
    """Frames of one form from `stream`, `rate` per second."""

    moving = True

    def __init__(self, stream: BinaryIO, form: RawForm, rate: float) -> None:
        super().__init__(STDIN, "stdin")
        self._stream, self._form, self.rate = stream, form, rate
        self.size = (form.height, form.width)

    def check(self, say: Say) -> None:
        """Nothing can be known before it is read."""

    def frames(self, say: Say) -> Iterator[Frame]:
        """The frames until the stream ends. Raises SternaError if it ends within one, or holds none."""
        assert self.rate is not None
        number = 0
        while data := self._stream.read(self._form.length):
            if len(data) < self._form.length:
                raise self._partial(number, len(data))
            yield Frame(self._form.image(data), number, number / self.rate)
            number += 1
        if not number:
            raise SternaError("holds no frame", where=self.origin, remedy="start the program that sends frames")

    def _partial(self, number: int, found: int) -> SternaError:
        return SternaError(
            f"ends within frame {number}", where=self.origin, attribute="bytes", value=found,
            allowed=f"{self._form.length} per frame of {self._form.width}x{self._form.height}:{self._form.pixels}",
            remedy="send whole frames of the size and pixels that --raw names",
        )  # fmt: skip
