"""The few shapes that all diagrams are made of, on drawsvg.

Colours are CSS variables. By themselves they follow the reader's light or dark setting; inside the documentation site
they follow the page (docs/assets/site.css).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import drawsvg

FOLDER = Path(__file__).resolve().parent
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
LIGHT = {
    "ink": "#1f2933", "quiet": "#5f6c7b", "line": "#7b8794", "paper": "#ffffff", "one": "#d8f0ec", "two": "#fde8d7",
    "three": "#e3e8f8", "four": "#f4f0d0", "edge": "#00796b", "hot": "#d84315",
}  # fmt: skip
DARK = {
    "ink": "#e6e9ee", "quiet": "#a3adba", "line": "#8b96a5", "paper": "#1e2129", "one": "#12413c", "two": "#54331f",
    "three": "#2b3357", "four": "#45401c", "edge": "#4db6ac", "hot": "#ff8a65",
}  # fmt: skip

Point = tuple[float, float]


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colours.items())


_STYLE = f"""
svg.sterna {{ {_variables(LIGHT)} font-family: {_FONT}; }}
@media (prefers-color-scheme: dark) {{ svg.sterna {{ {_variables(DARK)} }} }}
"""


@dataclass(frozen=True)
class Box:
    """A rectangle, for arrows to begin and end at; x, y are its upper left corner."""

    x: float
    y: float
    w: float
    h: float

    def left(self, share: float = 0.5) -> Point:
        """A point of the left side, `share` of the way down."""
        return self.x, self.y + share * self.h

    def right(self, share: float = 0.5) -> Point:
        """A point of the right side, `share` of the way down."""
        return self.x + self.w, self.y + share * self.h

    def top(self, share: float = 0.5) -> Point:
        """A point of the upper side, `share` of the way to the right."""
        return self.x + share * self.w, self.y

    def bottom(self, share: float = 0.5) -> Point:
        """A point of the lower side, `share` of the way to the right."""
        return self.x + share * self.w, self.y + self.h


class Sheet:
    """A diagram of `width` x `height` units; `title` is what a screen reader says."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self.drawing = drawsvg.Drawing(width, height, role="img", **{"class": "sterna", "aria-label": title})
        self.drawing.append_css(_STYLE)
        self._heads: dict[str, drawsvg.Marker] = {}

    def box(
        self, x: float, y: float, w: float, h: float, *words: str, fill: str = "one", note: str = "", size: float = 14
    ) -> Box:
        """A box with centred lines of text, and a smaller, quieter line below them."""
        self.drawing.append(
            drawsvg.Rectangle(x, y, w, h, rx=6, style=f"fill: var(--{fill}); stroke: var(--edge); stroke-width: 1.4")
        )
        notes = note.split("\n") if note else []
        tall = len(words) * size * 1.25 + len(notes) * 14.5
        top = y + (h - tall) / 2
        for index, line in enumerate(words):
            self.text(x + w / 2, top + (index + 0.78) * size * 1.25, line, size=size, bold=True, anchor="middle")
        for index, line in enumerate(notes):
            baseline = top + len(words) * size * 1.25 + (index + 0.78) * 14.5
            self.text(x + w / 2, baseline, line, size=11.5, colour="quiet", anchor="middle")
        return Box(x, y, w, h)

    def frame(self, x: float, y: float, w: float, h: float, title: str, fill: str = "none") -> Box:
        """A dashed frame around parts that belong together, with a title in its upper left corner."""
        paint = "none" if fill == "none" else f"var(--{fill})"
        self.drawing.append(
            drawsvg.Rectangle(
                x, y, w, h, rx=8, style=f"fill: {paint}; stroke: var(--line); stroke-width: 1.2; stroke-dasharray: 5 4"
            )
        )
        self.text(x + 10, y + 18, title, size=12, colour="quiet", bold=True)
        return Box(x, y, w, h)

    def cell(
        self, x: float, y: float, w: float, h: float, fill: str = "paper", words: str = "", size: float = 12
    ) -> Box:
        """A small cell of a grid or a bar, without round corners."""
        self.drawing.append(
            drawsvg.Rectangle(x, y, w, h, style=f"fill: var(--{fill}); stroke: var(--line); stroke-width: 0.8")
        )
        if words:
            self.text(x + w / 2, y + h / 2 + size * 0.36, words, size=size, anchor="middle")
        return Box(x, y, w, h)

    def text(
        self, x: float, y: float, words: str, *, size: float = 13, colour: str = "ink", bold: bool = False,
        anchor: str = "start",
    ) -> None:  # fmt: skip
        """A line of text with its baseline at y."""
        weight = 600 if bold else 400
        self.drawing.append(
            drawsvg.Text(words, size, x, y, text_anchor=anchor, style=f"fill: var(--{colour}); font-weight: {weight}")
        )

    def arrow(self, *points: Point, colour: str = "line", dashed: bool = False, both: bool = False) -> None:
        """Straight lines through `points` with a head at the end, or at both ends."""
        head = self._head(colour)
        style = f"fill: none; stroke: var(--{colour}); stroke-width: 1.6"
        style += "; stroke-dasharray: 5 4" if dashed else ""
        ends = {"marker_end": head} | ({"marker_start": head} if both else {})
        path = drawsvg.Path(style=style, **ends)
        path.M(*points[0])
        for point in points[1:]:
            path.L(*point)
        self.drawing.append(path)

    def curve(self, start: Point, bend: Point, end: Point, colour: str = "line") -> None:
        """A curved arrow from `start` to `end`, drawn towards `bend`."""
        path = drawsvg.Path(
            style=f"fill: none; stroke: var(--{colour}); stroke-width: 1.6", marker_end=self._head(colour)
        )
        self.drawing.append(path.M(*start).Q(*bend, *end))

    def line(self, *points: Point, colour: str = "line", dashed: bool = False, width: float = 1.2) -> None:
        """Straight lines through `points`."""
        style = f"fill: none; stroke: var(--{colour}); stroke-width: {width}"
        style += "; stroke-dasharray: 4 4" if dashed else ""
        path = drawsvg.Path(style=style).M(*points[0])
        for point in points[1:]:
            path.L(*point)
        self.drawing.append(path)

    def _head(self, colour: str) -> drawsvg.Marker:
        if colour not in self._heads:
            head = drawsvg.Marker(
                -0.2, -3.2, 7, 3.2, scale=1.15, orient="auto-start-reverse", refX=6.2, id=f"sterna-head-{colour}"
            )
            head.append(drawsvg.Lines(0, -3, 6.5, 0, 0, 3, close=True, style=f"fill: var(--{colour})"))
            self._heads[colour] = head
        return self._heads[colour]

    def svg(self) -> str:
        """The whole file."""
        return f"{self.drawing.as_svg(header='').strip()}\n"


def spread(start: float, end: float, count: int, gap: float) -> Sequence[tuple[float, float]]:
    """Start and width of `count` parts from `start` to `end` with `gap` between them."""
    width = (end - start - gap * (count - 1)) / count
    return [(start + index * (width + gap), width) for index in range(count)]
