"""Packages whose tape is made anew: those for engines before this one, and those of the format before, a zip archive
that holds the graph, the tape and `package.json`.

Only the graph, the config and what the compiler was asked for are read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sterna.archive import Archive, Limits
from sterna.errors import SternaError
from sterna.graph import file as graph_file
from sterna.graph.graph import Graph
from sterna.package.container import AGAIN, other_format
from sterna.spec.config import GONE, EngineConfig, make_config

FORMAT = 3
SIGNATURE = b"PK"
"""How the file begins."""

_TAPE, _GRAPH, _ABOUT = "tape.bin", "graph.bin", "package.json"
LIMITS = Limits(
    members=3,
    total=200 << 20,
    each=0,
    named={_GRAPH: graph_file.LIMITS.total, _TAPE: 96 << 20, _ABOUT: 1 << 20},
)
"""The most that a file may unpack to."""


@dataclass(frozen=True)
class Older:
    """What an older package was compiled from."""

    graph: Graph
    config: EngineConfig
    #: Whether every layer was stored, and whether cycles were told.
    trace: bool
    timed: bool
    #: What is older about it.
    said: str = f"of format {FORMAT}"

    @classmethod
    def of(cls, graph: Graph, config: object, stored: object, timed: bool, said: str) -> Older:
        """With the parameters of `config` that engines still have, and the names of the layers `stored`."""
        if not isinstance(config, dict):
            raise SternaError("has no config", remedy=AGAIN)
        fields = {name: value for name, value in config.items() if name not in GONE}
        made = make_config(str(fields.pop("name", "")), fields, "engine config")
        shown = {name for layer in graph.outputs for name in (layer.name, layer.input)}
        names = {str(name) for name in stored} if isinstance(stored, list) else set()
        return cls(graph, made, not names <= shown, timed, said)


def read(data: bytes) -> Older:
    """What the package `data` was compiled from. Raises SternaError for what is no whole package of that format."""
    archive = Archive(data, LIMITS, "package", AGAIN)
    names = set(archive.names)
    if names != set(LIMITS.named):
        raise SternaError(
            "is not a Sterna package", attribute="members", value=", ".join(sorted(names)) or "none",
            allowed=", ".join(sorted(LIMITS.named)), remedy="give a file made by sterna compile",
        )  # fmt: skip
    about = _about(archive.read(_ABOUT))
    stores = about["schedule"].get("stores")
    regions = stores if isinstance(stores, list) else []
    stored = [store.get("layer") for store in regions if isinstance(store, dict)]
    timed = bool(about["schedule"].get("queued_cycles"))
    return Older.of(_graph(archive.read(_GRAPH)), about["config"], stored, timed, Older.said)


def _about(data: bytes) -> dict[str, Any]:
    try:
        about = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SternaError(f"{_ABOUT} is not JSON ({error})", remedy=AGAIN) from error
    version = about.get("format") if isinstance(about, dict) else None
    if type(version) is not int or version != FORMAT:
        raise other_format(version)
    for part in ("config", "schedule"):
        if not isinstance(about.get(part), dict):
            raise SternaError(f"{_ABOUT} has no {part}", remedy=AGAIN)
    return dict(about)


def _graph(data: bytes) -> Graph:
    try:
        return graph_file.from_bytes(data, "graph")
    except SternaError as error:
        raise SternaError(f"its graph cannot be read: {error}") from error
