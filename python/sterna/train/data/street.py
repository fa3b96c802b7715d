"""Lays out a generated street from a random generator, in fractions of the image's height."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

CLASSES = ("vehicle", "person")
VEHICLE, PERSON = range(len(CLASSES))

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Mover:
    """An object: class, the foot of its centre (x, y), height, aspect (width / height), velocity per frame."""

    kind: int
    x: float
    y: float
    height: float
    aspect: float
    velocity: tuple[float, float]
    colours: tuple[Colour, ...]
    variant: int

    def at(self, time: float) -> tuple[float, float]:
        """Foot position at frame number `time`."""
        return self.x + self.velocity[0] * time, self.y + self.velocity[1] * time


@dataclass(frozen=True)
class Prop:
    """Unlabelled clutter: what it is, its foot and its height."""

    kind: str
    x: float
    y: float
    height: float
    colour: Colour
    seed: int


@dataclass(frozen=True)
class Conditions:
    """What makes a scene hard; the defaults are those of an easy one.

    night, rain: 0 (none) to 1. zoom: how large things are, 1 and less: the camera is farther away. crowd: how many
    times as many people and vehicles. blur: the way that the camera moves while it takes the image, in fractions of the
    image's height, along x and y.
    """

    night: float = 0.0
    rain: float = 0.0
    zoom: float = 1.0
    crowd: float = 1.0
    blur: tuple[float, float] = (0.0, 0.0)


EASY = Conditions()


def draw_conditions(rng: np.random.Generator) -> Conditions:
    """Conditions of a hard scene: each of them is there in a part of the scenes, mostly several together."""
    blurred = rng.random() < 0.4
    length, angle = rng.uniform(0.008, 0.035), rng.uniform(0, np.pi)
    return Conditions(
        night=float(rng.uniform(0.5, 1.0)) if rng.random() < 0.4 else 0.0,
        rain=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.4 else 0.0,
        zoom=float(rng.uniform(0.35, 0.8)) if rng.random() < 0.6 else 1.0,
        crowd=float(rng.uniform(2.0, 4.0)) if rng.random() < 0.5 else 1.0,
        blur=(float(length * np.cos(angle)), float(length * np.sin(angle))) if blurred else (0.0, 0.0),
    )


@dataclass
class Street:
    """What stays still: bands from top to bottom, light, clutter and the movers at frame 0."""

    bands: list[tuple[float, str, Colour]]  # lower edge, texture, colour
    tilt: float
    light: float
    tint: NDArray[np.float32]
    noise_seed: int
    aspect: float
    conditions: Conditions = EASY
    movers: list[Mover] = field(default_factory=list)
    props: list[Prop] = field(default_factory=list)


def plan(rng: np.random.Generator, aspect: float, conditions: Conditions = EASY) -> Street:
    """Lay out a street: horizon strip, far pavement, road of two lanes, near pavement, grass."""
    road_top = rng.uniform(0.25, 0.4)
    road_bottom = road_top + rng.uniform(0.28, 0.4)
    near_pavement = road_bottom + rng.uniform(0.1, 0.2)
    far_pavement = road_top - rng.uniform(0.06, 0.12)
    grass = _pick(rng, ((86, 110, 62), (104, 118, 74), (120, 112, 84), (76, 98, 70)))
    paving = _pick(rng, ((150, 146, 140), (165, 152, 138), (132, 134, 138)))
    asphalt = _pick(rng, ((82, 84, 88), (98, 97, 96), (68, 70, 76), (112, 108, 104)))
    street = Street(
        bands=[
            (far_pavement, "grass", grass),
            (road_top, "paving", paving),
            (road_bottom, "asphalt", asphalt),
            (near_pavement, "paving", paving),
            (2.0, "grass", grass),
        ],
        tilt=rng.uniform(-0.06, 0.06),
        light=rng.uniform(0.7, 1.2),
        tint=rng.normal(1.0, 0.03, 3).astype(np.float32),
        noise_seed=int(rng.integers(1 << 31)),
        aspect=aspect,
        conditions=conditions,
    )
    lanes = [road_top + (road_bottom - road_top) * share for share in (0.42, 0.9)]
    street.movers += _plan_vehicles(rng, street, lanes)
    street.movers += _plan_people(rng, street, (far_pavement, road_top), (road_bottom, near_pavement + 0.12))
    street.props += _plan_props(rng, street, far_pavement, near_pavement)
    return street


def _size_at(y: float, street: Street) -> float:
    """Perspective: how large things are whose foot is at height `y` of the image."""
    return (0.45 + 0.75 * y) * street.conditions.zoom


def _plan_vehicles(rng: np.random.Generator, street: Street, lanes: list[float]) -> list[Mover]:
    vehicles = []
    for lane, y in enumerate(lanes):
        x = rng.uniform(-0.2, 0.35)
        direction = -1.0 if lane == 0 else 1.0
        speed = rng.uniform(0.008, 0.025)
        while x < street.aspect + 0.1:
            variant = int(rng.choice(4, p=(0.5, 0.2, 0.18, 0.12)))  # car, van, lorry, taxi
            aspect = (1.95, 1.7, 2.2, 1.95)[variant] * rng.uniform(0.92, 1.08)
            height = _size_at(y, street) * (0.145, 0.19, 0.215, 0.145)[variant] * rng.uniform(0.9, 1.12)
            paint = (226, 186, 40) if variant == 3 else _paint(rng)
            foot = y + street.tilt * (x - street.aspect / 2) + rng.uniform(-0.015, 0.015)
            velocity = (direction * speed * _size_at(y, street), direction * speed * _size_at(y, street) * street.tilt)
            vehicles.append(Mover(VEHICLE, x, foot, height, aspect, velocity, (paint,), variant))
            x += height * aspect * rng.uniform(1.0, 1.3) + rng.exponential(0.3 / street.conditions.crowd**2)
    return vehicles


def _plan_people(rng: np.random.Generator, street: Street, *areas: tuple[float, float]) -> list[Mover]:
    people = []
    edge = min(0.02, street.aspect / 2)  # of an image that is as narrow
    for _ in range(round(int(rng.integers(2, 8)) * street.conditions.crowd)):
        top, bottom = areas[int(rng.random() < 0.6)]
        if rng.random() < 0.12:  # someone crosses the road
            top, bottom = areas[0][1], areas[1][0]
        x, y = rng.uniform(edge, street.aspect - edge), rng.uniform(top + 0.02, bottom)
        height = _size_at(y, street) * 0.17 * rng.uniform(0.85, 1.15)
        clothes = (_paint(rng), _paint(rng), _skin(rng), _pick(rng, ((40, 30, 25), (90, 65, 40), (150, 120, 70))))
        speed = rng.choice((-1.0, 1.0)) * rng.uniform(0.002, 0.006)
        foot = y + street.tilt * (x - street.aspect / 2)
        velocity = (speed, speed * street.tilt)
        people.append(
            Mover(PERSON, x, foot, height, rng.uniform(0.36, 0.46), velocity, clothes, int(rng.integers(1 << 16)))
        )
    return people


def _plan_props(rng: np.random.Generator, street: Street, far: float, near: float) -> list[Prop]:
    props = []
    for _ in range(int(rng.integers(3, 9))):
        kind = str(rng.choice(["tree", "bush", "lamp", "box", "bin"]))
        y = rng.uniform(far - 0.12, far + 0.02) if rng.random() < 0.6 else rng.uniform(near + 0.06, 1.05)
        tall = {"tree": 0.34, "bush": 0.12, "lamp": 0.4, "box": 0.1, "bin": 0.08}[kind]
        green = kind in ("tree", "bush")
        colour = _pick(rng, ((52, 84, 44), (70, 96, 50), (96, 102, 48), (120, 84, 40))) if green else _paint(rng)
        props.append(
            Prop(
                kind,
                rng.uniform(0, street.aspect),
                y,
                tall * _size_at(y, street) * rng.uniform(0.8, 1.3),
                colour,
                int(rng.integers(1 << 31)),
            )
        )
    return props


def _pick(rng: np.random.Generator, choices: tuple[Colour, ...]) -> Colour:
    return choices[int(rng.integers(len(choices)))]


def _paint(rng: np.random.Generator) -> Colour:
    """A colour of cars and clothes: often grey, sometimes strong."""
    if rng.random() < 0.45:
        level = int(rng.choice((28, 60, 120, 190, 235)))
        return level, level, min(255, level + 4)
    red, green, blue = (int(v) for v in rng.integers(20, 220, 3))
    return red, green, blue


def _skin(rng: np.random.Generator) -> Colour:
    return _pick(rng, ((236, 200, 170), (205, 155, 120), (150, 105, 75), (95, 65, 48)))
