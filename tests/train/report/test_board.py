from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from sterna.train.data.frames import Frame, Labels
from sterna.train.report import board, distances, evaluate
from sterna.train.report.board import Board
from sterna.train.report.coco_precision import RECALL
from sterna.train.report.evaluate import Precision
from sterna.vision.boxes import Detections


def precision() -> Precision:
    boxes = np.array([[10, 10, 30, 30]], np.float32)
    frame = Frame(np.zeros((64, 64, 3), np.uint8), *Labels.of(boxes, np.zeros(1, np.int64)))
    return evaluate.precision([frame], [Detections(boxes, np.ones(1, np.float32), np.zeros(1, np.int64))], ["cat"])


def write(made: Board, steps: range, loss: float) -> None:
    for step in steps:
        made.losses(step, "float", {"box": loss, "classes": 1.0}, rate=0.1)
        made.layers(step, {"conv1": 1.0, "conv2": 0.3}, {"conv2": 0.7})
        made.samples(step, "float", Image.new("RGB", (20, 10), "red"))


def read(run: Path) -> EventAccumulator:
    events = EventAccumulator(str(run / board.FOLDER), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    return events


def test_everything_can_be_read_back(tmp_path: Path) -> None:
    with Board(tmp_path) as made:
        write(made, range(3), loss=2.0)
        made.precision(2, "float", precision())
    events = read(tmp_path)
    assert [(point.step, point.value) for point in events.Scalars("loss/all")] == [(0, 3.0), (1, 3.0), (2, 3.0)]
    for tag in ("loss/box", "rate/float", "density/conv1", "density/conv2", "rho/conv2", "map50/float", "map/float"):
        assert tag in events.Tags()["scalars"]
    assert [(point.step, point.value) for point in events.Scalars("ap50 cat/float")] == [(2, 1.0)]
    sample = events.Images("samples/float")[0]
    assert (sample.width, sample.height) == (20, 10)
    (curve,) = events.Tensors("precision and recall cat/float")
    shown = make_ndarray(curve.tensor_proto)
    np.testing.assert_allclose(shown[4:], [np.ones(len(RECALL)), RECALL])


def test_pairs_are_shown_by_whether_they_are_alike(tmp_path: Path) -> None:
    found = distances.told(np.array([1, 3, 2, 4]), np.array([True, True, False, False]), 3)
    with Board(tmp_path) as made:
        made.pairs(1, "float", found)
    shown = {name: read(tmp_path).Scalars(f"pairs {name}/float")[0].value for name in ("accuracy", "alike", "others")}
    assert shown == {"accuracy": 0.75, "alike": 1.0, "others": 0.5}


def test_a_resumed_run_shows_each_point_once(tmp_path: Path) -> None:
    with Board(tmp_path) as made:
        write(made, range(5), loss=2.0)  # stopped here; the last checkpoint was at step 3
    with Board(tmp_path, 3) as made:
        write(made, range(3, 6), loss=4.0)
    events = read(tmp_path)
    values = [(point.step, point.value) for point in events.Scalars("loss/box")]
    assert values == [(0, 2.0), (1, 2.0), (2, 2.0), (3, 4.0), (4, 4.0), (5, 4.0)]
    assert [image.step for image in events.Images("samples/float")] == [0, 1, 2, 3, 4, 5]
