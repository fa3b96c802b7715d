"""Cameras of this machine (V4L2), read by OpenCV: the libraries that read videos come without them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import cv2
import numpy as np

from sterna.errors import SternaError
from sterna.vision.frames import Frame
from sterna.vision.sources import Say, Source


class Camera(Source):
    """A camera such as /dev/video0."""

    moving = True

    def __init__(self, device: Path) -> None:
        super().__init__(str(device), device.name)

    def check(self, say: Say) -> None:
        """Raise SternaError if it cannot be opened, or gives no frame."""
        with self._opened() as camera:
            taken, image = camera.read()
            if not taken:
                raise self._refused()
            self.size = image.shape[:2]
            self.rate = camera.get(cv2.CAP_PROP_FPS) or None

    def frames(self, say: Say) -> Iterator[Frame]:
        """Its frames at the time of this machine, until it is unplugged: SternaError."""
        with self._opened() as camera:
            number, begin = 0, monotonic()
            while True:
                taken, image = camera.read()
                if not taken:
                    raise self.lost(number)
                yield Frame(np.ascontiguousarray(image[..., ::-1]), number, monotonic() - begin)
                number += 1

    @contextmanager
    def _opened(self) -> Iterator[cv2.VideoCapture]:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        camera = cv2.VideoCapture(self.origin, cv2.CAP_V4L2)
        try:
            if not camera.isOpened():
                raise self._refused()
            yield camera
        finally:
            camera.release()

    def _refused(self) -> SternaError:
        return SternaError(
            "is no camera that gives frames", where=self.origin,
            remedy="name a camera, as /dev/video0, that no other program uses and that you may read",
        )  # fmt: skip
