"""Darknet's weights files, byte for byte.

Source: `load_weights_upto` and `save_weights_upto` in `parser.c` of darknet (github.com/pjreddie/darknet). All numbers
are little endian. The header holds three int32 (major, minor, revision) and the number of pictures seen in training, as
int32 in files before version 0.2 and as int64 since. For each convolution in the order of the cfg file follow float32
values: biases [F]; with batch normalisation scales, means and variances [F] each; weights [F, C, K, K].
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.files import write_atomically

Values = NDArray[np.float32]
FLOAT = np.dtype("<f4")
VERSION = struct.Struct("<iii")
SEEN = {False: struct.Struct("<i"), True: struct.Struct("<q")}  # key: whether the file is of version 0.2 or later
BEGINNING = 64  # bytes, enough for the header and for each of STRANGERS
MAX_VERSION = 1000  # darknet marks files with larger numbers as transposed; no convolution has such
# How files begin that people have in place of a weights file.
STRANGERS = {
    b"version https://git-lfs": "a pointer of git-lfs, not the file itself",
    b"<": "a web page, as a failed download leaves it",
    b"{": "a text in JSON, as a failed download leaves it",
    b"[": "a cfg file",
    b"#": "a text",
    b"PK\x03\x04": "a ZIP archive or a PyTorch file",
    b"\x1f\x8b": "a gzip archive",
    b"\x80\x02": "a pickle, as older PyTorch files are",
    b"\x89HDF": "an HDF5 file",
}


@dataclass(frozen=True)
class Shape:
    """What a weights file holds for the convolution `name`; `normalised`: it has batch normalisation."""

    name: str
    filters: int
    channels: int
    kernel: int
    normalised: bool

    @property
    def values(self) -> int:
        """How many numbers that is."""
        return self.filters * (1 + 3 * self.normalised + self.channels * self.kernel**2)


@dataclass(frozen=True, eq=False)
class Norm:
    """Batch normalisation: scales, means and variances, float32 [F] each; the variances are not negative."""

    scales: Values
    means: Values
    variances: Values


@dataclass(frozen=True, eq=False)
class Convolution:
    """The numbers of one convolution: biases float32 [F], weights float32 [F, C, K, K]."""

    name: str
    biases: Values
    norm: Norm | None
    weights: Values


@dataclass(frozen=True)
class Header:
    """Version of the file, and pictures seen in training. The default is what darknet writes today."""

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
    """The content of a weights file, convolutions in the order of the cfg file."""

    header: Header
    convolutions: tuple[Convolution, ...]


def read_weights(path: Path, shapes: Sequence[Shape]) -> Weights:
    """Read the weights file `path` of a network with `shapes`.

    Raises SternaError for a file of another kind, of another length (with the layer at which it ends), and for values
    that are not finite or variances below zero (with layer, filter and value).
    """
    try:
        with path.open("rb") as file:
            header, used = _read_header(file.read(BEGINNING), path)
            _check_length(path, used, shapes, header)
            file.seek(used)
            values = np.fromfile(file, FLOAT).astype(np.float32, copy=False)
    except OSError as error:
        raise SternaError(
            f"the weights file cannot be read ({error.strerror})", where=str(path), remedy="name a darknet weights file"
        ) from None
    found, start = [], 0
    for shape in shapes:
        found.append(_convolution(values[start : start + shape.values], shape))
        _check_values(found[-1], path)
        start += shape.values
    return Weights(header, tuple(found))


def write_weights(weights: Weights, path: Path) -> None:
    """Write `weights` as the weights file `path`; raises SternaError if it cannot be written."""
    write_atomically(path, lambda partial: _write(weights, partial))


def _write(weights: Weights, path: Path) -> None:
    header = weights.header
    with path.open("wb") as file:
        file.write(VERSION.pack(header.major, header.minor, header.revision))
        file.write(SEEN[header.wide].pack(header.seen))
        for layer in weights.convolutions:
            norm = (layer.norm.scales, layer.norm.means, layer.norm.variances) if layer.norm else ()
            for part in (layer.biases, *norm, layer.weights):
                file.write(part.astype(FLOAT, copy=False).tobytes())


def _read_header(start: bytes, path: Path) -> tuple[Header, int]:
    """The header, and how many bytes it takes."""
    if len(start) < VERSION.size + SEEN[False].size:
        raise _stranger(path, f"a file of {len(start)} bytes")
    header = Header(*VERSION.unpack_from(start))
    if not (0 <= header.major < MAX_VERSION and 0 <= header.minor < MAX_VERSION and header.revision >= 0):
        text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
        version = f"a file of version {header.major}.{header.minor}.{header.revision}"
        raise _stranger(path, next((what for magic, what in STRANGERS.items() if text.startswith(magic)), version))
    seen = SEEN[header.wide]
    if len(start) < VERSION.size + seen.size:
        raise _stranger(path, f"a file of {len(start)} bytes")
    return replace(header, seen=seen.unpack_from(start, VERSION.size)[0]), VERSION.size + seen.size


def _stranger(path: Path, what: str) -> SternaError:
    return SternaError(
        "this is no darknet weights file",
        where=str(path),
        value=what,
        allowed="a header of version 0.1 or 0.2, then float32 values",
        remedy="name the weights file, or download it again",
    )


def _check_length(path: Path, used: int, shapes: Sequence[Shape], header: Header) -> None:
    length = path.stat().st_size
    expected = used + FLOAT.itemsize * sum(shape.values for shape in shapes)
    if length == expected:
        return
    wrong = f"too short: it ends {_end(length, used, shapes)}" if length < expected else "too long"
    raise SternaError(
        f"the weights file is {wrong}",
        where=str(path),
        attribute="bytes",
        value=length,
        allowed=f"{expected}, of which {used} are the header of version {header.major}.{header.minor}",
        remedy="use the cfg file that belongs to the weights (classes, filters), or download the weights again",
    )


def _end(length: int, used: int, shapes: Sequence[Shape]) -> str:
    """Where a file of `length` bytes stops that is too short."""
    left = length - used
    for shape in shapes:
        size = FLOAT.itemsize * shape.values
        if left < size:
            return f"before {shape.name}" if left <= 0 else f"in {shape.name}, after {left} of its {size} bytes"
        left -= size
    raise AssertionError("the file is not too short")


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
                f"a {name} of filter {where[0]} of {layer.name} is no usable number",
                where=str(path),
                attribute=name,
                value=values[where],
                allowed="finite numbers" + (", 0 or more" if name == "variance" else ""),
                remedy="download the weights again, or use the cfg file that belongs to them",
            )
