"""A folder of detections: earlier results go, other files stay, and the list tells what is there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.stopwatch import Stopwatch
from sterna.vision import detections
from sterna.vision.boxes import Detections
from sterna.vision.detections import REPORT, DetectionsFolder
from sterna.vision.forms import FORMS
from sterna.vision.frames import Crossing, Frame, Seen
from sterna.vision.sources import ImageFile, Images, Source
from support import videos

CLASSES = ["cat", "dog"]


def listed(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / REPORT).read_text())
    return report


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def images(*stems: str) -> list[Source]:
    return [ImageFile(Path(f"{stem}.png")) for stem in stems]


def opened(folder: Path, sources: Sequence[Source], *forms: str) -> DetectionsFolder:
    return DetectionsFolder(folder, sources, [], CLASSES, forms or ("drawn",))


def seen(*kinds: int, number: int = 0) -> Seen:
    boxes = np.array([[1.04, 2.0, 3.26, 4.0]] * len(kinds), np.float32).reshape(-1, 4)
    found = Detections(boxes, np.full(len(kinds), 0.123456, np.float32), np.array(kinds, np.int64))
    return Seen.alone(Frame(np.zeros((8, 16, 3), np.uint8), number, number / 10), found)


def filled(folder: Path, *forms: str) -> None:
    """An image with a box and a video of two frames, the second with a track."""
    results = opened(folder, [*images("a"), Images([], 10)], *forms)
    results.start({})
    results.add(0, seen(1), Stopwatch())
    results.add(1, seen(), Stopwatch())
    last = seen(0, number=1)
    followed = Seen(last.frame, last.found, np.array([7]), (Crossing("gate", 7, "left"),), {"yard": 1}, {7: ("speed",)})
    results.add(1, followed, Stopwatch())
    results.end(1, {"tracks": 7})
    assert results.close(complete=True) == 2


def test_what_drawn_images_are_called_is_what_an_earlier_list_may_name() -> None:
    for stem in ("a", "写" * 200, "", "a\nb"):
        name = f"0000_{detections._kept(stem)}"
        assert detections._FILE.fullmatch(f"{name}.png") and detections._FILE.fullmatch(f"{name}.mp4")
        assert detections._FOLDER.fullmatch(name) and detections._INNER.fullmatch(f"{name}_000012.png")


def test_the_list_says_whether_it_is_whole(tmp_path: Path) -> None:
    results = opened(tmp_path, images("a", "b"))
    assert results.start({"backend": "reference:"}) == 0
    assert listed(tmp_path)["complete"] is False
    results.add(0, seen(0), Stopwatch())
    results.add(1, seen(1, 0), Stopwatch())
    assert results.close(complete=True) == 3
    report = listed(tmp_path)
    assert (report["backend"], report["complete"]) == ("reference:", True)
    box = {"score": 0.1235, "box": [1.0, 2.0, 3.3, 4.0]}
    assert report["images"] == [
        {"image": "a.png", "drawn": "0000_a.png", "boxes": [{"class": "cat"} | box]},
        {"image": "b.png", "drawn": "0001_b.png", "boxes": [{"class": "dog"} | box, {"class": "cat"} | box]},
    ]


def test_earlier_results_go_and_other_files_stay(tmp_path: Path) -> None:
    first = opened(tmp_path, images("a", "b"))
    first.start({})
    first.add(0, seen(), Stopwatch())
    (tmp_path / "0000_c.png").write_text("mine")
    with pytest.raises(SternaError, match=r"would be replaced and that no earlier detection made.*0000_c\.png"):
        opened(tmp_path, images("c"))
    assert opened(tmp_path, images("d")).start({}) == 2
    assert names(tmp_path) == {REPORT, "0000_c.png"}


def test_every_form_is_written_and_goes_again(tmp_path: Path) -> None:
    filled(tmp_path, *FORMS)
    written = {
        "0000_a.png", "0001_images.mp4", "0001_images/0001_images_000000.png", "0001_images/0001_images_000001.png",
        "detections.jsonl", "coco.json", "labels/classes.txt", "labels/0000_a.txt",
        "labels/0001_images_000000.txt", "labels/0001_images_000001.txt",
    }  # fmt: skip
    assert names(tmp_path) == {REPORT, *written}
    report = listed(tmp_path)
    assert report["files"] == ["detections.jsonl", "coco.json"] and report["folders"] == ["0001_images", "labels"]
    assert report["videos"] == [
        {"video": "images", "drawn": "0001_images.mp4", "frames": 2, "seconds": 0.1, "boxes": 1, "tracks": 7}
    ]
    assert len(videos.read(tmp_path / "0001_images.mp4")) == 2
    (tmp_path / "labels" / "mine.txt").write_text("mine")
    (tmp_path / "0001_images" / f"0001_images_000000.png.{1}.partial").write_text("of a run that was killed")
    assert opened(tmp_path, images("d")).start({}) == 2
    assert names(tmp_path) == {REPORT, "labels/mine.txt"} and not (tmp_path / "0001_images").exists()


def test_a_folder_of_somebody_else_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    with pytest.raises(SternaError, match="no earlier detection made; got labels"):
        opened(tmp_path, images("a"), "yolo")
    opened(tmp_path, images("a"), "drawn")


@pytest.mark.parametrize(
    "change",
    [
        {"files": ["../mine"]}, {"files": ["mine.jsonl"]}, {"folders": ["../in"]}, {"folders": ["sub/0000_a"]},
        {"folders": [".."]}, {"files": 3}, {"videos": [3]}, {"videos": [{"drawn": "/etc/0000_a.mp4"}]},
    ],
)  # fmt: skip
def test_a_list_that_names_other_files_is_not_trusted(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / REPORT).write_text(json.dumps({"images": []} | change))
    with pytest.raises(SternaError, match="is not the list of an earlier detection"):
        opened(tmp_path, images("a"))


def test_a_folder_that_has_become_a_link_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "out"
    filled(home, "yolo")
    (home / "labels").rename(tmp_path / "elsewhere")
    (home / "labels").symlink_to(tmp_path / "elsewhere")
    opened(home, images("d")).start({})
    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} > {"classes.txt"}


def test_lines_of_json(tmp_path: Path) -> None:
    filled(tmp_path, "jsonl")
    first, second, third = map(json.loads, (tmp_path / "detections.jsonl").read_text().splitlines())
    size = {"width": 16, "height": 8}
    box = {"score": 0.1235, "box": [1.0, 2.0, 3.3, 4.0]}
    assert first == {"source": "a.png", **size, "boxes": [{"class": "dog", **box}]}
    assert second == {"source": "images", "frame": 0, "seconds": 0, **size, "boxes": []}
    assert third == {
        "source": "images", "frame": 1, "seconds": 0.1, **size,
        "boxes": [{"class": "cat", **box, "track": 7, "unusual": ["speed"]}],
        "crossed": [{"line": "gate", "track": 7, "way": "left"}], "inside": {"yard": 1},
    }  # fmt: skip


def test_coco_is_read_by_its_own_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pycocotools.coco import COCO

    filled(tmp_path, "coco")
    coco = COCO(str(tmp_path / "coco.json"))
    assert [coco.cats[number]["name"] for number in (1, 2)] == CLASSES
    assert [image["file_name"] for image in coco.dataset["images"]] == ["a.png", "images", "images"]
    (dog,), (cat,) = coco.imgToAnns[1], coco.imgToAnns[3]
    assert (dog["category_id"], dog["bbox"], dog["score"]) == (2, [1.0, 2.0, 2.3, 2.0], 0.1235)
    assert cat["track"] == 7 and coco.imgs[3]["frame"] == 1 and not coco.imgToAnns[2]
    assert len(coco.loadRes(coco.dataset["annotations"]).anns) == 2
    capsys.readouterr()


def test_yolo_is_read_by_the_reader_of_data_sets(tmp_path: Path) -> None:
    from sterna.train.data.formats.yolo_rows import parse

    filled(tmp_path, "yolo")
    assert (tmp_path / "labels" / "classes.txt").read_text() == "cat\ndog\n"
    assert (tmp_path / "labels" / "0001_images_000000.txt").read_text() == ""
    (row,) = (tmp_path / "labels" / "0000_a.txt").read_text().splitlines()
    read = parse(row.split(), None, "row")
    assert read.number == 1 and read.edges == pytest.approx((1.04 / 16, 2 / 8, 3.26 / 16, 4 / 8), abs=1e-6)
    assert row.endswith(" 0.123456")


@pytest.mark.parametrize("form", ["jsonl", "coco", "drawn"])
def test_a_run_that_is_stopped_leaves_valid_files(tmp_path: Path, form: str) -> None:
    results = opened(tmp_path, [Images([], 10)], form)
    results.start({})
    results.add(0, seen(1), Stopwatch())
    results.close(complete=False)
    assert listed(tmp_path)["complete"] is False and listed(tmp_path)["videos"][0]["frames"] == 1
    if form == "drawn":
        assert len(videos.read(tmp_path / "0000_images.mp4")) == 1
    elif form == "coco":
        assert len(json.loads((tmp_path / "coco.json").read_text())["annotations"]) == 1
    else:
        assert len((tmp_path / "detections.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("form", ["jsonl", "coco"])
def test_a_full_disk(tmp_path: Path, form: str) -> None:
    results = opened(tmp_path, [Images([], 10)], form)
    results.start({})
    (name,) = listed(tmp_path)["files"]
    results._forms[0].file.close()  # type: ignore[attr-defined]
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/full")
    results._forms[0].start()
    with pytest.raises(SternaError, match=rf"{name}: cannot be written \(No space left"):
        for number in range(2000):
            results.add(0, seen(1, number=number), Stopwatch())
        results.close(complete=True)
    with suppress(SternaError):  # the same again
        results.close(complete=False)
    assert listed(tmp_path)["complete"] is False
