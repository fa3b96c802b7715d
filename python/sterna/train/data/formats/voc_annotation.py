"""The annotation of an image in the form of Pascal VOC (Everingham et al. 2010) and of programs that follow it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree

from sterna.errors import SternaError
from sterna.text import read_xml
from sterna.train.data.formats.canvas import Canvas
from sterna.train.data.formats.record import ROTATION, TURNED, LabelledObject, Record, collect, degrees, inside, turned

CORNERS = ("xmin", "ymin", "xmax", "ymax")
MARKS = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}
ROOT = "annotation"
BOXED = ("object", "part")  # a part of an object, such as a head, has a box of its own


@dataclass(frozen=True)
class Annotation:
    """What an annotation file says.

    filename: of the image, without the folders that it had where labels were drawn; empty if none is said. size:
    width and height; None where none is said, which includes 0.
    """

    file: Path
    filename: str
    size: tuple[int | None, int | None]
    objects: list[ElementTree.Element]

    def record(self, canvas: Canvas) -> Record:
        """The objects, which are drawn on `canvas`. Raises SternaError for what is no object or lies outside."""
        notes: Counter[str] = Counter()

        def make(row: tuple[int, ElementTree.Element]) -> LabelledObject:
            made = _object(*row, canvas.size, self.file)
            if angle := _rotation(row[1]):
                notes[TURNED] += 1
                made = made._replace(box=turned(made.box, angle, canvas.size))
            return made

        record = collect(canvas, enumerate(self.objects, 1), make)
        return record._replace(notes=(*record.notes, *notes))


def read_annotation(file: Path) -> Annotation:
    """The annotation in `file`. Raises SternaError if it is no VOC annotation."""
    root = read_xml(file, "the annotation")
    if root.tag != ROOT:
        raise SternaError(
            "is not a Pascal VOC annotation",
            where=str(file),
            attribute="root element",
            value=root.tag,
            allowed=ROOT,
            remedy="write the annotations as Pascal VOC, or move the file away",
        )
    outside = next((each for each in root.iter() if each.tag not in BOXED and each.find("bndbox") is not None), None)
    if outside is not None:
        raise SternaError(
            "a bndbox outside any object",
            where=str(file),
            attribute="its element",
            value=outside.tag,
            allowed="object",
            remedy="call the element object, or delete it",
        )
    name = PureWindowsPath(_text(root, "filename", file)).name  # which knows both kinds of slashes
    width, height = (_side(root, side, file) for side in ("width", "height"))
    return Annotation(file, name, (width, height), list(root.iter("object")))


def _text(parent: ElementTree.Element, path: str, where: Path | str) -> str:
    """The text of the element at `path`, '' if there is none; raises SternaError for several that differ."""
    texts = list(dict.fromkeys((each.text or "").strip() for each in parent.iterfind(path)))
    if len(texts) > 1:
        raise SternaError(
            "is given twice, with different values",
            where=str(where),
            attribute=path,
            value=" and ".join(text or "nothing" for text in texts)[:90],
            allowed="one",
            remedy="delete the wrong one",
        )
    return texts[0] if texts else ""


def _rotation(element: ElementTree.Element) -> float:
    """Degrees by which CVAT's box is turned; 0 if nothing says so."""
    for attribute in element.iterfind("attributes/attribute"):
        if attribute.findtext("name") == ROTATION:
            return degrees(attribute.findtext("value"))
    return 0.0


def _side(root: ElementTree.Element, side: str, file: Path) -> int | None:
    text = _text(root, f"size/{side}", file)
    try:
        pixels = float(text or 0)
        if pixels >= 0 and pixels.is_integer():
            return int(pixels) or None
    except ValueError:
        pass
    raise SternaError(
        "a size that is not a number of pixels",
        where=str(file),
        attribute=side,
        value=text,
        allowed="a whole number; 0 if it is not known",
        remedy="correct the annotation",
    )


def _object(number: int, element: ElementTree.Element, size: tuple[int, int], file: Path) -> LabelledObject:
    name = _text(element, "name", f"{file}: object {number}")
    where = f"{file}: object {number} ({name or 'no name'})"
    if not name:
        raise SternaError("an object without a name", where=where, remedy="name its class or delete the object")
    if element.find("bndbox") is None:
        raise SternaError(
            "an object without a bndbox",
            where=where,
            attribute="its elements",
            value=", ".join(child.tag for child in element),
            allowed="bndbox with " + " ".join(CORNERS),
            remedy="write upright boxes, or delete the object",
        )
    texts = [_text(element, f"bndbox/{corner}", where) for corner in CORNERS]
    try:
        left, top, right, bottom = (float(text) for text in texts)
    except ValueError:
        left = top = right = bottom = float("nan")
    # VOC counts pixels from 1 and includes the last one: a box from 9 to 9 is one pixel wide.
    box = inside((left - 1, top - 1, right, bottom), size, where, " ".join(texts), " ".join(CORNERS) + " from 1")
    return LabelledObject(name, box, _difficult(element, where))


def _difficult(element: ElementTree.Element, where: str) -> bool:
    text = _text(element, "difficult", where)
    if text.lower() not in MARKS:
        raise SternaError(
            "a mark that is neither 0 nor 1",
            where=where,
            attribute="difficult",
            value=text,
            allowed="0 or 1",
            remedy="correct the object",
        )
    return MARKS[text.lower()]
