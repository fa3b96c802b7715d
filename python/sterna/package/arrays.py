"""A graph's arrays as sections of a package.

Ternary weights of all layers are one sequence. `gaps` says how many zeros come before each nonzero, in bytes so skewed
that the Huffman codes of Deflate bring them close to the entropy; `signs` has a bit for each nonzero. Weights of
several digits and input tables are bytes, in `values`. All other arrays are 64-bit integers, in `integers`: first the
lowest byte of each, last the highest, so that bytes that tell little lie side by side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.graph.layers import MAX_SIZE
from sterna.graph.records import refuse
from sterna.package.container import AGAIN, Section, Unpacked
from sterna.spec.package import MOST_WEIGHTS, RUN, PackageSection

ENTROPY_CODED = (PackageSection.GAPS, PackageSection.SIGNS, PackageSection.VALUES)
"""Sections in which a search for repeated strings finds none that are worth it."""
_TERNARY, _BYTES, _INTEGERS = "ternary", "int8", "int64"
_TYPE, _SHAPE = "type", "shape"
_LONGEST_SHAPE = 4
_INTEGER = np.dtype("<i8")
_AT_ONCE = 1 << 20  # bytes of gaps


class ArrayWriter:
    """Takes the arrays of a graph, then gives the sections that hold them."""

    def __init__(self) -> None:
        self._arrays: dict[str, list[NDArray[Any]]] = {_TERNARY: [], _BYTES: [], _INTEGERS: []}

    def keep(self, place: str, array: NDArray[Any]) -> dict[str, Any]:
        """Keep `array`, int8 or int64, and return its record."""
        if array.dtype == np.int64:
            kind = _INTEGERS
        else:
            kind = _TERNARY if array.min(initial=0) >= -1 and array.max(initial=0) <= 1 else _BYTES
        self._arrays[kind].append(array.ravel())
        return {_TYPE: kind, _SHAPE: list(array.shape)}

    def sections(self) -> dict[PackageSection, bytes]:
        """The payloads, not packed."""
        gaps, signs = _gaps_and_signs(_joined(self._arrays[_TERNARY], np.int8))
        integers = _joined(self._arrays[_INTEGERS], np.int64).astype(_INTEGER).view(np.uint8)
        return {
            PackageSection.GAPS: gaps.tobytes(),
            PackageSection.SIGNS: signs.tobytes(),
            PackageSection.VALUES: _joined(self._arrays[_BYTES], np.int8).tobytes(),
            PackageSection.INTEGERS: integers.reshape(-1, _INTEGER.itemsize).T.tobytes(),
        }


def _joined(arrays: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *arrays])


def _gaps_and_signs(weights: NDArray[np.int8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    places = np.flatnonzero(weights)
    runs, rest = np.divmod(np.diff(places, prepend=-1) - 1, RUN)
    gaps = np.full(len(places) + int(runs.sum()), RUN, np.uint8)
    gaps[np.cumsum(runs + 1) - 1] = rest
    return gaps, np.packbits(weights[places] > 0, bitorder="little")


class ArrayReader:
    """Gives the arrays of a graph one by one from the sections that `ArrayWriter` made."""

    def __init__(self, sections: Mapping[PackageSection, Section]) -> None:
        self._ternary = _Ternary(sections[PackageSection.GAPS].open(), sections[PackageSection.SIGNS].read())
        self._values = sections[PackageSection.VALUES].open()
        integers = sections[PackageSection.INTEGERS].read()
        if len(integers) % _INTEGER.itemsize:
            refuse("holds a part of an integer", remedy=AGAIN)
        bytes_of_each = np.frombuffer(integers, np.uint8).reshape(_INTEGER.itemsize, -1).T
        self._integers = np.ascontiguousarray(bytes_of_each).view(_INTEGER).ravel()
        self._room = MOST_WEIGHTS

    def take(self, record: object, place: str) -> NDArray[Any]:
        """The next array, of which `keep` made `record`. Raises SternaError if there is none."""
        kind, shape = _kind_and_shape(record, place)
        size = math.prod(shape)
        if size > self._room:
            refuse("is too large", attribute=place, value=shape, allowed=f"{MOST_WEIGHTS} weights in all")
        self._room -= size
        if kind == _TERNARY:
            return self._ternary.take(size).reshape(shape)
        if kind == _BYTES:
            return np.frombuffer(self._values.read(size), np.int8).reshape(shape)
        if size > len(self._integers):
            refuse("lacks an array", attribute=place, value=shape, remedy=AGAIN)
        taken, self._integers = self._integers[:size], self._integers[size:]
        return taken.astype(np.int64).reshape(shape)

    def finish(self) -> None:
        """Raise SternaError if anything is left over."""
        self._ternary.finish()
        self._values.finish()
        if len(self._integers):
            refuse("holds integers that no layer uses", attribute="integers", value=len(self._integers), remedy=AGAIN)


def _kind_and_shape(record: object, place: str) -> tuple[str, list[int]]:
    if isinstance(record, dict) and record.keys() == {_TYPE, _SHAPE}:
        kind, shape = record[_TYPE], record[_SHAPE]
        sizes_fit = isinstance(shape, list) and len(shape) <= _LONGEST_SHAPE and all(
            type(size) is int and 0 <= size <= MAX_SIZE for size in shape
        )  # fmt: skip
        if sizes_fit and kind in (_TERNARY, _BYTES, _INTEGERS):
            return kind, shape
    refuse(
        "has a wrong record of an array", attribute=place, value=repr(record)[:60],
        allowed=f"a {_TYPE} ({_TERNARY}, {_BYTES}, {_INTEGERS}) and a {_SHAPE}", remedy=AGAIN,
    )  # fmt: skip


class _Ternary:
    """The sequence of all ternary weights, unpacked as layers take from it."""

    def __init__(self, gaps: Unpacked, signs: bytes) -> None:
        self._gaps, self._signs = gaps, np.frombuffer(signs, np.uint8)
        #: Weights that have been taken; the place after the last gap that was read.
        self._taken = self._end = 0
        #: Places of nonzeros that were read and not taken, and the number of those that were taken.
        self._places = np.zeros(0, np.int64)
        self._nonzeros = 0

    def take(self, size: int) -> NDArray[np.int8]:
        """The next `size` weights."""
        weights, start = np.zeros(size, np.int8), self._taken
        self._taken += size
        while True:
            here = int(np.searchsorted(self._places, self._taken))
            weights[self._places[:here] - start] = self._next_signs(here)
            self._places = self._places[here:]
            if len(self._places) or not self._gaps.left:
                return weights
            self._read()

    def _read(self) -> None:
        gaps = np.frombuffer(self._gaps.read(min(self._gaps.left, _AT_ONCE)), np.uint8)
        ends = self._end + np.cumsum(np.where(gaps == RUN, RUN, gaps.astype(np.int64) + 1))
        self._end = int(ends[-1])
        self._places = ends[gaps != RUN] - 1

    def _next_signs(self, count: int) -> NDArray[np.int8]:
        start, self._nonzeros = self._nonzeros, self._nonzeros + count
        if self._nonzeros > 8 * len(self._signs):
            refuse("lacks signs of weights", attribute="signs", value=8 * len(self._signs), remedy=AGAIN)
        bits = np.unpackbits(self._signs[start // 8 : -(-self._nonzeros // 8)], bitorder="little")
        return bits[start % 8 :][:count].astype(np.int8) * 2 - 1

    def finish(self) -> None:
        """Raise SternaError if anything is left over."""
        self._gaps.finish()
        if self._end > self._taken or -(-self._nonzeros // 8) != len(self._signs):
            refuse("holds weights that no layer uses", attribute="weights", value=self._end, remedy=AGAIN)
