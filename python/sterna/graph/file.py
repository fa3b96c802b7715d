"""The graph's file: a zip of `graph.json`, which names its format version, and one `.npy` member an array.

Loading executes nothing of it: no pickle, and every member, key, type, shape and number is checked.
Equal graphs give equal bytes.
"""

from __future__ import annotations

import io
import json
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.files import write_bytes
from sterna.graph.graph import Graph
from sterna.graph.layers import KINDS, Layer, Requant

FORMAT = "sterna-graph"
VERSION = 1
INDEX = "graph.json"
MAX_BYTES = 1 << 30
"""Largest unpacked file that is read; a full YOLOv2 takes 51 MB."""

Record = TypeVar("Record", bound=Layer | Requant)

_GRAPH_KEYS = {"format", "version", "act_bits", "acc_bits", "metadata", "layers"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
_BROKEN_ARRAY = (ValueError, TypeError, SyntaxError, tokenize.TokenError, EOFError, OverflowError, MemoryError)


def save(graph: Graph, path: str | Path) -> None:
    """Write `graph` to `path`, atomically; raises SternaError if it cannot be written."""
    write_bytes(Path(path), to_bytes(graph))


def load(path: str | Path) -> Graph:
    """The graph in the file `path`.

    Raises SternaError if it cannot be read or is not a whole, legal graph file of this version.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise SternaError(
            "cannot be read",
            where=str(path),
            value=error.strerror or error,
            remedy="check the path and its permissions",
        ) from error
    return from_bytes(data, str(path))


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
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
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
        return _read_graph(_unpack(data))
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
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, data)


def _unpack(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
            if size > MAX_BYTES:
                _refuse("is too large", attribute="unpacked bytes", value=size, allowed=f"at most {MAX_BYTES}")
            if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in archive.infolist()):
                _refuse("is packed by an unknown method")
            members = {info.filename: archive.read(info) for info in archive.infolist()}
            if len(members) != len(archive.infolist()):
                _refuse("holds two members of one name")
            return members
    except _BROKEN_ZIP as error:
        _refuse(f"is truncated, corrupted or no graph file ({error})", remedy="copy or export it again")


def _read_graph(members: Mapping[str, bytes]) -> Graph:
    index = _read_index(members)
    arrays = {name: _read_array(name, data) for name, data in members.items() if name != INDEX}
    if not isinstance(index["layers"], list):
        _refuse("holds no list of layers", attribute="layers", value=type(index["layers"]).__name__)
    layers = tuple(_decode_layer(layer, number, arrays) for number, layer in enumerate(index["layers"]))
    if arrays:
        _refuse("holds members that no layer uses", attribute="members", value=", ".join(sorted(arrays)))
    return Graph(layers, index["act_bits"], index["acc_bits"], index["metadata"])


def _read_index(members: Mapping[str, bytes]) -> dict[str, Any]:
    if INDEX not in members:
        _refuse(f"is not a graph file: it has no {INDEX}", remedy="name a file written by Sterna")
    try:
        index = json.loads(members[INDEX])
    except (ValueError, RecursionError) as error:
        _refuse(f"holds a {INDEX} that is not JSON ({error})")
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        _refuse("is not a graph file", allowed=f"format {FORMAT!r}", remedy="name a file written by Sterna")
    version = index.get("version")
    if type(version) is not int or version != VERSION:
        _refuse(
            "is a graph file of another version", attribute="version", value=version, allowed=str(VERSION),
            remedy="export the graph again with this version of Sterna",
        )  # fmt: skip
    _check_keys(INDEX, index, _GRAPH_KEYS)
    return index


def _check_keys(place: str, found: Mapping[str, Any], expected: set[str]) -> None:
    wrong = {"unknown": found.keys() - expected, "missing": expected - found.keys()}
    for fault, keys in wrong.items():
        if keys:
            _refuse(f"{place} has {fault} keys", attribute="keys", value=", ".join(sorted(keys)))


def _read_array(name: str, data: bytes) -> NDArray[Any]:
    stream = io.BytesIO(data)
    try:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    except _BROKEN_ARRAY as error:
        _refuse("holds a member that is not an array", attribute="member", value=f"{name} ({error})")
    if stream.read(1):
        _refuse("holds an array with bytes after its end", attribute="member", value=name)
    return array


def _decode_layer(encoded: object, number: int, arrays: dict[str, NDArray[Any]]) -> Layer:
    place = f"layers[{number}]"
    kind = encoded.get("kind") if isinstance(encoded, dict) else None
    if not isinstance(encoded, dict) or not isinstance(kind, str) or kind not in KINDS:
        _refuse(
            f"{place} is of an unknown kind", attribute="kind", value=repr(kind), allowed=", ".join(KINDS),
            remedy="load it with the version of Sterna that wrote it",
        )  # fmt: skip
    values = {key: value for key, value in encoded.items() if key != "kind"}
    return _decode_record(KINDS[kind], values, place, arrays)


def _decode_record(
    kind: type[Record], encoded: Mapping[str, Any], place: str, arrays: dict[str, NDArray[Any]]
) -> Record:
    """The record that `encoded` describes; takes the arrays it uses out of `arrays`."""
    _check_keys(place, encoded, {field.name for field in fields(kind)})
    values: dict[str, Any] = {}
    for key, value in encoded.items():
        if key == "requant" and isinstance(value, dict):
            values[key] = _decode_record(Requant, value, f"{place}.requant", arrays)
        elif isinstance(value, dict) and value.keys() == {"array"}:
            values[key] = _take(value["array"], f"{place}.{key}", arrays)
        else:
            values[key] = value
    return kind(**values)


def _take(name: object, place: str, arrays: dict[str, NDArray[Any]]) -> NDArray[Any]:
    if not isinstance(name, str) or name not in arrays:
        _refuse("lacks an array", attribute=place, value=repr(name), allowed="a member of its own for each array")
    return arrays.pop(name)
