"""A seeded generator of street scenes with small moving vehicles and people, drawn on the fly.

A scene is a street seen from a raised camera: bands of grass, pavement and asphalt with texture, trees and
street furniture that carry no label, and labelled vehicles and people that move with constant velocity. All
lengths in a scene are fractions of the picture's height, so one scene can be drawn at any size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from sterna.train.frames import Frame

CLASSES = ("vehicle", "person")
VEHICLE, PERSON = range(len(CLASSES))
SPLITS = ("train", "val", "test")
OVERSAMPLE = 3  # sprites are drawn this much larger and shrunk: smooth edges
SMALLEST_VISIBLE = 0.4  # an object is labelled if this share of its box is in the picture and not hidden

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


@dataclass
class Street:
    """What stays still: bands from top to bottom, light, clutter and the movers at frame 0."""

    bands: list[tuple[float, str, Colour]]  # lower edge, texture, colour
    tilt: float
    light: float
    tint: NDArray[np.float32]
    noise_seed: int
    aspect: float
    movers: list[Mover] = field(default_factory=list)
    props: list[Prop] = field(default_factory=list)


class SceneSequence:
    """Frames of one scene: the same `key` always gives the same frames.

    key: integers that seed the scene. height, width: pixels of the pictures, at least 32.
    """

    def __init__(self, key: tuple[int, ...], height: int, width: int) -> None:
        self.height, self.width = height, width
        self._street = _plan(np.random.default_rng(key), width / height)
        self._ground = _draw_ground(self._street, height, width)

    def frame(self, time: float = 0.0) -> Frame:
        """The picture and its labels at frame number `time`."""
        street, size = self._street, self.height
        canvas = self._ground.copy()
        painted: list[tuple[int, tuple[float, float, float, float]]] = []
        things: list[tuple[float, Mover | Prop]] = [(mover.at(time)[1], mover) for mover in street.movers]
        things += [(prop.y, prop) for prop in street.props]
        for _, thing in sorted(things, key=lambda pair: pair[0]):
            if isinstance(thing, Prop):
                box = _paste(canvas, _draw_prop(thing, size), thing.x, thing.y, size)
                painted.append((-1, box))
            else:
                x, y = thing.at(time)
                box = _paste(canvas, _draw_mover(thing, time, size), x, y, size)
                painted.append((thing.kind, box))
        image = _develop(canvas, street)
        boxes, classes = _labels(painted, self.height, self.width)
        return Frame(image, boxes, classes, np.zeros(len(classes), bool))


class SceneSet:
    """`count` different scenes as a dataset, each drawn when it is asked for.

    seed and split choose which: no scene of one split occurs in another, nor at another seed.
    """

    classes = CLASSES

    def __init__(self, seed: int, split: str, count: int, height: int, width: int) -> None:
        self._key = (seed, SPLITS.index(split))
        self._count, self._height, self._width = count, height, width

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Frame:
        if not 0 <= index < self._count:
            raise IndexError(index)
        return SceneSequence((*self._key, index), self._height, self._width).frame()


def _plan(rng: np.random.Generator, aspect: float) -> Street:
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
    )
    lanes = [road_top + (road_bottom - road_top) * share for share in (0.42, 0.9)]
    street.movers += _plan_vehicles(rng, street, lanes)
    street.movers += _plan_people(rng, street, (far_pavement, road_top), (road_bottom, near_pavement + 0.12))
    street.props += _plan_props(rng, street, far_pavement, near_pavement)
    return street


def _size_at(y: float) -> float:
    """Perspective: how large things are whose foot is at height `y` of the picture."""
    return 0.45 + 0.75 * y


def _plan_vehicles(rng: np.random.Generator, street: Street, lanes: list[float]) -> list[Mover]:
    vehicles = []
    for lane, y in enumerate(lanes):
        x = rng.uniform(-0.2, 0.35)
        direction = -1.0 if lane == 0 else 1.0
        speed = rng.uniform(0.008, 0.025)
        while x < street.aspect + 0.1:
            variant = int(rng.choice(4, p=(0.5, 0.2, 0.18, 0.12)))  # car, van, lorry, taxi
            aspect = (1.95, 1.7, 2.2, 1.95)[variant] * rng.uniform(0.92, 1.08)
            height = _size_at(y) * (0.145, 0.19, 0.215, 0.145)[variant] * rng.uniform(0.9, 1.12)
            paint = (226, 186, 40) if variant == 3 else _paint(rng)
            foot = y + street.tilt * (x - street.aspect / 2) + rng.uniform(-0.015, 0.015)
            velocity = (direction * speed * _size_at(y), direction * speed * _size_at(y) * street.tilt)
            vehicles.append(Mover(VEHICLE, x, foot, height, aspect, velocity, (paint,), variant))
            x += height * aspect * rng.uniform(1.0, 1.3) + rng.exponential(0.3)
    return vehicles


def _plan_people(rng: np.random.Generator, street: Street, *areas: tuple[float, float]) -> list[Mover]:
    people = []
    for _ in range(int(rng.integers(2, 8))):
        top, bottom = areas[int(rng.random() < 0.6)]
        if rng.random() < 0.12:  # someone crosses the road
            top, bottom = areas[0][1], areas[1][0]
        x, y = rng.uniform(0.02, street.aspect - 0.02), rng.uniform(top + 0.02, bottom)
        height = _size_at(y) * 0.17 * rng.uniform(0.85, 1.15)
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
                tall * _size_at(y) * rng.uniform(0.8, 1.3),
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


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (max(0, min(255, round(part * factor))) for part in colour)
    return red, green, blue


def _noise(rng: np.random.Generator, height: int, width: int, cells: int) -> NDArray[np.float32]:
    """Smooth noise of about `cells` cells over the height, mean 0, within -1..1, [height, width]."""
    coarse = rng.uniform(-1, 1, (cells + 1, max(2, cells * width // height + 1))).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def _draw_ground(street: Street, height: int, width: int) -> Image.Image:
    rng = np.random.default_rng(street.noise_seed)
    x = np.arange(width, dtype=np.float32)[None, :] / height
    y = np.arange(height, dtype=np.float32)[:, None] / height - street.tilt * (x - street.aspect / 2)
    blotches, grain = _noise(rng, height, width, 6), _noise(rng, height, width, 32)
    fine = rng.normal(0, 1, (height, width)).astype(np.float32)
    ground = np.zeros((height, width, 3), np.float32)
    upper = -1.0
    for lower, texture, colour in street.bands:
        inside = (y >= upper) & (y < lower)
        rough = {"grass": 12 * blotches + 14 * grain + 8 * fine, "paving": 6 * blotches + 4 * fine}.get(
            texture, 7 * blotches + 4 * grain + 5 * fine
        )
        if texture == "paving":
            slab = 0.055
            joints = ((x % slab) < 0.006) | (((y - upper) % slab) < 0.006)
            rough = rough - 14 * joints
        ground[inside] = np.asarray(colour, np.float32) + rough[inside, None]
        upper = lower
    _draw_markings(ground, street, x, y)
    return Image.fromarray(ground.clip(0, 255).astype(np.uint8))


def _draw_markings(
    ground: NDArray[np.float32], street: Street, x: NDArray[np.floating], y: NDArray[np.floating]
) -> None:
    """Kerbs and the dashed centre line, worn unevenly."""
    road_top, road_bottom = street.bands[1][0], street.bands[2][0]
    middle = (road_top + road_bottom) / 2 - 0.01
    dashes = (np.abs(y - middle) < 0.006) & ((x + 0.37 * street.light) % 0.18 < 0.1)
    kerbs = (np.abs(y - road_top) < 0.007) | (np.abs(y - road_bottom) < 0.009)
    ground[dashes] = 0.3 * ground[dashes] + 0.7 * np.float32(215)
    ground[kerbs] = 0.4 * ground[kerbs] + 0.6 * np.float32(178)


def _paste(
    canvas: Image.Image, sprite: Image.Image, x: float, y: float, size: int
) -> tuple[float, float, float, float]:
    """Put `sprite` (RGBA, oversampled, the object filling it but for a shadow margin) with its foot at (x, y)."""
    width, height = max(1, round(sprite.width / OVERSAMPLE)), max(1, round(sprite.height / OVERSAMPLE))
    small = sprite.resize((width, height), Image.Resampling.BOX)
    left, top = round(x * size - width / 2), round(y * size - height)
    shadow = Image.new("RGBA", (width + 4, max(3, min(height // 4, width // 3))), (0, 0, 0, 0))
    ImageDraw.Draw(shadow).ellipse((0, 0, shadow.width - 1, shadow.height - 1), fill=(0, 0, 0, 110))
    shadow = shadow.filter(ImageFilter.GaussianBlur(1))
    canvas.paste(shadow, (left, top + height - round(shadow.height * 0.65)), shadow)
    canvas.paste(small, (left, top), small)
    return left, top, left + width, top + height


def _sprite(height: float, aspect: float, size: int) -> tuple[Image.Image, ImageDraw.ImageDraw, int, int]:
    tall = max(OVERSAMPLE * 4, round(height * size * OVERSAMPLE))
    wide = max(OVERSAMPLE * 2, round(height * aspect * size * OVERSAMPLE))
    sprite = Image.new("RGBA", (wide, tall), (0, 0, 0, 0))
    return sprite, ImageDraw.Draw(sprite), wide, tall


def _draw_mover(mover: Mover, time: float, size: int) -> Image.Image:
    sprite, draw, wide, tall = _sprite(mover.height, mover.aspect, size)
    if mover.kind == PERSON:
        _draw_person(draw, wide, tall, mover, time)
    else:
        _draw_vehicle(draw, wide, tall, mover)
    return sprite if mover.velocity[0] >= 0 else sprite.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _draw_vehicle(draw: ImageDraw.ImageDraw, w: int, h: int, mover: Mover) -> None:
    """Side view, front to the right: body, cabin, windows, wheels, lamps."""
    paint = mover.colours[0]
    dark, bright, glass = _shade(paint, 0.72), _shade(paint, 1.18), (52, 66, 78)
    wheel = h * (0.15 if mover.variant in (1, 2) else 0.19)
    sill = h - wheel * 0.85
    match mover.variant:
        case 1:  # van
            draw.rounded_rectangle((0, h * 0.02, w - 1, sill), radius=h * 0.14, fill=paint)
            draw.rectangle((0, h * 0.02 + h * 0.14, w * 0.1, sill), fill=paint)
            draw.polygon(_scaled(((0.72, 0.12), (0.9, 0.12), (0.97, 0.42), (0.72, 0.42)), w, h), fill=glass)
            draw.rectangle((w * 0.08, h * 0.14, w * 0.66, h * 0.38), fill=_shade(glass, 1.3))
        case 2:  # lorry: load and cab
            draw.rectangle((0, 0, w * 0.7, sill), fill=bright)
            for share in (0.17, 0.35, 0.52):
                draw.line((w * share, 0, w * share, sill), fill=dark, width=max(1, w // 60))
            draw.rounded_rectangle((w * 0.73, h * 0.2, w - 1, sill), radius=h * 0.06, fill=paint)
            draw.rectangle((w * 0.83, h * 0.28, w * 0.97, h * 0.5), fill=glass)
            draw.rectangle((w * 0.6, h * 0.74, w * 0.76, sill), fill=(48, 48, 50))
        case _:  # car, taxi
            draw.polygon(_scaled(((0.14, 0.42), (0.27, 0.02), (0.66, 0.0), (0.82, 0.42)), w, h), fill=dark)
            draw.polygon(_scaled(((0.2, 0.4), (0.3, 0.1), (0.46, 0.1), (0.46, 0.4)), w, h), fill=glass)
            draw.polygon(_scaled(((0.5, 0.4), (0.5, 0.1), (0.64, 0.1), (0.75, 0.4)), w, h), fill=glass)
            draw.rounded_rectangle((0, h * 0.38, w - 1, sill), radius=h * 0.13, fill=paint)
            draw.line((w * 0.03, h * 0.5, w * 0.97, h * 0.5), fill=bright, width=max(1, h // 18))
            if mover.variant == 3:
                draw.rectangle((w * 0.42, -1, w * 0.54, h * 0.05), fill=(245, 245, 225))
    draw.rectangle((w * 0.02, sill - h * 0.1, w * 0.98, sill), fill=_shade(paint, 0.5))
    draw.rectangle((min(w * 0.965, w - 1), h * 0.5, w - 1, h * 0.6), fill=(250, 240, 190))
    draw.rectangle((0, h * 0.5, w * 0.03, h * 0.6), fill=(190, 40, 34))
    for share in (0.2, 0.8):
        centre = w * share
        draw.ellipse((centre - wheel, h - 2 * wheel, centre + wheel, h - 1), fill=(24, 24, 26))
        hub = wheel * 0.5
        draw.ellipse((centre - hub, h - wheel - hub, centre + hub, h - wheel + hub), fill=(150, 150, 152))


def _draw_person(draw: ImageDraw.ImageDraw, w: int, h: int, mover: Mover, time: float) -> None:
    """Walking figure: the legs and arms swing with time."""
    coat, trousers, skin, hair = mover.colours
    swing = math.sin(0.9 * time + mover.variant) * 0.5
    stroke = max(2, round(w * 0.22))
    hip, neck = (w / 2, h * 0.55), h * 0.2
    for side in (-1, 1):
        foot = w / 2 + side * w * (0.16 + 0.22 * abs(swing))
        draw.line((*hip, foot, h - stroke / 3), fill=_shade(trousers, 0.85 if side < 0 else 1.0), width=stroke)
        hand = w / 2 + side * w * (0.34 + 0.12 * swing)
        draw.line(
            (w / 2 + side * w * 0.2, h * 0.25, hand, h * 0.53), fill=_shade(coat, 0.8), width=max(2, stroke * 2 // 3)
        )
        draw.ellipse((hand - stroke / 3, h * 0.51, hand + stroke / 3, h * 0.51 + stroke * 0.7), fill=skin)
    draw.rounded_rectangle((w * 0.2, neck, w * 0.8, h * 0.58), radius=w * 0.18, fill=coat)
    head = h * 0.1
    draw.ellipse((w / 2 - head, 0, w / 2 + head, 2 * head), fill=skin)
    draw.chord((w / 2 - head, 0, w / 2 + head, 2 * head), 180, 360, fill=hair)


def _draw_prop(prop: Prop, size: int) -> Image.Image:
    aspect = {"tree": 0.8, "bush": 1.6, "lamp": 0.18, "box": 1.1, "bin": 0.6}[prop.kind]
    sprite, draw, w, h = _sprite(prop.height, aspect, size)
    match prop.kind:
        case "tree" | "bush":
            if prop.kind == "tree":
                draw.rectangle((w * 0.44, h * 0.5, w * 0.56, h - 1), fill=(78, 60, 44))
            _draw_leaves(draw, w, h * (0.72 if prop.kind == "tree" else 1.0), prop)
        case "lamp":
            draw.rectangle((w * 0.44, h * 0.06, w * 0.58, h - 1), fill=(92, 94, 96))
            draw.rectangle((0, 0, w * 0.6, h * 0.05), fill=(205, 205, 190))
        case "box":
            draw.rectangle((0, h * 0.15, w - 1, h - 1), fill=_shade(prop.colour, 0.8))
            draw.rectangle((0, 0, w - 1, h * 0.2), fill=_shade(prop.colour, 1.15))
        case _:
            draw.rectangle((w * 0.1, h * 0.12, w * 0.9, h - 1), fill=(70, 86, 74))
            draw.rectangle((0, 0, w - 1, h * 0.15), fill=(48, 58, 52))
    return sprite


def _draw_leaves(draw: ImageDraw.ImageDraw, w: int, h: float, prop: Prop) -> None:
    rng = np.random.default_rng(prop.seed)
    for x, y, r, light in rng.uniform((0.2, 0.25, 0.14, 0.75), (0.8, 0.75, 0.26, 1.25), (22, 4)):
        radius = r * min(w, h)
        box = (x * w - radius, y * h - radius, x * w + radius, y * h + radius)
        draw.ellipse(box, fill=_shade(prop.colour, light))


def _scaled(points: tuple[tuple[float, float], ...], w: int, h: int) -> list[tuple[float, float]]:
    return [(x * w, y * h) for x, y in points]


def _develop(canvas: Image.Image, street: Street) -> NDArray[np.uint8]:
    """Light, colour cast and sensor noise."""
    rng = np.random.default_rng(street.noise_seed + 1)
    image: NDArray[np.float32] = np.asarray(canvas, np.float32) * (np.float32(street.light) * street.tint)
    image += rng.normal(0, 3, image.shape).astype(np.float32)
    return image.clip(0, 255).astype(np.uint8)


def _labels(
    painted: list[tuple[int, tuple[float, float, float, float]]], height: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Boxes clipped to the picture, of the movers that can be seen, given all boxes from back to front."""
    boxes, classes = [], []
    front = np.zeros((height, width), bool)
    for kind, (left, top, right, bottom) in reversed(painted):
        clipped = (max(0, left), max(0, top), min(width, right), min(height, bottom))
        rows = slice(int(clipped[1]), max(0, int(clipped[3])))
        columns = slice(int(clipped[0]), max(0, int(clipped[2])))
        visible = np.count_nonzero(~front[rows, columns])
        if kind >= 0 and visible >= SMALLEST_VISIBLE * (right - left) * (bottom - top):
            boxes.append(clipped)
            classes.append(kind)
        front[rows, columns] = True
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(classes, np.int64)
