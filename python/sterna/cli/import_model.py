"""`sterna import`: a model of another program as an integer graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sterna import recognise
from sterna.cli.progress import bar
from sterna.errors import SternaError
from sterna.files import check_file
from sterna.graph import file as graph_file
from sterna.importers.onnx.files import Wanted, read

Number = TypeVar("Number", int, float)


def import_model(
    path: Path, output: Path, pixels: str | None, shape: str | None, until: tuple[str, ...], round_results: bool
) -> None:
    """Write the model in `path` as an integer graph, and tell how much of it that took."""
    ends = None if pixels is None else _numbers("pixels", pixels, float, "LOW,HIGH, such as 0,1")
    if ends is not None and (len(ends) != 2 or not ends[0] < ends[1]):
        raise _wrong("pixels", pixels, "LOW,HIGH with LOW below HIGH, such as 0,1")
    sides = None if shape is None else _numbers("shape", shape, int, "CHANNELS,HEIGHT,WIDTH")
    check_file(output, inputs=[path])
    recognise.check_replaces(output, recognise.GRAPH)
    wanted = Wanted(None if ends is None else (ends[0], ends[1]), sides, until, round_results)
    with bar("import") as show:
        imported = read(path, wanted, show)
    graph_file.save(imported.graph, output)
    graph = imported.graph
    width = f"{graph.acc_bits}-bit accumulators"
    print(f"{output}: {len(graph.layers)} layers, {imported.filters:,} filters, all exact, {width}")
    for tensor in imported.splits:
        print(f"{tensor}: its filters need several shifts; they are layers of their own")
    for name in imported.rounded:
        print(f"{name}: rounded to {graph.act_bits} bits; scale and offset are in the graph's metadata")


def _numbers(option: str, text: str | None, kind: Callable[[str], Number], allowed: str) -> tuple[Number, ...]:
    try:
        return tuple(kind(each) for each in (text or "").split(","))
    except ValueError:
        raise _wrong(option, text, allowed) from None


def _wrong(option: str, text: str | None, allowed: str) -> SternaError:
    return SternaError(
        "is no such list of numbers", where="import", attribute=option, value=text, allowed=allowed,
        remedy=f"correct --{option}",
    )  # fmt: skip
