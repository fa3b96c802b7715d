"""Every public call refuses an argument of the wrong kind in one line, before it does anything."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest
import torch

import sterna
from sterna import api
from sterna.errors import SternaError
from sterna.graph.network import Conv, Head
from sterna.package.plan import Plan
from sterna.registry import Registry
from support.network_graphs import random_network_graph

GRAPH = api.load("demo-nano")
PLAN = Plan((), {}, None, ())
LAYERS = (Conv("conv1", "image", 16, 3, bits=8), Head("head", "conv1"))


class Nothing:
    """A thing of no kind that any call takes."""


def package() -> sterna.Package:
    return sterna.compile("demo-nano")


def detector() -> sterna.Detector:
    return sterna.Detector(package())


def classifier() -> sterna.Classifier:
    graph = random_network_graph(np.random.default_rng(0), "resnet8", 28, 28, density=0.3, outputs=2)
    named = replace(graph, metadata={"kind": "classifier", "classes": ["good", "bad"]})
    return sterna.Classifier(sterna.compile(named, cycles=False))


def network() -> sterna.NetworkDescription:
    return sterna.NetworkDescription(LAYERS)


#: By public call: how it is reached, and arguments that it takes. What a call needs to be reached is made only then.
CALLS: dict[str, tuple[Callable[[], Callable[..., Any]], dict[str, Any]]] = {
    "Backend.infer": (lambda: sterna.open_backend("reference:").infer, {"images": np.zeros((1, 3, 160, 160), np.int8)}),
    "Backend.load": (lambda: sterna.open_backend("reference:").load, {"package": package}),
    "Backend.stream": (lambda: sterna.open_backend("reference:").stream, {"images": [np.zeros((3, 8, 8), np.int8)]}),
    "Classifier": (lambda: sterna.Classifier, {"package": package}),
    "Classifier.__call__": (classifier, {"image": np.zeros((8, 8, 3), np.uint8)}),
    "Classifier.stream": (lambda: classifier().stream, {"images": [np.zeros((8, 8, 3), np.uint8)]}),
    "Detector": (lambda: sterna.Detector, {"package": package}),
    "Detector.__call__": (detector, {"image": np.zeros((8, 8, 3), np.uint8)}),
    "Detector.detect": (lambda: detector().detect, {"image": np.zeros((8, 8, 3), np.uint8)}),
    "Detector.stream": (lambda: detector().stream, {"images": [np.zeros((8, 8, 3), np.uint8)]}),
    "Detector.video": (lambda: detector().video, {"source": [np.zeros((8, 8, 3), np.uint8)]}),
    "Graph": (lambda: sterna.Graph, {"layers": GRAPH.layers, "metadata": {}}),
    "Graph.__getitem__": (lambda: GRAPH.__getitem__, {"name": "conv1"}),
    "export": (lambda: sterna.export, {"graph": GRAPH, "path": "model.onnx"}),
    "export_module": (
        lambda: sterna.export_module, {"module": torch.nn.ReLU(), "path": "model.onnx", "height": 8, "width": 8}
    ),
    "import_model": (lambda: sterna.import_model, {"path": "model.onnx"}),
    "Graph.users": (lambda: GRAPH.users, {"name": "conv1"}),
    "NetworkDescription": (lambda: sterna.NetworkDescription, {"layers": LAYERS}),
    "NetworkDescription.channels": (lambda: network().channels, {"classes": 2}),
    "NetworkDescription.infer": (lambda: network().infer, {"classes": 2, "height": 32, "width": 32}),
    "NetworkDescription.with_bits": (lambda: network().with_bits, {"first": 8, "head": 8}),
    "Package": (
        lambda: sterna.Package,
        {"graph": GRAPH, "tape": b"", "config": sterna.load_config("nano"), "metadata": {}, "plan": PLAN},
    ),
    "Package.source_of": (lambda: package().source_of, {"output": "output"}),
    "Registry.__getitem__": (lambda: sterna.schedules.__getitem__, {"name": "cubic"}),
    "Registry.check": (lambda: sterna.schedules.check, {"name": "cubic"}),
    "Registry.register": (lambda: sterna.schedules.register, {"name": "mine"}),
    "Registry.unknown": (lambda: sterna.schedules.unknown, {"name": "mine", "allowed": "cubic"}),
    "Trunk": (lambda: sterna.Trunk, {"activation": "relu"}),
    "Trunk.add": (lambda: sterna.Trunk().add, {"other": "conv1"}),
    "Trunk.average": (lambda: sterna.Trunk().average, {"kernel": 7}),
    "Trunk.concat": (lambda: sterna.Trunk().concat, {"sources": ("conv1", "conv2")}),
    "Trunk.conv": (lambda: sterna.Trunk().conv, {"filters": 8, "kernel": 3}),
    "Trunk.passthrough": (lambda: sterna.Trunk().passthrough, {"route": "conv1", "filters": 8}),
    "Trunk.pool": (lambda: sterna.Trunk().pool, {}),
    "compare": (
        lambda: sterna.compare,
        {"first": "reference:", "second": "reference:", "package": package, "images": np.zeros((1, 3, 8, 8), np.int8)},
    ),
    "compile": (lambda: api.compile, {"graph": "demo-nano"}),
    "estimate": (lambda: api.estimate, {}),
    "evaluate": (lambda: sterna.evaluate, {"target": GRAPH}),
    "explore": (lambda: sterna.explore, {"graph": GRAPH, "min_fps": 100}),
    "generate": (lambda: api.generate, {"config": "nano", "folder": "engine"}),
    "load": (lambda: sterna.load, {"path": "demo-nano"}),
    "load_config": (lambda: sterna.load_config, {"spec": "nano"}),
    "open_backend": (lambda: sterna.open_backend, {"uri": "reference:"}),
    "prepare": (lambda: sterna.prepare, {"graph": GRAPH, "image": np.zeros((8, 8, 3), np.uint8)}),
    "save": (lambda: sterna.save, {"model": GRAPH, "path": "saved.sterna-graph"}),
    "scene": (lambda: sterna.scene, {"seed": 7}),
    "train": (lambda: api.train, {}),
}  # fmt: skip
#: What is of a wrong kind where bytes are not, as bytes are a series of numbers too.
OTHERWISE = {("Package", "tape"): "a", ("Backend.stream", "images"): 7, ("Detector.stream", "images"): 7}
OTHERWISE |= {("Detector.video", "source"): 7, ("Classifier.stream", "images"): 7}
#: Calls that Sterna makes, of what users write; records and options, which check themselves.
OTHERS = {"Backend.from_uri", "Backend.reach", "Box", "EngineConfig", "Score", "TernaryWeightQuant", "TrainOptions"}


def things() -> Iterator[tuple[str, Any]]:
    """Everything public that can be called: functions and classes, and the methods that classes define."""
    named = {name: getattr(sterna, name) for name in sterna.__all__}
    named |= {name: getattr(api, name) for name, thing in named.items() if inspect.ismodule(thing)}
    named = {name: thing for name, thing in named.items() if not isinstance(thing, Registry)} | {"Registry": Registry}
    for name, thing in named.items():
        if name in OTHERS or (inspect.isclass(thing) and issubclass(thing, Exception)):
            continue
        if not inspect.isclass(thing):
            yield name, thing
            continue
        for method, found in vars(thing).items():
            if method == "__init__" and thing is not Registry:
                yield name, found
            elif isinstance(found, FunctionType | classmethod | staticmethod) and (
                method[0] != "_" or method in ("__call__", "__getitem__")
            ):
                yield f"{name}.{method}", getattr(thing, method)


def public() -> set[str]:
    """Public calls that take arguments."""
    taking = {name for name, call in things() if len(set(inspect.signature(call).parameters) - {"self", "cls"})}
    return taking - OTHERS


def test_every_public_call_is_here() -> None:
    assert public() == CALLS.keys()


def test_a_public_call_without_a_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sterna, "planted", lambda image: image, raising=False)
    monkeypatch.setattr(sterna, "__all__", [*sterna.__all__, "planted"])
    assert public() - CALLS.keys() == {"planted"}


def parameters(name: str) -> Iterator[tuple[str, Any]]:
    for parameter in inspect.signature(CALLS[name][0]()).parameters.values():
        if parameter.kind is not parameter.VAR_KEYWORD:
            yield parameter.name, parameter.default


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_kind_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each parameter; None as well, where it is no default."""
    monkeypatch.chdir(tmp_path)
    call, good = CALLS[name][0](), CALLS[name][1]
    wrong: list[object]
    good = {each: value() if value is package else value for each, value in good.items()}
    shown = name.removesuffix(".__call__")
    for parameter, default in parameters(name):
        wrong = [Nothing(), OTHERWISE.get((name, parameter), b"a")]
        wrong += [None] * (default is not None)
        for value in wrong:
            with pytest.raises(SternaError) as refused:
                call(**good | {parameter: value})
            said = str(refused.value)
            start = re.escape(f"{shown}: {parameter} is of the wrong kind; {parameter} = ")
            assert re.match(rf"{start}.+; allowed: .+; remedy: .+", said) and "\n" not in said, said
    assert not list(tmp_path.iterdir()), "nothing is written"


@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"train", "evaluate"}))  # these take options by name
def test_a_wrong_name_is_refused(name: str) -> None:
    said = rf"^{re.escape(name.removesuffix('.__call__'))}: got an unexpected keyword argument 'wrongly'; .*remedy: "
    with pytest.raises(SternaError, match=said):
        CALLS[name][0]()(**CALLS[name][1], wrongly=1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sterna.save("a.sterna", GRAPH), "save: model .*; model = 'a.sterna'; allowed: Graph or Package; "),
        (lambda: sterna.Detector("demo-nano"), "package = 'demo-nano'; allowed: Package; remedy: .* sterna.compile or"),
        (lambda: sterna.Detector(GRAPH), "Detector: package .*; package = Graph; allowed: Package"),
        (lambda: sterna.prepare(package(), None), "graph = Package; .* the graph of a package is package.graph"),
        (lambda: detector()(7), r"image = 7; allowed: str, Path or ndarray; .*np.asarray\(image.convert\('RGB'\)\)"),
        (lambda: sterna.open_backend(None), "open_backend: uri .*; uri = None; allowed: str; remedy: give it as text"),
        (lambda: sterna.scene("7"), "scene: seed .*; seed = '7'; allowed: a whole number"),
        (lambda: sterna.scene(True), "seed = True; allowed: a whole number"),
        (lambda: sterna.scene(), "scene: missing a required argument: 'seed'; allowed: seed, height, width, hard; "),
        (lambda: api.train("scenes"), "options = 'scenes'; allowed: TrainOptions or None; .* options by name"),
        (lambda: sterna.schedules.register(things), "Registry.register: name .*; name = function things; .*in quotes"),
        (lambda: sterna.load(""), "load: path is no path; path = ''; allowed: .*; remedy: name a file or folder"),
        (lambda: sterna.load("a\0b"), r"path is no path; path = 'a\\x00b'"),
        (lambda: sterna.load("\ud800"), "path is no path"),
        (lambda: sterna.load("x" * 5000), "path is no path; path = 'xxx.*; allowed: .* as long as the system takes; "),
        (lambda: sterna.load(Path("x" * 300)), "path is no path"),
        (lambda: sterna.evaluate(GRAPH, "x" * 5000), r"cannot be read \(File name too long\); remedy: check"),
    ],
)  # fmt: skip
def test_what_is_said(call: Callable[[], object], said: str) -> None:
    with pytest.raises(SternaError, match=said):
        call()


def test_other_forms_of_a_kind_are_taken(tmp_path: Path) -> None:
    """Numbers of numpy, and paths of other libraries."""

    class Place:
        def __fspath__(self) -> str:
            return str(tmp_path / "a.sterna-graph")

    sterna.save(GRAPH, Place())  # type: ignore[arg-type]
    assert sterna.load(Place()) == GRAPH  # type: ignore[arg-type]
    assert sterna.scene(np.int64(7), np.uint8(32), 32).shape == (32, 32, 3)  # type: ignore[arg-type]
    assert sterna.Detector(package(), threshold=np.float32(0.5)).threshold == 0.5  # type: ignore[arg-type]
