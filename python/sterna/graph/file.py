"""The graph's file: a zip of `graph.json`, which names its format version, and one `.npy` member an array.

Loading executes nothing of it: no pickle, and every member, key, type, shape and number is checked. What a file may
unpack to is limited before it is unpacked. Equal graphs give equal bytes.
"""

from __future__ import annotations

import io
import json
import math
import tokenize
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from sterna import files, recognise
from sterna.archive import Archive, Limits
from sterna.errors import SternaError
from sterna.graph.graph import Graph
from sterna.graph.layers import KINDS, Layer, Requant

FORMAT = "sterna-graph"
VERSION = 1
INDEX = "graph.json"
IN_RUN = "graph.sterna-graph"
"""What the graph is called in the folder of a training run."""
LIMITS = Limits(members=4096, total=96 << 20, each=32 << 20, named={INDEX: 1 << 20})
"""The most that a file may unpack to. Full YOLOv2, the largest network that Sterna trains, has 70 members of 51 MB, the
largest 12 MB, and 11 kB of JSON, which takes 30 times as much memory when it is read."""
MAX_LAYERS = 1024
"""Full YOLOv2 has 34."""

Record = TypeVar("Record", bound=Layer | Requant)

#: Of Deflate: the next level takes almost twice as long, for a file that is 6 % smaller.
_LEVEL = 4

_GRAPH_KEYS = {"format", "version", "act_bits", "acc_bits", "metadata", "layers"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
_AGAIN = "copy or export it again"
_BROKEN_ARRAY = (ValueError, TypeError, SyntaxError, tokenize.TokenError, EOFError, OverflowError, MemoryError)


def save(graph: Graph, path: str | Path) -> None:
    """Write `graph` to `path`, atomically; raises SternaError if it cannot be written."""
    files.write_bytes(Path(path), to_bytes(graph))


def load(path: str | Path) -> Graph:
    """The graph in the file `path`.

    Raises SternaError if it cannot be read or is not a whole, legal graph file of this version.
    """
    recognise.check(Path(path), recognise.GRAPH)
    return from_bytes(files.read_bytes(Path(path), LIMITS.total, "graph file"), str(path))


def to_bytes(graph: Graph) -> bytes:
    """The contents of the graph's file."""
    arrays: dict[str, NDArray[Any]] = {}
    index = {
        "format": FORMAT,
        "version": VERSION,
        "act_bits": graph.act_bits,
        "acc_bits": graph.acc_bits,
        "metadata": graph.metadata,
        "layers": [_encode_layer(layer, f"{number}", arrays) for number, layer in enumerate(graph.layers)],
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        _write(archive, INDEX, json.dumps(index, indent=1).encode())
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            _write(archive, name, member.getvalue())
    return packed.getvalue()


def from_bytes(data: bytes, origin: str = "graph file") -> Graph:
    """The graph that `to_bytes` made `data` of; `origin` names the data in errors.

    Raises SternaError if `data` is not a whole, legal graph file of this version.
    """
    try:
        return _read_graph(Archive(data, LIMITS, "graph file", _AGAIN))
    except SternaError as error:
        raise SternaError(str(error), where=origin) from error


def _refuse(what: str, **details: Any) -> NoReturn:
    raise SternaError(what, **{"remedy": "export the graph again"} | details)


def _encode_layer(layer: Layer, path: str, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    return {"kind": type(layer).__name__.lower()} | _encode_record(layer, path, arrays)


def _encode_record(record: Layer | Requant, path: str, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    encoded: dict[str, Any] = {}
    for field in fields(record):
        value, place = getattr(record, field.name), f"{path}.{field.name}"
        if isinstance(value, np.ndarray):
            arrays[f"{place}.npy"] = value
            value = {"array": f"{place}.npy"}
        elif isinstance(value, Requant):
            value = _encode_record(value, place, arrays)
        encoded[field.name] = value
    return encoded


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    archive.writestr(info, data, zipfile.ZIP_DEFLATED, _LEVEL)


def _read_graph(archive: Archive) -> Graph:
    index = _read_index(archive)
    encoded = index["layers"]
    if not isinstance(encoded, list):
        _refuse("holds no list of layers", attribute="layers", value=type(encoded).__name__)
    if len(encoded) > MAX_LAYERS:
        _refuse("is too large", attribute="layers", value=len(encoded), allowed=f"at most {MAX_LAYERS}")
    members = _Members(archive)
    layers = tuple(_decode_layer(layer, number, members) for number, layer in enumerate(encoded))
    if members.unused:
        _refuse("holds members that no layer uses", attribute="members", value=", ".join(sorted(members.unused)))
    return Graph(layers, index["act_bits"], index["acc_bits"], index["metadata"])


def _read_index(archive: Archive) -> dict[str, Any]:
    if INDEX not in archive.names:
        _refuse(f"is not a graph file: it has no {INDEX}", remedy="name a file written by Sterna")
    try:
        index = json.loads(archive.read(INDEX))
    except (ValueError, RecursionError) as error:
        _refuse(f"holds a {INDEX} that is not JSON ({error})")
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        _refuse("is not a graph file", allowed=f"format {FORMAT!r}", remedy="name a file written by Sterna")
    version = index.get("version")
    if type(version) is not int or version != VERSION:
        _refuse(
            "is a graph file of another version", attribute="version", value=version, allowed=str(VERSION),
            remedy=_other_version(version),
        )  # fmt: skip
    _check_keys(INDEX, index, _GRAPH_KEYS)
    return index


def _other_version(version: object) -> str:
    if type(version) is int and version > VERSION:
        return "install the later version of Sterna that wrote it, or export the graph again with this one"
    return "export the graph again with this version of Sterna"


class _Members:
    """The arrays of a file, each read when a layer takes it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.unused = set(archive.names) - {INDEX}

    def take(self, name: object, place: str) -> NDArray[Any]:
        if not isinstance(name, str) or name not in self.unused:
            _refuse("lacks an array", attribute=place, value=repr(name), allowed="one member per array")
        self.unused.remove(name)
        return _read_array(name, self._archive.read(name))


def _check_keys(place: str, found: Mapping[str, Any], expected: set[str]) -> None:
    wrong = {"unknown": found.keys() - expected, "missing": expected - found.keys()}
    for fault, keys in wrong.items():
        if keys:
            _refuse(f"{place} has {fault} keys", attribute="keys", value=", ".join(sorted(keys)))


def _read_array(name: str, data: bytes) -> NDArray[Any]:
    """The array in `data`, whose header must fit the bytes after it; nothing is allocated for what it claims."""
    stream = io.BytesIO(data)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("not an .npy file of version 1.0")
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype.hasobject or not dtype.itemsize:
            raise ValueError("a pickle, or without values")
        start = stream.tell()
        size = math.prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or size > len(data) - start:
            raise ValueError(f"{len(data) - start} bytes for {size}")
        array = np.frombuffer(data, dtype, math.prod(shape), start)
    except _BROKEN_ARRAY as error:
        _refuse("holds a member that is not an array", attribute="member", value=f"{name} ({error})")
    if size < len(data) - start:
        _refuse("holds an array with bytes after its end", attribute="member", value=name)
    return array.reshape(shape, order="F" if is_fortran else "C")


def _decode_layer(encoded: object, number: int, members: _Members) -> Layer:
    place = f"layers[{number}]"
    kind = encoded.get("kind") if isinstance(encoded, dict) else None
    if not isinstance(encoded, dict) or not isinstance(kind, str) or kind not in KINDS:
        _refuse(
            f"{place} is of an unknown kind", attribute="kind", value=repr(kind), allowed=", ".join(KINDS),
            remedy="load it with the version of Sterna that wrote it",
        )  # fmt: skip
    values = {key: value for key, value in encoded.items() if key != "kind"}
    return _decode_record(KINDS[kind], values, place, members)


def _decode_record(kind: type[Record], encoded: Mapping[str, Any], place: str, members: _Members) -> Record:
    """The record that `encoded` describes, with the arrays that it names."""
    _check_keys(place, encoded, {field.name for field in fields(kind)})
    values: dict[str, Any] = {}
    for key, value in encoded.items():
        if key == "requant" and isinstance(value, dict):
            values[key] = _decode_record(Requant, value, f"{place}.requant", members)
        elif isinstance(value, dict) and value.keys() == {"array"}:
            values[key] = members.take(value["array"], f"{place}.{key}")
        else:
            values[key] = value
    return kind(**values)
