"""Graphs as JSON records. Their arrays are kept by whoever writes the records: a graph's file, or a package."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import MISSING, fields
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph.graph import Graph
from sterna.graph.layers import KINDS, Layer, Requant, pool_padding

FORMAT = "sterna-graph"
VERSION = 2
OLDEST = 1
"""The first version that is read. What a later one added has a default that means what it was before, but for what
`_of_today` changes."""
MAX_LAYERS = 1024
"""Full YOLOv2 has 34."""

#: Keeps the array of an attribute (such as `3.weights`) and gives what the record says of it.
Keep = Callable[[str, NDArray[Any]], Any]
#: The array of which a record says so much, for an attribute (such as `layers[3].weights`).
Take = Callable[[Any, str], NDArray[Any]]
Record = TypeVar("Record", bound=Layer | Requant)

_GRAPH_KEYS = {"format", "version", "act_bits", "acc_bits", "metadata", "layers"}
_ARRAY = "array"


def encode(graph: Graph, keep: Keep) -> dict[str, Any]:
    """The records of `graph`; its arrays are given to `keep`, layer by layer in the order of their attributes."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "act_bits": graph.act_bits,
        "acc_bits": graph.acc_bits,
        "metadata": graph.metadata,
        "layers": [
            {"kind": type(layer).__name__.lower()} | _encode_record(layer, f"{number}", keep)
            for number, layer in enumerate(graph.layers)
        ],
    }


def _encode_record(record: Layer | Requant, path: str, keep: Keep) -> dict[str, Any]:
    encoded: dict[str, Any] = {}
    for field in fields(record):
        value, place = getattr(record, field.name), f"{path}.{field.name}"
        if isinstance(value, np.ndarray):
            value = {_ARRAY: keep(place, value)}
        elif value == field.default:
            continue
        elif isinstance(value, Requant):
            value = _encode_record(value, place, keep)
        encoded[field.name] = value
    return encoded


def decode(index: object, take: Take, finish: Callable[[], None], place: str) -> Graph:
    """The graph of which `encode` made `index`.

    take: gives its arrays, in the same order. finish: is called after the last, to refuse what is left over. place:
    what holds the records. Raises SternaError for what is no whole, legal graph of this version.
    """
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        refuse("is not a graph file", allowed=f"format {FORMAT!r}", remedy="name a file written by Sterna")
    version = index.get("version")
    if type(version) is not int or not OLDEST <= version <= VERSION:
        refuse(
            "is a graph file of another version", attribute="version", value=version,
            allowed=f"{OLDEST} .. {VERSION}",
            remedy=_other_version(version),
        )  # fmt: skip
    _check_keys(place, index, _GRAPH_KEYS)
    encoded = index["layers"]
    if not isinstance(encoded, list):
        refuse("holds no list of layers", attribute="layers", value=type(encoded).__name__)
    if len(encoded) > MAX_LAYERS:
        refuse("is too large", attribute="layers", value=len(encoded), allowed=f"at most {MAX_LAYERS}")
    layers = tuple(_decode_layer(_of_today(layer, version), number, take) for number, layer in enumerate(encoded))
    finish()
    return Graph(layers, index["act_bits"], index["acc_bits"], index["metadata"])


def refuse(what: str, **details: Any) -> NoReturn:
    """Raise SternaError; the remedy is to export the graph again, unless `details` have another."""
    raise SternaError(what, **{"remedy": "export the graph again"} | details)


def _other_version(version: object) -> str:
    if type(version) is int and version > VERSION:
        return "install the later version of Sterna that wrote it, or export the graph again with this one"
    return "export the graph again with this version of Sterna"


def _check_keys(place: str, found: Mapping[str, Any], expected: Set[str], may_lack: Set[str] = frozenset()) -> None:
    wrong = {"unknown": found.keys() - expected, "missing": expected - found.keys() - may_lack}
    for fault, keys in wrong.items():
        if keys:
            refuse(f"{place} has {fault} keys", attribute="keys", value=", ".join(sorted(keys)))


def _of_today(encoded: object, version: int) -> object:
    """The record of a layer in a file of `version`; in the first, a pool of stride 1 kept the size."""
    if version == 1 and isinstance(encoded, dict) and (encoded.get("kind"), encoded.get("stride")) == ("maxpool", 1):
        return encoded | {"padding": pool_padding(2, 1)}
    return encoded


def _decode_layer(encoded: object, number: int, take: Take) -> Layer:
    place = f"layers[{number}]"
    kind = encoded.get("kind") if isinstance(encoded, dict) else None
    if not isinstance(encoded, dict) or not isinstance(kind, str) or kind not in KINDS:
        refuse(
            f"{place} is of an unknown kind", attribute="kind", value=repr(kind), allowed=", ".join(KINDS),
            remedy="load it with the version of Sterna that wrote it",
        )  # fmt: skip
    values = {key: value for key, value in encoded.items() if key != "kind"}
    return _decode_record(KINDS[kind], values, place, take)


def _decode_record(kind: type[Record], encoded: Mapping[str, Any], place: str, take: Take) -> Record:
    """The record that `encoded` describes, with its arrays taken in the order of its attributes.

    What it leaves out has its default.
    """
    names = {field.name: field.default is not MISSING for field in fields(kind)}
    _check_keys(place, encoded, names.keys(), {name for name, may_lack in names.items() if may_lack})
    values: dict[str, Any] = {}
    for key in (name for name in names if name in encoded):
        value = encoded[key]
        if key == "requant" and isinstance(value, dict):
            values[key] = _decode_record(Requant, value, f"{place}.requant", take)
        elif isinstance(value, dict) and value.keys() == {_ARRAY}:
            values[key] = take(value[_ARRAY], f"{place}.{key}")
        else:
            values[key] = value
    return kind(**values)
