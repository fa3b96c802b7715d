from __future__ import annotations

import base64
import io
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sterna.errors import SternaError
from sterna.train.model.form import Form
from sterna.train.report import layers, plots, report, summary_page
from sterna.train.report.history import EpochLine
from support.small_detector import ANCHORS, small_graph, small_network, small_scenes

VOID = {"meta", "img"}


class Page(HTMLParser):
    """Checks that every element is closed in order; keeps the text, the headings and the images."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text, self.headings, self.images = "", [], {}  # type: ignore[var-annotated]
        self.feed(path.read_text("utf-8"))
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            values = dict(attrs)
            kind, _, content = (values["src"] or "").partition(",")
            assert kind == "data:image/png;base64"
            self.images[values["alt"]] = Image.open(io.BytesIO(base64.b64decode(content, validate=True)))
        assert all(name not in ("href", "onclick") for name, _ in attrs), "the page needs no other file"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data)


def line(stage: str, epoch: int, **more: object) -> EpochLine:
    return {"stage": stage, "epoch": epoch, "box": 3.0 / epoch, "objectness": 30.0 / epoch, "classes": 0.5, **more}  # type: ignore[typeddict-item]


def test_the_page_of_a_new_run_has_the_options(tmp_path: Path) -> None:
    path = summary_page.write_html(tmp_path, title="nano on <scenes>", options={"batch": 16, "output": "a & b"})
    page = Page(path)
    assert path == tmp_path / "summary.html" and [each.name for each in tmp_path.iterdir()] == ["summary.html"]
    assert page.headings == ["nano on <scenes>"] and not page.images
    for part in ("batch", "16", "a & b", "torch 2.", "sterna 0."):
        assert part in page.text


def test_the_page_of_a_finished_run_has_everything(tmp_path: Path) -> None:
    scenes = small_scenes(2)
    ternary = small_network(scenes)
    forms = {"float": small_network(scenes, Form.FLOAT), "ternary": ternary, "integer": small_graph(ternary)}
    comparison = report.compare(forms, scenes)
    found = layers.sparsity(ternary)
    sparse = {"density_by_layer": found.density_by_layer, "rho_by_layer": found.rho_by_layer}
    history = [line("float", 1), line("float", 2, val_map50=0.5, val_map=0.3), line("ternary", 1, **sparse)]
    evaluators = report.evaluators(forms, scenes.classes)
    page = Page(
        summary_page.write_html(
            tmp_path,
            title="nano",
            options={},
            comparison=comparison,
            history=history,
            samples={form: plots.samples(evaluator, scenes) for form, evaluator in evaluators.items()},
        )
    )
    assert page.headings == ["nano", "Precision", "Training", "Layers", "Samples", "float", "ternary", "integer"]
    assert len(page.images) == 4 + 3
    map50 = f"{comparison.precision['float'].map50:.3f}"
    for cell in (map50, "mAP50-95", "person, COCO AP50", "VOC10 mAP50", "VOCevaldet.m", "concat", "%"):
        assert cell in page.text
    for image in page.images.values():
        assert len(np.unique(np.asarray(image.convert("L")))) > 10, "an image is blank"


def test_a_page_after_the_float_stage_has_no_layers(tmp_path: Path) -> None:
    scenes = small_scenes(1)
    evaluator = plots.Evaluator(lambda images: np.zeros((len(images), 35, 4, 4), np.float32), ANCHORS, 1.0)
    comparison = report.measure({"float": evaluator}, scenes)
    page = Page(
        summary_page.write_html(tmp_path, title="nano", options={}, comparison=comparison, history=[line("float", 1)])
    )
    assert page.headings == ["nano", "Precision", "Training"]
    assert set(page.images) == {"Precision and recall at IoU 0.5", "Loss and validation by epoch"}


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SternaError, match=r"summary\.html: cannot be written"):
        summary_page.write_html(tmp_path / "file", title="nano", options={})


def test_samples_show_what_is_labelled_and_what_is_found() -> None:
    scenes = small_scenes(8)
    nothing = plots.Evaluator(lambda images: np.full((len(images), 35, 4, 4), -9, np.float32), ANCHORS, 1.0)
    everything = plots.Evaluator(lambda images: np.full((len(images), 35, 4, 4), 9, np.float32), ANCHORS, 1.0)
    bare, full = (np.asarray(plots.samples(evaluator, scenes)) for evaluator in (nothing, everything))
    assert bare.shape == full.shape and (bare != full).any()
    rows, columns = bare.shape[0] // 512, bare.shape[1] // 512
    assert (rows, columns) == (2, 3)


def test_warnings_stand_on_the_page(tmp_path: Path) -> None:
    page = Page(summary_page.write_html(tmp_path, title="nano", options={}, warnings=["density <missed>", "no red"]))
    assert page.headings == ["nano", "Warnings"]
    assert "density <missed>" in page.text and "no red" in page.text
