"""The engine and what is around it on a board as a component of Platform Designer."""

from __future__ import annotations

from collections.abc import Iterator

from sterna.generate.boards.board import Board
from sterna.generate.quartus.component import ACCEPTS, ISSUES, Interface, with_pins
from sterna.spec.config import EngineConfig
from sterna.spec.ports import BUS_ADDRESS_BITS, Port, channel, memory_ports, register_ports

#: The top by the kind of board.
TOPS = {"soc": "sterna_soc", "pcie": "sterna_pcie"}
#: Bits of the hard IP's interface that tells how to send an interrupt.
MSI_BITS = 82
_SOC_ADDRESS_BITS = 32

#: Ports whose names do not say interface and role.
_SINGLE = {
    "clk_i": ("clk", "clk"),
    "rst_ni": ("reset", "reset_n"),
    "registers_clk_i": ("registers_clk", "clk"),
    "memory_clk_i": ("memory_clk", "clk"),
    "irq_o": ("irq", "irq"),
    "msi_intfc_i": ("msi_intfc", "msi_intfc"),
}


def parameters(board: Board, config: EngineConfig) -> dict[str, int]:
    """The top's parameters."""
    return {"EngineDataW": config.axi_data_w, "MemoryDataW": board.memory_data_w}


def interfaces(board: Board) -> list[Interface]:
    """The component's interfaces with all of their ports."""
    return with_pins(_without_pins(board), ports(board), _SINGLE)


def ports(board: Board) -> list[Port]:
    """The ports of the board's top, in order."""
    clocks = [Port("input", 0, name) for name in ("clk_i", "rst_ni", "registers_clk_i", "memory_clk_i")]
    shared = [*clocks, *register_ports(), *(_soc_memory if board.kind == "soc" else memory_ports)(board.memory_data_w)]
    return [*shared, Port("output", 0, "irq_o"), *(_message_ports() if board.kind == "pcie" else ())]


def _soc_memory(data: int) -> Iterator[Port]:
    """An AXI3 master."""
    address = {"id": 1, "addr": _SOC_ADDRESS_BITS, "len": 4, "size": 3, "burst": 2, "lock": 2, "cache": 4, "prot": 3}
    yield from channel("m_axi_aw", "output", address)
    yield from channel("m_axi_w", "output", {"id": 1, "data": data, "strb": data // 8, "last": 0})
    yield from channel("m_axi_b", "input", {"id": 1, "resp": 2})
    yield from channel("m_axi_ar", "output", address)
    yield from channel("m_axi_r", "input", {"id": 1, "data": data, "resp": 2, "last": 0})


def _message_ports() -> list[Port]:
    """What an interrupt is sent by: where to, and an Avalon master that writes it there."""
    return [
        Port("input", MSI_BITS, "msi_intfc_i"),
        Port("output", BUS_ADDRESS_BITS, "m_msi_address"),
        Port("output", 0, "m_msi_write"),
        Port("output", 32, "m_msi_writedata"),
        Port("output", 4, "m_msi_byteenable"),
        Port("input", 0, "m_msi_waitrequest"),
    ]


def _without_pins(board: Board) -> list[Interface]:
    def timed(clock: str) -> dict[str, str | int]:
        return {"associatedClock": clock, "associatedReset": "reset"}

    registers, memory = timed("registers_clk"), timed("memory_clk")
    found = [
        *(Interface(name, "clock", "end", {}) for name in ("clk", "registers_clk", "memory_clk")),
        Interface("reset", "reset", "end", {"synchronousEdges": "NONE"}),
        Interface("s_axil", "axi4lite", "end", {**registers, **ACCEPTS}),
        Interface("m_axi", "axi" if board.kind == "soc" else "axi4", "start", {**memory, **ISSUES}),
        Interface("irq", "interrupt", "end", {"associatedAddressablePoint": "s_axil", **registers}),
    ]
    if board.kind == "pcie":
        found.append(Interface("msi_intfc", "conduit", "end", {}))
        found.append(Interface("m_msi", "avalon", "start", registers))
    return found
