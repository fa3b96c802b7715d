"""Engines on boards as backends: in a system on chip, and on a PCIe card. Their transports are in libsterna."""

from __future__ import annotations

from typing import ClassVar, Self

from sterna.errors import SternaError
from sterna.native import libsterna
from sterna.run.backend import Announce
from sterna.run.engine import EngineBackend
from sterna.run.transport import Transport
from sterna.run.uri import Parameter, Uri
from sterna.spec.board import PCIE_MEMORY_BAR, PCIE_REGISTERS_BAR, SOC_BUFFER

_MIB = 1 << 20
_SOC_MEMORY = f"/dev/{SOC_BUFFER}"
_MHZ = Parameter(
    "the lowest clock of the engine that is expected, which turns cycles into time-outs; 50 if not given",
    "0.001 .. 10000",
    float,
)


def _number(text: str) -> int:
    number = int(text, 0)
    if not 0 <= number < 1 << 32:
        raise ValueError
    return number


class SocBackend(EngineBackend):
    """Runs packages on an engine in the fabric of a system on chip, by UIO and u-dma-buf."""

    usage = "soc:DEVICE"
    parameters: ClassVar = {
        "memory": Parameter(f"the u-dma-buf device of its memory; {_SOC_MEMORY} if not given", "a path", str),
        "mhz": _MHZ,
        **EngineBackend.parameters,
    }

    @classmethod
    def from_uri(cls, uri: Uri, announce: Announce) -> Self:
        """The path is that of the UIO device."""
        return cls(cls.reach(uri, announce), **cls.own(uri))

    @classmethod
    def reach(cls, uri: Uri, announce: Announce) -> Transport:
        """Its registers and its memory."""
        check_path(uri, "/dev/uio0")
        values = uri.values(cls.parameters)
        return libsterna.SocTransport(uri.path, values.get("memory", _SOC_MEMORY), values.get("mhz", 50.0))


class PcieBackend(EngineBackend):
    """Runs packages on an engine on a PCIe card, by VFIO."""

    usage = "pcie:ADDRESS"
    parameters: ClassVar = {
        "memory": Parameter(
            "MiB of the host's memory for it, or 0 for the card's own; 0 if not given",
            "0 .. 65536, in steps of 2",
            _number,
        ),
        "bar": Parameter(f"the region that holds its registers; {PCIE_REGISTERS_BAR} if not given", "0 .. 5", _number),
        "registers": Parameter("their first byte in the region; 0 if not given", "bytes, as 0x1000", _number),
        "window": Parameter(
            f"the region that shows the card's own memory; {PCIE_MEMORY_BAR} if not given", "0 .. 5", _number
        ),
        "mhz": _MHZ,
        **EngineBackend.parameters,
    }

    @classmethod
    def from_uri(cls, uri: Uri, announce: Announce) -> Self:
        """The path is the address of the card."""
        return cls(cls.reach(uri, announce), **cls.own(uri))

    @classmethod
    def reach(cls, uri: Uri, announce: Announce) -> Transport:
        """Its registers, and memory that both see."""
        check_path(uri, "0000:03:00.0")
        values = uri.values(cls.parameters)
        return libsterna.PcieTransport(
            uri.path, values.get("memory", 0) * _MIB, values.get("bar", PCIE_REGISTERS_BAR),
            values.get("registers", 0), values.get("mhz", 50.0), window=values.get("window", PCIE_MEMORY_BAR),
        )  # fmt: skip


def check_path(uri: Uri, example: str) -> None:
    """Raise SternaError if there is no path, which names a device."""
    if not uri.path:
        raise SternaError(
            "the backend needs a device", where=f"backend '{uri}'", attribute="path", value="none",
            allowed=f"as in {uri.scheme}:{example}", remedy="name one",
        )  # fmt: skip
