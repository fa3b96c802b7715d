"""Sterna: sparse ternary object detectors as FPGA hardware without multipliers.

    >>> import sterna
    >>> package = sterna.compile("demo-nano")
    >>> with sterna.Detector(package, backend="sim:") as detect:
    ...     for box in detect("street.jpg"):
    ...         print(f"{box.label} {box.score:.1f} at {box.left:.0f}, {box.top:.0f}")
    vehicle 0.9 at ...

Everything else is in the packages (`sterna.graph`, `sterna.run`, ...), each with its own documentation.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sterna.api import (
        compare,
        compile,
        estimate,
        evaluate,
        explore,
        export,
        generate,
        import_model,
        load,
        save,
        scene,
        train,
    )  # fmt: skip
    from sterna.classifier import Classifier, Score
    from sterna.detector import Box, Detector
    from sterna.errors import SternaError
    from sterna.exporters.onnx.module import export_module
    from sterna.graph import Graph
    from sterna.graph.network import NetworkDescription
    from sterna.graph.networks import Trunk, networks
    from sterna.package.package import Package
    from sterna.run.backend import Backend
    from sterna.run.registry import backends, open_backend
    from sterna.spec.config import EngineConfig, load_config
    from sterna.train.model.patterns import patterns
    from sterna.train.model.quantisers import TernaryWeightQuant
    from sterna.train.model.schedules import schedules
    from sterna.train.options import TrainOptions
    from sterna.vision.prepare import prepare

#: Where each name comes from; it is imported on first use. Callable packages are not among them.
_HOMES = {
    "sterna.api": ("compare", "evaluate", "explore", "export", "import_model", "load", "save", "scene"),
    "sterna.classifier": ("Classifier", "Score"),
    "sterna.detector": ("Box", "Detector"),
    "sterna.errors": ("SternaError",),
    "sterna.exporters.onnx.module": ("export_module",),
    "sterna.graph": ("Graph",),
    "sterna.graph.network": ("NetworkDescription",),
    "sterna.graph.networks": ("Trunk", "networks"),
    "sterna.package.package": ("Package",),
    "sterna.run.backend": ("Backend",),
    "sterna.run.registry": ("backends", "open_backend"),
    "sterna.spec.config": ("EngineConfig", "load_config"),
    "sterna.train.model.patterns": ("patterns",),
    "sterna.train.model.quantisers": ("TernaryWeightQuant",),
    "sterna.train.model.schedules": ("schedules",),
    "sterna.train.options": ("TrainOptions",),
    "sterna.vision.prepare": ("prepare",),
}
_ROOMS = ("compile", "estimate", "generate", "train")
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Backend", "Box", "Classifier", "Detector", "EngineConfig", "Graph", "NetworkDescription", "Package", "Score",
    "SternaError", "TernaryWeightQuant", "TrainOptions", "Trunk", "backends", "compare", "compile", "estimate",
    "evaluate", "explore", "export", "export_module", "generate", "import_model", "load", "load_config", "networks",
    "open_backend",
    "patterns", "prepare", "save", "scene", "schedules", "train",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"sterna.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'sterna' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
