"""`import sterna`: every name is there, and does what the command line does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sterna
from sterna.errors import SternaError
from sterna.spec.paths import ROOT
from sterna.vision.decoder import Decoder
from sterna.vision.defaults import OVERLAP, SHOWN
from support.engines import SIMULATORS

MODEL = ROOT / "models" / "demo-nano.sterna-graph"


@pytest.fixture(scope="module")
def package() -> sterna.Package:
    return sterna.compile(MODEL)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return sterna.scene(7)


def test_every_name_is_there() -> None:
    assert all(hasattr(sterna, name) for name in sterna.__all__)
    assert set(sterna.__all__) <= set(dir(sterna))
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        sterna.lode  # type: ignore[attr-defined]  # noqa: B018


def test_import_takes_no_library() -> None:
    said = "import sys, sterna; print(sorted({'torch', 'numpy', 'pydantic'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_rooms_are_called_and_imported_from(package: sterna.Package) -> None:
    """In any order: importing from a room does not hide its function."""
    import sterna.compile.compiler as inside
    from sterna import compile as again

    assert again is sterna.compile and callable(sterna.compile) and inside.compile_graph
    assert sterna.compile(MODEL, "nano") == package == sterna.compile(package)


def test_models_are_saved_and_loaded(package: sterna.Package, tmp_path: Path) -> None:
    graph = sterna.load(MODEL)
    assert isinstance(graph, sterna.Graph)
    for model, name in ((graph, "a.sterna-graph"), (package, "a.sterna")):
        sterna.save(model, tmp_path / name)
        assert type(sterna.load(tmp_path / name)) is type(model)
    assert sterna.load("demo-nano") == graph
    with pytest.raises(SternaError, match=r"missing\.sterna"):
        sterna.load(tmp_path / "missing.sterna")


def test_boxes_are_those_of_the_decoder(package: sterna.Package, image: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "scene.png"
    Image.fromarray(image).save(path)
    with sterna.Detector(package) as detector:
        found = detector(path)
        assert found == detector(image) and found
        head = detector.backend.infer(sterna.prepare(package.graph, image)[np.newaxis])["output"][0]
    expected = Decoder.of(package.graph).boxes(head, image, threshold=SHOWN, overlap=OVERLAP)
    assert [box.score for box in found] == pytest.approx(expected.scores.tolist())
    np.testing.assert_allclose([box[2:] for box in found], expected.boxes)
    assert {box.label for box in found} <= {"vehicle", "person"}


def test_a_detector_closes_only_its_own_backend(package: sterna.Package, image: np.ndarray) -> None:
    with sterna.open_backend("reference:") as backend:
        with sterna.Detector(package, backend):
            pass
        assert sterna.Detector(package, backend)(image)
    detector = sterna.Detector(package)
    detector.close()
    with pytest.raises(SternaError, match=r"no package is loaded"):
        detector(image)


@pytest.mark.parametrize("wrong", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8)])
def test_what_is_no_image_is_refused(package: sterna.Package, wrong: np.ndarray) -> None:
    with sterna.Detector(package) as detector, pytest.raises(SternaError, match=r"is no image; image = "):
        detector(wrong)


def test_two_backends_agree(monkeypatch: pytest.MonkeyPatch, image: np.ndarray) -> None:
    monkeypatch.setenv("STERNA_BUILD_DIR", str(SIMULATORS))
    traced = sterna.compile(MODEL, trace=True)
    images = sterna.prepare(traced.graph, image)[np.newaxis]
    comparison = sterna.compare("reference:", "sim:", traced, images)
    assert comparison.equal and len(comparison.layers) > 10


def test_an_engine_is_generated(package: sterna.Package, tmp_path: Path) -> None:
    sterna.generate("nano", tmp_path / "engine", package)
    assert (tmp_path / "engine" / "sterna_top.sv").is_file()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"seed": -1}, r"a scene cannot be drawn; seed = -1; allowed: 0 \.\. 2147483647"),
        ({"seed": 1, "height": 0}, r"height = 0; allowed: 1 \.\. 2048"),
        ({"seed": 1, "height": 10**7, "width": 10**7}, r"height = 10000000; allowed: 1 \.\. 2048"),
    ],
)
def test_a_scene_that_cannot_be_drawn_is_refused(wrong: dict[str, int], said: str) -> None:
    with pytest.raises(SternaError, match=said):
        sterna.scene(**wrong)


@pytest.mark.parametrize("hard", [False, True])
def test_a_narrow_scene_is_drawn(hard: bool) -> None:
    assert sterna.scene(1, 512, 1, hard=hard).shape == (512, 1, 3)


def test_a_graph_is_evaluated() -> None:
    found = sterna.evaluate(MODEL, "scenes", scenes=2)
    assert list(found.precision) == ["integer"] and 0 <= found.precision["integer"].map50 <= 1


def test_a_package_is_evaluated_as_its_graph(package: sterna.Package) -> None:
    of_graph, of_package = (sterna.evaluate(model, scenes=2).precision for model in (package.graph, package))
    assert of_graph == of_package


def test_a_detector_is_trained(tmp_path: Path) -> None:
    counts = {"train_scenes": 4, "val_scenes": 1, "test_scenes": 1, "batch": 4}
    counts |= {"float_epochs": 1, "ternary_epochs": 1, "quantised_epochs": 1, "integer_epochs": 1}
    result = sterna.train(**counts, height=32, width=32, threads=1, output=tmp_path / "run")
    assert isinstance(sterna.load(tmp_path / "run"), sterna.Graph) and result.graph.is_file()
    with pytest.raises(SternaError, match="options are given in two ways"):
        sterna.train(sterna.TrainOptions(output=tmp_path / "run"), seed=1)


@pytest.mark.parametrize(
    ("update", "said"),
    [
        ({"pes": 5}, r"config: nano: must be a power of two; pes = 5; remedy: see docs"),
        ({"tile_h": 1}, r"tile_h = 1; allowed: greater than or equal to 3; remedy"),
        ({"pess": 8}, r"there is no such parameter; pess = 8"),
    ],
)
def test_a_changed_config_is_checked(update: dict[str, int], said: str) -> None:
    with pytest.raises(SternaError, match=said):
        sterna.compile(MODEL, sterna.load_config("nano").model_copy(update=update))


def test_what_does_not_fit_is_refused(package: sterna.Package, image: np.ndarray, tmp_path: Path) -> None:
    graph, prepared = package.graph, sterna.prepare(package.graph, image)
    calls: list[tuple[str, Callable[[], object]]] = [
        ("bad threshold; threshold = 2", lambda: sterna.Detector(package, threshold=2)),
        ("bad overlap; overlap = nan", lambda: sterna.Detector(package, overlap=float("nan"))),
        ("is no image; image = float64", lambda: sterna.prepare(graph, image / 255)),
        ("an image needs a package", lambda: sterna.generate("nano", tmp_path / "e", image=prepared)),
        (
            r"is not one image; image = \[1, 3,",
            lambda: sterna.generate("nano", tmp_path / "e", package, prepared[np.newaxis]),
        ),
        ("no such speed; min_fps = -1", lambda: sterna.explore(MODEL, min_fps=-1)),
        ("no such speed; min_fps = inf", lambda: sterna.explore(MODEL, min_fps=float("inf"))),
        ("there is no such option; datas = x", lambda: sterna.train(datas="x")),
        ("there is no such option; scnes = 4", lambda: sterna.evaluate(MODEL, "scenes", scnes=4)),
        ("bad number of scenes; scenes = 0", lambda: sterna.evaluate(MODEL, "scenes", scenes=0)),
        ("the option is required; output = nothing", lambda: sterna.train(data="scenes")),
    ]
    for said, call in calls:
        with pytest.raises(SternaError, match=said):
            call()
    assert not (tmp_path / "e").exists(), "nothing is written"
    with sterna.Detector(package) as detect, pytest.raises(SternaError, match=r"none\.png: no such image file"):
        detect("none.png")
