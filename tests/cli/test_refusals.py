"""Bad input: one clear line on standard error, an exit code that is not 0, no traceback, nothing hung."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from sterna.compile.packages import load as load_package
from sterna.graph import file as graph_file
from sterna.package import file as package_file
from sterna.spec.config import load_config
from sterna.spec.package import OPTIONAL, SECTION_HEADER, PackageSection

from .conftest import CLASSES, Ended, Sterna, make_graph, planted


def assert_refused(ended: Ended, *said: str) -> None:
    assert ended.code not in (0, 1), ended
    assert ended.err.startswith("error: ") and ended.err.count("\n") == 1, ended.err
    for text in said:
        assert text in ended.err, ended.err


@pytest.fixture
def image(images: Path) -> Path:
    return images / "a.png"


def test_image_that_is_none(sterna: Sterna, package_path: Path, images: Path, tmp_path: Path) -> None:
    ended = sterna("detect", package_path, images / "notes.txt", "-o", tmp_path / "out")
    assert_refused(ended, "notes.txt", "not a readable image")
    assert not (tmp_path / "out").exists()


def test_truncated_image(sterna: Sterna, package_path: Path, images: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    data = (images / "b.jpg").read_bytes()
    broken.write_bytes(data[: len(data) // 2])
    assert_refused(sterna("detect", package_path, broken, "-o", tmp_path / "out"), "broken.jpg")


def test_image_of_16_bits(sterna: Sterna, package_path: Path, tmp_path: Path) -> None:
    deep = tmp_path / "deep.png"
    Image.fromarray(np.full((8, 8), 40000, np.uint16)).save(deep)
    assert_refused(sterna("detect", package_path, deep, "-o", tmp_path / "out"), "deep.png", "8-bit")


def test_all_images_that_cannot_be_read_are_named(
    sterna: Sterna, package_path: Path, images: Path, tmp_path: Path
) -> None:
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / name).write_text("no image")
    ended = sterna("detect", package_path, images / "a.png", tmp_path, "-o", tmp_path / "out")
    lines = ended.err.splitlines()
    assert ended.code == 2 and "one.jpg" in lines[0] and "two.jpg" in lines[1] and "2 faults" in lines[2]


def test_no_such_image(sterna: Sterna, package_path: Path, tmp_path: Path) -> None:
    assert_refused(sterna("compare", package_path, tmp_path / "none.png"), "none.png", "no such file")


def test_empty_folder(sterna: Sterna, package_path: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for command in ("detect", "simulate", "compare"):
        assert_refused(sterna(command, package_path, tmp_path / "empty"), "holds no images")


def test_unknown_config(sterna: Sterna, graph_path: Path, tmp_path: Path) -> None:
    ended = sterna("compile", graph_path, "--config", "huge", "-o", tmp_path / "x.sterna")
    assert_refused(ended, "huge", "nano")


def test_illegal_config(sterna: Sterna, tmp_path: Path) -> None:
    fields = load_config("nano").model_dump(exclude={"name"}) | {"tile_h": 4}
    configs = tmp_path / "mine.yaml"
    configs.write_text("mine:\n" + "".join(f"  {name}: {value}\n" for name, value in fields.items()))
    assert_refused(sterna("generate", "--config", configs, "-o", tmp_path / "engine"), "tile_h", "odd")


def test_config_too_small_for_the_graph(sterna: Sterna, graph_path: Path, tmp_path: Path) -> None:
    fields = load_config("nano").model_dump(exclude={"name"}) | {"fm_words": 64, "act_w": 6}
    configs = tmp_path / "mine.yaml"
    configs.write_text("mine:\n" + "".join(f"  {name}: {value}\n" for name, value in fields.items()))
    ended = sterna("compile", graph_path, "--config", configs, "-o", tmp_path / "x.sterna")
    assert_refused(ended, "act_bits", "6")


def test_package_for_another_config(sterna: Sterna, package_path: Path, tmp_path: Path) -> None:
    ended = sterna("generate", "--config", "arria10", "--package", package_path, "-o", tmp_path / "engine")
    assert_refused(ended, "nano", "arria10")


def test_truncated_package(sterna: Sterna, package_path: Path, image: Path, tmp_path: Path) -> None:
    data = package_path.read_bytes()
    path = tmp_path / "short.sterna"
    path.write_bytes(data[: len(data) // 2])
    assert_refused(sterna("detect", path, image), "short.sterna")


@pytest.mark.parametrize("section", [each for each in PackageSection if each not in OPTIONAL])
def test_flipped_bit_in_each_section(
    sterna: Sterna, package_path: Path, image: Path, tmp_path: Path, section: PackageSection
) -> None:
    data = bytearray(package_path.read_bytes())
    data[data.index(section.to_bytes(8, "little")) + SECTION_HEADER.size] ^= 0x10
    path = tmp_path / "flipped.sterna"
    path.write_bytes(data)
    assert_refused(sterna("detect", path, image), f"is damaged (section {section.text})")


def test_a_package_whose_graph_is_not_that_of_its_tape(
    sterna: Sterna, package_path: Path, image: Path, tmp_path: Path
) -> None:
    path = tmp_path / "planted.sterna"
    path.write_bytes(package_file.to_bytes(planted(load_package(package_path))))
    assert_refused(sterna("detect", path, image), "contradict each other; tape = ")


def test_class_count_mismatch(sterna: Sterna, images: Path, tmp_path: Path) -> None:
    path = tmp_path / "three.sterna-graph"
    graph_file.save(make_graph([*CLASSES, "dog"]), path)
    assert_refused(sterna("eval", path, "--scenes", 2), "classes", "channels")
    package = tmp_path / "three.sterna"
    assert sterna("compile", path, "-o", package).code == 0
    assert_refused(sterna("detect", package, images, "-o", tmp_path / "out"), "classes", "channels")


def test_data_of_other_classes(sterna: Sterna, tmp_path: Path) -> None:
    path = tmp_path / "other.sterna-graph"
    graph_file.save(make_graph(["cat", "dog"]), path)
    assert_refused(sterna("eval", path, "--scenes", 2), "cat", "vehicle")


def test_missing_compiler(
    sterna: Sterna, package_path: Path, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert_refused(sterna("simulate", package_path, image), "g++ is missing", "apt install g++")
    ended = sterna("doctor")
    assert ended.code == 1 and "Missing or unsupported: g++, make, perl." in ended.out


def test_file_that_is_no_graph(sterna: Sterna, images: Path, tmp_path: Path) -> None:
    assert_refused(sterna("compile", images / "a.png", "-o", tmp_path / "x.sterna"), "a.png")


def test_archive_that_is_no_package(sterna: Sterna, image: Path, tmp_path: Path) -> None:
    path = tmp_path / "zip.sterna"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello", "world")
    assert_refused(sterna("detect", path, image), "zip.sterna")


def test_place_that_cannot_be_written(sterna: Sterna, graph_path: Path, package_path: Path, image: Path) -> None:
    assert_refused(sterna("compile", graph_path, "-o", "/proc/none/x.sterna"), "/proc/none")
    assert_refused(sterna("detect", package_path, image, "-o", "/proc/none/out"), "/proc/none")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing command"),
        (("fly",), "fly"),
        (("compile",), "Missing"),
        (("detect", "x.sterna", "x.png", "--threshold", "2"), "threshold"),
        (("compare", "x.sterna"), "Missing"),
        (("train",), "output"),
        (("train", "--output", "x", "--batch", "none"), "batch"),
    ],
)
def test_usage(sterna: Sterna, arguments: tuple[str, ...], said: str) -> None:
    assert_refused(sterna(*arguments), said)


def test_unknown_backend(sterna: Sterna, package_path: Path, image: Path, tmp_path: Path) -> None:
    for backend, *said in (("abacus:", "abacus", "sim"), ("sim:?speed=1", "speed", "latency"), ("reference:x", "path")):
        assert_refused(sterna("detect", package_path, image, "--backend", backend, "-o", tmp_path / "out"), *said)
    assert not (tmp_path / "out").exists()
    assert_refused(sterna("compare", package_path, image, "--backends", "sim"), "two backends")
    assert_refused(sterna("compare", package_path, image, "--backends", "sim,abacus"), "abacus")


def test_train_on_what_is_no_data(sterna: Sterna, tmp_path: Path) -> None:
    assert_refused(sterna("train", "--data", tmp_path / "none", "--output", tmp_path / "run"), "none")
    assert_refused(sterna("train", "--output", tmp_path / "other", "--resume"), "no training run")


def test_eval_of_a_run_that_has_not_ended(sterna: Sterna, run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "options.json").write_bytes((run_folder / "options.json").read_bytes())
    assert_refused(sterna("eval", tmp_path), str(tmp_path), "no integer graph yet", "resume")


def test_eval_of_a_folder_without_a_run(sterna: Sterna, tmp_path: Path) -> None:
    assert_refused(sterna("eval", tmp_path), "is a folder, not the folder of a training run")


def test_a_report_that_cannot_be_written_is_refused_before_the_work(sterna: Sterna, graph_path: Path) -> None:
    for option in ("--report", "--json"):
        ended = sterna("eval", graph_path, option, graph_path / "below", "--scenes", 1_000_000)
        assert_refused(ended, str(graph_path))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("eval", "demo-nano", "--data", ""), "--data"),
        (("eval", "demo-nano", "--split="), "--split"),
        (("detect", "a.sterna", "a.png", "-o", ""), "-o"),
        (("train", "--output", ""), "--output"),
        (("compile", "", "-o", "a.sterna"), "argument"),
    ],
)
def test_empty_words(
    sterna: Sterna, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(sterna(*given), f"sterna: an option or argument is empty; {named} = ''; remedy: give it a value")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--target", "vivado"), "--target: there is no such target; got vivado; allowed: quartus"),
        (("--fpga", "gx1150"), "--target: an FPGA is for a target"),
        (("--target", "quartus", "--fpga", "gx9"), "no such FPGA; FPGA = gx9; allowed: gx1150, de10-nano"),
        (("--target", "quartus", "--config", "CONFIG"), "--fpga: no FPGA is named for this config"),
    ],
)
def test_projects_for_what_is_not_known(sterna: Sterna, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(yaml.safe_dump({"mine": load_config("nano").model_dump(exclude={"name"})}))
    ended = sterna("generate", *(str(mine) if word == "CONFIG" else word for word in options), "-o", tmp_path / "out")
    assert_refused(ended, said)
    assert not (tmp_path / "out").exists()
