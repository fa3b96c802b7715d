"""Boards without hardware: files and descriptors as the kernel's drivers serve them, and a simulated engine."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sterna.errors import SternaError
from sterna.native import libsterna
from sterna.spec.board import PCIE_MEMORY
from sterna.spec.registers import Register

#: The clock that the driver is told, in MHz: the simulated engine is slow, and no test waits for time to pass.
SLOW, FAST = 0.001, 10_000.0
PHYSICAL = 0x3800_0000
BYTES = 2 << 20
ALL_ONES = 0xFFFF_FFFF
CARD, GROUP = "0000:03:00.0", "17"


class Server:
    """A thread that clocks a simulated engine, `step` by step, until the test ends."""

    def __init__(self, step: Callable[[], bool]) -> None:
        self.is_stopped = False
        self._step = step
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(SternaError, OSError):
            while not self.is_stopped and self._step():
                pass

    def stop(self) -> None:
        self.is_stopped = True
        self._thread.join()


class Soc(libsterna.SocTransport):
    """A system on chip whose caches nothing but u-dma-buf's sync files keep up to date.

    is_served: interrupts come. Its registers are all ones once it `is_gone`.
    """

    def __init__(self, root: Path, program: Path, *, mhz: float = SLOW, is_served: bool = True) -> None:
        super().__init__("/dev/uio0", "/dev/udmabuf0", mhz, str(root))
        soc_files(root)
        self._memory = mmap.mmap(os.open(root / "dev" / "udmabuf0", os.O_RDWR), BYTES)
        self.engine = libsterna.Simulation(str(program), base=PHYSICAL, bytes=BYTES)
        self.engine.open()
        self.told: list[tuple[str, str]] = []
        self.is_gone = False
        self._is_served, self._server = is_served, None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.vanish()
        self.engine.close()

    def vanish(self) -> None:
        """The kernel's driver goes: the file of interrupts is at its end."""
        if self._server:
            self._server.is_stopped = True
            self.line.shutdown(socket.SHUT_RDWR)
            self._server.stop()
            self.line.close()
        self._server = None

    def read32(self, register: int) -> int:
        return ALL_ONES if self.is_gone else self.engine.read32(register)

    def write32(self, register: int, value: int) -> None:
        self.engine.write32(register, value)

    def open_interrupts(self) -> int:
        self.vanish()
        mine, self.line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if self._is_served:
            self._server = Server(self._serve_interrupt)
        return mine.detach()

    def _serve_interrupt(self) -> bool:
        """An interrupt comes once each time that it is enabled."""
        enabled = self.line.recv(8)
        if not enabled:
            return False
        assert enabled == struct.pack("=I", 1)
        while not self.engine.wait(2000):
            if self._server is not None and self._server.is_stopped:
                return False
        self.line.send(struct.pack("=I", 7))
        return True

    def tell(self, attribute: str, value: str) -> None:
        self.told.append((attribute, value))
        told = dict(self.told)
        start, size = int(told.get("sync_offset", -1)), int(told.get("sync_size", -1))
        part = slice(start, start + size)
        if attribute == "sync_for_device":
            assert told["sync_direction"] == "1"
            self.engine.write_memory(PHYSICAL + start, self._memory[part])
        elif attribute == "sync_for_cpu":
            assert told["sync_direction"] == "2"
            self._memory[part] = self.engine.read_memory(PHYSICAL + start, size)


def soc_files(root: Path) -> None:
    """What the kernel shows of a UIO device and a u-dma-buf."""
    registers = root / "sys/class/uio/uio0/maps/map0"
    buffer = root / "sys/class/u-dma-buf/udmabuf0"
    for folder in (registers, buffer, root / "dev"):
        folder.mkdir(parents=True, exist_ok=True)
    texts = {
        registers / "addr": "0xff200000\n", registers / "size": "0x2000\n", registers / "offset": "0x800\n",
        buffer / "phys_addr": f"{PHYSICAL:#x}\n", buffer / "size": f"{BYTES}\n",
    }  # fmt: skip
    for path, text in texts.items():
        path.write_text(text)
    for name in ("sync_offset", "sync_size", "sync_direction", "sync_for_cpu", "sync_for_device"):
        (buffer / name).write_text("")
    (root / "dev/uio0").write_bytes(bytes(0x2000))
    (root / "dev/udmabuf0").write_bytes(bytes(BYTES))


#: From <linux/vfio.h>, where the numbers are _IO(';', 100 + n).
VFIO = 0x3B64
(
    API_VERSION, CHECK_EXTENSION, SET_IOMMU, GROUP_STATUS, SET_CONTAINER, _UNSET, DEVICE_FD, DEVICE_INFO, REGION_INFO,
    IRQ_INFO, SET_IRQS, RESET, _IOMMU_INFO, MAP_DMA,
) = range(VFIO, VFIO + 14)  # fmt: skip
TYPE1V2 = 3
BAR_BYTES, CONFIG_AT, COMMAND = 0x4000, 1 << 20, 4
WINDOW, WINDOW_AT = 4, 2 << 20
MSI, REQUEST = 1, 4


class Pcie(libsterna.PcieTransport):
    """A card as VFIO shows it: `ioctl` checks every structure byte by byte. `answers` are others than usual."""

    def __init__(
        self, root: Path, program: Path, *, mhz: float = SLOW, bar: int = 2, first_register: int = 0x1000,
        is_served: bool = True, memory_bytes: int = BYTES,
    ) -> None:  # fmt: skip
        super().__init__(CARD, memory_bytes, bar, first_register, mhz, str(root), window=WINDOW)
        pcie_files(root)
        base = self.MEMORY_BASE if memory_bytes else PCIE_MEMORY
        self.engine = libsterna.Simulation(str(program), base=base, bytes=BYTES)
        self.engine.open()
        self.device = os.memfd_create("device")
        os.ftruncate(self.device, WINDOW_AT + BYTES)
        self.calls: list[int] = []
        self.events: dict[int, int] = {}
        self.answers: dict[int, Callable[[bytes], tuple[int, bytes]]] = {}
        self.is_gone = False
        self._is_served, self._server, self._level, self._is_cleared = is_served, None, False, False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.engine.close()

    def stop(self) -> None:
        """No interrupts any more."""
        if self._server:
            self._server.stop()
        self._server = None

    def read32(self, register: int) -> int:
        return ALL_ONES if self.is_gone else self.engine.read32(register)

    def write32(self, register: int, value: int) -> None:
        self.engine.write32(register, value)
        self._is_cleared |= register == Register.STATUS

    def sync_for_device(self, offset: int, bytes: int) -> None:
        """The host's memory is where the IOMMU was told, and the engine sees it at the address that it was told."""
        self.engine.write_memory(self._iova + offset, ctypes.string_at(self._address + offset, bytes))

    def sync_for_cpu(self, offset: int, bytes: int) -> None:
        ctypes.memmove(self._address + offset, self.engine.read_memory(self._iova + offset, bytes), bytes)

    def ioctl(self, file: int, request: int, argument: bytes, number: int) -> tuple[int, bytes]:
        self.calls.append(request)
        if request in self.answers:
            return self.answers[request](argument)
        words = struct.unpack(f"={len(argument) // 4}I", argument) if len(argument) % 4 == 0 else ()
        if request not in (API_VERSION, CHECK_EXTENSION, SET_IOMMU, SET_CONTAINER, DEVICE_FD, RESET):
            assert words[0] == len(argument), "argsz"
        match request:
            case 0x3B64:  # API_VERSION
                return 0, b""
            case 0x3B65 | 0x3B66:  # CHECK_EXTENSION, SET_IOMMU
                return int(number == TYPE1V2) if request == CHECK_EXTENSION else 0, b""
            case 0x3B67:  # GROUP_STATUS
                return 0, struct.pack("=2I", 8, 1)
            case 0x3B68:  # SET_CONTAINER: the number of a file
                return 0, b""
            case 0x3B6A:  # DEVICE_FD
                assert argument == CARD.encode() + b"\0"
                return os.dup(self.device), argument
            case 0x3B6B:  # DEVICE_INFO: can be reset, is PCI
                return 0, struct.pack("=4I", words[0], 3, 9, 5)
            case 0x3B6C:  # REGION_INFO
                return 0, self._region(words)
            case 0x3B6D:  # IRQ_INFO: by event descriptors
                return 0, struct.pack("=4I", words[0], 1, words[2], 1)
            case 0x3B6E:  # SET_IRQS: an event descriptor that triggers
                assert words[1:2] + words[3:5] == (4 | 32, 0, 1)
                self._connect(words[2], words[5])
                return 0, argument
            case 0x3B6F:  # RESET
                self.engine.reset()
                return 0, b""
            case 0x3B71:  # MAP_DMA, which the device may read and write
                _, flags, self._address, self._iova, size = struct.unpack("=2I3Q", argument)
                assert (flags, size) == (3, BYTES)
                return 0, argument
        raise AssertionError(hex(request))

    @staticmethod
    def _region(words: tuple[int, ...]) -> bytes:
        regions = {2: (BAR_BYTES, 0), WINDOW: (BYTES, WINDOW_AT), 7: (256, CONFIG_AT)}
        size, offset = regions.get(words[2], (0, 0))
        return struct.pack("=4I2Q", words[0], 7 if size else 0, words[2], 0, size, offset)

    def _connect(self, index: int, event: int) -> None:
        self.events[index] = event
        self._level = False
        if index == MSI and self._is_served:
            self.stop()
            self._server = Server(self._serve_interrupt)

    def _serve_interrupt(self) -> bool:
        """A message goes out when the engine's interrupt rises, also if it fell and rose between two looks at it."""
        level = self.engine.wait(1 if self._level else 2000)
        is_cleared, self._is_cleared = self._is_cleared, False
        if level and (is_cleared or not self._level):
            os.eventfd_write(self.events[MSI], 1)
        self._level = level
        return True


class Card(Pcie):
    """A card whose engine uses the memory on it, which a region shows."""

    def __init__(self, root: Path, program: Path, *, mhz: float = SLOW, is_served: bool = True) -> None:
        super().__init__(root, program, mhz=mhz, is_served=is_served, memory_bytes=0)
        self._shown = mmap.mmap(self.device, BYTES, offset=WINDOW_AT)

    def sync_for_device(self, offset: int, bytes: int) -> None:
        """What the host wrote is the card's after it has been read back."""
        libsterna.PcieTransport.sync_for_device(self, offset, bytes)
        self.engine.write_memory(PCIE_MEMORY + offset, self._shown[offset : offset + bytes])

    def sync_for_cpu(self, offset: int, bytes: int) -> None:
        self._shown[offset : offset + bytes] = self.engine.read_memory(PCIE_MEMORY + offset, bytes)


def pcie_files(root: Path) -> None:
    """What the kernel shows of a card that is bound to vfio-pci."""
    card = root / "sys/bus/pci/devices" / CARD
    groups = root / "dev/vfio"
    for folder in (card, groups):
        folder.mkdir(parents=True, exist_ok=True)
    (card / "iommu_group").unlink(missing_ok=True)
    (card / "iommu_group").symlink_to(f"../../../../kernel/iommu_groups/{GROUP}")
    for name in ("vfio", GROUP):
        (groups / name).write_bytes(b"")
