"""Rooms that can be called: `sterna.compile(graph)` is a call of the package `sterna.compile`."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class Room(ModuleType):
    """A package of Sterna whose call is the function of the same name in `sterna.api`."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the function."""
        function = getattr(importlib.import_module("sterna.api"), self.__name__.rpartition(".")[2])
        return function(*arguments, **options)


def make_callable(package: str) -> None:
    """Let the package of the full name `package`, which is being imported, be called.

    A function of this name in `sterna` would be hidden by the package as soon as anything imports from it.
    """
    sys.modules[package].__class__ = Room
