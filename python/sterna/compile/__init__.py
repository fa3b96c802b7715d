"""The compiler: integer graph and engine config to a package with the tape."""

from __future__ import annotations

from sterna.compile.compiler import compile_graph
from sterna.rooms import make_callable

__all__ = ["compile_graph"]

make_callable(__name__)
