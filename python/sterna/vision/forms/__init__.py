"""The forms in which detections are written to a folder, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sterna.errors import SternaError
from sterna.vision.forms.coco import Coco
from sterna.vision.forms.drawn import Drawn, Frames
from sterna.vision.forms.form import Form
from sterna.vision.forms.lines import JsonLines
from sterna.vision.forms.yolo import Yolo
from sterna.vision.sources import Source

DRAWN, JSON_LINES = "drawn", "jsonl"
FORMS: Mapping[str, type[Form]] = {
    DRAWN: Drawn, "frames": Frames, JSON_LINES: JsonLines, "coco": Coco, "yolo": Yolo
}  # fmt: skip


def parse(text: str) -> tuple[str, ...]:
    """The forms that `text` lists, separated by commas. Raises SternaError for one that there is not."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in FORMS:
            raise SternaError("there is no such form of detections", where="--write", value=name,
                              allowed=", ".join(FORMS), remedy="name some of these")  # fmt: skip
    return names


def check_classes(names: Sequence[str]) -> None:
    """Raise SternaError for a form of `names` that has no place for the classes of a whole image."""
    wrong = next((name for name in names if FORMS[name].needs_boxes), None)
    if wrong is not None:
        raise SternaError("is a form of boxes, of which a classifier finds none", where="--write", value=wrong,
                          allowed=", ".join(name for name, form in FORMS.items() if not form.needs_boxes),
                          remedy="name some of these")  # fmt: skip


def usual(sources: Sequence[Source]) -> tuple[str, ...]:
    """The forms for `sources` if nobody asks for others."""
    return (DRAWN, JSON_LINES) if any(source.moving for source in sources) else (DRAWN,)
