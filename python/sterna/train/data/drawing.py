"""How a generated street looks: ground, vehicles, people, clutter and the camera, by Pillow."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from sterna.train.data.street import PERSON, Colour, Mover, Prop, Street

OVERSAMPLE = 3  # sprites are drawn this much larger and shrunk: smooth edges

Box = tuple[float, float, float, float]


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (max(0, min(255, round(part * factor))) for part in colour)
    return red, green, blue


def _noise(rng: np.random.Generator, height: int, width: int, cells: int) -> NDArray[np.float32]:
    """Smooth noise of about `cells` cells over the height, mean 0, within -1..1, [height, width]."""
    coarse = rng.uniform(-1, 1, (cells + 1, max(2, cells * width // height + 1))).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def draw_ground(street: Street, height: int, width: int) -> Image.Image:
    """The street without anything on it, RGB."""
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


def paste(canvas: Image.Image, sprite: Image.Image, x: float, y: float, size: int) -> Box:
    """Put `sprite` (oversampled RGBA) and its shadow on `canvas`, foot at (x, y) * size; the box covered, in pixels."""
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


def draw_mover(mover: Mover, time: float, size: int) -> Image.Image:
    """`mover` at frame number `time` for an image `size` pixels high: oversampled RGBA, filled to its edges."""
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


def draw_prop(prop: Prop, size: int) -> Image.Image:
    """`prop` for an image `size` pixels high: oversampled RGBA."""
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


def develop(canvas: Image.Image, street: Street) -> NDArray[np.uint8]:
    """Light, colour cast and sensor noise."""
    rng = np.random.default_rng(street.noise_seed + 1)
    image: NDArray[np.float32] = np.asarray(canvas, np.float32) * (np.float32(street.light) * street.tint)
    image += rng.normal(0, 3, image.shape).astype(np.float32)
    return image.clip(0, 255).astype(np.uint8)
