"""AXI channels whose payloads are structs, by the names of single signals that cocotbext-axi looks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cocotb.types import LogicArray
from sim.support.streams import Field

from sterna.generate.spec.systemverilog import (
    AXI_ADDRESS,
    AXI_READ,
    AXI_WRITTEN,
    AXIL_ADDRESS,
    AXIL_READ,
    AXIL_WRITE,
)
from sterna.spec.fields import Layout


class Member:
    """A member of a packed port, used as a handle."""

    def __init__(self, field: Field) -> None:
        self._field = field

    def __len__(self) -> int:
        return self._field.width

    @property
    def value(self) -> LogicArray:
        """The bits."""
        return LogicArray.from_unsigned(self._field.read(), self._field.width)

    @value.setter
    def value(self, value: Any) -> None:
        self._field.write(int(value))

    def setimmediatevalue(self, value: Any) -> None:
        """The value before the first transfer, which nothing looks at."""


class Ports:
    """Ports of `dut` under other names."""

    def __init__(self, dut: Any, prefix: str, signals: Mapping[str, Any]) -> None:
        self._log, self._name = dut._log, dut._name
        for name, handle in signals.items():
            setattr(self, f"{prefix}_{name}", handle)


def axi_read_ports(dut: Any) -> Ports:
    """`m_axi_ar*` and `m_axi_r*`."""
    signals = {"arvalid": dut.ar_valid_o, "arready": dut.ar_ready_i, "rvalid": dut.r_valid_i, "rready": dut.r_ready_o}
    signals |= _members("ar", dut.ar_o, AXI_ADDRESS) | _members("r", dut.r_i, AXI_READ) | {"rdata": dut.r_data_i}
    return Ports(dut, "m_axi", signals)


def axi_write_ports(dut: Any) -> Ports:
    """`m_axi_aw*`, `m_axi_w*` and `m_axi_b*`."""
    signals = {
        "awvalid": dut.aw_valid_o, "awready": dut.aw_ready_i, "wvalid": dut.w_valid_o, "wready": dut.w_ready_i,
        "wdata": dut.w_data_o, "wstrb": dut.w_strb_o, "wlast": dut.w_last_o, "bvalid": dut.b_valid_i,
        "bready": dut.b_ready_o,
    }  # fmt: skip
    signals |= _members("aw", dut.aw_o, AXI_ADDRESS) | _members("b", dut.b_i, AXI_WRITTEN)
    return Ports(dut, "m_axi", signals)


def axil_ports(dut: Any) -> Ports:
    """`s_axil_*`."""
    signals = {
        "awvalid": dut.aw_valid_i, "awready": dut.aw_ready_o, "wvalid": dut.w_valid_i, "wready": dut.w_ready_o,
        "bvalid": dut.b_valid_o, "bready": dut.b_ready_i, "bresp": dut.b_resp_o, "arvalid": dut.ar_valid_i,
        "arready": dut.ar_ready_o, "rvalid": dut.r_valid_o, "rready": dut.r_ready_i,
    }  # fmt: skip
    signals |= _members("aw", dut.aw_i, AXIL_ADDRESS) | _members("w", dut.w_i, AXIL_WRITE)
    signals |= _members("ar", dut.ar_i, AXIL_ADDRESS) | _members("r", dut.r_o, AXIL_READ)
    return Ports(dut, "s_axil", signals)


def _members(channel: str, handle: Any, layout: Layout) -> dict[str, Member]:
    places = layout.places()
    return {f"{channel}{field.name}": Member(Field(handle, place, field.bits)) for field, place in places}
