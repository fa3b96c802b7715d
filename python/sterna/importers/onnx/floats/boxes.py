"""What an ONNX model may say about its boxes: properties `anchors` and `names`."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

from sterna.errors import SternaError

ANCHORS, NAMES = "anchors", "names"
_MOST = 1 << 16
Anchors = tuple[tuple[float, float], ...]


def anchors(properties: Mapping[str, str]) -> Anchors:
    """Pairs of width and height in cells; none if the model does not say. Raises SternaError for anything else."""
    stored = _value(properties, ANCHORS, "pairs of width and height in cells, [[1.5, 2], ...]")
    try:
        pairs = tuple((float(width), float(height)) for width, height in stored or ())
    except (TypeError, ValueError):
        pairs = ((0.0, 0.0),)
    if any(not 0 < side < float("inf") for pair in pairs for side in pair):
        raise _refusal(ANCHORS, properties[ANCHORS], "pairs of width and height in cells, each above 0")
    return pairs


def names(properties: Mapping[str, str], classes: int) -> tuple[str, ...] | None:
    """The names of the classes, a list or by number; None if the model does not say, or says others than `classes`."""
    allowed = 'a list such as ["cat", "dog"], or names by number'
    stored = _value(properties, NAMES, allowed)
    if isinstance(stored, dict):
        if not all(type(key) is int for key in stored):
            raise _refusal(NAMES, properties[NAMES], allowed)
        stored = [stored[key] for key in sorted(stored)]
    if stored is None or len(stored) != classes:
        return None
    return tuple(str(name) for name in stored)


def _value(properties: Mapping[str, str], name: str, allowed: str) -> Any:
    """A list or dictionary, as JSON or as Python writes it; None if there is none."""
    text = properties.get(name)
    if text is None:
        return None
    try:
        if len(text) > _MOST:
            raise ValueError("too long")
        value = _parsed(text)
        if not isinstance(value, list | tuple | dict):
            raise ValueError("neither a list nor a dictionary")
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise _refusal(name, text, allowed) from None
    return value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return ast.literal_eval(text)


def _refusal(name: str, text: str, allowed: str) -> SternaError:
    return SternaError(
        "has a property that cannot be read", where="model", attribute=name, value=text, allowed=allowed,
        remedy="correct it, or remove it",
    )  # fmt: skip
