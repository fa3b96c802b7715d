"""What people give in place of a graph or a package is named, with the way from it to what is wanted."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sterna import recognise
from sterna.compile.packages import load as load_package
from sterna.errors import SternaError
from sterna.graph import file as graph_file
from sterna.package import file as package_file
from support.packages import small_graph, small_package


def image_bytes(kind: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (4, 4)).save(data, kind)
    return data.getvalue()


def zip_bytes(name: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, "")
    return data.getvalue()


def checkpoint_bytes(zipped: bool) -> bytes:
    data = io.BytesIO()
    torch.save({"weights": torch.zeros(2)}, data, _use_new_zipfile_serialization=zipped)
    return data.getvalue()


GRAPH_BYTES = graph_file.to_bytes(small_graph())
#: Name, content; what it is called; the remedy where a graph is wanted, and where a package is.
GIVEN: dict[str, tuple[str, Callable[[], bytes], str, str, str]] = {
    "an onnx model": ("model.onnx", lambda: b"\x08\x07", "an ONNX model", "sterna import", "sterna import"),
    "a checkpoint": ("best.pt", lambda: checkpoint_bytes(True), "a PyTorch file", "--start", "--start"),
    "an older checkpoint": ("best.bin", lambda: checkpoint_bytes(False), "a PyTorch file", "--start", "--start"),
    "weights": ("yolo.weights", lambda: b"\0\0\0\0\2\0\0\0", "a darknet weights", "--darknet-weights", "--darknet-w"),
    "a cfg by its content": ("yolo.txt", lambda: b"\n[net]\nwidth=416", "a darknet cfg file", "--network", "--network"),
    "names": ("coco.names", lambda: b"person\ncar\n", "a list of class names", "sterna train", "sterna train"),
    "a png": ("cat.sterna", lambda: image_bytes("PNG"), "an image", "graph first", "package first"),
    "a jpeg": ("cat.jpg", lambda: image_bytes("JPEG"), "an image", "graph first", "package first"),
    "a pointer": (
        "model.sterna",
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "a git-lfs pointer",
        "git lfs pull",
        "git lfs pull",
    ),
    "a page": ("model.sterna", lambda: b"\n<!DOCTYPE html><html>", "a web page", "download it", "download it"),
    "a page of an older kind": ("model.sterna", lambda: b"<HTML><body>", "a web page", "download it", "download it"),
    "a server's answer": ("model.sterna", lambda: b'{"error": 404}', "a JSON file", "sterna train", "sterna train"),
    "nothing": ("model.sterna", lambda: b"", "an empty file", "copy it again", "copy it again"),
    "another archive": ("model.zip", lambda: zip_bytes("readme"), "a ZIP archive", "sterna train", "sterna train"),
    "gzip": ("model.gz", lambda: b"\x1f\x8b\x08", "a gzip archive", "sterna train", "sterna train"),
}


@pytest.mark.case(
    "stranger-in-place-of-a-model",
    kind="remedy",
    expected="the refusal says what the file is and how to come from it to a graph or package",
)
@pytest.mark.parametrize(("name", "content", "kind", "to_graph", "to_package"), GIVEN.values(), ids=GIVEN)
def test_a_stranger_is_named(
    tmp_path: Path,
    name: str,
    content: Callable[[], bytes],
    kind: str,
    to_graph: str,
    to_package: str,
    got: Callable[[object], None],
) -> None:
    path = tmp_path / name
    path.write_bytes(content())
    for load, wanted, remedy in (
        (graph_file.load, "an integer graph", to_graph),
        (load_package, "a package", to_package),
    ):
        with pytest.raises(SternaError) as caught:
            load(path)
        said = str(caught.value).replace(str(tmp_path), "")
        assert f"/{name}: is {kind}" in said and f"not {wanted}; remedy: " in said and remedy in said
    got(said)


def test_graph_and_package_are_told_apart(tmp_path: Path) -> None:
    graph, package = tmp_path / "a.sterna", tmp_path / "b.sterna-graph"
    graph_file.save(small_graph(), graph)
    package_file.save(small_package(), package)
    assert recognise.kind_of(graph) == recognise.GRAPH and recognise.kind_of(package) == recognise.PACKAGE
    with pytest.raises(SternaError, match=f"is an integer graph, not a package; .*sterna compile {graph} -o a.sterna"):
        load_package(graph)
    with pytest.raises(SternaError, match=r"is a package, not an integer graph;.*from which it was compiled"):
        graph_file.load(package)


def test_folders(tmp_path: Path) -> None:
    assert recognise.kind_of(tmp_path / "none") is None
    assert recognise.kind_of(tmp_path) == recognise.FOLDER
    (tmp_path / "options.json").write_text("{}")
    assert recognise.kind_of(tmp_path) == recognise.RUN
    with pytest.raises(SternaError, match=r"folder of a training run, not an integer graph; .* --resume"):
        graph_file.load(tmp_path)
    with pytest.raises(SternaError, match=r"folder of a training run, not a package; .* sterna compile .*\.sterna"):
        load_package(tmp_path)


def test_what_would_be_lost_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "value"
    recognise.check_replaces(path, recognise.PACKAGE)
    for content in (b"", zip_bytes("package.json")):
        path.write_bytes(content)
        recognise.check_replaces(path, recognise.PACKAGE)
    for content, kind in ((GRAPH_BYTES, "an integer graph"), (np.arange(9).tobytes(), "a file of another kind")):
        path.write_bytes(content)
        with pytest.raises(SternaError, match=f"is {kind}, which would be lost; remedy: name another file"):
            recognise.check_replaces(path, recognise.PACKAGE)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\0\0\0\x20ftypisom", "a video"),
        (b"\0\0\0\x18ftypheic", "an image"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "an image"),
        (b"\x1aE\xdf\xa3\x01", "a video"),
    ],
)
def test_videos_are_told_from_images(start: bytes, kind: str) -> None:
    assert recognise.by_content(start) == kind
