"""The testbench of a generated folder: passes on the engine, and fails on whatever is not as expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.generate.rtl import generate, testbench
from sterna.package import layout
from sterna.package.package import Package
from sterna.run.transports.sim import MEMORY_BASE
from sterna.spec.config import EngineConfig
from support import bare
from support.engines import simulated
from support.network_graphs import passthrough_graph
from support.packages import NANO, small_graph, small_images, small_package
from support.random_configs import random_config

Got = Callable[[object], None]

#: As small as a config can be, so that its simulation is built soon.
TINY = EngineConfig(
    name="tiny", tile_h=3, tile_w=3, clusters=1, drains=1, pes=4, accumulators=4,
    act_w=8, acc_w=20, mul_w=18, fm_words=256, axi_data_w=64,
)  # fmt: skip
IMAGE = small_images(1)[0]


def test_a_testbench_needs_cycles(tmp_path: Path) -> None:
    untimed = compile_graph(small_graph(), NANO, cycles=False)
    with pytest.raises(SternaError, match="testbench: the package does not tell its cycles"):
        generate(NANO, tmp_path / "engine", untimed, IMAGE)
    assert not (tmp_path / "engine").exists()
    generate(NANO, tmp_path / "engine", untimed)


def build_and_run(folder: Path) -> str:
    return bare.command(folder, "verilator --binary")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose testbench is built."""
    folder = tmp_path_factory.mktemp("built") / "engine"
    generate(TINY, folder, small_package(TINY), IMAGE)
    done = bare.run(folder, build_and_run(folder))
    assert done.returncode == 0, done.stderr + done.stdout
    assert re.search(r"^PASS: 264 values of 2 layers and all counters are as expected; ", done.stdout, re.MULTILINE)
    assert "%Warning" not in done.stderr
    return folder


def run(folder: Path, *options: str) -> tuple[int, str]:
    """Run what is built: exit code, and the line with the verdict."""
    done = bare.run(folder, " ".join(["build/Vsterna_tb", *options]))
    (verdict,) = re.findall(r"^(?:PASS|FAIL): .*$", done.stdout, re.MULTILINE)
    return done.returncode, verdict


@pytest.mark.case(
    "testbench-of-a-generated-folder",
    kind="folder",
    expected="it builds by the README's command without Sterna, passes, and fails on a planted error",
)
@pytest.mark.parametrize(
    "options", [(), ("+latency=0",), ("+latency=90", "+stall=400", "+seed=5"), ("+stall=700", "+seed=9")]
)
def test_passes_whatever_the_memory_does(built: Path, options: tuple[str, ...], got: Got) -> None:
    code, verdict = run(built, *options)
    assert code == 0
    assert verdict.startswith("PASS: 264 values of 2 layers and all counters")
    assert ("but those of clock cycles" in verdict) == bool(options)
    got(verdict)


@pytest.mark.parametrize("number", [0, 143, 144, 200, 263])
def test_names_the_first_value_that_differs(built: Path, number: int, tmp_path: Path) -> None:
    """Of a folder whose expectation was changed in two places."""
    folder = changed(built, tmp_path, "expected.hex", {number: 0x01, 263: 0x80})
    entries = values(folder)
    offset, wanted = (int(part, 16) for part in entries[number].split("_"))
    found = int(values(built)[number].split("_")[1], 16)
    at = (number, "pool", 6) if number < 144 else (number - 144, "second", 5)
    channel, row, column = np.unravel_index(at[0], (at[2], 4, 6))
    shown = [value - ((value & 0x80) << 1) for value in (wanted, found)]
    code, verdict = run(built, f"+folder={tmp_path}")
    assert code != 0
    address = f"0x{MEMORY_BASE + offset:016x}"
    assert verdict == (
        f"FAIL: layer '{at[1]}', channel {channel}, row {row}, column {column} (address {address}): "
        f"expected {shown[0]}, found {shown[1]} ({2 - (number == 263)} of 264 values differ)"
    )


@pytest.mark.parametrize(
    ("file", "entry", "said"),
    [
        ("profile.hex", (1, 1 << 128), "CYCLES of step 1 is "),
        ("profile.hex", (1, 1 << 96), "BUSY of step 1 is "),
        ("profile.hex", (2, 1), "WAIT_DRAIN of step 2 is "),
        ("tape.hex", (0, 1), "the engine ends in error 1 at tape segment 0"),
        ("tape.hex", (40, 1 << 60), "the engine ends in error "),
        ("frame.hex", (3, 0x40), "layer 'pool', channel "),
    ],
)
def test_notices_what_is_changed(built: Path, tmp_path: Path, file: str, entry: tuple[int, int], said: str) -> None:
    changed(built, tmp_path, file, dict([entry]))
    code, verdict = run(built, f"+folder={tmp_path}")
    assert code != 0
    assert verdict.startswith(f"FAIL: {said}")


def test_time_out(built: Path) -> None:
    code, verdict = run(built, "+timeout=300")
    assert code != 0
    assert re.fullmatch(r"FAIL: the frame does not end in time; \d of 7 steps are done", verdict)


def test_folder_without_images(built: Path, tmp_path: Path) -> None:
    code, verdict = run(built, f"+folder={tmp_path}")
    assert code != 0
    assert verdict == f"FAIL: cannot read {tmp_path}/memory/tape.hex; give the generated folder by +folder="


@pytest.mark.case("testbench-on-edited-rtl", kind="folder", expected="FAIL with the layer and place, exit code not 0")
def test_fails_on_a_planted_error(tmp_path: Path, got: Got) -> None:
    """Bit 1 of the sum of lane 4 comes out inverted."""
    generate(TINY, tmp_path, small_package(TINY), IMAGE)
    source = tmp_path / "rtl" / "compute" / "sterna_lane_group.sv"
    text = source.read_text()
    assert "<= total(" in text
    source.write_text(text.replace("<= total(", "<= AccW'(i == 4 ? 2 : 0) ^ total("))
    done = bare.run(tmp_path, build_and_run(tmp_path))
    assert done.returncode != 0
    verdict = re.search(r"^FAIL: layer 'pool', channel \d+, row (\d+), column (\d+) .*$", done.stdout, re.MULTILINE)
    assert verdict is not None, done.stdout
    assert (int(verdict[1]) % TINY.tile_h, int(verdict[2]) % TINY.tile_w) == divmod(4, TINY.tile_w)
    got(verdict[0])


_BROKEN = "AXI rule broken at address 0x"
#: Faults of the bus: output of the top, its width, what becomes of it, what the testbench says.
FAULTS = (
    ("m_axi_arburst", 2, "2'd0", _BROKEN + "0000000123400000: a burst is not of type INCR"),
    ("m_axi_arsize", 3, "3'd0", _BROKEN + "0000000123400000: a burst is narrower or wider than the bus"),
    ("m_axi_araddr", 64, "good + 4088", _BROKEN + "0000000123400ff8: a burst crosses a 4 KB boundary"),
    ("m_axi_arlen", 8, "8'd255", _BROKEN + "[0-9a-f]+: a read is neither of the tape nor of the frame"),
    ("m_axi_arid", 1, "toggle", _BROKEN + "[0-9a-f]+: AR changed while it waited"),
    ("m_axi_awid", 1, "toggle", _BROKEN + "[0-9a-f]+: AW changed while it waited"),
    ("m_axi_awaddr", 64, "good + 1", _BROKEN + "[0-9a-f]+1: a burst is not aligned to the bus"),
    ("m_axi_awlen", 8, "8'd255", _BROKEN + "[0-9a-f]+: a write is not to the result"),
    ("m_axi_wstrb", 8, "{8{toggle}}", _BROKEN + "0+: W changed while it waited"),
    ("m_axi_wlast", 1, "1'b0", _BROKEN + "[0-9a-f]+: WLAST is early or missing"),
    ("irq_o", 1, "1'b1", "STATUS is 0x00000001, expected DONE and IRQ"),
    ("s_axil_bvalid", 1, "1'b0", "the write of register 0x030 is not answered"),
    ("s_axil_rdata", 32, "good + 1", "IDENTITY is 0x5354524f, expected 0x5354524e"),
)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built folder whose top makes one of the faults, by the plusarg +fault=NUMBER."""
    folder = tmp_path_factory.mktemp("faulty") / "engine"
    generate(TINY, folder, small_package(TINY), IMAGE)
    top = folder / "sterna_top.sv"
    text, added = top.read_text(), ["int fault;", "logic toggle;"]
    added += ['initial void\'($value$plusargs("fault=%d", fault));', "always_ff @(posedge clk_i) toggle <= !toggle;"]
    for number, (name, width, value, _) in enumerate(FAULTS):
        text = text.replace(f".{name}({name})", f".{name}(good_{name})")
        bad = value.replace("good", f"good_{name}")
        added += [f"logic [{width - 1}:0] good_{name};", f"assign {name} = fault == {number} ? {bad} : good_{name};"]
    top.write_text(text.replace("  sterna_engine #", "\n".join(added) + "\n  sterna_engine #"))
    command, _, _ = build_and_run(folder).partition(" && ")
    done = bare.run(folder, f"{command} -Wno-WIDTH")
    assert done.returncode == 0, done.stderr + done.stdout
    assert run(folder, "+fault=99", "+stall=500")[0] == 0
    return folder


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=lambda number: FAULTS[number][0])
def test_notices_faults_of_the_bus(faulty: Path, number: int) -> None:
    code, verdict = run(faulty, f"+fault={number}", "+stall=500")
    assert code != 0
    assert re.fullmatch(f"FAIL: {FAULTS[number][3]}", verdict), verdict


@pytest.mark.slow
@pytest.mark.parametrize(
    "config", [NANO, random_config(np.random.default_rng(1), act_bits=6)], ids=lambda each: each.name
)
def test_larger_engines(tmp_path: Path, config: EngineConfig) -> None:
    """Maps split by phase, and activations of fewer bits."""
    rng = np.random.default_rng(3)
    graph = passthrough_graph(rng, 12, 16) if config.act_w == 8 else small_graph(config.act_w)
    shape = graph.info[graph.input.name].shape
    generate(config, tmp_path, compile_graph(graph, config, trace=True), rng.integers(-128, 128, shape).astype(np.int8))
    done = bare.run(tmp_path, build_and_run(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "and all counters are as expected" in done.stdout


@pytest.mark.parametrize("config", [NANO, TINY, random_config(np.random.default_rng(1), act_bits=6)])
def test_is_clean(tmp_path: Path, config: EngineConfig) -> None:
    generate(config, tmp_path, small_package(config), IMAGE)
    lint = build_and_run(tmp_path).partition(" && ")[0].replace("--binary", "--lint-only --timing")
    done = bare.run(tmp_path, lint)
    assert (done.returncode, done.stderr) == (0, "")


def test_expects_the_counters_of_the_simulated_engine() -> None:
    graph = passthrough_graph(np.random.default_rng(7), 12, 16)
    config = random_config(np.random.default_rng(2))
    package = compile_graph(graph, config, trace=False)
    with simulated(config) as backend:
        backend.load(package)
        backend.infer(np.zeros((1, 3, 12, 16), np.int8))
        counters = backend.counters()
    assert counters is not None
    assert testbench.values(package)["totals"] == {
        "Busy": counters.busy,
        "BeatsRead": counters.beats_read,
        "BeatsWritten": counters.beats_written,
    }


@pytest.mark.parametrize("package", [small_package(NANO), small_package(TINY)], ids=["nano", "tiny"])
def test_places_are_where_the_driver_reads(package: Package) -> None:
    for store in package.schedule.stores:
        region = (
            np.random.default_rng(1).integers(-128, 128, layout.region_bytes(store, package.config)).astype(np.int8)
        )
        unpacked = layout.unpack(region.tobytes(), store, package.config)
        assert (region[layout.places(store, package.config)] == unpacked).all()


def values(folder: Path) -> list[str]:
    """Entries of expected.hex."""
    return [line for line in (folder / "memory" / "expected.hex").read_text().split("\n") if line and line[0] != "/"]


def changed(built: Path, folder: Path, file: str, flips: dict[int, int]) -> Path:
    """A copy in `folder` of the images of `built`, with bits of entries of one file inverted."""
    (folder / "memory").mkdir()
    for path in (built / "memory").glob("*.hex"):
        (folder / "memory" / path.name).write_bytes(path.read_bytes())
    lines = (folder / "memory" / file).read_text().splitlines()
    entries = [number for number, line in enumerate(lines) if not line.startswith("//")]
    for number, flip in flips.items():
        line = lines[entries[number]]
        digits = len(line.replace("_", ""))
        lines[entries[number]] = f"{int(line, 16) ^ flip:0{digits}x}" if "_" not in line else _flipped(line, flip)
    (folder / "memory" / file).write_text("\n".join(lines) + "\n")
    return folder


def _flipped(line: str, flip: int) -> str:
    parts = [len(part) for part in line.split("_")]
    digits = f"{int(line.replace('_', ''), 16) ^ flip:0{sum(parts)}x}"
    ends = np.cumsum(parts)
    return "_".join(digits[end - size : end] for size, end in zip(parts, ends, strict=True))
