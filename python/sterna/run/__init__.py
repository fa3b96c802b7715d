"""Execution of packages: backends, their transports to engines, and their comparison."""

from __future__ import annotations

from sterna.run.backend import Backend
from sterna.run.registry import open_backend

__all__ = ["Backend", "open_backend"]
