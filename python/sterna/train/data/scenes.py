"""Generated street scenes with small moving vehicles and people: the same seed, the same images, at any size.

A scene is a street seen from a raised camera: bands of grass, pavement and asphalt with texture, trees and
street furniture that carry no label, and labelled vehicles and people that move with constant velocity. Hard scenes
have night, rain, crowds, far and small things, and a camera that moves while it looks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.train.data import drawing, weather
from sterna.train.data.drawing import Box
from sterna.train.data.frames import Frame, Labels
from sterna.train.data.street import CLASSES, EASY, Conditions, Mover, Prop, draw_conditions, plan

SPLITS = ("train", "val", "test")
SMALLEST_VISIBLE = 0.4  # an object is labelled if this share of its box is in the image and not hidden
UNLABELLED = -1
HARD = 1  # at the end of a scene's key: what its conditions are drawn from


class SceneSequence:
    """Frames of one scene: the same `key` always gives the same frames.

    key: integers that seed the scene. height, width: pixels of the images, at least 32. hard: with the
    conditions that `draw_conditions` draws for the key. conditions: those otherwise.
    """

    def __init__(
        self, key: tuple[int, ...], height: int, width: int, hard: bool = False, conditions: Conditions = EASY
    ) -> None:
        self.height, self.width = height, width
        conditions = draw_conditions(np.random.default_rng((*key, HARD))) if hard else conditions
        self._street = plan(np.random.default_rng(key), width / height, conditions)
        self._ground = drawing.draw_ground(self._street, height, width)

    def frame(self, time: float = 0.0) -> Frame:
        """The image and its labels at frame number `time`."""
        return self.followed(time)[0]

    def followed(self, time: float = 0.0) -> tuple[Frame, NDArray[np.int64]]:
        """The same, and for each label the number of its object, which is the same in every frame."""
        street, size = self._street, self.height
        canvas = self._ground.copy()
        painted: list[tuple[int, Box]] = []
        things: list[tuple[float, int, Mover | Prop]] = [
            (mover.at(time)[1], number, mover) for number, mover in enumerate(street.movers)
        ]
        things += [(prop.y, UNLABELLED, prop) for prop in street.props]
        for _, number, thing in sorted(things, key=lambda each: each[0]):
            if isinstance(thing, Prop):
                box = drawing.paste(canvas, drawing.draw_prop(thing, size), thing.x, thing.y, size)
                painted.append((number, box))
            else:
                x, y = thing.at(time)
                box = drawing.paste(canvas, drawing.draw_mover(thing, time, size), x, y, size)
                painted.append((number, box))
        image = drawing.develop(canvas, street)
        if street.conditions != EASY:
            seed = street.noise_seed + round(1000 * time)
            image = weather.apply(image, street.conditions, street.movers, time, seed)
        boxes, numbers = _labels(painted, self.height, self.width)
        classes = np.array([street.movers[number].kind for number in numbers], np.int64)
        return Frame(image, *Labels.of(boxes, classes)), numbers


class SceneSet:
    """`count` different scenes as a dataset, each drawn on demand.

    seed and split choose which: no scene of one split occurs in another, nor at another seed. hard: as SceneSequence
    takes it.
    """

    classes = CLASSES

    def __init__(self, seed: int, split: str, count: int, height: int, width: int, hard: bool = False) -> None:
        self._seed, self._split, self._hard = seed, split, hard
        self._count, self._height, self._width = count, height, width

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Frame:
        if not 0 <= index < self._count:
            raise IndexError(index)
        key = (self._seed, SPLITS.index(self._split), index)
        return SceneSequence(key, self._height, self._width, self._hard).frame()

    def labels(self, index: int) -> Labels:
        """Labels of frame `index`; what hides what is known only once it is drawn."""
        return self[index].labels

    def resized(self, height: int, width: int) -> SceneSet:
        """The same scenes drawn at another size."""
        return SceneSet(self._seed, self._split, self._count, height, width, self._hard)


def _labels(painted: list[tuple[int, Box]], height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Boxes clipped to the image, and numbers, of the movers that can be seen, given all boxes from back to front."""
    boxes, numbers = [], []
    front = np.zeros((height, width), bool)
    for number, (left, top, right, bottom) in reversed(painted):
        clipped = (max(0, left), max(0, top), min(width, right), min(height, bottom))
        rows = slice(int(clipped[1]), max(0, int(clipped[3])))
        columns = slice(int(clipped[0]), max(0, int(clipped[2])))
        visible = np.count_nonzero(~front[rows, columns])
        if number != UNLABELLED and visible >= SMALLEST_VISIBLE * (right - left) * (bottom - top):
            boxes.append(clipped)
            numbers.append(number)
        front[rows, columns] = True
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(numbers, np.int64)
