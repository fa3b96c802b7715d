"""The graph's file: exact round trips, and one clear refusal for everything that is not such a file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sterna.errors import SternaError
from sterna.graph import Add, Concat, Conv, Graph, Input, MaxPool, Output, Reorg, Requant, file, records
from support.random_graphs import random_graph

Members = dict[str, bytes]


METADATA = {"classes": ["car", "person"], "anchors": [[1.5, 2.0]], "kind": "yolov2"}
REQUANT = Requant(np.array([5, 6]), np.array([-7, 8]), 9, "leaky")
GRAPH = Graph(
    (
        Input("image", 1, 4, 6, 1 / 3, -128),
        Conv("conv", "image", np.arange(-9, 9, dtype=np.int8).reshape(2, 1, 3, 3), 1, (1, 1, 1, 1), REQUANT, 0.1),
        MaxPool("pool", "conv", 1, padding=(0, 0, 1, 1)),
        Add("add", ("conv", "pool"), REQUANT, 0.1),
        Concat("both", ("add", "conv")),
        Reorg("deep", "both"),
        Output("out", "deep"),
    ),
    metadata=METADATA,
)
DATA = file.to_bytes(GRAPH)


def unpack(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(members: Members) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def array_bytes(array: np.ndarray, *, allow_pickle: bool = False) -> bytes:
    data = io.BytesIO()
    np.save(data, array, allow_pickle=allow_pickle)
    return data.getvalue()


def with_index(change: Callable[[dict[str, Any]], None]) -> bytes:
    """The graph's file after `change` to its graph.json."""
    members = unpack(DATA)
    index = json.loads(members[file.INDEX])
    change(index)
    return pack(members | {file.INDEX: json.dumps(index).encode()})


@given(seed=st.integers(0, 2**32), table=st.booleans())
def test_a_graph_survives_its_file(seed: int, table: bool) -> None:
    random = random_graph(
        np.random.default_rng(seed), max_size=8, max_channels=6, act_bits=7, acc_bits=19, input_table=table,
        general_requant=True,
    )  # fmt: skip
    graph = Graph(random.layers, random.act_bits, random.acc_bits, METADATA)
    data = file.to_bytes(graph)
    again = file.from_bytes(data)
    assert again == graph
    assert again.info == graph.info
    assert file.to_bytes(again) == data


def test_a_graph_of_the_version_before_is_read() -> None:
    """It says nothing of clamps, rounding and zero points of results."""
    keys = {key for layer in json.loads(unpack(DATA)[file.INDEX])["layers"] for key in layer | layer.get("requant", {})}
    assert not keys & {"clamp", "half_even"}
    assert file.from_bytes(edit(version=1)) == GRAPH


def test_save_and_load(tmp_path: Path) -> None:
    path = tmp_path / "model.graph"
    file.save(GRAPH, path)
    assert file.load(path) == file.load(str(path)) == GRAPH


def test_what_has_its_default_is_left_out() -> None:
    """So that a graph that does not use a later attribute has the file that it always had."""
    image = json.loads(unpack(DATA)[file.INDEX])["layers"][0]
    assert image.keys() == {"kind", "name", "channels", "height", "width", "scale", "zero_point"}


@pytest.mark.parametrize(("version", "padding"), [(1, (0, 0, 1, 1)), (2, (0, 0, 0, 0))])
def test_once_a_pool_of_stride_1_kept_the_size(version: int, padding: tuple[int, ...]) -> None:
    pools = (MaxPool("same", "image", 1), MaxPool("half", "image", 2))
    graph = Graph((GRAPH.input, *pools, *(Output(f"out_{pool.name}", pool.name) for pool in pools)))
    members = unpack(file.to_bytes(graph))
    index = json.loads(members[file.INDEX]) | {"version": version}
    read = file.from_bytes(pack(members | {file.INDEX: json.dumps(index).encode()}))
    assert read.layers[1:3] == (replace(pools[0], padding=padding), pools[1])


def test_nothing_is_pickled() -> None:
    members = unpack(DATA)
    assert {name for name in members if not name.endswith(".npy")} == {file.INDEX}
    for name, content in members.items():
        if name != file.INDEX:
            np.load(io.BytesIO(content), allow_pickle=False)


def test_a_file_that_cannot_be_read_or_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match=r"missing: the graph file cannot be read .No such file"):
        file.load(tmp_path / "missing")
    with pytest.raises(SternaError, match="is a folder, not an integer graph"):
        file.load(tmp_path)
    with pytest.raises(SternaError, match=r"cannot be written"):
        file.save(GRAPH, tmp_path)


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.graph"
    path.write_bytes(b"no zip")
    with pytest.raises(SternaError, match=r"^\S+model\.graph: is truncated, damaged or no graph file"):
        file.load(path)


@given(cut=st.integers(0, len(DATA) - 1))
def test_a_truncated_file_is_refused(cut: int) -> None:
    with pytest.raises(SternaError, match="truncated, damaged or no graph file"):
        file.from_bytes(DATA[:cut])


@settings(max_examples=400)
@given(bit=st.integers(0, 8 * len(DATA) - 1))
def test_a_flipped_bit_is_refused_or_changes_nothing(bit: int) -> None:
    data = bytearray(DATA)
    data[bit // 8] ^= 1 << bit % 8
    try:
        graph = file.from_bytes(bytes(data))
    except SternaError:
        return
    assert graph == GRAPH


def edit(**changes: Any) -> bytes:
    return with_index(lambda index: index.update(changes))


def edit_layer(**changes: Any) -> bytes:
    return with_index(lambda index: index["layers"][1].update(changes))


def without(container: str, key: str) -> bytes:
    return with_index(lambda index: (index if container == "graph" else index["layers"][1]).pop(key))


def replace_member(name: str, content: bytes) -> bytes:
    return pack(unpack(DATA) | {name: content})


def remove_member(name: str) -> bytes:
    return pack({key: value for key, value in unpack(DATA).items() if key != name})


def packed_by(method: int) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in unpack(DATA).items():
            archive.writestr(name, content)
    return data.getvalue()


def doubled() -> bytes:
    data = io.BytesIO(DATA)
    with zipfile.ZipFile(data, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(file.INDEX, "{}")
    return data.getvalue()


def array_header(shape: tuple[int, ...], dtype: str = "|i1") -> bytes:
    """An array's header without its data."""
    data = io.BytesIO()
    np.lib.format.write_array_header_1_0(data, {"descr": dtype, "fortran_order": False, "shape": shape})
    return data.getvalue()


WEIGHTS = "1.weights.npy"
BIAS = "1.requant.bias.npy"
REFUSALS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "truncated, damaged or no graph file"),
    "other file": (lambda: b"\x89PNG\r\n" * 100, "truncated, damaged or no graph file"),
    "other zip": (lambda: pack({"readme": b"hello"}), "it has no graph.json"),
    "index not text": (lambda: replace_member(file.INDEX, b"\xff\xfe\xff"), "graph.json that is not JSON"),
    "index cut": (lambda: replace_member(file.INDEX, b'{"format": '), "graph.json that is not JSON"),
    "index too deep": (lambda: replace_member(file.INDEX, b"[" * 10**6), "graph.json that is not JSON"),
    "index a list": (lambda: replace_member(file.INDEX, b"[]"), "is not a graph file; allowed: format 'sterna-graph'"),
    "other format": (lambda: edit(format="onnx"), "is not a graph file"),
    "later version": (lambda: edit(version=3), r"another version; version = 3;.*install the later version"),
    "earlier version": (lambda: edit(version=0), r"another version; version = 0; .*: export the graph again"),
    "true version": (lambda: edit(version=True), r"another version; version = True"),
    "no version": (lambda: without("graph", "version"), r"another version; version = None"),
    "extra key": (lambda: edit(author="me"), "graph.json has unknown keys; keys = author"),
    "missing key": (lambda: without("graph", "act_bits"), "graph.json has missing keys; keys = act_bits"),
    "a layer too many": (lambda: edit(layers=[{}] * 1025), "is too large; layers = 1025; allowed: at most 1024"),
    "layers no list": (lambda: edit(layers={}), "holds no list of layers; layers = dict"),
    "layer no dict": (lambda: edit(layers=["conv"]), r"layers\[0\] is of an unknown kind; kind = None"),
    "unknown kind": (
        lambda: edit_layer(kind="dense"), r"layers\[1\] is of an unknown kind; kind = 'dense'; allowed: input",
    ),
    "kind no text": (lambda: edit_layer(kind=["conv"]), r"layers\[1\] is of an unknown kind"),
    "extra layer key": (lambda: edit_layer(dilation=2), r"layers\[1\] has unknown keys; keys = dilation"),
    "missing layer key": (lambda: without("layer", "stride"), r"layers\[1\] has missing keys; keys = stride"),
    "requant no dict": (lambda: edit_layer(requant=3), "members that no layer uses; members = .*bias.npy"),
    "requant empty": (lambda: edit_layer(requant={}), r"layers\[1\].requant has missing keys; keys = activation, bias"),
    "array renamed": (lambda: edit_layer(weights={"array": "w.npy"}), r"lacks an array; layers\[1\].weights = 'w.npy'"),
    "array shared": (
        lambda: edit_layer(weights={"array": BIAS}), r"lacks an array; layers\[1\].requant.bias = '1.requant",
    ),
    "array inline": (lambda: edit_layer(weights=[[1]]), r"members that no layer uses; members = .*weights.npy"),
    "array is the index": (lambda: edit_layer(weights={"array": file.INDEX}), "lacks an array"),
    "missing array": (lambda: remove_member(WEIGHTS), r"lacks an array; layers\[1\].weights = '1.weights.npy'"),
    "extra member": (lambda: replace_member("9.npy", array_bytes(np.ones(3))), "no layer uses; members = 9.npy"),
    "member no array": (
        lambda: replace_member(WEIGHTS, b"weights"), "a member that is not an array; member = 1.weights",
    ),
    "array cut": (
        lambda: replace_member(WEIGHTS, array_header((2, 3)) + b"four"),
        r"a member that is not an array; member = 1.weights.npy \(4 bytes for 6\)",
    ),
    "array huge": (lambda: replace_member(WEIGHTS, array_header((2**31, 2**31))), "a member that is not an array"),
    "array of negative size": (lambda: replace_member(WEIGHTS, array_header((-2, 3))), "a member that is not an array"),
    "array header open": (
        lambda: replace_member(WEIGHTS, unpack(DATA)[WEIGHTS].replace(b"}", b"(")),
        "a member that is not an array",
    ),
    "array too long": (
        lambda: replace_member(WEIGHTS, unpack(DATA)[WEIGHTS] + b"\0"), "with bytes after its end; member = 1.w",
    ),
    "pickled array": (
        lambda: replace_member(WEIGHTS, array_bytes(np.array([{}], object), allow_pickle=True)), "not an array.*pickle",
    ),
    "wrong type": (lambda: replace_member(WEIGHTS, array_bytes(np.ones((2, 3)))), "wrong type; weights = float64"),
    "swapped bytes": (lambda: replace_member(BIAS, array_bytes(np.ones(3, ">i8"))), "wrong type; requant.bias = >i8"),
    "wrong shape": (
        lambda: replace_member(WEIGHTS, array_bytes(np.ones((2, 3), np.int8))),
        r"wrong shape; weights.shape = \(2, 3\)",
    ),
    "illegal graph": (lambda: edit_layer(stride=4), r"layer '\w+': .*stride = 4; allowed: integers 1 .. 2"),
    "metadata not finite": (lambda: edit(metadata={"a": float("inf")}), "metadata = .*JSON"),
    "other packing": (lambda: packed_by(zipfile.ZIP_LZMA), "unknown method"),
    "double member": (doubled, "two members of one name"),
}  # fmt: skip


def test_the_file_that_the_refusals_start_from_is_legal() -> None:
    assert file.from_bytes(with_index(lambda index: None)) == GRAPH
    assert file.from_bytes(packed_by(zipfile.ZIP_STORED)) == GRAPH


def test_as_many_layers_as_are_allowed_are_read() -> None:
    names = ["image", *(f"pool{number}" for number in range(records.MAX_LAYERS - 2))]
    pools = (MaxPool(name, source, 1, padding=(0, 0, 1, 1)) for source, name in pairwise(names))
    graph = Graph((Input("image", 1, 1, 1, 1.0, 0), *pools, Output("out", names[-1])))
    assert len(graph.layers) == 1024
    assert file.from_bytes(file.to_bytes(graph)) == graph


@pytest.mark.parametrize(("data", "message"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(data: Callable[[], bytes], message: str) -> None:
    with pytest.raises(SternaError, match=f"^model: .*{message}") as refusal:
        file.from_bytes(data(), "model")
    assert "\n" not in str(refusal.value)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just({"array": WEIGHTS}),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=6,
)


def places(value: object) -> list[tuple[Any, Any]]:
    """Every (container, key) inside a JSON value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]  # type: ignore[index]


@settings(max_examples=300)
@given(data=st.data(), value=JSON_VALUES)
def test_any_other_value_in_the_index_is_read_or_refused(data: st.DataObject, value: object) -> None:
    def change(index: dict[str, Any]) -> None:
        container, key = data.draw(st.sampled_from(places(index)))
        container[key] = value

    try:
        graph = file.from_bytes(with_index(change))
    except SternaError as error:
        assert "\n" not in str(error)
    else:
        assert file.from_bytes(file.to_bytes(graph)) == graph
