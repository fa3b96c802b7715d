"""The engine as a component of Platform Designer: its interfaces, and which port has which role in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sterna.spec.ports import Port

#: Bursts that may be outstanding at once: `Outstanding` of sterna_axi_reader and of sterna_axi_writer.
READS, WRITES = 16, 8

#: Properties of the slave for the registers, and of the master of the memory.
ACCEPTS = {"readAcceptanceCapability": 1, "writeAcceptanceCapability": 1, "combinedAcceptanceCapability": 1}
ISSUES = {
    "readIssuingCapability": READS,
    "writeIssuingCapability": WRITES,
    "combinedIssuingCapability": READS + WRITES,
}

#: Ports of the interfaces that are no bus: interface and role.
_SINGLE = {"clk_i": ("clock", "clk"), "rst_ni": ("reset", "reset_n"), "irq_o": ("irq", "irq")}


@dataclass(frozen=True)
class Pin:
    """A port of the top in an interface."""

    port: str
    role: str
    direction: str
    width: int


@dataclass
class Interface:
    """An interface; its side is `start` where the engine begins transfers, else `end`."""

    name: str
    kind: str
    side: str
    properties: dict[str, str | int]
    pins: list[Pin] = field(default_factory=list)


def interfaces(ports: Iterable[Port]) -> list[Interface]:
    """The component's interfaces with all of `ports`."""
    return with_pins(_without_pins(), ports, _SINGLE)


def with_pins(
    without: Iterable[Interface], ports: Iterable[Port], single: Mapping[str, tuple[str, str]]
) -> list[Interface]:
    """Interfaces with their `ports`. `single`: interface and role of those whose names do not say them."""
    found = {each.name: each for each in without}
    for port in ports:
        name, role = single.get(port.name) or port.name.rsplit("_", 1)
        found[name].pins.append(Pin(port.name, role, port.direction.capitalize(), port.width))
    return list(found.values())


def _without_pins() -> list[Interface]:
    timed: dict[str, str | int] = {"associatedClock": "clock", "associatedReset": "reset"}
    return [
        Interface("clock", "clock", "end", {}),
        Interface("reset", "reset", "end", {"associatedClock": "clock", "synchronousEdges": "DEASSERT"}),
        Interface("s_axil", "axi4lite", "end", {**timed, **ACCEPTS}),
        Interface("m_axi", "axi4", "start", {**timed, **ISSUES}),
        Interface("irq", "interrupt", "end", {"associatedAddressablePoint": "s_axil", **timed}),
    ]
