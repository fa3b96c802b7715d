"""The cycle model: the engine's registers that decide time, moved cycle by cycle without data (docs/engine.md, "Time")."""

from sterna.compile.clock.clock import Clock

__all__ = ["Clock"]
