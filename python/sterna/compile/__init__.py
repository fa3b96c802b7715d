"""The compiler: integer graph and engine config to a package with the tape."""

from __future__ import annotations

from sterna.compile.compiler import compile_graph

__all__ = ["compile_graph"]
