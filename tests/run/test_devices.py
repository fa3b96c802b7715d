"""Devices by their names in libsterna, as programs in C and C++ open them: engines give the emulator's maps."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sterna.compile import compile_graph
from sterna.package import file as package_file
from sterna.spec.paths import ROOT
from support.engines import simulator_of
from support.packages import NANO, small_graph, small_package


@pytest.fixture(scope="module")
def program() -> Path:
    """The simulator of the engine of `package`."""
    return simulator_of(NANO)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "small.sterna"
    package_file.save(small_package(), path)
    return path


@pytest.fixture(scope="module")
def runner() -> Path:
    """The program sw/tests/run_device.cpp."""
    cmake = str(Path(sys.executable).with_name("cmake"))
    for command in (
        [cmake, "--preset", "release"],
        [cmake, "--build", "--preset", "release", "--target", "run_device"],
    ):
        done = subprocess.run(command, cwd=ROOT / "sw", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "build/sw/release/tests/run_device"


def run(runner: Path, uri: str, package: Path, frames: int = 1) -> str:
    """What it says on either output."""
    done = subprocess.run([runner, uri, package, str(frames)], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done
    return done.stdout + done.stderr


@pytest.mark.parametrize("options", ["", "?latency=20..60&stall=0.3&seed=7&watchdog=0&timeout=9000000"])
def test_a_simulated_engine_gives_the_maps_of_the_emulator(
    runner: Path, program: Path, package: Path, options: str
) -> None:
    assert run(runner, f"sim:{program}{options}", package, frames=5) == "5 frames, 0 differ\n"


def test_a_folder_with_a_simulator(runner: Path, program: Path, package: Path, tmp_path: Path) -> None:
    folder = tmp_path / "50 % or more?"
    folder.mkdir()
    shutil.copy(program, folder)
    assert run(runner, f"sim:{tmp_path}/50%20%25 or more%3F", package) == "1 frames, 0 differ\n"


def test_a_frame_that_takes_too_long(runner: Path, program: Path, package: Path) -> None:
    said = run(runner, f"sim:{program}?timeout=400", package)
    assert ": the engine did not finish the frame in time; cycles = 400; remedy: " in said


def test_an_engine_of_another_config(runner: Path, program: Path, tmp_path: Path) -> None:
    other = NANO.model_copy(update={"accumulators": 8})
    package_file.save(compile_graph(small_graph(), other, cycles=False), tmp_path / "other.sterna")
    said = run(runner, f"sim:{program}", tmp_path / "other.sterna")
    assert said.startswith("engine: the engine has another config; config hash = ")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("", "device '': is not the name of a device; allowed: SCHEME:PATH?PARAMETER=VALUE&..., each parameter once"),
        ("emulator:?threads", "is not the name of a device"),
        ("emulator:?threads=1&threads=2", "is not the name of a device"),
        ("fpga:", "device 'fpga:': there is no such device; scheme = fpga; allowed: emulator, sim, soc, pcie"),
        ("emulator:x", "device 'emulator:x': the device takes no path; path = x; remedy: name it emulator:"),
        ("emulator:?speed=1", "no such parameter; parameter = speed; allowed: threads; remedy: remove it"),
        ("emulator:?threads=1025", "the parameter cannot be read; threads = 1025; allowed: 0 .. 1024"),
        ("emulator:?threads=-1", "threads = -1; allowed: 0 .. 1024"),
        ("sim", "device 'sim': needs a path; path = none; allowed: as in sim:build/engine/sterna-simulator"),
        ("sim:/none", "/none: the built simulator cannot be started (No such file or directory)"),
        ("sim:x?latency=9..3", "bad memory timing; latency = 9..3; allowed: 0 .. 100000, rising"),
        ("sim:x?latency=1..", "bad memory timing; latency = 1.."),
        ("sim:x?latency=100001", "bad memory timing; latency = 100001"),
        ("sim:x?stall=0.96", "stall = 0.96; allowed: 0 .. 0.95"),
        ("sim:x?stall=nan", "stall = nan; allowed: 0 .. 0.95"),
        ("sim:x?mhz=1", "parameter = mhz; allowed: latency, seed, stall, timeout, watchdog"),
        ("soc:", "needs a path; path = none; allowed: as in soc:/dev/uio0"),
        ("soc:/dev/none", "/dev/none: cannot be opened (No such file or directory)"),
        ("soc:/dev/none?mhz=0", "mhz = 0; allowed: 0.001 .. 10000"),
        ("soc:/dev/none?watchdog=4294967296", "watchdog = 4294967296; allowed: 0 .. 4294967295"),
        ("soc:/dev/none?timeout=0", "timeout = 0; allowed: 1 .. 9223372036854775807"),
        ("pcie:ffff:ff:1f.7?memory=64&bar=1&registers=0x1000", "ffff:ff:1f.7: is no PCIe device that an IOMMU guards"),
        ("pcie:0000:03:00.0?memory=3", "bad size of the memory; memory = 3145728 bytes"),
        ("pcie:0000:03:00.0?bar=6", "bar = 6; allowed: 0 .. 5"),
    ],
)
def test_names_that_are_refused(runner: Path, package: Path, uri: str, said: str) -> None:
    found = run(runner, uri, package)
    assert said in found and "; remedy: " in found and found.count("\n") == 1
