"""Watts are activity x resources x energy x clock, part by part."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from sterna.errors import SternaError
from sterna.estimate import whole
from sterna.estimate.activity import Activity, Row, load_activity
from sterna.estimate.band import Band, total
from sterna.estimate.energies import ENERGIES, KIND, Energies, load_energies
from sterna.estimate.engine import EngineEstimate
from sterna.estimate.hierarchy import Part, engine
from sterna.estimate.power import SHELL, Power, estimate_power
from sterna.estimate.usage import MemoryShape, MultiplierShape, Usage
from sterna.spec import named
from sterna.spec.config import load_config
from sterna.spec.fpga import load_fpga
from sterna.spec.paths import RTL

GX1150 = load_fpga("gx1150")
#: 100 ALMs, 200 registers, a block RAM of 1,024 x 20 bits and two multipliers that share a DSP block.
USAGE = Usage(
    lut_alms=100, adder_bits=0, luts=100, absorbed_luts=0, inputs=400, flip_flops=200, bypassed_flip_flops=0,
    memories=Counter({MemoryShape(1024, 20, 1, 1, clocked=True): 1}), multipliers=Counter({MultiplierShape(18, 18): 2}),
)  # fmt: skip
FIFO, PE = Part("sterna_fifo", ()), Part("sterna_pe", ())
BARE = GX1150.model_copy(update={"shell_alms": 0, "shell_mlabs": 0, "shell_block_rams": 0, "shell_dsps": 0})
SIZE = EngineEstimate(whole.SMALL, BARE, (), ((FIFO, 2, USAGE), (PE, 3, replace(USAGE, memories=Counter()))))


def rows(fifo: int = 100, pe: int = 300, network: str = "a") -> tuple[Row, ...]:
    """Toggles of ten bits in a hundred cycles."""
    counts = {"sterna_fifo": fifo, "sterna_pe": pe}
    return tuple(
        Row(config="nano", network=network, cycles=100, module=module, bits=10, toggles=count)
        for module, count in counts.items()
    )


def figure(low: float, high: float) -> dict[str, object]:
    return {"low": low, "high": high, "source": "figures that are easy to multiply"}


def energies(**changes: object) -> Energies:
    """1 to 4 of each unit, but for those that are changed."""
    figures = {name: figure(1, 4) for name in Energies.model_fields if name != "name"}
    return Energies.model_validate({"name": "arria10"} | figures | changes)


def power(mhz: int = 100, activity: tuple[Row, ...] | None = None, size: EngineEstimate = SIZE) -> Power:
    return estimate_power(size, Activity(activity or rows()), energies(), mhz, 1e9)


def near(band: Band, low: float, high: float) -> bool:
    return bool(np.allclose((band.low, band.high), (low, high)))


def test_watts_are_those_that_the_units_say() -> None:
    """Computed in joules and hertz: a wrong unit anywhere shows."""
    found = power()
    fifo = next(each for each in found.modules if each.module == "sterna_fifo")
    assert near(fifo.logic, 2 * 200 * 0.1 * 1e-12 * 100e6, 2 * 200 * 0.1 * 4e-12 * 100e6)
    assert near(fifo.clock, 2 * 200 * 1e-12 * 100e6, 2 * 200 * 4e-12 * 100e6)
    assert near(fifo.block_ram, 2 * 1e-12 * 100e6, 2 * 4e-12 * 100e6)
    assert near(fifo.dsp, 2 * 74 * 0.1 * 1e-12 * 100e6, 2 * 74 * 0.1 * 4e-12 * 100e6)
    pe = next(each for each in found.modules if each.module == "sterna_pe")
    assert pe.block_ram == Band(0, 0) and near(pe.logic, 3 * 200 * 0.3 * 1e-4, 3 * 200 * 0.3 * 4e-4)
    assert near(found.memory, 8e9 * 1e-12, 8e9 * 4e-12)
    assert near(found.static, 427_200 * 1e-6, 427_200 * 4e-6)
    assert found.board == Band(1, 4)


def test_parts_add_up() -> None:
    found = power()
    parts = total(
        (*(band for each in found.modules for band in (each.logic, each.clock, each.block_ram, each.dsp)), found.memory,
         found.static, found.board)
    )  # fmt: skip
    assert near(found.all, parts.low, parts.high)
    assert near(found.fpga, parts.low - found.memory.low - 1, parts.high - found.memory.high - 4)


def test_memory_alms_are_logic_and_clocked() -> None:
    shallow = replace(USAGE, memories=Counter({MemoryShape(32, 20, 1, 1, clocked=True): 1}), multipliers=Counter())
    (module, _) = power(size=replace(SIZE, modules=((FIFO, 1, shallow),))).modules
    assert near(module.logic, 2 * 110 * 0.1 * 1e-4, 2 * 110 * 0.1 * 4e-4)
    assert near(module.clock, 220 * 1e-4, 220 * 4e-4)


def test_the_shell_counts_as_the_engine_does() -> None:
    size = replace(SIZE, fpga=BARE.model_copy(update={"shell_alms": 10, "shell_block_rams": 3, "shell_dsps": 1}))
    shell = next(each for each in power(size=size).modules if each.module == SHELL)
    assert near(shell.logic, 20 * 0.2 * 1e-4, 20 * 0.2 * 4e-4) and near(shell.block_ram, 3e-4, 12e-4)
    assert near(shell.clock, 20e-4, 80e-4) and near(shell.dsp, 74 * 0.2 * 1e-4, 74 * 0.2 * 4e-4)


@pytest.mark.parametrize("seed", range(20))
def test_more_activity_or_clock_never_takes_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fifo, pe, mhz = (int(value) for value in rng.integers(0, 900, 3))
    more = [int(value) for value in rng.integers(0, 100, 3)]
    before = power(mhz, rows(fifo, pe))
    after = power(mhz + more[2], rows(fifo + more[0], pe + more[1]))
    for name in ("all", "fpga", "memory", "static", "board"):
        small, large = getattr(before, name), getattr(after, name)
        assert small.low <= large.low and small.high <= large.high and large.low <= large.high


def test_a_band_is_as_wide_as_what_was_simulated() -> None:
    activity = Activity(rows(100, 300) + rows(150, 200, "b"))
    assert activity.of("sterna_fifo") == Band(0.1, 0.15)
    assert activity.of("sterna_pe") == Band(0.2, 0.3)
    assert activity.of("sterna_new") == activity.everywhere == Band(0.175, 0.2)


def test_frames_per_joule_are_fewest_at_the_most_watts() -> None:
    found = power()
    joule = found.frames_per_joule(500)
    assert near(joule, 500 / found.all.high, 500 / found.all.low)
    assert joule.middle == pytest.approx(500 / found.all.middle) and joule.factor == pytest.approx(found.all.factor)


@pytest.mark.parametrize("family", named.read_all(ENERGIES, KIND))
def test_named_energies_load_and_every_figure_is_described(family: str) -> None:
    assert load_energies(family).name == family
    assert all(field.description for field in Energies.model_fields.values())
    assert named.about(ENERGIES, KIND)[family]


def test_a_family_without_energies_is_refused() -> None:
    with pytest.raises(SternaError, match=r"no such family of energies; .* = cyclone5; allowed: arria10; remedy: name"):
        load_energies("cyclone5")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"board": figure(4, 1)}, "high must be from low to 10 times low"),
        ({"board": figure(1, 1000)}, "high must be from low to 10 times low"),
        ({"board": figure(0.49e-12, 2e-12)}, "board.low = 4.9e-13"),
        ({"board": {"low": 1, "high": 2}}, "figure is required; board.source = nothing"),
        ({"board": 5}, "board = 5"),
        ({"fans": figure(1, 2)}, "there is no such figure; fans"),
    ],
)
def test_wrong_figures_are_refused(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    path = tmp_path / "energies.yaml"
    path.write_text(yaml.safe_dump({"mine": energies().model_dump(exclude={"name"}) | changed}))
    with pytest.raises(SternaError, match=r"energies.yaml: mine: .*") as refused:
        load_energies("mine", path)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_an_entry_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    (tmp_path / "energies.yaml").write_text("mine: 5\n")
    with pytest.raises(SternaError, match="is not a mapping of figures"):
        load_energies("mine", tmp_path / "energies.yaml")


def test_activity_is_read_with_its_origin(tmp_path: Path) -> None:
    path = tmp_path / "activity.json"
    path.write_text(json.dumps({"command": "make", "rows": [each.model_dump() for each in rows()]}))
    assert load_activity(path) == Activity(rows())


def test_every_module_of_the_largest_engine_was_simulated() -> None:
    simulated = {row.module for row in load_activity().rows}
    assert {part.module for part in engine(load_config("arria10"), RTL).counts} <= simulated


def test_simulated_signals_are_as_active_as_signals_are() -> None:
    """Some percent: Intel calls 12.5 % typical, and more than once a cycle only a clock changes."""
    activity = load_activity()
    assert 0.01 < activity.everywhere.low <= activity.everywhere.high < 0.3
    assert all(activity.of(row.module).high < 1 for row in activity.rows)


@pytest.mark.parametrize("text", ["", "{", '{"rows": []}', '{"rows": [{"module": "a"}]}', None])
def test_activity_that_cannot_be_read_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "activity.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SternaError, match=r"activity.json: cannot be read \(.+\); remedy: reinstall Sterna, or make"):
        load_activity(path)
