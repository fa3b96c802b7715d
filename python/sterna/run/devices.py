"""Opens a device by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sterna.errors import SternaError
from sterna.run.device import Device
from sterna.run.engine import WATCHDOG, EngineDevice
from sterna.run.reference import ReferenceDevice
from sterna.run.rtl import MemoryTiming, RtlTransport

KINDS = ("reference", "rtl")


def open_device(
    kind: str,
    *,
    folder: Path | None = None,
    timing: MemoryTiming | None = None,
    build_dir: Path | None = None,
    announce: Callable[[str], None] | None = None,
    watchdog: int = WATCHDOG,
    timeout: int | None = None,
    verify: bool = True,
) -> Device:
    """An open device: `reference`, or `rtl` which simulates the generated engine in `folder`.

    The other arguments are those of `RtlTransport` and `EngineDevice`; the reference needs none of them.
    """
    if kind == "reference":
        device: Device = ReferenceDevice()
    elif kind == "rtl" and folder is not None:
        transport = RtlTransport(folder, timing=timing, build_dir=build_dir, announce=announce)
        device = EngineDevice(transport, watchdog=watchdog, timeout=timeout, verify=verify)
    elif kind == "rtl":
        raise SternaError("needs a generated engine", where="device 'rtl'", remedy="name the engine's folder")
    else:
        raise SternaError(
            "no such device", attribute="device", value=kind, allowed=", ".join(KINDS), remedy="name one of these"
        )
    device.open()
    return device
