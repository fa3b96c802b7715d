"""The ports of a generated engine's top."""

from __future__ import annotations

from typing import NamedTuple

from sterna.spec.config import EngineConfig
from sterna.spec.registers import ADDRESS_BITS

BUS_ADDRESS_BITS = 64
REGISTER_BITS = 32


class Port(NamedTuple):
    """A port of the top and of the engine; 0 bits are a plain wire."""

    direction: str
    bits: int
    name: str

    @property
    def range(self) -> str:
        """The range in SystemVerilog; empty for a plain wire."""
        return f"[{self.bits - 1}:0]" if self.bits else ""

    @property
    def width(self) -> int:
        """Wires of the port."""
        return self.bits or 1


def channel(prefix: str, direction: str, fields: dict[str, int]) -> list[Port]:
    """A valid/ready channel whose payload goes in `direction`."""
    back = "output" if direction == "input" else "input"
    payload = [Port(direction, bits, prefix + field) for field, bits in fields.items()]
    return [*payload, Port(direction, 0, f"{prefix}valid"), Port(back, 0, f"{prefix}ready")]


def register_ports() -> list[Port]:
    """The ports to the registers, an AXI4-Lite slave, in order."""
    return [
        *channel("s_axil_aw", "input", {"addr": ADDRESS_BITS, "prot": 3}),
        *channel("s_axil_w", "input", {"data": REGISTER_BITS, "strb": REGISTER_BITS // 8}),
        *channel("s_axil_b", "output", {"resp": 2}),
        *channel("s_axil_ar", "input", {"addr": ADDRESS_BITS, "prot": 3}),
        *channel("s_axil_r", "output", {"data": REGISTER_BITS, "resp": 2}),
    ]


def memory_ports(data: int) -> list[Port]:
    """The ports to the memory, an AXI4 master whose beats have `data` bits, in order."""
    address = {"id": 1, "addr": BUS_ADDRESS_BITS, "len": 8, "size": 3, "burst": 2}
    address |= {"lock": 0, "cache": 4, "prot": 3, "qos": 4}
    return [
        *channel("m_axi_aw", "output", address),
        *channel("m_axi_w", "output", {"data": data, "strb": data // 8, "last": 0}),
        *channel("m_axi_b", "input", {"id": 1, "resp": 2}),
        *channel("m_axi_ar", "output", address),
        *channel("m_axi_r", "input", {"id": 1, "data": data, "resp": 2, "last": 0}),
    ]


def ports(config: EngineConfig) -> list[Port]:
    """The ports, in order."""
    return [
        Port("input", 0, "clk_i"),
        Port("input", 0, "rst_ni"),
        *register_ports(),
        *memory_ports(config.axi_data_w),
        Port("output", 0, "irq_o"),
    ]
