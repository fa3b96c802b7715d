"""Images of the training split that are held back for validation and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sterna.errors import SternaError
from sterna.train.data.reading import Reading
from sterna.train.data.same import first_of_content
from sterna.train.data.summary import Summary


def held_back(images: Sequence[str], shares: Mapping[str, float], seed: int, where: str) -> list[list[int]]:
    """The numbers of the image files `images` that are not held back, then those for each of `shares`, by `seed`.

    Images with the same content stay together. Raises SternaError if a part would have none.
    """
    first = first_of_content(images)
    groups: dict[str, list[int]] = {}
    for index, path in enumerate(images):
        groups.setdefault(first[path], []).append(index)
    contents = list(groups.values())
    waiting = [contents[number] for number in np.random.default_rng(seed).permutation(len(contents))]
    parts: list[list[int]] = []
    for share in shares.values():
        wanted = max(1, round(share * len(images)))
        part: list[int] = []
        while waiting and len(part) < wanted:
            part += waiting.pop()
        parts.append(sorted(part))
    rest = sorted(index for group in waiting for index in group)
    if not (rest and all(parts)):
        raise SternaError(
            "too few different images to hold some back",
            where=where,
            attribute="images",
            value=len(contents),
            allowed="at least one to train on and one per share",
            remedy="hold back smaller shares, or add images",
        )
    return [rest, *parts]


def hold_back(reading: Reading, shares: Mapping[str, float], seed: int, where: str) -> list[Reading]:
    """A split without the images that are held back, then those for each of `shares`, as `held_back` has them."""
    rest, *parts = held_back(reading.table.images, shares, seed, where)
    return [_part(reading, rest, reading.summary), *(_part(reading, part, Summary()) for part in parts)]


def _part(reading: Reading, rows: Sequence[int], summary: Summary) -> Reading:
    """The images `rows` of a reading; of what was met in reading all of it, `summary` tells."""
    new = {row: index for index, row in enumerate(rows)}
    return Reading(reading.table.take(rows), summary, [new[row] for row in reading.order if row in new])
