"""The transports to boards, against what the kernel's drivers serve, with a simulated engine."""

from __future__ import annotations

import os
import pty
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.native import libsterna
from sterna.package.package import Package
from sterna.run import open_backend
from sterna.run.backend import Backend
from sterna.run.compare import compare_backends
from sterna.run.engine import EngineBackend
from sterna.run.program import program_of
from sterna.run.registry import backends
from sterna.run.uri import Uri
from sterna.spec.board import PCIE_MEMORY_BAR, PCIE_REGISTERS_BAR, SOC_BUFFER
from sterna.spec.registers import Register, Status
from support import boards, processes
from support.boards import BYTES, CARD, FAST, PHYSICAL, Card, Pcie, Soc
from support.engines import simulator_of
from support.packages import NANO, small_images, small_package

KINDS = [Soc, Pcie, Card]


@pytest.fixture(scope="module")
def program() -> Path:
    return simulator_of(NANO)


@pytest.fixture(scope="module")
def package() -> Package:
    return small_package()


def works(backend: Backend, package: Package, images: int = 1) -> bool:
    with open_backend("reference:") as golden:
        return compare_backends(golden, backend, package, small_images(images)).equal


# Both kinds


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_equals_the_reference(
    kind: type[Soc | Pcie | Card], tmp_path: Path, program: Path, package: Package
) -> None:
    """Frames queued, and after the device was closed and opened again."""
    with kind(tmp_path, program) as board:
        for _ in range(2):
            with EngineBackend(board) as backend:
                assert works(backend, package, images=3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_board_without_answers_times_out(
    kind: type[Soc | Pcie | Card], tmp_path: Path, program: Path, package: Package
) -> None:
    board = kind(tmp_path, program, mhz=FAST, is_served=False)
    with board, EngineBackend(board, watchdog=1, timeout=1) as backend:
        backend.load(package)
        for _ in range(2):
            with pytest.raises(SternaError, match=r"in time, and cannot be aborted; cycles = 1; remedy: "):
                backend.infer(small_images(1))


class Busy(Soc):
    """An engine whose frame never ends."""

    def read32(self, register: int) -> int:
        return Status.BUSY if register == Register.STATUS else super().read32(register)


def test_a_frame_of_an_earlier_program_that_does_not_end(tmp_path: Path, program: Path) -> None:
    said = "engine: is at work on a frame of an earlier program, and cannot be aborted; remedy: reset the engine"
    with Busy(tmp_path, program, mhz=FAST, is_served=False) as board, pytest.raises(SternaError, match=said):
        EngineBackend(board)


def test_a_frame_of_an_earlier_program_is_aborted(tmp_path: Path, program: Path, package: Package) -> None:
    with Soc(tmp_path, program) as board:
        engine = libsterna.Engine(board, 3000, None)
        engine.load(program_of(package))
        engine.begin()
        engine.start(bytes(package.schedule.frame_bytes))
        engine.close()
        with EngineBackend(board) as backend:
            assert works(backend, package)


@pytest.mark.parametrize("kind", KINDS)
def test_registers_that_are_all_ones_are_a_device_that_is_gone(
    kind: type[Soc | Pcie | Card], tmp_path: Path, program: Path, package: Package
) -> None:
    def vanish(image: int, steps: int) -> None:
        board.is_gone = True

    with kind(tmp_path, program) as board, EngineBackend(board) as backend:
        backend.load(package)
        with pytest.raises(SternaError, match="engine: the device is gone: its registers read as all ones; remedy: "):
            backend.infer(small_images(2), vanish)


@pytest.mark.parametrize(("address", "size"), [(-1, 1), (0, BYTES + 1), (BYTES - 1, 2), (BYTES, 1)])
@pytest.mark.parametrize("kind", KINDS)
def test_memory_that_is_not_there(
    kind: type[Soc | Pcie | Card], tmp_path: Path, program: Path, address: int, size: int
) -> None:
    with kind(tmp_path, program) as board:
        with pytest.raises(SternaError, match="is not open"):
            board.read_memory(0, 1)
        board.open()
        if board.memory_base + address < 0:
            return  # No address is below the memory.
        with pytest.raises(SternaError, match=f"no memory there; address = {board.memory_base + address};"):
            board.read_memory(board.memory_base + address, size)
        with pytest.raises(SternaError, match="no memory there"):
            board.write_memory(board.memory_base + address, bytes(size))
        board.close()


@pytest.mark.parametrize("mhz", [0.0, -1.0, 0.0009, 10_001.0, float("nan")])
def test_bad_clock(mhz: float) -> None:
    with pytest.raises(SternaError, match=r"bad clock; mhz = .*; allowed: 0.001 .. 10000"):
        libsterna.SocTransport("/dev/uio0", "/dev/udmabuf0", mhz)


# Systems on chip


def test_registers_are_where_sysfs_says(tmp_path: Path) -> None:
    boards.soc_files(tmp_path)
    board = libsterna.SocTransport("/dev/uio0", "/dev/udmabuf0", 50, str(tmp_path))
    board.open()
    board.write32(Register.CONTROL, 0x1234_5678)
    registers = (tmp_path / "dev/uio0").read_bytes()
    assert struct.unpack_from("=I", registers, 0x800 + Register.CONTROL) == (0x1234_5678,)
    assert sum(map(bool, registers)) == 4
    assert board.read32(Register.CONTROL) == 0x1234_5678
    board.close()
    with pytest.raises(SternaError, match="/dev/uio0: the device is not open"):
        board.read32(0)


def test_the_kernel_is_told_of_each_transfer(tmp_path: Path) -> None:
    boards.soc_files(tmp_path)
    board = libsterna.SocTransport("/dev/uio0", "/dev/udmabuf0", 50, str(tmp_path))
    board.open()
    assert (board.memory_base, board.memory_bytes) == (PHYSICAL, BYTES)

    def told() -> dict[str, str]:
        return {path.name: path.read_text() for path in (tmp_path / "sys/class/u-dma-buf/udmabuf0").glob("sync_*")}

    board.write_memory(PHYSICAL + 4096, b"written")
    assert (tmp_path / "dev/udmabuf0").read_bytes()[4096:4103] == b"written"
    place = {"sync_offset": "4096", "sync_size": "7"}
    assert told() == place | {"sync_direction": "1", "sync_for_device": "1", "sync_for_cpu": ""}
    assert board.read_memory(PHYSICAL + 4098, 5) == b"itten"
    place = {"sync_offset": "4098", "sync_size": "5"}
    assert told() == place | {"sync_direction": "2", "sync_for_device": "1", "sync_for_cpu": "1"}
    board.close()


def test_the_order_in_which_it_is_told(tmp_path: Path, program: Path) -> None:
    with Soc(tmp_path, program) as board:
        board.open()
        board.write_memory(PHYSICAL, b"1")
        board.read_memory(PHYSICAL, 1)
        names = [name for name, _ in board.told]
        board.close()
    whole = ["sync_offset", "sync_size", "sync_direction"]
    assert names == [*whole, "sync_for_device", *whole, "sync_for_cpu"]


def test_caches_that_are_not_kept_up_to_date_give_other_maps(tmp_path: Path, program: Path, package: Package) -> None:
    """The served memory is one for the CPU and one for the engine: without the sync the results are not seen."""

    class Forgetful(Soc):
        def tell(self, attribute: str, value: str) -> None:
            if attribute != "sync_for_cpu":
                super().tell(attribute, value)

    with Forgetful(tmp_path, program) as board, EngineBackend(board) as backend:
        assert not works(backend, package)


def test_a_board_without_an_interrupt_is_polled(tmp_path: Path, program: Path, package: Package) -> None:
    class Silent(Soc):
        def open_interrupts(self) -> int:
            """Writing gives EIO, as UIO does for a device without an interrupt."""
            master, file = pty.openpty()
            os.close(master)
            return file

    with Silent(tmp_path, program) as board, EngineBackend(board) as backend:
        assert works(backend, package)


def test_interrupts_that_end_are_a_device_that_is_gone(tmp_path: Path, program: Path, package: Package) -> None:
    with Soc(tmp_path, program) as board, EngineBackend(board) as backend:
        backend.load(package)
        board.vanish()
        with pytest.raises(SternaError, match=r"/dev/uio0: the device is gone: (it signals|its interrupt cannot)"):
            backend.infer(small_images(1))


@pytest.mark.parametrize("device", ["dev/uio0", "dev/udmabuf0"])
def test_two_processes_at_one_device(tmp_path: Path, device: str) -> None:
    boards.soc_files(tmp_path)
    script = (
        "import fcntl, sys\nfile = open(sys.argv[1], 'rb')\nfcntl.flock(file, fcntl.LOCK_EX)\nprint(flush=True)\n"
        "sys.stdin.read()"
    )
    other = processes.start(processes.python(script, tmp_path / device), fed=True)
    assert other.stdout is not None
    other.stdout.readline()
    board = libsterna.SocTransport("/dev/uio0", "/dev/udmabuf0", 50, str(tmp_path))
    with pytest.raises(SternaError, match=rf"/{device}: is in use by another process; remedy: end that process"):
        board.open()
    other.communicate()
    board.open()
    board.close()


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        (
            "dev/uio0",
            None,
            "uio0: cannot be opened (No such file or directory); remedy: check that its driver",
        ),
        ("dev/udmabuf0", None, "udmabuf0: cannot be opened"),
        ("sys/class/uio/uio0/maps/map0/size", None, "map0/size: holds no number"),
        ("sys/class/uio/uio0/maps/map0/size", "0xfff", "too small for the engine's registers; bytes = 4095"),
        ("sys/class/uio/uio0/maps/map0/offset", "0x1001", "too small for the engine's registers"),
        ("sys/class/u-dma-buf/udmabuf0/phys_addr", "many", "phys_addr: holds no number"),
        ("sys/class/u-dma-buf/udmabuf0/size", "-5", "size: holds no number"),
        ("sys/class/u-dma-buf/udmabuf0/size", "0", "udmabuf0: cannot be mapped (Invalid argument)"),
    ],
)
def test_a_soc_that_is_not_as_it_should_be(tmp_path: Path, path: str, text: str | None, message: str) -> None:
    boards.soc_files(tmp_path)
    (tmp_path / path).unlink() if text is None else (tmp_path / path).write_text(text)
    board = libsterna.SocTransport("/dev/uio0", "/dev/udmabuf0", 50, str(tmp_path))
    with pytest.raises(SternaError) as caught:
        board.open()
    assert message in str(caught.value)


# PCIe cards


def test_how_a_card_is_opened(tmp_path: Path, program: Path) -> None:
    with Pcie(tmp_path, program) as board:
        board.open()
        assert board.calls == [
            boards.API_VERSION, boards.CHECK_EXTENSION, boards.GROUP_STATUS, boards.SET_CONTAINER, boards.SET_IOMMU,
            boards.DEVICE_FD, boards.DEVICE_INFO, boards.RESET, boards.REGION_INFO, boards.REGION_INFO, boards.MAP_DMA,
            boards.IRQ_INFO, boards.SET_IRQS, boards.IRQ_INFO, boards.SET_IRQS,
        ]  # fmt: skip
        assert list(board.events) == [boards.MSI, boards.REQUEST]
        command = os.pread(board.device, 2, boards.CONFIG_AT + boards.COMMAND)
        assert struct.unpack("=H", command) == (2 | 4,), "memory and bus master"
        assert board.memory_base == 1 << 32
        board.close()


def test_registers_are_in_the_region(tmp_path: Path, program: Path) -> None:
    class Plain(Pcie):
        read32 = libsterna.PcieTransport.read32  # type: ignore[assignment]
        write32 = libsterna.PcieTransport.write32  # type: ignore[assignment]

    with Plain(tmp_path, program, is_served=False) as board:
        board.open()
        libsterna.PcieTransport.write32(board, Register.CONTROL, 7)
        assert struct.unpack("=I", os.pread(board.device, 4, 0x1000 + Register.CONTROL)) == (7,)
        assert libsterna.PcieTransport.read32(board, Register.CONTROL) == 7
        board.close()


def test_the_system_takes_a_card_away(tmp_path: Path, program: Path) -> None:
    with Pcie(tmp_path, program, is_served=False) as board:
        board.open()
        os.eventfd_write(board.events[boards.REQUEST], 1)
        with pytest.raises(SternaError, match=f"{CARD}: the system takes the device away; remedy: close it"):
            board.wait(1)
        board.close()


def test_an_event_descriptor_that_is_gone(tmp_path: Path, program: Path, package: Package) -> None:
    with Pcie(tmp_path, program, is_served=False) as board:
        board.open()
        os.close(board.events[boards.MSI])
        with pytest.raises(SternaError, match="the device is gone: it signals no interrupts any more"):
            board.wait(1)
        os.dup2(board.device, board.events[boards.MSI])
        board.close()


def test_a_group_that_another_process_has(tmp_path: Path, program: Path) -> None:
    with Pcie(tmp_path, program, is_served=False) as board, Pcie(tmp_path, program, is_served=False) as other:
        board.open()
        with pytest.raises(SternaError, match=r"vfio/17: is in use by another process"):
            other.open()
        board.close()
        other.open()
        other.close()


Answer = Callable[[bytes], tuple[int, bytes]]


@pytest.mark.parametrize(
    ("request_", "answer", "message"),
    [
        (boards.API_VERSION, lambda _: (1, b""), "the kernel's VFIO is another one; version = 1; allowed: 0"),
        (boards.CHECK_EXTENSION, lambda _: (0, b""), "with an IOMMU of type 1v2"),
        (boards.GROUP_STATUS, lambda _: (0, struct.pack("=2I", 8, 0)), "a device of its group 17 has another driver"),
        (boards.SET_CONTAINER, lambda _: (-22, b""), "its group cannot be used (Invalid argument)"),
        (boards.SET_IOMMU, lambda _: (-1, b""), "the IOMMU cannot be used (Operation not permitted)"),
        (boards.DEVICE_FD, lambda _: (-19, b""), "cannot be opened (No such device); remedy: bind the device to vfio"),
        (boards.DEVICE_INFO, lambda _: (0, struct.pack("=4I", 16, 1, 9, 5)), "is no PCIe device"),
        (boards.RESET, lambda _: (-5, b""), "cannot be reset (Input/output error)"),
        (boards.REGION_INFO, lambda _: (0, bytes(32)), "region 2 does not hold the engine's registers; bytes = 0"),
        (boards.MAP_DMA, lambda _: (-12, b""), "the IOMMU does not map its memory (Cannot allocate memory)"),
        (boards.IRQ_INFO, lambda _: (0, struct.pack("=4I", 16, 1, 1, 0)), "message signalled interrupts cannot be had"),
        (boards.IRQ_INFO, lambda _: (0, struct.pack("=4I", 16, 0, 1, 1)), "message signalled interrupts cannot be had"),
        (boards.SET_IRQS, lambda _: (-16, b""), "interrupts cannot be had (Device or resource busy)"),
    ],
)
def test_a_card_that_is_not_as_it_should_be(
    tmp_path: Path, program: Path, request_: int, answer: Answer, message: str
) -> None:
    with Pcie(tmp_path, program, is_served=False) as board:
        board.answers[request_] = answer
        with pytest.raises(SternaError) as caught:
            board.open()
        assert message in str(caught.value) and str(caught.value).startswith(CARD)
        board.answers.clear()
        board.open()
        board.close()


@pytest.mark.parametrize("first", [0x3004, 0x1002])
def test_registers_that_do_not_fit_the_region(tmp_path: Path, program: Path, first: int) -> None:
    said = f"bytes = 16384; allowed: at least 4096 from byte {first} on"
    with (
        Pcie(tmp_path, program, first_register=first, is_served=False) as board,
        pytest.raises(SternaError, match=said),
    ):
        board.open()


def test_no_such_card(tmp_path: Path) -> None:
    board = libsterna.PcieTransport("0000:99:00.0", BYTES, 0, 0, 50, str(tmp_path))
    with pytest.raises(SternaError, match=r"0000:99:00.0: is no PCIe device that an IOMMU guards"):
        board.open()


@pytest.mark.parametrize("size", [BYTES + 4096, 1 << 37])
def test_bad_memory(size: int) -> None:
    with pytest.raises(SternaError, match=f"bad size of the memory; memory = {size} bytes"):
        libsterna.PcieTransport(CARD, size, 0, 0, 50)


def test_no_such_region() -> None:
    with pytest.raises(SternaError, match=r"there is no such region; bar = 6; allowed: 0 .. 5"):
        libsterna.PcieTransport(CARD, BYTES, 6, 0, 50)
    with pytest.raises(SternaError, match=r"there is no such region; window = 7; allowed: 0 .. 5"):
        libsterna.PcieTransport(CARD, 0, 2, 0, 50, window=7)


def test_a_card_without_a_region_for_its_memory(tmp_path: Path, program: Path) -> None:
    def answer(argument: bytes) -> tuple[int, bytes]:
        words = struct.unpack("=4I2Q", argument)
        return 0, struct.pack("=4I2Q", words[0], 7, words[2], 0, 0 if words[2] == boards.WINDOW else 0x4000, 0)

    with Card(tmp_path, program, is_served=False) as board:
        board.answers[boards.REGION_INFO] = answer
        with pytest.raises(SternaError, match=r"region 4 does not show the card's memory; bytes = 0; remedy: name the"):
            board.open()


# URIs


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("soc:", r"backend 'soc:': the backend needs a device; path = none; allowed: as in soc:/dev/uio0"),
        ("pcie:", r"the backend needs a device; path = none; allowed: as in pcie:0000:03:00.0"),
        ("soc:/dev/none?memory=/dev/no", r"/dev/none: cannot be opened"),
        ("soc:/dev/none?mhz=fast", r"mhz = fast; allowed: 0.001 .. 10000"),
        ("soc:/dev/none?watchdog=-1", r"bad number of cycles; watchdog = -1"),
        ("pcie:ffff:ff:1f.7?memory=64&bar=1&registers=0x1000&mhz=100", r"ffff:ff:1f.7: is no PCIe device"),
        ("pcie:0000:03:00.0?memory=3", r"bad size of the memory; memory = 3145728 bytes"),
        ("pcie:0000:03:00.0?bar=-1", r"bar = -1; allowed: 0 .. 5"),
    ],
)
def test_uris(uri: str, message: str) -> None:
    with pytest.raises(SternaError, match=message):
        open_backend(uri)


@pytest.mark.parametrize(
    ("uri", "transport", "given"),
    [
        ("soc:/dev/uio0", "SocTransport", ("/dev/uio0", f"/dev/{SOC_BUFFER}", 50.0)),
        ("pcie:0000:03:00.0", "PcieTransport", ("0000:03:00.0", 0, PCIE_REGISTERS_BAR, 0, 50.0, PCIE_MEMORY_BAR)),
        ("pcie:0000:03:00.0?memory=4&bar=1&window=3", "PcieTransport", ("0000:03:00.0", 4 << 20, 1, 0, 50.0, 3)),
    ],
)
def test_what_is_not_said_is_as_on_sternas_boards(
    monkeypatch: pytest.MonkeyPatch, uri: str, transport: str, given: tuple[object, ...]
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(libsterna, transport, lambda *args, **named: seen.extend((*args, *named.values())))
    parsed = Uri.parse(uri)
    backends[parsed.scheme].reach(parsed, print)
    assert tuple(seen) == given
