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
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna import files, recognise
from sterna.archive import Archive, Limits
from sterna.errors import SternaError
from sterna.graph import records
from sterna.graph.graph import Graph
from sterna.graph.records import refuse

INDEX = "graph.json"
IN_RUN = "graph.sterna-graph"
"""What the graph is called in the folder of a training run."""
LIMITS = Limits(members=4096, total=96 << 20, each=32 << 20, named={INDEX: 1 << 20})
"""The most that a file may unpack to. Full YOLOv2, the largest network that Sterna trains, has 70 members of 51 MB, the
largest 12 MB, and 11 kB of JSON, which takes 30 times as much memory when it is read."""

#: Of Deflate: the next level takes almost twice as long, for a file that is 6 % smaller.
_LEVEL = 4

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

    def keep(place: str, array: NDArray[Any]) -> str:
        arrays[f"{place}.npy"] = array
        return f"{place}.npy"

    index = records.encode(graph, keep)
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


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    archive.writestr(info, data, zipfile.ZIP_DEFLATED, _LEVEL)


def _read_graph(archive: Archive) -> Graph:
    members = _Members(archive)
    return records.decode(_read_index(archive), members.take, members.finish, INDEX)


def _read_index(archive: Archive) -> object:
    if INDEX not in archive.names:
        refuse(f"is not a graph file: it has no {INDEX}", remedy="name a file written by Sterna")
    try:
        return json.loads(archive.read(INDEX))
    except (ValueError, RecursionError) as error:
        refuse(f"holds a {INDEX} that is not JSON ({error})")


class _Members:
    """The arrays of a file, each read when a layer takes it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._unused = set(archive.names) - {INDEX}

    def take(self, name: object, place: str) -> NDArray[Any]:
        """The array of which the index says that it is the member `name`."""
        if not isinstance(name, str) or name not in self._unused:
            refuse("lacks an array", attribute=place, value=repr(name), allowed="one member per array")
        self._unused.remove(name)
        return _read_array(name, self._archive.read(name))

    def finish(self) -> None:
        """Refuse members that were not taken."""
        if self._unused:
            refuse("holds members that no layer uses", attribute="members", value=", ".join(sorted(self._unused)))


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
        refuse("holds a member that is not an array", attribute="member", value=f"{name} ({error})")
    if size < len(data) - start:
        refuse("holds an array with bytes after its end", attribute="member", value=name)
    return array.reshape(shape, order="F" if is_fortran else "C")
