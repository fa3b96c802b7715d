"""The tools of high-level synthesis that a project can be for, and how maps go from layer to layer in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sterna.errors import SternaError


@dataclass(frozen=True)
class Tool:
    """hls4ml: its name for the tool. integer: how a signed type of some bits is written. builds: whether g++ can build
    the C simulation."""

    title: str
    hls4ml: str
    integer: str
    builds: bool = True


TOOLS = {
    "quartus": Tool("Intel HLS Compiler", "Quartus", "ac_int<{}, true>"),
    "vitis": Tool("AMD Vitis HLS", "Vitis", "ap_int<{}>"),
    "catapult": Tool("Siemens Catapult", "Catapult", "ac_int<{}, true>"),
    "oneapi": Tool("Altera oneAPI", "oneAPI", "ac_int<{}, true>", builds=False),
}
"""By the names that users give them."""
IO = ("parallel", "stream")
"""Maps are whole arrays, or streams of pixels through line buffers."""


def check_choice(where: str, value: str, allowed: Iterable[str]) -> None:
    """Raise SternaError if `value` is none of `allowed`."""
    if value not in allowed:
        raise SternaError(
            "there is no such choice", where=where, value=value, allowed=", ".join(allowed), remedy="name one of these"
        )


def check_tool(name: str, io: str) -> None:
    """Raise SternaError if there is no such tool or form of maps, or the tool does not take maps in that form."""
    check_choice("--tool", name, TOOLS)
    check_choice("--io", io, IO)
    if not TOOLS[name].builds and io == "stream":
        raise SternaError(
            "streams of this tool are not written", where="--io", value=io, allowed="parallel",
            remedy="use parallel, or another tool",
        )  # fmt: skip
