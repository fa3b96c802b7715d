"""Defaults for the boxes and classes that are shown; here, so that naming them imports nothing that uses them."""

from __future__ import annotations

SHOWN = 0.3
"""Least score of a box."""
OVERLAP = 0.45
"""Intersection over union above which the worse of two boxes of a class is dropped."""
TILE_OVERLAP = 0.2
"""Share of a tile's side that two neighbours have in common. Objects up to that size are whole in one of them."""
TOP = 5
"""Classes of an image that a classifier gives at most."""
