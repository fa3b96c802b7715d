"""The driver: packages, devices that run them, and what comes out."""

from __future__ import annotations

from sterna.run.devices import open_device

__all__ = ["open_device"]
