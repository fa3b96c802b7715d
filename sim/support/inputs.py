"""Inputs of a design that are no stream: levels, and pulses of one cycle."""

from __future__ import annotations

from typing import Any


class Inputs:
    """An agent that sets inputs in the next cycle."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self._coming: dict[str, int] = {}
        self._pulsed: list[str] = []

    def set(self, **values: int) -> None:
        """From the next cycle on, the inputs have these values."""
        self._coming.update(values)

    def pulse(self, name: str, **values: int) -> None:
        """In the next cycle, `name` is 1 and the inputs get `values`."""
        self._coming.update(values)
        self._coming[name] = 1
        self._pulsed.append(name)

    def drive(self) -> None:
        pulsed, self._pulsed = self._pulsed, []
        coming, self._coming = self._coming, dict.fromkeys(pulsed, 0)
        for name, value in coming.items():
            getattr(self.dut, name).value = value

    def sample(self) -> None:
        """Nothing to read."""
