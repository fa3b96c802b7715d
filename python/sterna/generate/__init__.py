"""Sources for an FPGA from an engine's parameters, by the way that they are built."""

from __future__ import annotations

from sterna.rooms import make_callable

make_callable(__name__)
