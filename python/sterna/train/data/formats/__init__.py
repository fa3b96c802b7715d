"""Data sets as other tools write them: Pascal VOC, COCO and YOLO."""

from __future__ import annotations
