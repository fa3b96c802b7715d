"""Sterna: sparse ternary object detectors as FPGA hardware without multipliers."""

from __future__ import annotations

__version__ = "0.1.0"
