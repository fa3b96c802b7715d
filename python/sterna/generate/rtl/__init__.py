"""Turns a config into a folder that simulators and synthesis tools can use as is."""

from __future__ import annotations

from sterna.generate.rtl.folder import generate

__all__ = ["generate"]
