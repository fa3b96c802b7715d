"""Night, rain and a moving camera for generated scenes: hard scenes, drawn with OpenCV."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from sterna.train.data.street import VEHICLE, Conditions, Mover

DARKEST = 0.12  # what is left of the light at the deepest night
HALO = 0.5  # of a headlight, in heights of its vehicle
STREAKS = 700  # of the heaviest rain, per image of equal sides
HAZE = 0.35  # share of grey that the heaviest rain adds

Image = NDArray[np.float32]


def apply(
    image: NDArray[np.uint8], conditions: Conditions, movers: Sequence[Mover], time: float, seed: int
) -> NDArray[np.uint8]:
    """`image` uint8 [H, W, 3] with lit `movers` under `conditions`; the same for the same `seed`."""
    rng = np.random.default_rng(seed)
    seen = image.astype(np.float32)
    if conditions.night:
        seen = _night(seen, conditions.night, movers, time, rng)
    if conditions.rain:
        seen = _rain(seen, conditions.rain, rng)
    if conditions.blur != (0.0, 0.0):
        seen = _blur(seen, conditions.blur)
    return seen.clip(0, 255).astype(np.uint8)


def _night(image: Image, depth: float, movers: Sequence[Mover], time: float, rng: np.random.Generator) -> Image:
    """Little light, bluish; headlights and pools of street light; the noise of a sensor at its limit."""
    height, width, _ = image.shape
    left = 1 - depth * (1 - DARKEST)
    light = np.full((height, width, 3), left, np.float32) * np.array([0.85, 0.92, 1.1], np.float32)
    for x in rng.uniform(0, width / height, 2):
        _shine(
            light, (x * height, rng.uniform(0.4, 0.9) * height), rng.uniform(0.15, 0.3) * height, (1.0, 0.85, 0.6), 0.6
        )
    for mover in movers:
        if mover.kind == VEHICLE:
            x, y = mover.at(time)
            front = x + np.copysign(mover.height * mover.aspect / 2, mover.velocity[0])
            place = (front * height, (y - 0.4 * mover.height) * height)
            _shine(light, place, HALO * mover.height * height, (1.0, 0.95, 0.8), 1.6)
    lit = image * light.clip(0, 1.8) + 60 * (light - left).clip(0, 1.5)
    return lit + rng.normal(0, 3 + 6 * depth, image.shape).astype(np.float32)


def _shine(
    light: Image, place: tuple[float, float], radius: float, colour: tuple[float, float, float], strength: float
) -> None:
    """Add a round light that fades from `place` (x, y) on, in pixels."""
    y, x = np.ogrid[: light.shape[0], : light.shape[1]]
    fade = np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * max(radius, 1.0) ** 2)).astype(np.float32)
    light += strength * fade[..., None] * np.array(colour, np.float32)


def _rain(image: Image, heavy: float, rng: np.random.Generator) -> Image:
    """Haze, and streaks of drops that fall aslant."""
    height, width, _ = image.shape
    hazy = image + heavy * HAZE * (np.float32(image.mean()) * 0.6 + 60 - image)
    drops = np.zeros((height, width), np.uint8)
    slant = rng.uniform(-0.3, 0.3)
    for x, y, length, bright in rng.uniform((-0.1, -0.1, 0.02, 60), (1.1, 1.0, 0.09, 200), (int(heavy * STREAKS), 4)):
        start = np.array([x * width, y * height])
        end = start + np.array([slant, 1.0]) * length * height
        cv2.line(drops, start.astype(int).tolist(), end.astype(int).tolist(), float(bright), 1, cv2.LINE_AA)
    return hazy + 0.35 * drops[..., None].astype(np.float32)


def _blur(image: Image, way: tuple[float, float]) -> Image:
    """The mean along `way`, the camera's motion along x and y as fractions of the height."""
    motion = np.array(way) * image.shape[0]
    side = 2 * int(np.ceil(np.abs(motion).max() / 2)) + 1
    kernel = np.zeros((side, side), np.uint8)
    middle = side // 2
    first, last = (np.rint(middle + sign * motion / 2).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, first, last, 255, 1)
    weights = kernel.astype(np.float32)
    return np.asarray(cv2.filter2D(image, -1, weights / weights.sum(), borderType=cv2.BORDER_REPLICATE), np.float32)
