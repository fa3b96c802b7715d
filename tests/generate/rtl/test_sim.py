"""The backend `sim:` simulates the right engine, with the memory that its URI asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.generate.rtl import generate
from sterna.generate.rtl.sim import SimBackend
from sterna.run import open_backend
from sterna.run.compare import compare_backends
from support.engines import SIMULATORS
from support.packages import NANO, small_images, small_package


@pytest.fixture(autouse=True)
def shared_simulators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STERNA_BUILD_DIR", str(SIMULATORS))


def test_the_engine_of_the_package_is_generated() -> None:
    package = small_package()
    with open_backend("sim:") as engine, open_backend("reference:") as reference:
        assert engine.note() is None and engine.counters() is None
        assert compare_backends(reference, engine, package, small_images(1)).equal
        assert engine.note() == "Simulated: the engine generated for 'nano'."
        assert engine.counters() is not None
        assert isinstance(engine, SimBackend)
        same = engine._engine
        assert compare_backends(reference, engine, small_package(trace=False), small_images(1)).equal
        assert engine._engine is same, "an engine of the same config is not built and started again"
    assert engine.counters() is None, "a closed one has let go of everything"


def test_a_folder_is_simulated_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "what? 100%"
    generate(NANO, folder)
    said: list[str] = []
    with SimBackend(folder, announce=said.append) as engine:
        engine.load(small_package())
        assert engine.note() == f"Simulated: the engine in {folder}."
        (folder / "sterna_top.sv").write_text((folder / "sterna_top.sv").read_text() + "// mine\n")
        assert engine.note() == f"Simulated: the engine in {folder} with sterna_top.sv edited."
    assert not said, "an engine that was built is found again"


def test_a_package_of_another_config_is_refused(tmp_path: Path) -> None:
    generate(NANO, tmp_path / "engine")
    other = small_package(NANO.model_copy(update={"act_w": 6}))
    with open_backend(f"sim:{tmp_path}/engine") as engine:
        engine.load(small_package())
        with pytest.raises(SternaError, match="the engine in the folder has another config than the package"):
            engine.load(other)
        with pytest.raises(SternaError, match="no package is loaded"):
            engine.infer(small_images(1))
        engine.load(small_package())
        assert engine.infer(small_images(1))


def test_a_folder_that_is_no_engine(tmp_path: Path) -> None:
    with open_backend(f"sim:{tmp_path}") as engine, pytest.raises(SternaError, match="is not a generated engine"):
        engine.load(small_package())


def test_parameters_reach_memory_and_engine() -> None:
    package, cycles = small_package(), []
    others = ("&latency=300", "&latency=20..300&seed=4", "&stall=0.5&seed=4")
    for parameters in ("?memory=ideal", *(f"?memory=ideal{other}" for other in others), ""):
        with open_backend(f"sim:{parameters}") as engine:
            engine.load(package)
            engine.infer(small_images(1))
            counters = engine.counters()
            assert counters is not None
            cycles.append(counters.cycles)
    assert cycles[0] < cycles[2] < cycles[1] and cycles[0] < cycles[3] and cycles[0] < cycles[4]
    with open_backend("sim:?timeout=400") as engine:
        engine.load(package)
        with pytest.raises(SternaError, match="did not finish the frame in time; cycles = 400"):
            engine.infer(small_images(1))
    with open_backend("sim:?latency=100&watchdog=50") as engine:
        engine.load(package)
        with pytest.raises(SternaError, match="the watchdog ended the frame"):
            engine.infer(small_images(1))
