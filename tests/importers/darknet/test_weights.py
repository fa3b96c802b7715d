from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sterna.errors import SternaError
from sterna.exporters.darknet import for_darknet, write_weights
from sterna.graph import networks
from sterna.importers.darknet import Weights, Yolo2, convert, read_weights
from sterna.importers.darknet.weights import Header, Shape
from support.darknet_networks import VOC_ANCHORS, random_weights, yolo2_networks

SHAPES = (Shape("conv1", 4, 3, 3, True), Shape("head", 12, 4, 1, False))
COUNTS = (4 * (4 + 27), 12 * (1 + 4))


def content(header: bytes = struct.pack("<iiiq", 0, 2, 0, 77)) -> bytes:
    """A weights file for SHAPES with the numbers 0, 1, 2, ..."""
    return header + np.arange(sum(COUNTS)).astype("<f4").tobytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.weights"


def test_values_are_in_the_order_of_the_file(path: Path) -> None:
    path.write_bytes(content())
    conv, head = read_weights(path, SHAPES).convolutions
    assert conv.norm is not None and head.norm is None
    assert (conv.biases[0], conv.norm.scales[0], conv.norm.means[0], conv.norm.variances[0]) == (0, 4, 8, 12)
    assert conv.weights.shape == (4, 3, 3, 3) and conv.weights[1, 2, 0, 1] == 16 + 27 + 18 + 1
    assert head.biases[0] == COUNTS[0] and head.weights[2, 3, 0, 0] == COUNTS[0] + 12 + 11


@pytest.mark.parametrize(
    ("header", "packed"),
    [
        (Header(0, 1, 0, 2_000_000_000), struct.pack("<iiii", 0, 1, 0, 2_000_000_000)),
        (Header(0, 2, 5, 1 << 40), struct.pack("<iiiq", 0, 2, 5, 1 << 40)),
        (Header(1, 0, 0, 3), struct.pack("<iiiq", 1, 0, 0, 3)),
    ],
)
def test_version_decides_how_wide_the_count_of_images_is(path: Path, header: Header, packed: bytes) -> None:
    path.write_bytes(content(packed))
    read = read_weights(path, SHAPES)
    assert read.header == header
    again = path.with_name("again")
    write_weights(read, again)
    assert again.read_bytes() == path.read_bytes()


def test_published_files_have_the_length_that_is_expected() -> None:
    # yolov2-voc.weights and tiny-yolo-voc.weights, as published, are of version 0.1.
    for name, length in (("yolov2", 202_704_260), ("yolov2-tiny", 63_471_556)):
        shapes = convert.shapes(for_darknet(networks.describe(name), VOC_ANCHORS, 20, 416, 416))
        assert 16 + 4 * sum(shape.values for shape in shapes) == length


@pytest.mark.parametrize(
    ("length", "message"),
    [
        (20, r"ends before conv1; bytes = 20; allowed: 756, of which 20 are the header of version 0.2"),
        (24, r"ends in conv1, after 4 of its 496 bytes; bytes = 24"),
        (755, r"ends in head, after 239 of its 240 bytes"),
        (757, r"is too long: it continues after head; bytes = 757; allowed: 756"),
        (19, "a file of 19 bytes"),
        (3, "a file of 3 bytes"),
        (0, "a file of 0 bytes"),
    ],
)
def test_wrong_length_is_refused(path: Path, length: int, message: str) -> None:
    path.write_bytes((content() + b"\0")[:length])
    with pytest.raises(SternaError, match=message):
        read_weights(path, SHAPES)


PARTIAL = pytest.mark.case(
    "backbone-weights",
    kind="weights without a word",
    expected="weights of the first layers start a training; what has weights and what is fresh is said",
    source="AlexeyAB/darknet#51",
)


@PARTIAL
def test_a_file_may_end_behind_a_layer(path: Path, got: Callable[[object], None]) -> None:
    path.write_bytes(content()[: 20 + 4 * COUNTS[0]])
    found = read_weights(path, SHAPES)
    assert [layer.name for layer in found.convolutions] == ["conv1"] and not found.other_head
    got("a file that ends after conv1 holds conv1")


def test_published_backbones_end_behind_a_layer() -> None:
    # darknet19_448.conv.23, as published, has 79,327,120 bytes, 16 of them a header of version 0.1.
    shapes = convert.shapes(for_darknet(networks.describe("yolov2"), VOC_ANCHORS, 20, 416, 416))
    assert 16 + 4 * sum(shape.values for shape in shapes[:18]) == 79_327_120


@pytest.mark.parametrize("classes", [1, 2, 80])
def test_a_head_for_other_classes_is_left_out(path: Path, classes: int) -> None:
    shapes = (SHAPES[0], replace(SHAPES[1], filters=2 * (5 + 4), boxes=2))
    other = 4 * 5 * 2 * (5 + classes)
    path.write_bytes(content()[: 20 + 4 * COUNTS[0]] + bytes(other))
    found = read_weights(path, shapes)
    assert len(found.convolutions) == 1 and found.other_head == 2 * (5 + classes)
    path.write_bytes(content()[: 20 + 4 * COUNTS[0]] + bytes(other - 4))
    with pytest.raises(SternaError, match=r"too (short|long)"):
        read_weights(path, shapes)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs pointer"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
        (b"\n\n  <html lang='en'>", "web page"),
        (b'{"error": "not found"}', "JSON"),
        (b"[net]\nbatch=1\nwidth=416\n", "cfg file"),
        (b"PK\x03\x04" + bytes(30), "ZIP archive"),
        (b"\x1f\x8b\x08\x00" + bytes(30), "gzip"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "PyTorch file"),
        (struct.pack("<iiiq", 4096, 2, 0, 0), "version 4096.2.0"),
        (struct.pack("<iiiq", 0, -1, 0, 0), "version 0.-1.0"),
    ],
)
def test_file_of_another_kind_is_named(path: Path, start: bytes, message: str) -> None:
    path.write_bytes(start + bytes(2000))
    with pytest.raises(SternaError, match=f"not a darknet weights file.*{message}"):
        read_weights(path, SHAPES)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (1, np.nan, r"a bias of filter 1 of conv1.*bias = nan"),
        (4, np.inf, r"a scale of filter 0 of conv1.*scale = inf"),
        (11, -np.inf, r"a mean of filter 3 of conv1.*mean = -inf"),
        (14, -0.5, r"a variance of filter 2 of conv1.*variance = -0.5; allowed: finite numbers, 0 or more"),
        (16 + 27, np.nan, r"a weight of filter 1 of conv1.*weight = nan"),
        (COUNTS[0] + 12 + 4 * 5, np.nan, r"a weight of filter 5 of head"),
    ],
)
def test_value_that_is_no_number_is_refused(path: Path, place: int, value: float, message: str) -> None:
    damaged = bytearray(content())
    damaged[20 + 4 * place : 24 + 4 * place] = struct.pack("<f", value)
    path.write_bytes(damaged)
    with pytest.raises(SternaError, match=message):
        read_weights(path, SHAPES)


def test_missing_file_is_refused(path: Path) -> None:
    for place in (path, path.parent):
        with pytest.raises(SternaError, match="cannot be read"):
            read_weights(place, SHAPES)


def same(first: Weights, second: Weights) -> bool:
    """Whether both hold the same bits."""
    return first.header == second.header and all(
        a.name == b.name
        and a.weights.shape == b.weights.shape
        and a.weights.tobytes() == b.weights.tobytes()
        and a.biases.tobytes() == b.biases.tobytes()
        and (a.norm is None) == (b.norm is None)
        and (a.norm is None or b.norm is None or [x.tobytes() for x in vars(a.norm).values()]
             == [x.tobytes() for x in vars(b.norm).values()])
        for a, b in zip(first.convolutions, second.convolutions, strict=True)
    )  # fmt: skip


@given(yolo2_networks(), st.sampled_from((Header(0, 1, 0, 9), Header(0, 2, 0, 1 << 33))), st.integers(0, 99))
@settings(max_examples=30)
def test_weights_of_random_networks_come_back(network: Yolo2, header: Header, seed: int) -> None:
    written = random_weights(network, seed, header)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.weights"
        write_weights(written, path)
        read = read_weights(path, convert.shapes(network))
        assert same(written, read)
        changed = replace(read, header=replace(header, seen=header.seen + 1))
        assert not same(written, changed)


@given(st.data())
@settings(max_examples=150)
def test_damaged_file_is_refused_or_read_as_it_stands(data: st.DataObject) -> None:
    damaged = bytearray(content())
    for _ in range(data.draw(st.integers(1, 3))):
        if damaged and data.draw(st.booleans()):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        elif data.draw(st.booleans()):
            del damaged[data.draw(st.integers(0, len(damaged))) :]
        else:
            start = data.draw(st.integers(0, min(len(damaged), 40)))
            damaged[start:start] = data.draw(st.binary(max_size=12))
    with tempfile.TemporaryDirectory() as folder:
        path, again = Path(folder) / "damaged.weights", Path(folder) / "again.weights"
        path.write_bytes(damaged)
        try:
            read = read_weights(path, SHAPES)
        except SternaError:
            return
        write_weights(read, again)
        assert again.read_bytes() == bytes(damaged)
