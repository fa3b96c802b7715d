"""Recognises a file or folder that was given in place of another, by its content or else its name."""

from __future__ import annotations

from pathlib import Path

from sterna.errors import SternaError

GRAPH, PACKAGE = "an integer graph", "a package"
RUN, ENGINE, FOLDER = "the folder of a training run", "the folder of a generated engine", "a folder"
EMPTY, JSON, CHECKPOINT = "an empty file", "a JSON file", "a PyTorch file"
IMAGE, VIDEO = "an image", "a video"
POINTER, PAGE = "a git-lfs pointer, not the file itself", "a web page, as left by a failed download"
ONNX, WEIGHTS, CFG = "an ONNX model", "a darknet weights file", "a darknet cfg file"

#: Files by which a folder is recognised.
_FOLDERS = {RUN: ("options.json",), ENGINE: ("parameters.json", "files.f")}
#: Suffixes of the first member of a zip archive.
_MEMBERS = {"package.json": PACKAGE, "graph.json": GRAPH, "/data.pkl": CHECKPOINT, ".npy": "an archive of numpy arrays"}
_BEGINNINGS = {
    b"version https://git-lfs": POINTER,
    b"<!doctype html": PAGE,
    b"<html": PAGE,
    b"<?xml": "an XML file",
    b"{": JSON,
    b"[net": CFG,
    b"[con": CFG,
    b"[": JSON,
    b"\x89PNG": IMAGE,
    b"\xff\xd8\xff": IMAGE,
    b"GIF8": IMAGE,
    b"II*\0": IMAGE,
    b"MM\0*": IMAGE,
    b"BM": IMAGE,
    b"RIFF": IMAGE,
    b"\x1aE\xdf\xa3": VIDEO,
    b"PK\5\6": "an empty archive",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"%PDF": "a PDF",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a numpy array",
    b"\x80\x02": CHECKPOINT,
    b"STERNAPK": PACKAGE,
    b"STERNATP": "a bare tape",
}
_SUFFIXES = {
    ".onnx": ONNX,
    ".pt": CHECKPOINT,
    ".pth": CHECKPOINT,
    ".weights": WEIGHTS,
    ".cfg": CFG,
    ".names": "a list of class names",
    ".data": "a darknet data file",
    ".yaml": "a YAML file",
    ".yml": "a YAML file",
    ".tflite": "a TensorFlow Lite model",
    ".safetensors": "a file of tensors",
}
#: Kinds of files that begin alike, by what stands further on: of RIFF, and of the ISO base media file format.
_FORMS = ((b"RIFF", 0, b"AVI ", VIDEO), *((b"ftyp", 4, brand, IMAGE) for brand in (b"heic", b"mif1", b"avif")))
_ISO_MEDIA = b"ftyp"
_BEGINNING = 128  # bytes
#: Remedies for a failed copy or download, whatever file is wanted.
AGAIN: dict[str | None, str] = {
    POINTER: "get the file itself: git lfs pull",
    PAGE: "download it again",
    EMPTY: "copy it again",
}
_TRAIN = "sterna train makes a graph"
#: How to get from the given file to a graph.
_TO_GRAPH: dict[str | None, str] = {
    RUN: "finish the run with sterna train --resume; it ends with a graph",
    PACKAGE: "name the graph from which it was compiled",
    CHECKPOINT: "name the run folder that holds it, or train from it: sterna train --start",
    WEIGHTS: "train from it: sterna train --network FILE.cfg --darknet-weights FILE.weights",
    CFG: "train it: sterna train --network FILE.cfg",
    ONNX: "import it: sterna import FILE.onnx -o FILE.sterna-graph",
    ENGINE: "name the graph or package to run on it",
    FOLDER: "name the folder of a run, or a file in this one",
    IMAGE: "name the graph first, then the other arguments",
    VIDEO: "name the graph first, then the other arguments",
    **AGAIN,
}


def kind_of(path: Path) -> str | None:
    """What `path` is, in words; None if it is unknown, missing or cannot be read."""
    try:
        if path.is_dir():
            return next((kind for kind, names in _FOLDERS.items() if _holds(path, names)), FOLDER)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            start = file.read(_BEGINNING)
    except OSError:
        return None
    return EMPTY if not start else by_content(start) or _SUFFIXES.get(path.suffix.lower())


def _holds(folder: Path, names: tuple[str, ...]) -> bool:
    return all((folder / name).is_file() for name in names)


def by_content(start: bytes) -> str | None:
    """What a file is that begins with `start`; None if that does not tell."""
    if start.startswith(b"PK\3\4"):
        name = start[30 : 30 + int.from_bytes(start[26:28], "little")].decode("utf-8", "replace")
        return next((kind for end, kind in _MEMBERS.items() if name.endswith(end)), "a ZIP archive")
    for begin, at, form, kind in _FORMS:
        if start[at : at + 4] == begin and start[8:12] == form:
            return kind
    if start[4:8] == _ISO_MEDIA:
        return VIDEO
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    lower = text.lower()
    return next(
        (kind for begin, kind in _BEGINNINGS.items() if (lower if begin.islower() else text).startswith(begin)), None
    )


def check(path: Path, wanted: str) -> None:
    """Raise SternaError, with how to come from it to what is wanted, if `path` is known to be something else.

    wanted: GRAPH, PACKAGE or RUN.
    """
    found = kind_of(path)
    if found in (None, wanted):
        return
    raise SternaError(f"is {found}, not {wanted}", where=str(path), remedy=_remedy(found or "", wanted, path))


def _remedy(found: str, wanted: str, path: Path) -> str:
    if wanted == PACKAGE and found in (GRAPH, RUN):
        return f"compile it: sterna compile {path} -o {path.name.partition('.')[0] or 'model'}.sterna"
    if wanted == PACKAGE and found in (IMAGE, VIDEO, ENGINE, FOLDER):
        return "name the package first, then its inputs"
    to_graph = _TO_GRAPH.get(found, _TRAIN)
    return f"{to_graph}, from which sterna compile makes a package" if to_graph == _TRAIN else to_graph


def check_replaces(path: Path, *kinds: str) -> None:
    """Raise SternaError if there is something at `path`, where a file is to be written, that is none of `kinds`."""
    found = kind_of(path)
    if path.is_file() and found not in (*kinds, EMPTY):
        raise SternaError(
            f"is {found or 'a file of another kind'}, which would be lost",
            where=str(path),
            remedy="name another file to write, or remove this one",
        )
