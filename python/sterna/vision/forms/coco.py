"""Detections as COCO annotations."""

from __future__ import annotations

import json
from typing import Any

from PIL import Image
from typing_extensions import override

from sterna.vision.forms.form import Named
from sterna.vision.forms.lines import as_json
from sterna.vision.forms.text import TextForm
from sterna.vision.frames import Seen


class Coco(TextForm):
    """One file of COCO annotations, each with its score: `coco.json`. Frames of videos are images of it."""

    NAME = "coco.json"
    needs_boxes = True

    @override
    def start(self) -> None:
        super().start()
        self._images: list[str] = []
        self._boxes = 0
        categories = [{"id": number, "name": name} for number, name in enumerate(self.classes, 1)]
        self.write(f'{{"categories": {json.dumps(categories)},\n"annotations": [')

    @override
    def add(self, named: Named, seen: Seen, drawn: Image.Image | None) -> None:
        height, width, _ = seen.frame.image.shape
        image: dict[str, Any] = {"id": len(self._images) + 1, "file_name": named.source.origin}
        image |= {"width": width, "height": height}
        if named.source.moving:
            image |= {"frame": seen.frame.number, "seconds": round(seen.frame.seconds, 6)}
        self._images.append(json.dumps(image))
        for box, track in zip(as_json(seen.found, self.classes), seen.tracks.tolist(), strict=True):
            left, top, right, bottom = box["box"]
            size = round(right - left, 1), round(bottom - top, 1)
            annotation = {
                "id": self._boxes + 1, "image_id": image["id"], "category_id": self.classes.index(box["class"]) + 1,
                "bbox": [left, top, *size], "area": round(size[0] * size[1], 2), "iscrowd": 0, "score": box["score"],
            }  # fmt: skip
            annotation |= {"track": track} if track else {}
            self.write((",\n" if self._boxes else "\n") + json.dumps(annotation))
            self._boxes += 1

    @override
    def close(self) -> None:
        if self.file is not None:
            self.write('],\n"images": [' + ",\n".join(self._images) + "]}\n")
        super().close()
