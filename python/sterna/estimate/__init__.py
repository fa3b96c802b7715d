"""The size and speed of engines on FPGAs, from open synthesis."""

from __future__ import annotations

from sterna.rooms import make_callable

make_callable(__name__)
