"""The simulated engine is a process of its own: its death is an error, and it never outlives who started it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.generate.rtl import generate
from sterna.run import simulator
from sterna.run.engine import EngineBackend
from sterna.run.simulation import Simulation
from sterna.run.simulation_worker import WINDOW
from sterna.run.transports.sim import SimTransport
from sterna.spec.registers import IDENTITY, Register
from support import processes
from support.engines import SIMULATORS
from support.packages import NANO, small_images, small_package

Got = Callable[[object], None]
BASE = SimTransport.memory_base


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("engine")
    generate(NANO, path)
    return path


@pytest.fixture(scope="module")
def library(folder: Path) -> Path:
    return simulator.build(folder, SIMULATORS)


@pytest.fixture
def simulation(library: Path) -> Iterator[Simulation]:
    simulation = Simulation(library, 1)
    yield simulation
    simulation.close()


@pytest.mark.case(
    "simulator-that-dies", kind="process", expected="one line that names the signal; the backend can be opened again"
)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_simulator_that_dies_in_a_frame_is_an_error(folder: Path, number: signal.Signals, got: Got) -> None:
    transport, package = SimTransport(folder, build_dir=SIMULATORS), small_package()

    def end(image: int, steps: int) -> None:
        assert transport._simulation is not None
        os.kill(transport._simulation._process.pid, number)

    with EngineBackend(transport) as backend:
        backend.load(package)
        for _ in range(2):  # the second time there is no process to kill any more
            with pytest.raises(SternaError, match=rf"process was ended by {number.name}.*remedy: ") as caught:
                backend.infer(small_images(2), end)
        got(caught.value)
    with EngineBackend(transport) as backend:
        backend.load(package)
        assert backend.infer(small_images(1))


@pytest.mark.parametrize("code", [0, 7])
def test_a_simulator_that_exits_is_an_error(tmp_path: Path, code: int) -> None:
    """Its last words are shown: a library that ends its process while it is loaded."""
    source, library = tmp_path / "ends.c", tmp_path / "libends.so"
    source.write_text(
        "#include <stdio.h>\n#include <stdlib.h>\n"
        '__attribute__((constructor)) void ends(void) { puts("out of ideas"); exit(' + f"{code}); }}\n"
    )
    assert os.system(f"g++ -shared -fPIC -o {library} -x c {source}") == 0
    with pytest.raises(SternaError, match=rf"ended with exit code {code} \(out of ideas\).*remedy: .*delete"):
        Simulation(library, 1)


@pytest.mark.parametrize("content", [b"", b"no library", None])
def test_what_is_no_simulator_is_refused(tmp_path: Path, content: bytes | None) -> None:
    library = tmp_path / "libsterna_sim.so"
    if content is not None:
        library.write_bytes(content)
    with pytest.raises(SternaError, match=r"libsterna_sim.so: the built simulator cannot be loaded.*delete it"):
        Simulation(library, 1)


def test_a_closed_simulation_is_an_error(library: Path) -> None:
    simulation = Simulation(library, 1)
    for _ in range(2):
        simulation.close()
    with pytest.raises(SternaError, match="not open"):
        simulation.call("reset")


@pytest.mark.parametrize("size", [1, WINDOW - 1, WINDOW, 2 * WINDOW + 3])
def test_memory_of_any_size_goes_there_and_back(simulation: Simulation, size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    simulation.write(BASE + 5, data)
    assert simulation.read(BASE + 5, size) == data


def test_several_at_once_have_memories_of_their_own(library: Path, simulation: Simulation) -> None:
    other = Simulation(library, 2)
    simulation.write(BASE, b"mine")
    other.write(BASE, b"your")
    simulation.call("run", 100, 1000)
    assert (simulation.read(BASE, 4), other.read(BASE, 4)) == (b"mine", b"your")
    assert simulation.cycles > other.cycles
    other.close()
    assert simulation.read(BASE, 4) == b"mine"


class Interrupting:
    """A socket at which Ctrl-C comes once: before a call leaves, after it, or after its answer has come."""

    def __init__(self, socket: Any, moment: str) -> None:
        self._socket, self.moment = socket, moment

    def _at(self, moment: str) -> None:
        if self.moment == moment:
            self.moment = ""
            raise KeyboardInterrupt

    def send(self, message: bytes) -> None:
        self._at("before")
        self._socket.send(message)
        self._at("sent")

    def recv_into(self, buffer: bytearray) -> int:
        count: int = self._socket.recv_into(buffer)
        self._at("answered")
        return count

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("moment", ["before", "sent", "answered"])
def test_ctrl_c_in_the_middle_of_a_call_mixes_up_nothing(simulation: Simulation, moment: str) -> None:
    simulation.write(BASE, b"kept")
    simulation._socket = Interrupting(simulation._socket, moment)  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        simulation.read(BASE, 4)
    simulation.write(BASE + 4, b"more")
    assert simulation.call("read32", Register.IDENTITY) == (0, IDENTITY)
    assert simulation.read(BASE, 8) == b"keptmore"


STARTS = """
import os, sys, time
from pathlib import Path
from sterna.run.simulation import Simulation
simulation = Simulation(Path(sys.argv[1]), 1)
sibling = os.fork() if sys.argv[2] == "forked" else 0
if sys.argv[2] == "forked" and not sibling:
    time.sleep(1000)
print(simulation._process.pid, sibling, flush=True)
time.sleep(1000)
"""


@pytest.mark.case(
    "simulator-left-behind", kind="process", expected="the simulator's process ends with the one that started it"
)
@pytest.mark.parametrize("kind", ["alone", "forked"])
def test_no_simulator_outlives_its_parent(library: Path, kind: str, got: Got) -> None:
    """Not even if a process that was forked from the parent holds its end of the socket."""
    parent = processes.start(processes.python(STARTS, library, kind))
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
    os.kill(simulation._process.pid, number)
    assert simulation.call("read32", Register.IDENTITY) == (0, IDENTITY)
