"""Detections as YOLO label files."""

from __future__ import annotations

from PIL import Image
from typing_extensions import override

from sterna.files import write_bytes
from sterna.vision.forms.form import Form, Named
from sterna.vision.frames import Seen


class Yolo(Form):
    """A YOLO label file with scores per image or frame, and the names of the classes: `labels`."""

    FOLDER = "labels"
    needs_boxes = True

    @override
    def folders(self) -> list[str]:
        return [self.FOLDER]

    @override
    def start(self) -> None:
        names = "".join(f"{name}\n" for name in self.classes)
        write_bytes(self.folder / self.FOLDER / "classes.txt", names.encode())

    @override
    def add(self, named: Named, seen: Seen, drawn: Image.Image | None) -> None:
        height, width, _ = seen.frame.image.shape
        rows = []
        for box, score, kind in zip(seen.found.boxes.astype(float), seen.found.scores, seen.found.classes, strict=True):
            left, top, right, bottom = box / (width, height, width, height)
            shares = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, float(score))
            rows.append(f"{kind} " + " ".join(f"{share:.6f}" for share in shares) + "\n")
        path = self.folder / self.FOLDER / f"{named.of_frame(seen.frame.number)}.txt"
        write_bytes(path, "".join(rows).encode())
