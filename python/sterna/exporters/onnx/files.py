"""Graphs as ONNX files, each form by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sterna.errors import SternaError
from sterna.extras import INTEROP, needed_for
from sterna.files import write_bytes
from sterna.graph import Graph, Output

if TYPE_CHECKING:
    from sterna.exporters.onnx.writer import ModelWriter, Progress


def _plain() -> type[ModelWriter]:
    from sterna.exporters.onnx.plain import PlainWriter

    return PlainWriter


def _qonnx() -> type[ModelWriter]:
    from sterna.exporters.onnx.qonnx import QonnxWriter

    return QonnxWriter


def _finn() -> type[ModelWriter]:
    from sterna.exporters.onnx.finn import FinnWriter

    return FinnWriter


FORMS: dict[str, Callable[[], type[ModelWriter]]] = {"onnx": _plain, "qonnx": _qonnx, "finn": _finn}
"""What imports the writer of each form."""


def check_form(form: str) -> None:
    """Raise SternaError if `form` is none of `FORMS`."""
    if form not in FORMS:
        raise SternaError(
            "there is no such form", where="export", attribute="form", value=form, allowed=", ".join(FORMS),
            remedy="name one of these",
        )  # fmt: skip


def writer(graph: Graph, form: str) -> ModelWriter:
    """What writes `graph` in one of `FORMS`; raises SternaError for another form, and if a package is missing."""
    check_form(form)
    with needed_for(f"the form {form}", INTEROP):
        return FORMS[form]()(graph)


def save(graph: Graph, path: Path, form: str, *, trace: bool = False, progress: Progress | None = None) -> int:
    """Write `graph` as an ONNX model to the file `path`, atomically; its bytes.

    trace: every layer's map is an output. Raises SternaError as `writer` and `ModelWriter.write` do, and if the file
    cannot be written.
    """
    traced = [layer.name for layer in graph.layers if not isinstance(layer, Output)] if trace else []
    data = writer(graph, form).write(traced, progress).SerializeToString()
    write_bytes(path, data)
    return len(data)
