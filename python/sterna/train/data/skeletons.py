"""Joints of a moving body over time as maps for the network `skeleton`, and generated movements to try it with.

The generated ones are made of angles between bones, not recorded of people: they show that such a network trains, fits
and runs, not how well it does on people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph.network import GREY
from sterna.graph.networks import PART_CHANNELS, PARTS
from sterna.vision import maps

LIMBS = ("left arm", "right arm", "left leg", "right leg")
PARTS_OF_A_BODY = ("trunk", *LIMBS)
JOINTS = 4
"""Of a part, from the middle of the body outwards: hips, spine, neck, head; shoulder, elbow, wrist, hand; and so on."""
SIDE = 8
"""Of a map: so many segments of as many frames."""
PER_METRE = 100
"""Values of a map that a metre is."""
Values = NDArray[np.float64]
Angle = float | Values
Limb = tuple[Angle, Angle, Angle, Angle]
"""Of the first bone, forward and outward from hanging down, then of the second."""


def to_map(joints: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Joints [T, 5, 4, 3] as a map uint8 [8, 8, 96], in which 128 is 0 m and the others lie within +-1.27 m.

    joints: x, y, z in metres from the hips, of each of PARTS_OF_A_BODY, for one frame or more. A row of the map is one
    segment of the time. Its channels are each limb's, and with each those of the trunk again, so that groups of
    neighbours are parts, limbs with the trunk, halves of the body. Raises SternaError for another shape.
    """
    if joints.ndim != 4 or joints.shape[1:] != (len(PARTS_OF_A_BODY), JOINTS, 3) or not len(joints):
        raise SternaError(
            "are no joints of a body over time", where="to_map", attribute="shape", value=joints.shape,
            allowed=f"frames, {len(PARTS_OF_A_BODY)} parts, {JOINTS} joints, 3 coordinates",
            remedy="choose these joints of your skeletons",
        )  # fmt: skip
    frames = np.linspace(0, len(joints) - 1, SIDE * SIDE).round().astype(int)
    values = np.clip(np.rint(PER_METRE * joints[frames]) + GREY, 0, 255).astype(np.uint8)
    parts = [part for limb in range(1, len(PARTS_OF_A_BODY)) for part in (limb, 0)]
    return values[:, parts].reshape(SIDE, SIDE, PARTS * PART_CHANNELS)


@dataclass(frozen=True)
class Tempo:
    """How a movement goes on, [T] each: `swing` to and fro between -1 and 1, `once` from 0 to 1 and back."""

    swing: Values
    once: Values


def _hand_up(tempo: Tempo) -> Limb:
    return 0.1, 1.3, 0.1, 2.4 + 0.5 * tempo.swing


def _clapping(tempo: Tempo) -> Limb:
    return 1.0, 0.2, 1.3, 0.35 * (tempo.swing - 1)


def _raised(tempo: Tempo) -> Limb:
    return 0.1, 0.1 + 2.6 * tempo.once, 0.1, 0.1 + 2.8 * tempo.once


def _kicking(tempo: Tempo) -> Limb:
    return 1.3 * tempo.once, 0.05, 1.3 * tempo.once**3, 0.05


def _stepping(swing: Angle) -> Limb:
    return 0.5 * swing, 0.05, 0.5 * swing - 0.3, 0.05


def _crouching(tempo: Tempo) -> Limb:
    return 1.2 * tempo.once, 0.15, -0.9 * tempo.once, 0.15


Pose = Mapping[str, Any]
"""Limbs by name that are not at rest, and `bend` and `twist`, angles of the trunk."""
MOTIONS: dict[str, Callable[[Tempo], Pose]] = {
    "bow": lambda tempo: {"bend": 1.1 * tempo.once},
    "clap": lambda tempo: {"left arm": _clapping(tempo), "right arm": _clapping(tempo)},
    "kick left": lambda tempo: {"left leg": _kicking(tempo)},
    "kick right": lambda tempo: {"right leg": _kicking(tempo)},
    "raise arms": lambda tempo: {"left arm": _raised(tempo), "right arm": _raised(tempo)},
    "squat": lambda tempo: {"left leg": _crouching(tempo), "right leg": _crouching(tempo)},
    "stand": lambda tempo: {},
    "twist": lambda tempo: {"twist": 0.8 * tempo.swing},
    "walk": lambda tempo: {
        limb: _stepping(sign * tempo.swing) for limb, sign in zip(LIMBS, (1, -1, -1, 1), strict=True)
    },
    "wave left": lambda tempo: {"left arm": _hand_up(tempo)},
    "wave right": lambda tempo: {"right arm": _hand_up(tempo)},
}
"""The generated movements, by the name of their class."""
_REST: dict[str, Limb] = {
    **dict.fromkeys(LIMBS[:2], (0.05, 0.1, 0.25, 0.1)), **dict.fromkeys(LIMBS[2:], (0.0, 0.05, -0.05, 0.05))
}  # fmt: skip
#: In metres: how high joints of the trunk are, lengths of bones of arms and legs, and of hands and feet.
_HEIGHTS, _SHOULDER = np.array([0.0, 0.25, 0.5, 0.7]), (0.18, 0.47)
_ARM, _LEG, _HIP = (0.28, 0.25, 0.1), (0.42, 0.42, 0.12), 0.1


def moving(motion: str, rng: np.random.Generator, frames: int = 64, noise: float = 0.1) -> Values:
    """Joints [frames, 5, 4, 3] of a body of any size that does `motion`, one of MOTIONS, in its own time.

    noise: the deviation of each coordinate, in metres.
    """
    time = np.linspace(0, 1, frames)
    swing = np.sin(2 * np.pi * (rng.uniform(1.5, 4) * time + rng.uniform()))
    once = np.exp(-(((time - rng.uniform(0.3, 0.7)) / rng.uniform(0.1, 0.25)) ** 2))
    size = rng.uniform(0.3, 1.2)
    pose = MOTIONS[motion](Tempo(size * swing, size * once))
    sway = {limb: 0.1 * np.sin(2 * np.pi * (rng.uniform(0.2, 2, 4)[:, None] * time + rng.uniform())) for limb in LIMBS}
    limbs = {limb: np.stack([angle + 0 * time for angle in pose.get(limb, _REST[limb])]) + sway[limb] for limb in LIMBS}
    joints = _body(limbs, pose.get("bend", 0.0) + 0 * time, pose.get("twist", 0.0) + 0 * time)
    turned = joints @ _about_y(rng.uniform(-1.2, 1.2))
    return rng.uniform(0.85, 1.15) * turned + rng.normal(0, noise, joints.shape)


def _body(limbs: Mapping[str, Values], bend: Values, twist: Values) -> Values:
    """Joints [T, 5, 4, 3] for the limbs' angles, [4, T] each, and for those of the trunk, [T]."""
    bent = np.stack([0 * bend, np.cos(bend), np.sin(bend)], -1)
    across = np.stack([np.cos(twist), 0 * twist, -np.sin(twist)], -1)
    parts = [_HEIGHTS[None, :, None] * bent[:, None]]
    for limb in LIMBS:
        side = -1 if limb.startswith("left") else 1
        if limb.endswith("arm"):
            root = _SHOULDER[1] * bent + side * _SHOULDER[0] * across
            parts.append(_limb(root, _ARM, side, limbs[limb], twist))
        else:
            parts.append(_limb(0 * bent + [side * _HIP, 0, 0], _LEG, side, limbs[limb], 0 * twist))
    return np.stack(parts, 1)


def _limb(root: Values, bones: Sequence[float], side: int, angles: Values, twist: Values) -> Values:
    """Its joints [T, 4, 3]: the last bone goes on as the one before it."""
    forward, outward = angles[::2], angles[1::2]
    hanging = [side * np.sin(outward), -np.cos(outward) * np.cos(forward), np.cos(outward) * np.sin(forward)]
    upper, lower = np.stack(hanging, -1)[:, :, None] @ _about_y(twist)
    joints = [root]
    for length, direction in zip(bones, (upper, lower, lower), strict=True):
        joints.append(joints[-1] + length * direction[:, 0])
    return np.stack(joints, 1)


def _about_y(angle: float | Values) -> Values:
    """What turns rows around the body's axis, [..., 3, 3]."""
    cos, sin, zero = np.cos(angle), np.sin(angle), 0.0 * np.asarray(angle)
    rows = np.array([[cos, zero, -sin], [zero, zero + 1, zero], [sin, zero, cos]])
    return np.moveaxis(rows, (0, 1), (-2, -1))


def generate(folder: Path, counts: Mapping[str, int], seed: int, noise: float = 0.1) -> None:
    """Write generated movements as a data set for classification, so many of each class by the name of the split."""
    for split, motion, number, values in _all(counts, seed, noise):
        path = folder / split / motion / f"{number:04}{maps.SUFFIX}"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, values)


def _all(counts: Mapping[str, int], seed: int, noise: float) -> Iterator[tuple[str, str, int, NDArray[np.uint8]]]:
    for place, (split, count) in enumerate(counts.items()):
        for kind, motion in enumerate(MOTIONS):
            for number in range(count):
                rng = np.random.default_rng((seed, place, kind, number))
                yield split, motion, number, to_map(moving(motion, rng, noise=noise))
