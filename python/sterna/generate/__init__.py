"""Sources for FPGAs from the parameters of an engine, by build flow."""

from __future__ import annotations

from sterna.rooms import make_callable

make_callable(__name__)
