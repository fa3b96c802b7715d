"""onnxruntime as a backend gives what the reference gives."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import sterna
from sterna.errors import SternaError
from sterna.exporters.onnx.session import Session
from sterna.run import open_backend
from support.packages import small_package
from support.random_graphs import random_image


def test_equals_the_reference() -> None:
    package = small_package()
    images = np.stack([random_image(np.random.default_rng(seed), package.graph) for seed in range(3)])
    told: list[tuple[int, int]] = []
    with open_backend("reference:") as golden, open_backend("onnx:?threads=2") as backend:
        assert backend.note() is None
        golden.load(package)
        backend.load(package)
        expected = golden.infer(images)
        found = backend.infer(images, lambda *done: told.append(done))
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            assert found[name].dtype == np.int8 and np.array_equal(found[name], tensor), name
        assert "onnxruntime" in str(backend.note()) and "2 threads" in str(backend.note())
    assert told == [(number, len(package.schedule.steps)) for number in range(len(images))]


def test_detects_what_the_emulator_detects() -> None:
    package = sterna.compile("demo-nano", cycles=False)
    boxes = []
    for uri in ("emulator:", "onnx:"):
        with sterna.Detector(package, uri) as detect:
            boxes.append(detect(sterna.scene(7)))
    assert boxes[0] and boxes[0] == boxes[1]


def test_threads_out_of_range() -> None:
    for threads in ("0", "1025", "many"):
        with pytest.raises(SternaError, match=rf"threads = {threads}; allowed: 1 .. 1024"):
            open_backend(f"onnx:?threads={threads}")


def test_a_path() -> None:
    with pytest.raises(SternaError, match="takes no path"):
        open_backend("onnx:model.onnx")


def test_without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(SternaError, match=r"the backend onnx: needs .*onnxruntime.*pip install 'sterna\[interop\]'"):
        Session(small_package().graph)


def test_what_onnxruntime_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("NOT_IMPLEMENTED: MaxPool of int8")

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse)
    with pytest.raises(SternaError, match=r"onnxruntime .*: does not take the model \(NOT_IMPLEMENTED.*--upgrade"):
        Session(small_package().graph)
