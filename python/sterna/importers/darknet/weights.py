"""Darknet's weights files, byte for byte.

Source: `load_weights_upto` and `save_weights_upto` in `parser.c` of darknet (github.com/pjreddie/darknet). All numbers
are little endian. The header holds three int32 (major, minor, revision) and the number of images seen in training, as
int32 in files before version 0.2 and as int64 since. For each convolution in the order of the cfg file follow float32
values: biases [F]; with batch normalisation scales, means and variances [F] each; weights [F, C, K, K]. A file of the
first layers only, as `darknet partial` makes them (darknet19_448.conv.23), ends after one of them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sterna import recognise
from sterna.errors import SternaError
from sterna.graph.network import BOX_FIELDS
from sterna.importers.importer import Convolution, Norm, Values

FLOAT = np.dtype("<f4")
VERSION = struct.Struct("<iii")
SEEN = {False: struct.Struct("<i"), True: struct.Struct("<q")}  # key: whether the file is of version 0.2 or later
BEGINNING = 64  # bytes, enough for the header and to recognise other files
MOST_CLASSES = 10_000  # of a head that is not the network's
MAX_VERSION = 1000  # darknet marks files with larger numbers as transposed; no convolution has such


@dataclass(frozen=True)
class Shape:
    """What a weights file holds for the convolution `name`.

    normalised: it has batch normalisation. boxes: of a head, how many anchors share the filters; 0: it is no head.
    """

    name: str
    filters: int
    channels: int
    kernel: int
    normalised: bool
    boxes: int = 0

    @property
    def per_filter(self) -> int:
        """How many numbers that is for one filter."""
        return 1 + 3 * self.normalised + self.channels * self.kernel**2

    @property
    def values(self) -> int:
        """How many numbers that is."""
        return self.filters * self.per_filter


@dataclass(frozen=True)
class Header:
    """Version of the file, and images seen in training. The default is what darknet writes today."""

    major: int = 0
    minor: int = 2
    revision: int = 0
    seen: int = 0

    @property
    def wide(self) -> bool:
        """Whether `seen` takes 64 bits."""
        return self.major * 10 + self.minor >= 2


@dataclass(frozen=True, eq=False)
class Weights:
    """The content of a weights file, convolutions in the order of the cfg file.

    They are all of the network's, or its first ones. other_head: how many filters the file has for a head that is not
    the network's and is left out; 0: there is none.
    """

    header: Header
    convolutions: tuple[Convolution, ...]
    other_head: int = 0


def read_weights(path: Path, shapes: Sequence[Shape]) -> Weights:
    """Read the weights file `path` of a network with `shapes`, or of its first layers, or with another head.

    Raises SternaError for a file of another kind, for one that ends inside a layer (which it names) or continues after
    the last, and for values that are not finite or variances below zero (with layer, filter and value).
    """
    try:
        with path.open("rb") as file:
            header, used = _read_header(file.read(BEGINNING), path)
            held, other_head = _held(path, used, shapes, header)
            file.seek(used)
            values = np.fromfile(file, FLOAT, sum(shape.values for shape in held)).astype(np.float32, copy=False)
    except OSError as error:
        raise SternaError(
            f"the weights file cannot be read ({error.strerror})", where=str(path), remedy="name a darknet weights file"
        ) from None
    found, start = [], 0
    for shape in held:
        found.append(_convolution(values[start : start + shape.values], shape))
        _check_values(found[-1], path)
        start += shape.values
    return Weights(header, tuple(found), other_head)


def _read_header(start: bytes, path: Path) -> tuple[Header, int]:
    """The header, and how many bytes it takes."""
    if len(start) < VERSION.size + SEEN[False].size:
        raise _stranger(path, f"a file of {len(start)} bytes")
    header = Header(*VERSION.unpack_from(start))
    if not (0 <= header.major < MAX_VERSION and 0 <= header.minor < MAX_VERSION and header.revision >= 0):
        version = f"a file of version {header.major}.{header.minor}.{header.revision}"
        raise _stranger(path, recognise.by_content(start) or version)
    seen = SEEN[header.wide]
    if len(start) < VERSION.size + seen.size:
        raise _stranger(path, f"a file of {len(start)} bytes")
    return replace(header, seen=seen.unpack_from(start, VERSION.size)[0]), VERSION.size + seen.size


def _stranger(path: Path, what: str) -> SternaError:
    return SternaError(
        "this is not a darknet weights file",
        where=str(path),
        value=what,
        allowed="a header of version 0.1 or 0.2, then float32 values",
        remedy="name the weights file, or download it again",
    )


def _held(path: Path, used: int, shapes: Sequence[Shape], header: Header) -> tuple[Sequence[Shape], int]:
    """Which of the first `shapes` the file holds, and how many filters of another head after them."""
    length = path.stat().st_size
    left = length - used
    for number, shape in enumerate(shapes):
        size = FLOAT.itemsize * shape.values
        if left == 0 and number:
            return shapes[:number], 0
        if shape.boxes and left != size and (filters := _head_filters(left, shape)):
            return shapes[:number], filters
        if left < size:
            raise _wrong_length(path, f"is too short: it ends {_inside(left, shape)}", length, used, shapes, header)
        left -= size
    if left:
        raise _wrong_length(path, f"is too long: it continues after {shapes[-1].name}", length, used, shapes, header)
    return shapes, 0


def _head_filters(left: int, head: Shape) -> int:
    """The filters of a head with the anchors of `head` and other classes, if `left` bytes can be one; else 0."""
    filters, rest = divmod(left, FLOAT.itemsize * head.per_filter)
    fields, more = divmod(filters, head.boxes)
    return filters if not rest and not more and BOX_FIELDS < fields <= BOX_FIELDS + MOST_CLASSES else 0


def _inside(left: int, shape: Shape) -> str:
    size = FLOAT.itemsize * shape.values
    return f"before {shape.name}" if left <= 0 else f"in {shape.name}, after {left} of its {size} bytes"


def _wrong_length(
    path: Path, what: str, length: int, used: int, shapes: Sequence[Shape], header: Header
) -> SternaError:
    expected = used + FLOAT.itemsize * sum(shape.values for shape in shapes)
    return SternaError(
        f"the weights file {what}",
        where=str(path),
        attribute="bytes",
        value=length,
        allowed=f"{expected}, of which {used} are the header of version {header.major}.{header.minor}, "
        "or the end of an earlier layer",
        remedy="use the cfg file that belongs to the weights (filters, sizes), or download the weights again",
    )


def _convolution(values: Values, shape: Shape) -> Convolution:
    count = shape.filters
    norm = Norm(*(values[part * count : (part + 1) * count] for part in (1, 2, 3))) if shape.normalised else None
    weights = values[(1 + 3 * shape.normalised) * count :]
    return Convolution(
        shape.name,
        values[:count],
        norm,
        weights.reshape(shape.filters, shape.channels, shape.kernel, shape.kernel),
    )


def _check_values(layer: Convolution, path: Path) -> None:
    parts = {"bias": layer.biases, "weight": layer.weights}
    if layer.norm:
        parts |= {"scale": layer.norm.scales, "mean": layer.norm.means, "variance": layer.norm.variances}
    for name, values in parts.items():
        wrong = ~np.isfinite(values)
        if name == "variance":
            wrong |= values < 0
        if wrong.any():
            where = np.unravel_index(wrong.argmax(), wrong.shape)
            raise SternaError(
                f"a {name} of filter {where[0]} of {layer.name} is not a valid number",
                where=str(path),
                attribute=name,
                value=values[where],
                allowed="finite numbers" + (", 0 or more" if name == "variance" else ""),
                remedy="download the weights again, or use the cfg file that belongs to them",
            )
