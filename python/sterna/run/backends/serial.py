"""An engine behind a serial line as a backend."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from sterna.run.backend import Announce
from sterna.run.backends.boards import check_path
from sterna.run.engine import EngineBackend
from sterna.run.transport import Transport
from sterna.run.transports.serial import PATIENCE, SerialTransport
from sterna.run.uri import Parameter, Uri
from sterna.spec.serial import BAUD


def _positive(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 1e6:
        raise ValueError
    return seconds


class SerialBackend(EngineBackend):
    """Runs packages on an engine behind a serial line, as that of a ULX3S."""

    usage = "serial:DEVICE"
    #: A few seconds each way.
    tried_bytes = 1 << 20
    parameters: ClassVar = {
        "baud": Parameter(f"bits per second; {BAUD} if not given", "a speed that the system knows", int),
        "patience": Parameter(
            f"seconds without a byte that it waits at most; {PATIENCE:g} if not given", "above 0", _positive
        ),
        **EngineBackend.parameters,
    }

    @classmethod
    def from_uri(cls, uri: Uri, announce: Announce) -> Self:
        """The path is that of the serial port."""
        return cls(cls.reach(uri, announce), **cls.own(uri))

    @classmethod
    def reach(cls, uri: Uri, announce: Announce) -> Transport:
        """Its serial line."""
        check_path(uri, "/dev/ttyUSB0")
        values = uri.values(cls.parameters)
        line = {name: values[name] for name in ("baud", "patience") if name in values}
        return SerialTransport(Path(uri.path), **line)
