"""The cycle model: the state machines of `hw/rtl` that decide time, moved cycle by cycle without any data.

Each file is about the modules that its first line names; `timing` holds the lengths of their pipelines. What a module
does in a cycle is a function compiled by numba, so this package is loaded only when the time of a frame is needed.
"""

from sterna.compile.clock.clock import Clock

__all__ = ["Clock"]
