"""`sterna detect` into folders of every kind, from images of every name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from sterna.errors import SternaError
from sterna.vision import drawing

from .conftest import Sterna
from .test_refusals import assert_refused

Got = Callable[[object], None]


def listed(folder: Path) -> list[str]:
    """The drawn images that the folder's list names."""
    return [record["drawn"] for record in json.loads((folder / "detections.json").read_text())["images"]]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def image(images: Path) -> Path:
    return images / "a.png"


@pytest.mark.case(
    "detect-again-into-the-folder",
    kind="outputs",
    expected="the folder holds the new results alone, and other people's files as they were",
)
def test_results_of_an_earlier_run_are_removed(
    sterna: Sterna, package_path: Path, images: Path, tmp_path: Path, got: Got
) -> None:
    output = tmp_path / "out"
    assert sterna("detect", package_path, images, "-o", output).code == 0
    assert len(listed(output)) == 3
    (output / "notes.png").write_text("mine")
    ended = sterna("detect", package_path, images / "b.jpg", "-o", output)
    assert ended.code == 0 and "removed the images of an earlier run (3)" in ended.out
    assert names(output) == {"0000_b.png", "detections.json", "notes.png"} and listed(output) == ["0000_b.png"]
    assert (output / "notes.png").read_text() == "mine"
    got("3 earlier images removed, 1 new one and the file of another origin there")


def test_a_file_that_no_detection_made_is_never_replaced(
    sterna: Sterna, package_path: Path, image: Path, tmp_path: Path
) -> None:
    (tmp_path / "0000_a.png").write_text("mine")
    assert_refused(sterna("detect", package_path, image, "-o", tmp_path), "0000_a.png", "no earlier detection")
    assert names(tmp_path) == {"0000_a.png"}


@pytest.mark.parametrize("text", ["", "[]", '{"images": [{"drawn": "../a.png"}]}', '{"images": [{"drawn": "a.png"}]}'])
def test_a_list_of_another_origin_is_not_trusted(
    sterna: Sterna, package_path: Path, image: Path, tmp_path: Path, text: str
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    for path in (tmp_path / "a.png", output / "a.png"):
        path.write_text("mine")
    (output / "detections.json").write_text(text)
    assert_refused(sterna("detect", package_path, image, "-o", output), "not the list of an earlier detection")
    assert (tmp_path / "a.png").exists() and names(output) == {"a.png", "detections.json"}


@pytest.mark.case(
    "detect-stopped-half-way",
    kind="outputs",
    expected="the list says that it is not complete and names every image, so that the next run removes them",
)
def test_a_stopped_run_leaves_nothing_unknown(
    sterna: Sterna, package_path: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, got: Got
) -> None:
    output, save = tmp_path / "out", drawing.save

    def full(image: object, path: Path) -> None:
        if path.name.startswith("0001"):
            raise SternaError("cannot be written (No space left on device)", where=str(path))
        save(image, path)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(drawing, "save", full)
        assert_refused(sterna("detect", package_path, images, "-o", output), "0001_b.png", "No space left")
    report = json.loads((output / "detections.json").read_text())
    assert report["complete"] is False
    assert "boxes" in report["images"][0] and "boxes" not in report["images"][1]
    assert names(output) == {"0000_a.png", "detections.json"} < {*listed(output), "detections.json"}
    assert sterna("detect", package_path, images / "b.jpg", "-o", output).code == 0
    assert names(output) == {"0000_b.png", "detections.json"}
    assert json.loads((output / "detections.json").read_text())["complete"] is True
    got("the stopped run's image was listed and removed by the next run")


@pytest.mark.case(
    "folder-of-folders",
    kind="layout",
    expected="--recursive reads sub-folders; without it their number is said",
)
def test_sub_folders_are_read_on_request(
    sterna: Sterna, package_path: Path, image: Path, tmp_path: Path, got: Got
) -> None:
    home = tmp_path / "images"
    for name in ("one", "two/deep", ".hidden"):
        (home / name).mkdir(parents=True)
        shutil.copy(image, home / name / "same.png")
    shutil.copy(image, home / "top.png")
    (home / "notes.txt").write_text("")
    output = home / "out"
    ended = sterna("detect", package_path, home, "-o", output)
    said = f"{home}: 1 image; not read: 2 sub-folders (--recursive reads them), 1 file of other kinds"
    assert ended.code == 0 and said in ended.out and listed(output) == ["0000_top.png"]
    for _ in range(2):  # the second time, the first results are there
        ended = sterna("detect", package_path, home, "-o", output, "--recursive")
        assert ended.code == 0 and "sub-folder" not in ended.out, ended
        assert listed(output) == ["0000_same.png", "0001_top.png", "0002_same.png"]
    got(said.replace(str(tmp_path), ""))
    shutil.rmtree(output)
    (home / "top.png").unlink()
    shutil.move(home / "one", tmp_path / "disk")
    (home / "one").symlink_to(tmp_path / "disk")
    assert_refused(sterna("compare", package_path, home), "holds no images, but 2 folders", "--recursive")
    same = sterna("compare", package_path, home, "--recursive", "--backends", "reference,reference")
    assert same.code == 0 and same.out.count("layers are equal") == 2


@pytest.mark.case(
    "names-of-images",
    kind="names",
    expected="images of equal, long, spaced and non-ASCII names each get a file of their own",
)
def test_names_of_every_kind(sterna: Sterna, package_path: Path, image: Path, tmp_path: Path, got: Got) -> None:
    given = [
        "a b.png",
        "a b.jpg",
        "Zoë 写真.png",
        "x" * 250 + ".png",
        "写" * 83 + ".png",
        "new\nline.png",
        "100%#?.png",
    ]
    home = tmp_path / "in"
    home.mkdir()
    for name in given:
        shutil.copy(image, home / name)
    shutil.copy(image, os.fsencode(home) + b"/latin\xe9.png")
    output = tmp_path / "out"
    ended = sterna("detect", package_path, home, home / "a b.png", "-o", output)
    assert ended.code == 0, ended.err
    assert "1 image named twice: read once" in ended.out
    assert names(output) == {*listed(output), "detections.json"} and len(listed(output)) == len(given) + 1
    assert {"0002_a b.png", "0003_a b.png"} < names(output) and max(
        len(os.fsencode(name)) for name in names(output)
    ) < 220
    got(f"{len(given) + 1} images drawn")


@pytest.mark.parametrize("command", ["detect", "compare", "simulate"])
def test_swapped_arguments(sterna: Sterna, package_path: Path, image: Path, command: str) -> None:
    assert_refused(sterna(command, image, package_path), "is an image, not a package", "name the package first")
    assert_refused(sterna(command, package_path, package_path), "is a package, not an image")


@pytest.mark.parametrize("command", ["detect", "compare", "simulate"])
def test_a_graph_or_run_in_place_of_the_package(
    sterna: Sterna, graph_path: Path, run_folder: Path, image: Path, command: str
) -> None:
    said = f"remedy: compile it: sterna compile {graph_path} -o small.sterna"
    assert_refused(sterna(command, graph_path, image), "is an integer graph, not a package", said)
    assert_refused(sterna(command, run_folder, image), "run, not a package", f"sterna compile {run_folder} -o run.ster")


def test_the_folder_that_is_read_is_not_written_to(sterna: Sterna, package_path: Path, images: Path) -> None:
    before = names(images)
    assert_refused(sterna("detect", package_path, images, "-o", images), "is also an input folder")
    assert names(images) == before


def test_the_first_of_several_images_is_told(sterna: Sterna, package_path: Path, image: Path, tmp_path: Path) -> None:
    pages = [Image.open(image)] * 3
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    ended = sterna("detect", package_path, tmp_path / "scan.tif", "-o", tmp_path / "out")
    assert ended.code == 0 and "scan.tif: the first of 3 images in the file is read" in ended.out
