"""ONNX files as integer graphs: what is read, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sterna.errors import SternaError
from sterna.extras import INTEROP, needed_for
from sterna.graph import Add, Conv, Graph, Input, Layer, Output
from sterna.graph.graph import ACC_BITS
from sterna.graph.onnx_property import KEY, Property

if TYPE_CHECKING:
    from sterna.importers.onnx.model import Model
    from sterna.importers.onnx.reader import Progress, Reader

_USUAL_ACC_BITS = 20


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a model, beyond what its file says.

    pixels: the real values of the image's bytes 0 and 255; None: as the model quantises its input. shape: of the input,
    without the batch, where the file leaves it open. until: tensors that are taken as results; none: the model's own.
    rounds: whether sums that are results are rounded to activations.
    """

    pixels: tuple[float, float] | None = None
    shape: tuple[int, ...] | None = None
    until: tuple[str, ...] = ()
    rounds: bool = False


@dataclass(frozen=True)
class ImportedGraph:
    """A model as an integer graph. filters: how many were made exact. splits: layers with several shifts, by tensor.

    rounded: results that are rounded.
    """

    graph: Graph
    filters: int
    splits: tuple[str, ...]
    rounded: tuple[str, ...]


def read(path: Path, wanted: Wanted, progress: Progress | None = None) -> ImportedGraph:
    """The graph of the ONNX model in the file `path`, exact on every image.

    Raises SternaError if a package is missing, for a file that is no ONNX model, and by the node's name for whatever
    has no exact counterpart in a graph.
    """
    with needed_for("sterna import", INTEROP):
        from sterna.importers.onnx.model import load
        from sterna.importers.onnx.reader import Reader, Settings

    model = _cut(load(path, wanted.shape), wanted.until)
    known = Property.read(model.properties.get(KEY), str(path))
    settings = Settings(pixels=wanted.pixels, rounds=wanted.rounds, **({"act_bits": known.act_bits} if known else {}))
    reader = Reader(model, settings)
    reader.read(progress)
    graph = _graph(reader, settings.act_bits, known)
    rounded = tuple(name for name, result in reader.results.items() if result.is_rounded)
    return ImportedGraph(graph, reader.filters, tuple(reader.draft.splits), rounded)


def _cut(model: Model, until: Sequence[str]) -> Model:
    made = {name for node in model.nodes for name in node.outputs}
    for name in until:
        if name not in made:
            raise SternaError(
                "makes no such tensor", where="model", attribute="until", value=name,
                allowed=", ".join(sorted(made)), remedy="name a tensor that a node makes",
            )  # fmt: skip
    return replace(model, outputs=tuple(until)) if until else model


def _graph(reader: Reader, act_bits: int, known: Property | None) -> Graph:
    """The graph of what was read, with the narrowest accumulators from the usual width on."""
    layers = _reached(reader.draft.layers)
    if known is not None:
        _tell(reader, layers, known)
    least, most = -(1 << (act_bits - 1)), (1 << (act_bits - 1)) - 1
    finished = []
    for layer in layers:
        if isinstance(layer, Input | Conv | Add):
            zero = reader.draft.families.zero(layer.name, least, most)
            layer = replace(layer, scale=reader.draft.families.scale(layer.name), zero_point=zero)
        finished.append(layer)
    metadata: dict[str, Any] = dict(known.metadata) if known else {}
    if known is None:
        metadata["results"] = {
            name: {"scale": list(result.scale), "offset": list(result.offset)}
            for name, result in reader.results.items()
        }
    widest = Graph(tuple(finished), act_bits, ACC_BITS[1], metadata)
    needed = max((int(bound.max()).bit_length() + 1 for bound in widest.bounds.values()), default=0)
    return Graph(tuple(finished), act_bits, max(_USUAL_ACC_BITS, needed), metadata)


def _reached(layers: dict[str, Layer]) -> list[Layer]:
    """Those that a result depends on."""
    used: set[str] = set()
    found = []
    for layer in reversed(layers.values()):
        if isinstance(layer, Output) or layer.name in used:
            used.update(layer.sources)
            found.append(layer)
    return found[::-1]


def _tell(reader: Reader, layers: Sequence[Layer], known: Property) -> None:
    """Take what the integers of the input and the outputs stand for from a model that Sterna wrote."""
    for layer in layers:
        if layer.name in known.tensors and isinstance(layer, Input | Output):
            source = layer.input if isinstance(layer, Output) else layer.name
            reader.draft.families.set_known(source, *known.tensors[layer.name])
