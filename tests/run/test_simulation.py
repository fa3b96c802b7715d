"""The simulated engine is a process of its own: its death is an error, and it never outlives who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.generate.rtl import generate
from sterna.native import libsterna
from sterna.run import simulator
from sterna.run.engine import EngineBackend
from sterna.run.transports.sim import SimTransport
from sterna.spec.registers import IDENTITY, Register
from support import processes
from support.engines import SIMULATORS
from support.packages import NANO, small_images, small_package

Got = Callable[[object], None]
Simulation = libsterna.Simulation
BASE = Simulation.MEMORY_BASE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("engine")
    generate(NANO, path)
    return path


@pytest.fixture(scope="module")
def program(folder: Path) -> Path:
    return simulator.build(folder, SIMULATORS)


@pytest.fixture
def simulation(program: Path) -> Iterator[Simulation]:
    simulation = Simulation(str(program))
    simulation.open()
    yield simulation
    simulation.close()


@pytest.mark.case(
    "simulator-that-dies", kind="process", expected="one line that names the signal; the backend can be opened again"
)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_simulator_that_dies_in_a_frame_is_an_error(folder: Path, number: signal.Signals, got: Got) -> None:
    transport, package = SimTransport(folder, build_dir=SIMULATORS), small_package()

    def end(image: int, steps: int) -> None:
        os.kill(transport.process, number)

    with EngineBackend(transport) as backend:
        backend.load(package)
        for _ in range(2):  # the second time there is no process to kill any more
            with pytest.raises(SternaError, match=rf"process was ended by {number.name}.*remedy: ") as caught:
                backend.infer(small_images(2), end)
        got(caught.value)
    with EngineBackend(transport) as backend:
        backend.load(package)
        assert backend.infer(small_images(1))


def own_program(tmp_path: Path, body: str) -> Path:
    """A program of this body in place of a simulator."""
    source, program = tmp_path / "own.c", tmp_path / "sterna-simulator"
    source.write_text(f"#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\nint main(void) {{ {body} }}\n")
    subprocess.run(["gcc", "-o", program, source], check=True)
    return program


@pytest.mark.parametrize("code", [0, 7])
def test_a_simulator_that_exits_is_an_error(tmp_path: Path, code: int) -> None:
    """Its last words are shown."""
    program = own_program(tmp_path, f'puts("many\\n out of ideas \\n"); exit({code});')
    with pytest.raises(SternaError, match=rf"ended with exit code {code} \(out of ideas\).*remedy: .*delete"):
        Simulation(str(program)).open()


@pytest.mark.case(
    "simulator-that-hangs", kind="process", expected="one line, and the process is ended; never a program that waits"
)
@pytest.mark.parametrize("body", ["for (;;) pause();", "close(3); for (;;) pause();"])
def test_a_simulator_that_hangs_is_an_error(tmp_path: Path, body: str, got: Got) -> None:
    """It says nothing, or has closed the socket and lives on."""
    simulation = Simulation(str(own_program(tmp_path, body)), patience=1)
    with pytest.raises(SternaError, match=r"the simulator's process (does not answer|was ended by SIGKILL)") as caught:
        simulation.open()
    assert simulation.process == 0
    got(caught.value)


@pytest.mark.parametrize("content", [b"", b"no program", None])
def test_what_is_no_simulator_is_refused(tmp_path: Path, content: bytes | None) -> None:
    program = tmp_path / "sterna-simulator"
    if content is not None:
        program.write_bytes(content)
        program.chmod(0o755)
    with pytest.raises(SternaError, match=r"sterna-simulator: the built simulator cannot be started.*delete it"):
        Simulation(str(program)).open()


def test_a_closed_simulation_is_an_error(simulation: Simulation) -> None:
    for _ in range(2):
        simulation.close()
    for use in (simulation.reset, lambda: simulation.read_memory(BASE, 1), lambda: simulation.write_memory(BASE, b"1")):
        with pytest.raises(SternaError, match="not open"):
            use()
    simulation.open()
    assert simulation.read32(Register.IDENTITY) == IDENTITY


@pytest.mark.parametrize("size", [0, 1, 4096, (1 << 20) + 3])
def test_memory_of_any_size_goes_there_and_back(simulation: Simulation, size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    simulation.write_memory(BASE + 5, data)
    assert simulation.read_memory(BASE + 5, size) == data
    end = BASE + simulation.memory_bytes
    simulation.write_memory(end - size, data)
    assert simulation.read_memory(end - size, size) == data


END = BASE + Simulation.MEMORY_BYTES


@pytest.mark.parametrize(("address", "size"), [(BASE - 1, 1), (END, 1), (END - 1, 2), (0, 1), (BASE - 1, 2)])
def test_memory_that_is_not_there(simulation: Simulation, address: int, size: int) -> None:
    with pytest.raises(SternaError, match=rf"has no memory there; address = {address};"):
        simulation.read_memory(address, size)
    with pytest.raises(SternaError, match="has no memory there"):
        simulation.write_memory(address, bytes(size))


def test_several_at_once_have_memories_of_their_own(program: Path, simulation: Simulation) -> None:
    other = Simulation(str(program))
    other.open()
    simulation.write_memory(BASE, b"mine")
    other.write_memory(BASE, b"your")
    simulation.wait(100)
    assert (simulation.read_memory(BASE, 4), other.read_memory(BASE, 4)) == (b"mine", b"your")
    assert simulation.cycles > other.cycles
    other.close()
    assert simulation.read_memory(BASE, 4) == b"mine"


def test_a_call_does_not_wait_until_a_wait_is_over(simulation: Simulation) -> None:
    """Whoever waits for an interrupt lets others in between."""

    def wait() -> None:
        with suppress(SternaError):
            simulation.wait(1 << 40)

    thread = threading.Thread(target=wait)
    thread.start()
    before = simulation.cycles
    while simulation.cycles == before:
        pass
    assert simulation.read32(Register.IDENTITY) == IDENTITY
    assert thread.is_alive()
    os.kill(simulation.process, signal.SIGKILL)
    thread.join()


STARTS = """
import os, sys, time
from sterna.native import libsterna
simulation = libsterna.Simulation(sys.argv[1])
simulation.open()
sibling = os.fork() if sys.argv[2] == "forked" else 0
if sys.argv[2] == "forked" and not sibling:
    time.sleep(1000)
print(simulation.process, sibling, flush=True)
time.sleep(1000)
"""


@pytest.mark.case(
    "simulator-left-behind", kind="process", expected="the simulator's process ends with the one that started it"
)
@pytest.mark.parametrize("kind", ["alone", "forked"])
def test_no_simulator_outlives_its_parent(program: Path, kind: str, got: Got) -> None:
    """Not even if a process that was forked from the parent holds its end of the socket."""
    parent = processes.start(processes.python(STARTS, program, kind))
    assert parent.stdout is not None
    worker, sibling = map(int, parent.stdout.readline().split())
    assert processes.running(worker)
    parent.kill()
    processes.wait_until_gone(worker)
    if sibling:
        assert processes.running(sibling)
        os.kill(sibling, signal.SIGKILL)
    got(f"parent ({kind}) killed, simulator ended")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_to_the_whole_group_are_left_to_the_parent(simulation: Simulation, number: signal.Signals) -> None:
    os.kill(simulation.process, number)
    assert simulation.read32(Register.IDENTITY) == IDENTITY
