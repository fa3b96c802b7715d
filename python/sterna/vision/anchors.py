"""Checks that anchors are in cells of the head's map; other tools give them in pixels."""

from __future__ import annotations

from collections.abc import Sequence

from sterna.errors import SternaError

FAR = 6.0  # times as large as the map: published anchors stay below it even in an image of two cells a side


def check_cells(anchors: Sequence[Sequence[float]], height: int, width: int, cell: int, where: str) -> None:
    """Refuse `anchors`, pairs of width and height, that can only be in pixels.

    height, width: of the head's map in cells. cell: pixels of the image per cell. where: what holds the anchors.
    Raises SternaError if an anchor is FAR larger than the map, or if each of them covers more than all of it.
    """
    far = any(w > FAR * width or h > FAR * height for w, h in anchors)
    if not far and not all(w > width and h > height for w, h in anchors):
        return
    raise SternaError(
        "anchors larger than the whole image, so probably in pixels",
        where=where,
        attribute="anchors",
        value=listed(anchors),
        allowed=f"width and height in cells of {cell} pixels, of which the image has {width} x {height}",
        remedy=f"divide pixels of the image by {cell}: {listed([(w / cell, h / cell) for w, h in anchors])}",
    )


def listed(anchors: Sequence[Sequence[float]]) -> str:
    """The numbers as `--anchors` takes them."""
    return ",".join(f"{side:.5g}" for pair in anchors for side in pair)
