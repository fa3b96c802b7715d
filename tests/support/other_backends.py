"""A distribution with backends as somebody else writes it, installed for a test."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

SOURCE = """
from pathlib import Path

from sterna.graph import reference
from sterna.run import Backend
from sterna.run.engine import EngineBackend
from sterna.run.transports.sim import SimTransport
from sterna.run.uri import Parameter


class Mine(Backend):
    usage = "mine:"
    parameters = {"wrong": Parameter("values to get wrong", "a whole number", int)}
    wrong = 0

    @classmethod
    def from_uri(cls, uri, announce):
        uri.check_no_path()
        announce("mine is being opened")
        backend = cls()
        backend.wrong = uri.values(cls.parameters).get("wrong", 0)
        return backend

    def note(self):
        return f"Executed: mine, {self.wrong} values wrong."

    def _run(self, images, package, progress):
        maps = reference.execute(package.graph, images)
        found = {store.layer: maps[store.layer].copy() for store in package.schedule.stores}
        for layer in found.values():
            layer.reshape(-1)[: self.wrong] ^= 1
        return found


class Least(Backend):
    usage = "least:"

    def _run(self, images, package, progress):
        return {store.layer: reference.execute(package.graph, images)[store.layer] for store in package.schedule.stores}


class Board(EngineBackend):
    usage = "board:FOLDER"

    @classmethod
    def from_uri(cls, uri, announce):
        return cls(SimTransport(Path(uri.path)), **uri.values(cls.parameters))


broken = 3
"""

ENTRY_POINTS = """
[sterna.backends]
mine = their_backends:Mine
least = their_backends:Least
board = their_backends:Board
reference = their_backends:Mine
broken = their_backends:broken
gone = their_backends:Gone
absent = no_such_module:Backend
"""


def install_backends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the distribution into `folder` and that on the path, until the test ends."""
    install(folder, "their_backends", SOURCE, ENTRY_POINTS)
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "their_backends", raising=False)


def install(folder: Path, module: str, source: str, entry_points: str) -> None:
    """Put a distribution of one module into `folder` as pip leaves it."""
    about = folder / f"{module}-1.0.dist-info"
    about.mkdir()
    (folder / f"{module}.py").write_text(source)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(entry_points)
