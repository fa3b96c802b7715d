"""Default thresholds for the boxes that are shown."""

from __future__ import annotations

SHOWN = 0.3
"""Least score of a box."""
OVERLAP = 0.45
"""Intersection over union above which the worse of two boxes of a class is dropped."""
