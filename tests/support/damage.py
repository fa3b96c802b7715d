"""Random damage to data sets and networks, as people, editors, programs and disks do it.

A data set is held as bytes by path. Each damage says how much is known afterwards: SAME (a reader must give the same
objects), COUNTED (values changed, but how many objects are written can be counted), or ANY.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from pathlib import Path

from hypothesis import strategies as st

from support.data_sets import SPLITS

Files = dict[str, bytes]
Draw = st.DrawFn


class Known(IntEnum):
    """What is known of a data set after a damage."""

    SAME = 0
    COUNTED = 1
    ANY = 2


Damage = Callable[[Draw, Files, str], Known]
IMAGE = (".jpg", ".JPG")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")
LABELS = {
    "voc": r"Annotations/.*\.xml",
    "coco": r"annotations/instances_.*\.json",
    "roboflow": r".*/_annotations\.coco\.json",
    "yolo": r"labels/.*\.txt",
    "darknet": r"obj/.*\.txt",
    "network": r".*\.cfg",
}
LISTS = {
    "voc": r"ImageSets/Main/.*\.txt",
    "coco": "",
    "roboflow": "",
    "yolo": r"data\.yaml",
    "darknet": r"(train|valid|test)\.txt|obj\.names",
    "network": r".*\.names",
}
BAD = ("nan", "inf", "-1", "1e9", "", "abc", "0", "-0.5", "0.5", "99", "1e400", "0x1", "1,5", "7", "None")
MARKS = {"utf-8-sig", "utf-16"}


def load(folder: Path) -> Files:
    """All files below `folder`."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def store(files: Files, folder: Path) -> None:
    """Write `files` below `folder`."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def matching(files: Files, pattern: str) -> list[str]:
    return [name for name in files if pattern and re.fullmatch(pattern, name)]


def texts(files: Files, kind: str) -> list[str]:
    """Labels and lists."""
    return matching(files, LABELS[kind]) + matching(files, LISTS[kind])


def images(files: Files) -> list[str]:
    return [name for name in files if name.endswith(IMAGE)]


def text_of(content: bytes) -> str | None:
    """Characters of a file that this module wrote or changed; None if they cannot be told."""
    try:
        return content.decode("utf-16" if content.startswith(b"\xff\xfe") else "utf-8-sig")
    except UnicodeDecodeError:
        return None


# What leaves a data set as it is


def other_encoding(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(texts(files, kind)))
    text = text_of(files[name])
    files[name] = (text or "").encode(draw(st.sampled_from(sorted(MARKS))))
    return Known.SAME if text is not None else Known.ANY


def other_line_ends(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(texts(files, kind)))
    text = text_of(files[name])
    end = draw(st.sampled_from(["\r\n", "\r"]))
    files[name] = (text or "").replace("\r\n", "\n").replace("\n", end).encode()
    return Known.SAME if text is not None else Known.ANY


def white_space(draw: Draw, files: Files, kind: str) -> Known:
    """Blank lines, and blanks at the ends of lines."""
    names = [name for name in texts(files, kind) if name.endswith(".txt")]
    if not names:
        return Known.SAME
    name = draw(st.sampled_from(names))
    if not (text := text_of(files[name])):
        return Known.SAME
    files[name] = ("\n" + text.replace("\n", draw(st.sampled_from([" \n", "\t\n", "\n\n"])))).encode()
    return Known.SAME


def stray_file(draw: Draw, files: Files, kind: str) -> Known:
    """What systems and programs leave."""
    folder = Path(draw(st.sampled_from(sorted(files)))).parent
    name = draw(st.sampled_from([".DS_Store", "Thumbs.db", "._p0.jpg", "notes.json", "README.md", "desktop.ini"]))
    files[str(folder / name)] = draw(st.sampled_from([b"", b"\0\5\x16\7", b"{}"]))
    return Known.SAME


def repeated_line(draw: Draw, files: Files, kind: str) -> Known:
    """A row or a line of a list twice; the last row, so that the order of objects stays."""
    names = [name for name in texts(files, kind) if name.endswith(".txt")]
    if names:
        name = draw(st.sampled_from(names))
        lines = (text_of(files[name]) or "").splitlines(keepends=True)
        files[name] = "".join([*lines, *lines[-1:]]).encode()
    return Known.SAME


def suffix_in_capitals(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(images(files)))
    files[name.removesuffix(".jpg").removesuffix(".JPG") + ".JPG"] = files.pop(name)
    return Known.SAME


def other_notation(draw: Draw, files: Files, kind: str) -> Known:
    """Numbers as other programs write them, JSON with other white space."""
    name = draw(st.sampled_from(matching(files, LABELS[kind])))
    if (text := text_of(files[name])) is None:
        return Known.ANY
    if name.endswith(".json"):
        try:
            text = json.dumps(json.loads(text), indent=draw(st.sampled_from([None, 1, 4])))
        except ValueError:
            return Known.ANY
    elif name.endswith(".txt"):
        text = NUMBER.sub(lambda found: f"{float(found[0]):.18e}", text)
    else:
        text = re.sub(r">(\d+)</(x|y)m", r"> \1.0 </\2m", text)
    files[name] = text.encode()
    return Known.SAME


def backslashes(draw: Draw, files: Files, kind: str) -> Known:
    for name in matching(files, LISTS[kind]):
        if kind == "darknet" and (text := text_of(files[name])):
            files[name] = text.replace("/", "\\").encode()
    return Known.SAME


# What changes values


def other_number(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(matching(files, LABELS[kind])))
    text = text_of(files[name]) or ""
    found = list(NUMBER.finditer(text))
    if found:
        spot = draw(st.sampled_from(found))
        files[name] = (text[: spot.start()] + draw(st.sampled_from(BAD)) + text[spot.end() :]).encode()
    return Known.COUNTED


def scaled_number(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(matching(files, LABELS[kind])))
    text = text_of(files[name]) or ""
    factor = draw(st.sampled_from([-1, 1e-9, 10, 80, 1e5]))
    found = list(NUMBER.finditer(text))
    if found:
        spot = draw(st.sampled_from(found))
        files[name] = f"{text[: spot.start()]}{float(spot[0]) * factor:.15g}{text[spot.end() :]}".encode()
    return Known.COUNTED


def swapped_columns(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(matching(files, LABELS[kind])))
    text = text_of(files[name]) or ""
    found = list(NUMBER.finditer(text))
    if len(found) > 1:
        at = draw(st.integers(0, len(found) - 2))
        one, two = found[at : at + 2]
        files[name] = (
            text[: one.start()] + two[0] + text[one.end() : two.start()] + one[0] + text[two.end() :]
        ).encode()
    return Known.COUNTED


def lost_column(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(matching(files, LABELS[kind])))
    words = re.split(r"( +)", text_of(files[name]) or "")
    at = draw(st.integers(0, len(words) - 1))
    files[name] = "".join(words[:at] + words[at + 1 :]).encode()
    return Known.COUNTED


def lost_line(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(matching(files, LABELS[kind])))
    lines = (text_of(files[name]) or "").splitlines(keepends=True)
    at = draw(st.integers(0, max(len(lines) - 1, 0)))
    files[name] = "".join(lines[:at] + lines[at + 1 :]).encode()
    return Known.COUNTED


def lost_file(draw: Draw, files: Files, kind: str) -> Known:
    del files[draw(st.sampled_from(matching(files, LABELS[kind]) + images(files)))]
    return Known.COUNTED


def renamed_file(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(matching(files, LABELS[kind]) + images(files)))
    path = Path(name)
    new = draw(
        st.sampled_from([f"{path.stem} (1){path.suffix}", f"x{path.name}", f"{path.stem}.dat", f"{path.stem}.png"])
    )
    files[str(path.with_name(new))] = files.pop(name)
    return Known.COUNTED


def swapped_files(draw: Draw, files: Files, kind: str) -> Known:
    names = draw(st.sampled_from([matching(files, LABELS[kind]), images(files)]))
    if len(names) > 1:
        one, two = draw(st.permutations(names))[:2]
        files[one], files[two] = files[two], files[one]
    return Known.COUNTED


def damaged_image(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(images(files)))
    files[name] = files[name][: draw(st.integers(0, len(files[name])))]
    return Known.COUNTED


def cut_labels(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(matching(files, LABELS[kind])))
    files[name] = files[name][: draw(st.integers(0, len(files[name])))]
    return Known.COUNTED


# What may be anything


def damaged_bytes(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(sorted(files)))
    content = bytearray(files[name])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    files[name] = bytes(content)
    return Known.ANY


def damaged_list(draw: Draw, files: Files, kind: str) -> Known:
    name = draw(st.sampled_from(texts(files, kind)))
    lines = (text_of(files[name]) or "").split("\n")
    at = draw(st.integers(0, len(lines) - 1))
    lines[at] = draw(st.sampled_from(["", "x", "../..", "a" * 5000, "p0", "nc: 9", "path: /none", "\u2028", "- ["]))
    files[name] = "\n".join(lines).encode()
    return Known.ANY


def content_of_another(draw: Draw, files: Files, kind: str) -> Known:
    one, two = draw(st.sampled_from(sorted(files))), draw(st.sampled_from(sorted(files)))
    files[one] = files[two]
    return Known.ANY


HARMLESS: tuple[Damage, ...] = (
    other_encoding,
    other_line_ends,
    white_space,
    stray_file,
    repeated_line,
    suffix_in_capitals,
    other_notation,
    backslashes,
)
COUNTED: tuple[Damage, ...] = (
    other_number,
    scaled_number,
    swapped_columns,
    lost_column,
    lost_line,
    lost_file,
    renamed_file,
    swapped_files,
    damaged_image,
    cut_labels,
)
WILD: tuple[Damage, ...] = (damaged_bytes, damaged_list, content_of_another)


class Damaged:
    """A data set after one damage or several: its files, what was done to which of them, and what is known."""

    def __init__(self, files: Files, done: Sequence[str], known: Known) -> None:
        self.files, self.done, self.known = files, done, known

    def __repr__(self) -> str:
        return "\n".join((self.known.name, *self.done))


ALL = (*HARMLESS, *COUNTED, *WILD)
#: Those of files that are no images and no labels.
OF_TEXTS = (other_encoding, other_line_ends, other_number, scaled_number, swapped_columns, lost_line, cut_labels, *WILD)


@st.composite
def damaged(draw: Draw, kind: str, good: Files, damages: Sequence[Damage] = ALL) -> Damaged:
    """The files `good` of a kind after some of the `damages`."""
    files, known, done = dict(good), Known.SAME, []
    for damage in draw(st.lists(st.sampled_from(damages), min_size=1, max_size=2)):
        before = dict(files)
        known = max(known, damage(draw, files, kind))
        changed = [name for name in {**before, **files} if before.get(name) != files.get(name)]
        done += [f"{damage.__name__} of {name}: {files.get(name, b'')[:300]!r}" for name in changed]
    return Damaged(files, done, known)


# How many objects are written


def written(kind: str, files: Files) -> dict[str, dict[str, int]] | None:
    """Numbers of objects by split and name of the image without suffix; None if they cannot be counted."""
    counts: dict[str, dict[str, int]] = {split: {} for split in SPLITS}
    for name in matching(files, LABELS[kind]):
        if (text := text_of(files[name])) is None:
            return None
        if kind in ("coco", "roboflow"):
            split = next((each for each in SPLITS if each in name), None)
            if split is None or (found := _annotations(text)) is None:
                return None
            counts[split] = found
        else:
            stem = Path(name).stem
            of_number = [split for split, numbers in SPLITS.items() if any(stem == f"p{one}" for one in numbers)]
            split = Path(name).parent.name if kind == "yolo" else next(iter(of_number), None)
            if split is not None:
                counts[split][stem] = _rows(text) if kind != "voc" else text.count("<object>")
    return counts


def _rows(text: str) -> int:
    return sum(bool(line.strip()) for line in re.split(r"\r\n|\r|\n", text))


def _annotations(text: str) -> dict[str, int] | None:
    try:
        content = json.loads(text)
        stems = {image["id"]: Path(image["file_name"]).stem for image in content["images"]}
        counts = dict.fromkeys(stems.values(), 0)
        for annotation in content["annotations"]:
            number = annotation["image_id"]
            whole = isinstance(number, float) and number.is_integer()  # 1e9 and 1000000000 are one number
            stem = stems.get(number, f"image_id = {int(number) if whole else number}")
            counts[stem] = counts.get(stem, 0) + 1
    except (ValueError, KeyError, TypeError):
        return None
    return counts
