"""The files for Quartus: right by all that can be told without it; each kind of fault is found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.generate.quartus import component
from sterna.generate.quartus.files import FIT_COMMAND
from sterna.generate.rtl import generate
from sterna.generate.rtl.output import Replaced
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.fpga import Fpga, fpga_of, load_fpga
from support import quartus, tcl
from support.packages import NANO
from support.random_configs import random_config

BOARD = load_fpga("de10-nano")
CONFIGS = [
    *((name, fpga_of(name)) for name in ("nano", "cyclone5", "arria10")),
    *((random_config(np.random.default_rng(seed), act_bits=bits), "gx1150") for seed, bits in ((1, 6), (2, 8))),
]
COMPONENT, INDEX, PROJECT, TIMING = "sterna_hw.tcl", "sterna.qip", "fit_only/sterna_fit.tcl", "sterna.sdc"


def written(folder: Path, config: EngineConfig = NANO, fpga: Fpga = BOARD) -> Path:
    generate(config, folder, quartus=fpga)
    return folder


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("engine"))


@pytest.mark.parametrize(("config", "fpga"), CONFIGS, ids=lambda value: getattr(value, "name", value))
def test_nothing_is_wrong(tmp_path: Path, config: EngineConfig | str, fpga: str) -> None:
    named = load_config(config) if isinstance(config, str) else config
    assert quartus.complaints(written(tmp_path, named, load_fpga(fpga))) == []


PLANTED = [
    (COMPONENT, "wdata Output 128", "wdata Output 64", "port m_axi_wdata is Output 128, not Output 64"),
    (COMPONENT, "awaddr Input 12", "awaddr Input 10", "port s_axil_awaddr is Input 12, not Input 10"),
    (COMPONENT, "araddr Output 64", "araddr Output 32", "port m_axi_araddr is Output 64, not Output 32"),
    (COMPONENT, "awlen Output 8", "awlen Output 4", "not in the table: add_interface_port m_axi m_axi_awlen"),
    (COMPONENT, "irq irq_o irq Output 1", "irq irq_o irq Input 1", "port irq_o is Output 1, not Input 1"),
    (COMPONENT, "m_axi_awready awready", "m_axi_awready wready", "m_axi has 2 ports of role wready"),
    (COMPONENT, "m_axi_bid bid", "m_axi_bid rid", "port m_axi_bid has role rid"),
    (COMPONENT, "m_axi_awqos awqos", "m_axi_awqos awregion", "not in the table: add_interface_port m_axi m_axi_awqos"),
    (COMPONENT, "m_axi_rid rid", "m_axi_bid bid", "port m_axi_bid is mapped 2 times"),
    (COMPONENT, "m_axi_rid rid", "m_axi_bid bid", "port m_axi_rid is not mapped"),
    (COMPONENT, "rst_ni reset_n", "reset_n reset_n", "port reset_n is not one of sterna_top"),
    (COMPONENT, "synchronousEdges DEASSERT", "synchronousEdges DEASSERTED", "not in the table"),
    (COMPONENT, "synchronousEdges", "synchronousEdge", "not in the table"),
    (COMPONENT, "readIssuingCapability 16", "readIssuingCapability many", "not in the table"),
    (COMPONENT, "readIssuingCapability 16", "readIssuingCapability 15", "issues 15 reads and 8 writes, together 24"),
    (COMPONENT, "set_interface_property m_axi associatedClock clock\n", "", "interface m_axi has no clock"),
    (COMPONENT, "set_interface_property irq associatedReset reset\n", "", "interface irq has no reset"),
    (COMPONENT, "m_axi associatedReset reset", "m_axi associatedReset clock", "interface m_axi has no reset"),
    (
        COMPONENT,
        "add_interface irq interrupt end",
        "add_interface irq conduit end",
        "not one interface of kind interrupt",
    ),
    (COMPONENT, "add_interface ", "make_interface ", "not in the table: make_interface clock"),
    (COMPONENT, "TOP_LEVEL sterna_top", "TOP_LEVEL sterna_engine", "QUARTUS_SYNTH has top sterna_engine"),
    (COMPONENT, " TOP_LEVEL_FILE", "", "QUARTUS_SYNTH marks nothing as its top"),
    (COMPONENT, "PATH ../rtl/sterna_pkg.sv", "PATH rtl/sterna_pkg.sv", "rtl/sterna_pkg.sv is not there"),
    (COMPONENT, "add_fileset_file sterna_engine.sv", "add_fileset_file sterna_pkg.sv", "2 files sterna_pkg.sv"),
    (INDEX, "../rtl/sterna_engine.sv", "../rtl/engine.sv", "sterna.qip has not the files of files.f in their order"),
    (INDEX, '"sterna.sdc"', '"other.sdc"', "sterna.qip: ./other.sdc is not there"),
    (INDEX, "SYSTEMVERILOG_FILE", "SYSTEM_VERILOG_FILE", "not in the table"),
    (PROJECT, "ENTITY sterna_top", "ENTITY top", "the project has top ['top']"),
    (PROJECT, "../../quartus/sterna.qip", "../sterna.qip", "has not the engine's files"),
    (PROJECT, "QIP_FILE ../../quartus/", "QIP_FILE ../../", "the project: ../../sterna.qip is not there"),
    (PROJECT, '"Cyclone V"', '"Cyclone X"', "not in the table"),
    (PROJECT, "DEVICE", "PART", "not in the table"),
    ("fit_only/fit_pins.tcl", "OFF -to clk_i", "OFF -to clk", "pins ['clk'], clocks at ['clk_i']"),
    ("fit_only/fit_pins.tcl", "VIRTUAL_PIN", "VIRTUAL", "not in the table"),
    ("fit_only/fit.sdc", "create_clock", "make_clock", "not in the table"),
    (TIMING, "ended_q", "q", "the false path does not end at"),
    (TIMING, "set_false_path", "set_multicycle_path", "not in the table"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), PLANTED)
def test_a_planted_fault_is_found(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    path = written(tmp_path) / "quartus" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert any(said in each for each in quartus.complaints(tmp_path)), quartus.complaints(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"), [("[127:0] m_axi_wdata", "[63:0] m_axi_wdata"), ("output logic irq_o", "input logic irq_o")]
)
def test_another_top_is_found(tmp_path: Path, old: str, new: str) -> None:
    top = written(tmp_path) / "sterna_top.sv"
    assert old in top.read_text()
    top.write_text(top.read_text().replace(old, new))
    assert any(each.startswith("port ") for each in quartus.complaints(tmp_path))


@pytest.mark.parametrize("name", [COMPONENT, INDEX, PROJECT, TIMING, "fit_only/fit.sdc"])
def test_a_missing_file_is_found(tmp_path: Path, name: str) -> None:
    (written(tmp_path) / "quartus" / name).unlink()
    assert f"{name}: missing" in quartus.complaints(tmp_path)


def test_issuing_capabilities_are_those_of_the_rtl(engine: Path) -> None:
    assert quartus.outstanding(engine) == {"u_reader": component.READS, "u_writer": component.WRITES}


def test_the_project_is_for_the_fpga_and_the_clock_that_the_config_supports(tmp_path: Path) -> None:
    for config, part, family, period in (
        ("cyclone5", "5CSEBA6U23I7", "Cyclone V", 1000 / load_fpga("de10-nano").clocks["cyclone5"]),
        ("arria10", "10AX115N4F40E3SG", "Arria 10", 1000 / load_fpga("gx1150").clocks["arria10"]),
    ):
        place = written(tmp_path / config, load_config(config), load_fpga(fpga_of(config) or "")) / "quartus/fit_only"
        project = (place / "sterna_fit.tcl").read_text()
        assert f"DEVICE {part}\n" in project and f'FAMILY "{family}"\n' in project
        assert f"-period {period:.3f} " in (place / "fit.sdc").read_text()


def test_the_edition_is_the_one_that_the_family_needs(tmp_path: Path) -> None:
    for fpga, tool in (("de10-nano", "quartus_map"), ("gx1150", "quartus_syn")):
        makefile = written(tmp_path / fpga, NANO, load_fpga(fpga)) / "quartus/fit_only/Makefile"
        assert tool in makefile.read_text()


def test_an_fpga_without_a_part_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match="FPGA de10-nano: Quartus needs the FPGA's part number; part = "):
        written(tmp_path / "engine", fpga=BOARD.model_copy(update={"part": ""}))
    assert not (tmp_path / "engine").exists()


def test_a_config_may_have_any_name(tmp_path: Path) -> None:
    name = 'my "[exit]" $config\n{ \\'
    written(tmp_path, NANO.model_copy(update={"name": name}))
    assert quartus.complaints(tmp_path) == []
    shown = next(call[2] for call in tcl.calls(tmp_path / "quartus" / COMPONENT) if call[1] == "DISPLAY_NAME")
    assert shown == f"Sterna engine, config {' '.join(name.split())}"


def test_every_form_is_used_and_has_a_source(tmp_path: Path) -> None:
    sources = quartus.TABLE.table["sources"]
    folders = [
        written(tmp_path / name, load_config(name), load_fpga(fpga_of(name) or "")) for name in ("nano", "arria10")
    ]
    assert quartus.unused(folders) == []
    rows = [row for part, rows in quartus.TABLE.table.items() if part != "sources" for row in rows]
    used = {source for row in rows for source in row}
    assert used == sources.keys() and all("github.com/" in place or "Intel" in place for place in sources.values())


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    files = sorted(str(path) for path in (folder / "quartus").rglob("*.*") if path.suffix != ".f")
    command = [sys.executable, "-m", "tclint", "--style-line-length", "140", *files]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_linter_has_nothing_to_say(engine: Path) -> None:
    done = lint(engine)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_linter_finds_a_planted_fault(tmp_path: Path) -> None:
    path = written(tmp_path) / "quartus" / TIMING
    path.write_text(path.read_text() + "set clock\tname unwanted\n")
    assert TIMING in lint(tmp_path).stdout


def test_one_command_runs_the_project_and_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    """With programs in the place of those of Quartus that note where and how they are run."""
    engine, tools = written(tmp_path / "engine"), tmp_path / "tools"
    tools.mkdir()
    steps = ["quartus_sh -t sterna_fit.tcl", *(f"quartus_{name} sterna_fit" for name in ("map", "fit", "asm", "sta"))]
    for name in (step.split()[0] for step in steps):
        (tools / name).write_text(f'#!/bin/sh\necho {name} "$@" >> steps\n')
        (tools / name).chmod(0o755)
    assert FIT_COMMAND in (engine / "README.txt").read_text()
    command = f"cd '{engine}' && PATH='{tools}':$PATH && {FIT_COMMAND}"
    subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True)
    assert (engine / "build" / "fit_only" / "steps").read_text().splitlines() == steps
    assert generate(NANO, engine, quartus=BOARD) == Replaced()


@pytest.mark.slow
@pytest.mark.parametrize("file", quartus.FILES, ids=lambda file: file.name)
def test_a_real_interpreter_calls_the_same(tmp_path: Path, file: quartus.File) -> None:
    """Needs Debian's package `tcl`."""
    path = written(tmp_path, NANO.model_copy(update={"name": 'any "$name" [exit] {'})) / "quartus" / file.name
    called = list(tcl.calls_by_interpreter(path, quartus.TABLE.commands(file.part), file.variables))
    assert called == tcl.calls(path, file.variables)
    assert called


@pytest.mark.slow
def test_a_real_interpreter_stops_at_an_unknown_command(tmp_path: Path) -> None:
    """Needs Debian's package `tcl`."""
    path = written(tmp_path) / "quartus" / TIMING
    path.write_text(path.read_text().replace("derive_clock_uncertainty", "derive_uncertainty"))
    with pytest.raises(AssertionError, match='invalid command name "derive_uncertainty"'):
        list(tcl.calls_by_interpreter(path, quartus.TABLE.commands(("timing",))))
