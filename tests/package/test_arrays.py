"""Arrays as sections: what is written is read, in parts of any size, and what does not fit is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.package import arrays, container
from sterna.package.arrays import ENTROPY_CODED, ArrayReader, ArrayWriter
from sterna.spec.package import MOST_WEIGHTS, PackageSection

Records = list[dict[str, Any]]


def sections_of(payloads: dict[PackageSection, bytes]) -> dict[PackageSection, container.Section]:
    """The payloads packed and found again, with the other sections that a container must have."""
    others = dict.fromkeys(PackageSection, b"")
    return container.read(container.write(others | payloads, ENTROPY_CODED))


def written(values: list[NDArray[Any]]) -> tuple[Records, dict[PackageSection, bytes]]:
    writer = ArrayWriter()
    return [writer.keep(f"{number}", array) for number, array in enumerate(values)], writer.sections()


def read(records: Records, payloads: dict[PackageSection, bytes]) -> list[NDArray[Any]]:
    reader = ArrayReader(sections_of(payloads))
    taken = [reader.take(record, f"array {number}") for number, record in enumerate(records)]
    reader.finish()
    return taken


def random_array(rng: np.random.Generator, size: int) -> NDArray[Any]:
    """Of each type; ternary weights of every density, with runs of zeros beyond a byte."""
    if rng.random() < 0.2:
        return rng.integers(-(1 << 46), 1 << 46, size)
    if rng.random() < 0.3:
        return rng.integers(-128, 128, size).astype(np.int8)
    density = rng.choice([0, 0.001, 0.01, 0.1, 0.5, 1])
    return (rng.integers(0, 2, size) * 2 - 1).astype(np.int8) * (rng.random(size) < density)


@settings(max_examples=60)
@given(st.integers(0, 1 << 30), st.lists(st.integers(1, 3000), max_size=8), st.sampled_from([1, 7, 1 << 20]))
def test_round_trip(seed: int, sizes: list[int], at_once: int) -> None:
    rng = np.random.default_rng(seed)
    values = [random_array(rng, size).reshape(1, -1) for size in sizes]
    records, payloads = written(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "_AT_ONCE", at_once)
        found = read(records, payloads)
    for one, other in zip(values, found, strict=True):
        assert np.array_equal(one, other) and one.dtype == other.dtype and one.shape == other.shape


@pytest.mark.parametrize("run", [0, 1, 254, 255, 256, 509, 510, 511, 1020])
def test_runs_of_zeros(run: int) -> None:
    weights = np.zeros(run + 2, np.int8)
    weights[run] = -1
    records, payloads = written([weights, weights])
    # The second run goes on where the first layer ends.
    assert list(payloads[PackageSection.GAPS]) == [255] * (run // 255) + [run % 255] + [255] * ((run + 1) // 255) + [
        (run + 1) % 255
    ]
    assert payloads[PackageSection.SIGNS] == b"\0"
    assert all(np.array_equal(found, weights) for found in read(records, payloads))


def test_signs_lie_from_the_lowest_bit() -> None:
    _, payloads = written([np.array([1, 0, -1, 1, 0, 0, 0, 1, 1, 1, 1, 1], np.int8)])
    assert payloads[PackageSection.SIGNS] == bytes([0b11111101])
    assert list(payloads[PackageSection.GAPS]) == [0, 1, 0, 3, 0, 0, 0, 0]


def test_integers_lie_byte_by_byte() -> None:
    _, payloads = written([np.array([1, -2]), np.array([0x0102030405060708])])
    low, second = [1, 0xFE, 8], [0, 0xFF, 7]
    assert list(payloads[PackageSection.INTEGERS])[:6] == low + second


@pytest.mark.parametrize("density", [0.05, 0.1, 0.15, 0.3, 0.5])
def test_random_weights_come_close_to_their_entropy(density: float) -> None:
    """Within 1.5 % at densities that are used; a code of whole bits for each weight would take three times as much."""
    rng = np.random.default_rng(0)
    weights = (rng.integers(0, 2, 1 << 20) * 2 - 1).astype(np.int8) * (rng.random(1 << 20) < density)
    _, payloads = written([weights])
    packed = sum(len(section.payload) for section in sections_of(payloads).values())
    entropy = (density - density * math.log2(density) - (1 - density) * math.log2(1 - density)) * len(weights) / 8
    assert 0.995 * entropy < packed < 1.015 * entropy


def test_what_does_not_fit_is_refused() -> None:
    weights = np.tile(np.array([0, 1, -1, 0, 0], np.int8), 20)
    values, integers = np.arange(-5, 5, dtype=np.int8), np.arange(3)
    records, good = written([weights, values, integers])
    read(records, good)
    for section, message in (
        (PackageSection.GAPS, "holds weights that no layer uses"),
        (PackageSection.SIGNS, "holds weights that no layer uses"),
        (PackageSection.VALUES, "bytes of it are not used"),
        (PackageSection.INTEGERS, "a part of an integer|holds integers that no layer uses"),
    ):
        for more in (b"\3", b"\3" * 8):
            with pytest.raises(SternaError, match=message):
                read(records, good | {section: good[section] + more})
    for section, message in (
        (PackageSection.GAPS, "weights that no layer uses"),
        (PackageSection.SIGNS, "lacks signs of weights"),
        (PackageSection.VALUES, "10 bytes are wanted and 9 are left"),
        (PackageSection.INTEGERS, "a part of an integer"),
    ):
        less = good[section][: -9 if section is PackageSection.GAPS else -1]
        with pytest.raises(SternaError, match=message):
            read(records, good | {section: less})
    with pytest.raises(SternaError, match="lacks an array; array 2 = "):
        read(records, good | {PackageSection.INTEGERS: b""})


@pytest.mark.parametrize(
    "record",
    [
        None,
        {},
        {"type": "ternary"},
        {"type": "float", "shape": [1]},
        {"type": "ternary", "shape": [1], "more": 0},
        {"type": "ternary", "shape": 1},
        {"type": "ternary", "shape": [True]},
        {"type": "ternary", "shape": [-1]},
        {"type": "ternary", "shape": [1.0]},
        {"type": "ternary", "shape": [65536]},
        {"type": "ternary", "shape": [1, 1, 1, 1, 1]},
        {"type": ["ternary"], "shape": [1]},
    ],
)
def test_wrong_records(record: object) -> None:
    with pytest.raises(SternaError, match="has a wrong record of an array; x = "):
        ArrayReader(sections_of(written([])[1])).take(record, "x")


def test_weights_are_limited_in_all() -> None:
    reader = ArrayReader(sections_of(written([])[1]))
    shape = [65535, 1000]
    reader.take({"type": "ternary", "shape": shape}, "x")
    with pytest.raises(SternaError, match=f"is too large; y = .*; allowed: {MOST_WEIGHTS} weights in all"):
        reader.take({"type": "ternary", "shape": shape}, "y")
