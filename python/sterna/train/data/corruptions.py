"""Images made worse by known amounts: noise, blur, JPEG and darkness, by kornia.

Hendrycks and Dietterich 2019, "Benchmarking neural network robustness to common corruptions and perturbations", whose
five amounts of noise, blur and JPEG these are. They have none of darkness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sterna.extras import CORRUPTIONS, needed_for
from sterna.train.data.frames import Dataset, Derived, Frame, Labels

#: Of a corruption, from the mildest on.
SEVERITIES = (1, 2, 3, 4, 5)
REACH = 4  # of a blur, in standard deviations


class Corruption(StrEnum):
    """What makes an image worse."""

    NOISE = "noise"
    BLUR = "blur"
    JPEG = "jpeg"
    DARKNESS = "darkness"


#: By severity: the standard deviation of Gaussian noise, of pixels of 0 .. 1; that of a Gaussian blur, in pixels of the
#: image that the network sees; the quality of JPEG; the share of the light that is left.
AMOUNTS: dict[Corruption, tuple[float, ...]] = {
    Corruption.NOISE: (0.08, 0.12, 0.18, 0.26, 0.38),
    Corruption.BLUR: (1, 2, 3, 4, 6),
    Corruption.JPEG: (25, 18, 15, 10, 7),
    Corruption.DARKNESS: (0.7, 0.5, 0.35, 0.2, 0.1),
}
#: What an amount is, in front of it.
UNITS = {
    Corruption.NOISE: "deviation",
    Corruption.BLUR: "deviation in pixels",
    Corruption.JPEG: "quality",
    Corruption.DARKNESS: "light left",
}


@dataclass(frozen=True)
class Corrupted(Derived):
    """The frames of `source`, each as `corrupt` leaves it, by its index; always the same."""

    kind: Corruption
    severity: int

    def __getitem__(self, index: int) -> Frame:
        frame = self.source[index]
        return frame._replace(image=corrupt(frame.image, self.kind, self.severity, index))

    def labels(self, index: int) -> Labels:
        """Labels of frame `index`."""
        return self.source.labels(index)

    def resized(self, height: int, width: int) -> Dataset:
        """The same at height x width pixels, resized before they are made worse."""
        return Corrupted(self.source.resized(height, width), self.kind, self.severity)


def corrupt(image: NDArray[np.uint8], kind: Corruption, severity: int, seed: int) -> NDArray[np.uint8]:
    """RGB `image` uint8 [H, W, 3], both sides 32 or more, made worse; severity: one of SEVERITIES.

    Only noise is random, and equal for an equal `seed`. Raises SternaError if kornia is not installed.
    """
    real = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32))[None] / 255
    amount = AMOUNTS[kind][severity - 1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        worse = _APPLY[kind](_kornia(), real, amount)
    return (255 * worse[0].clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()


def check() -> None:
    """Raise SternaError if kornia is not installed."""
    _kornia()


def _kornia() -> Any:
    with needed_for("making images worse", CORRUPTIONS):
        import kornia
    return kornia


def _noise(kornia: Any, image: Tensor, deviation: float) -> Tensor:
    return kornia.augmentation.RandomGaussianNoise(std=deviation, p=1.0)(image)


def _blur(kornia: Any, image: Tensor, deviation: float) -> Tensor:
    side = 2 * int(REACH * deviation) + 1
    # No wider than the image allows, whose border is mirrored.
    height, width = (min(side, 2 * ((length - 1) // 2) + 1) for length in image.shape[-2:])
    return kornia.filters.gaussian_blur2d(image, (height, width), (deviation, deviation))


def _jpeg(kornia: Any, image: Tensor, quality: float) -> Tensor:
    return kornia.enhance.jpeg_codec_differentiable(image, torch.tensor([float(quality)]))


def _darkness(kornia: Any, image: Tensor, left: float) -> Tensor:
    return kornia.enhance.adjust_brightness_accumulative(image, float(left))


_APPLY: dict[Corruption, Callable[[Any, Tensor, float], Tensor]] = {
    Corruption.NOISE: _noise,
    Corruption.BLUR: _blur,
    Corruption.JPEG: _jpeg,
    Corruption.DARKNESS: _darkness,
}
