"""PyTorch modules in floats as ONNX files that a training starts from."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import torch
from torch.nn import Module

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.extras import INTEROP, needed_for
from sterna.files import write_bytes

_OPSET = 18


@checked
def export_module(
    module: Module,
    path: str | Path,
    height: int,
    width: int,
    *,
    anchors: tuple[Sequence[float], ...] | list[Sequence[float]] = (),
    names: tuple[str, ...] | list[str] = (),
) -> None:
    """Write `module`, which reads float images [1, 3, height, width], as an ONNX model to the file `path`, atomically.

    It goes through `torch.export`, in evaluation mode. anchors: pairs of width and height in cells, if the module ends
    in a head; names: of its classes. `TrainOptions(network=path)` then starts from it. Needs the extra `interop`.
    Raises SternaError if a package of it is missing, for a module that PyTorch cannot export, for an anchor that is no
    pair, and if the file cannot be written.

    >>> export_module(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU()), "mine.onnx", 32, 32)
    """
    properties = {"anchors": [_anchor(pair) for pair in anchors], "names": [str(name) for name in names]}
    stated = {name: json.dumps(value) for name, value in properties.items() if value}
    write_bytes(Path(path), _exported(module, height, width, stated))


def _anchor(pair: object) -> list[float]:
    try:
        width, height = map(float, pair)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise SternaError(
            "an anchor is no pair", where="export_module", attribute="anchors", value=repr(pair),
            allowed="pairs of width and height in cells", remedy="give anchors=[(1.5, 2), ...]",
        ) from None  # fmt: skip
    return [width, height]


def _exported(module: Module, height: int, width: int, properties: dict[str, str]) -> bytes:
    with needed_for("a module as an ONNX model", INTEROP):
        import onnx  # noqa: F401 - PyTorch does

    trains = module.training
    try:
        with _quiet(), torch.no_grad():
            device = next((each.device for each in module.parameters()), torch.device("cpu"))
            image = torch.zeros(1, 3, height, width, device=device)
            program = torch.onnx.export(module.eval(), (image,), dynamo=True, verbose=False, opset_version=_OPSET)
    except Exception as error:  # those of torch.export and torch.onnx have no class in common
        first = str(error.__cause__ or error).strip().partition("\n")[0]
        raise SternaError(
            f"cannot be exported by PyTorch ({first})", where=f"module {type(module).__name__}",
            allowed=f"modules that torch.export takes, for images 1x3x{height}x{width}",
            remedy="write it without branches that depend on values",
        ) from error  # fmt: skip
    finally:
        module.train(trains)
    assert program is not None
    program.model.metadata_props.update(properties)
    return program.model_proto.SerializeToString()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what PyTorch tells its own developers, on every way that it tells it."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
