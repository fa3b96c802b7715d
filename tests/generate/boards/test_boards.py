"""Projects of boards: right by all that can be told without Quartus; each kind of fault is found."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rtl_language import complaints as language
from sterna.errors import SternaError
from sterna.generate.boards.board import BOARDS, README, about_boards, load_board
from sterna.generate.boards.files import BOARD_COMMAND, FOLDER, SYSTEM, TOP
from sterna.generate.rtl import generate
from sterna.generate.rtl.output import Replaced
from sterna.spec import board as spec
from sterna.spec.config import load_config
from sterna.spec.fpga import load_fpga
from support import board_projects, tcl

NAMES = list(about_boards())
SOC, PCIE = "de10_nano", "catapult_v3"
SCRIPT, PINS, PROJECT, TIMING = "system.tcl", "pins.tcl", f"{TOP}.tcl", f"{TOP}.sdc"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The generated folder of each board."""
    found = {}
    for name in NAMES:
        found[name] = tmp_path_factory.mktemp(name)
        board = load_board(name)
        generate(load_config(board.config), found[name], board=board)
    return found


def complaints(folder: Path, name: str) -> list[str]:
    board = load_board(name)
    return board_projects.complaints(folder, board, load_config(board.config))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong(folders: dict[str, Path], name: str) -> None:
    assert complaints(folders[name], name) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_component_is_what_the_rtl_is(folders: dict[str, Path], name: str) -> None:
    assert board_projects.component(folders[name], load_board(name)) == []


PLANTED = [
    # Commands and IP that no public project has.
    (
        SOC,
        SCRIPT,
        "add_connection clk.clk pll",
        "make_connection clk.clk pll",
        "not in the table: make_connection clk.clk",
    ),
    (SOC, SCRIPT, "altera_hps\n", "altera_hps2\n", "instance hps: the table has no IP altera_hps2"),
    (SOC, SCRIPT, "F2SDRAM_Width", "F2SDRAM_Widths", "hps: altera_hps has no parameter F2SDRAM_Widths"),
    (SOC, SCRIPT, "F2SDRAM_Type {AXI-3}", "F2SDRAM_Type {AXI-4}", "hps: F2SDRAM_Type is AXI-4, not AXI-3"),
    (SOC, SCRIPT, "MEM_TCL {7}", "MEM_TCL {seven}", "hps: MEM_TCL is seven, not NUMBER"),
    (SOC, SCRIPT, "hps.f2h_sdram0_data", "hps.f2h_sdram_data", "hps.f2h_sdram_data is no interface of the table's"),
    (SOC, SCRIPT, "EXPORT_OF pll.locked", "EXPORT_OF pll.lock", "pll_locked shows pll.lock, which is no interface"),
    (SOC, SCRIPT, "EXPORT_OF pll.locked", "EXPORTED pll.locked", "not in the table: set_interface_property pll_locked"),
    # Widths, addresses, clocks, resets, interrupts.
    (SOC, SCRIPT, "F2SDRAM_Width {128}", "F2SDRAM_Width {64}", "sterna.m_axi has 128 bits, hps.f2h_sdram0_data 64"),
    (
        SOC,
        SCRIPT,
        "sterna.s_axil baseAddress 0x00000000",
        "sterna.s_axil baseAddress 0x00000800",
        "no multiple of its 0x1000",
    ),
    (
        SOC,
        SCRIPT,
        "sterna.s_axil baseAddress 0x00000000",
        "sterna.s_axil baseAddress 0x00001000",
        "at 0x00001000, not 0x0",
    ),
    (
        SOC,
        SCRIPT,
        "sterna.s_axil baseAddress 0x00000000",
        "sterna.s_axil baseAddress 0x00200000",
        "hps.h2f_lw_axi_master does not reach sterna.s_axil",
    ),
    (
        SOC,
        SCRIPT,
        "hps.f2h_sdram0_data baseAddress",
        "hps.f2h_sdram0_data irqNumber",
        "sees hps.f2h_sdram0_data at no address",
    ),
    (SOC, SCRIPT, "pll.outclk0 hps.f2h_sdram0_clock", "clk.clk hps.f2h_sdram0_clock", "clk.clk: a crossing is missing"),
    (SOC, SCRIPT, "pll.outclk0 sterna.registers_clk", "clk.clk sterna.registers_clk", "a crossing is missing"),
    (SOC, SCRIPT, "add_connection pll.outclk0 sterna.memory_clk\n", "", "sterna.memory_clk has no clock"),
    (SOC, SCRIPT, "pll.outclk0 sterna.clk", "clk.clk sterna.clk", "the engine's clock is not the PLL's"),
    (SOC, SCRIPT, "pll.outclk0 sterna.clk", "pll.outclk0 sterna.memory_clk", "sterna.memory_clk has 2 clocks"),
    (SOC, SCRIPT, "add_connection clk.clk_reset pll.reset\n", "", "pll.reset has no reset"),
    (
        SOC,
        SCRIPT,
        "clk.clk_reset pll.reset",
        "pll.reset clk.clk_reset",
        "pll.reset is not connected to clk.clk_reset from",
    ),
    (SOC, SCRIPT, "clk.clk_reset pll.reset", "clk.clk pll.reset", "clk.clk is clock, pll.reset is reset"),
    (SOC, SCRIPT, "frequency0 {100.0}", "frequency0 {120.0}", "the engine's clock is 120.0 MHz, not 100"),
    (SOC, SCRIPT, "irqNumber 0", "irqNumber 1", "sterna.irq is not interrupt 0"),
    (SOC, SCRIPT, "add_connection hps.f2h_irq0 sterna.irq\n", "", "there are 0 interrupts, not one"),
    (SOC, SCRIPT, "add_connection sterna.m_axi hps.f2h_sdram0_data\n", "", "sterna.m_axi is not connected"),
    (SOC, SCRIPT, "add_instance hps_reset", "add_instance hps", "instance hps is added twice"),
    # The top and its pins.
    (SOC, SCRIPT, "MEM_DQ_WIDTH {32}", "MEM_DQ_WIDTH {16}", "hps: MEM_DQ_WIDTH is 16, not 32"),
    (SOC, SCRIPT, "MEM_ROW_ADDR_WIDTH {15}", "MEM_ROW_ADDR_WIDTH {14}", f"{TOP}.sv: "),
    (SOC, f"{TOP}.sv", "[14:0] memory_mem_a", "[13:0] memory_mem_a", f"{TOP}.sv: "),
    (
        SOC,
        f"{TOP}.sv",
        "    .memory_mem_ba(memory_mem_ba),\n",
        "",
        f"{TOP}.sv: output port 'memory_mem_ba' has no connection",
    ),
    (SOC, f"{TOP}.sv", ".memory_mem_ba(", ".memory_mem_bb(", f"{TOP}.sv: port 'memory_mem_bb' does not exist"),
    (SOC, f"{TOP}.sv", "input  wire clk_clk", "output wire clk_clk", "clk_clk is output in the top"),
    (SOC, PINS, "PIN_V11", "PIN_C28", "PIN_C28 has 2 ports"),
    (SOC, PINS, "PIN_B28 -to {memory_mem_a[1]}", "PIN_B28 -to {memory_mem_a[0]}", "memory_mem_a[0] has 2 pins"),
    (SOC, PINS, "PIN_B28 -to {memory_mem_a[1]}", "PIN_B28 -to {memory_mem_a[0]}", "memory_mem_a[1] has no pin"),
    (SOC, PINS, "PIN_V11 -to {clk_clk}", "PIN_V11 -to {clk}", "clk is no port of the top"),
    (SOC, PINS, 'IO_STANDARD "3.3-V LVTTL"', 'WEAK_PULL_UP "ON"', "clk_clk has no I/O standard"),
    (SOC, PINS, '"3.3-V LVTTL"', '"3.4-V LVTTL"', "not in the table: set_instance_assignment -name IO_STANDARD 3.4-V"),
    (SOC, PROJECT, "DEVICE 5CSEBA6U23I7", "DEVICE 5CSEBA6U23C8", "the project is for 5CSEBA6U23C8, not 5CSEBA6U23I7"),
    (SOC, PROJECT, f"ENTITY {TOP}", f"ENTITY {SYSTEM}", f"the project has top {SYSTEM}"),
    (SOC, PROJECT, f"{TOP}.sv", "top.sv", "the project: top.sv is not there"),
    (SOC, TIMING, "-period 20.000", "-period 10.000", "the oscillator has a period of 10.000 ns, at 50 MHz"),
    (SOC, TIMING, "get_ports {clk_clk}", "get_ports {clk}", "clk is no port of the top"),
    (SOC, TIMING, "derive_pll_clocks", "derive_clocks", "not in the table: derive_clocks"),
    # Cards.
    (PCIE, SCRIPT, "enable_rxm_burst_hwtcl {1}", "enable_rxm_burst_hwtcl {2}", "enable_rxm_burst_hwtcl is 2, not 0|1"),
    (PCIE, SCRIPT, "bar4_type_hwtcl {32-bit non", "bar4_type_hwtcl {64-bit non", "pcie: bar4_type_hwtcl is 64-bit non"),
    (PCIE, SCRIPT, "wrala_hwtcl {0}", "wrala_hwtcl {7}", "pcie: wrala_hwtcl is 7, not 0"),
    (PCIE, SCRIPT, "MEM_DDR4_TCL {15}", "MEM_DDR4_CL {15}", "memory: altera_emif has no parameter MEM_DDR4_CL"),
    (PCIE, SCRIPT, "pcie.dma_rd_master dma.s0", "pcie.dma_rd_master memory.ctrl_amm_0", "a crossing is missing"),
    (PCIE, SCRIPT, "memory.emif_usr_clk dma.m0_clk", "pcie.coreclkout_hip dma.m0_clk", "a crossing is missing"),
    (
        PCIE,
        SCRIPT,
        "pcie.coreclkout_hip sterna.registers_clk",
        "pll.outclk0 sterna.registers_clk",
        "a crossing is missing",
    ),
    (PCIE, SCRIPT, "0x100002000", "0x100000000", "sees pcie.rd_dts_slave and pcie.wr_dts_slave at the same addresses"),
    (
        PCIE,
        SCRIPT,
        "0x100002000",
        "0x100001000",
        "pcie.dma_rd_master sees pcie.wr_dts_slave at 0x100001000, no multiple",
    ),
    (PCIE, SCRIPT, "0x100000000", "0x00000000", "sees pcie.rd_dts_slave and dma.s0 at the same addresses"),
    (
        PCIE,
        SCRIPT,
        "memory.emif_usr_reset_n dma.m0_reset",
        "memory.emif_usr_reset_n dma.m1_reset",
        "dma.m1_reset is no",
    ),
    (PCIE, SCRIPT, "add_connection memory.emif_usr_reset_n dma.m0_reset\n", "", "dma.m0_reset has no reset"),
    (PCIE, SCRIPT, "add_connection sterna.m_msi pcie.txs\n", "", "sterna.m_msi is not connected"),
    (PCIE, SCRIPT, "add_connection pcie.msi_intfc sterna.msi_intfc\n", "", "sterna.msi_intfc is not connected"),
    (PCIE, SCRIPT, "MEM_DDR4_DQ_WIDTH {72}", "MEM_DDR4_DQ_WIDTH {64}", f"{TOP}.sv: "),
    (PCIE, f"{TOP}.sv", "    .pcie_npor_npor(1'b1),\n", "", f"{TOP}.sv: input port 'pcie_npor_npor' has no connection"),
    (
        PCIE,
        f"{TOP}.sv",
        "  output wire pcie_serial_tx_out7",
        "  input  wire pcie_serial_tx_out7",
        "tx_out7 is input in the top",
    ),
    (
        PCIE,
        PINS,
        "PIN_AN28 -to {pcie_ref_clk(n)}",
        "PIN_AN28 -to {pcie_clk(n)}",
        "pcie_clk(n) is the complement of no port",
    ),
    (PCIE, PINS, "PIN_AN33 ", "PIN_AN32 ", "PIN_AN32 has 2 ports"),
    (PCIE, TIMING, "ddr4_ref_clk}", "ddr4_clk}", "ddr4_clk is no port of the top"),
    # The device tree.
    (SOC, "sterna.dts", "0xff200000 0x1000", "0xff200000 0x100", "sterna.dts: the registers"),
    (SOC, "sterna.dts", "<0 40 4>", "<0 41 4>", "sterna.dts: the interrupt"),
    (SOC, "sterna.dts", '"generic-uio"', '"uio"', "sterna.dts: UIO"),
    (SOC, "sterna.dts", "sterna.rbf", "engine.rbf", "sterna.dts: the bitstream"),
    (SOC, "Makefile", "sterna.rbf:", "engine.rbf:", "Makefile: makes no sterna.rbf"),
]


@pytest.mark.parametrize(("board", "name", "old", "new", "said"), PLANTED)
def test_a_planted_fault_is_found(
    folders: dict[str, Path], tmp_path: Path, board: str, name: str, old: str, new: str, said: str
) -> None:
    shutil.copytree(folders[board] / FOLDER, tmp_path / FOLDER)
    path = tmp_path / FOLDER / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert any(said in each for each in complaints(tmp_path, board)), complaints(tmp_path, board)


@pytest.mark.parametrize("name", [SCRIPT, PROJECT, TIMING])
def test_a_missing_file_is_found(folders: dict[str, Path], tmp_path: Path, name: str) -> None:
    shutil.copytree(folders[SOC] / FOLDER, tmp_path / FOLDER)
    (tmp_path / FOLDER / name).unlink()
    assert complaints(tmp_path, SOC) == [f"{name}: missing"]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("board/sterna_soc_hw.tcl", "awlen Output 4", "awlen Output 8", "not in the table: add_interface_port m_axi"),
        (
            "board/sterna_soc_hw.tcl",
            "wdata Output 128",
            "wdata Output 64",
            "port m_axi_wdata is Output 128, not Output 64",
        ),
        (
            "board/sterna_soc_hw.tcl",
            "m_axi associatedClock memory_clk",
            "m_axi associatedClock reset",
            "m_axi has no clock",
        ),
        ("board/sterna_soc_hw.tcl", "INTEGER 128", "INTEGER 64", "port m_axi_wdata is Output"),
        ("board/sterna_soc_hw.tcl", "../shell/sterna_soc.sv", "../shell/soc.sv", "../shell/soc.sv is not there"),
        (
            "shell/sterna_soc.sv",
            "output logic irq_o",
            "output logic interrupt_o",
            "port irq_o is not one of sterna_soc",
        ),
    ],
)
def test_a_planted_fault_of_the_component_is_found(
    folders: dict[str, Path], tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    folder = tmp_path / "engine"
    shutil.copytree(folders[SOC], folder)
    path = folder / name
    text = re.sub(r" +", " ", path.read_text()) if name.endswith(".sv") else path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    found = board_projects.component(folder, load_board(SOC))
    assert any(said in each for each in found), found


def test_every_row_of_the_table_is_used(folders: dict[str, Path]) -> None:
    """What nobody uses is a row that nobody has looked at."""
    table = board_projects.TABLE
    calls = {
        file: [call for name in NAMES for call in tcl.calls(folders[name] / FOLDER / file)]
        for file in board_projects.PARTS
    }
    unused = {" ".join(form) for part in board_projects.PARTS.values() for form in table.of(part)}
    for file, part in board_projects.PARTS.items():
        unused -= {" ".join(form) for form in table.of(part) if any(table.fits(call, form, {}) for call in calls[file])}
    assert unused == set()
    given = set()
    for name in NAMES:
        script = tcl.calls(folders[name] / FOLDER / SCRIPT)
        kinds = {call[1]: call[2] for call in script if call[0] == "add_instance"}
        given |= {(kinds[call[1]], call[2]) for call in script if call[0] == "set_instance_parameter_value"}
    known = {
        (kind, name)
        for kind, each in table.table["kinds"].items()
        for name in [*each["parameters"], *each.get("numbers", "").split()]
    }
    assert known == given
    used = {call[5] for call in calls[PROJECT] if call[:3] == ["set_instance_assignment", "-name", "IO_STANDARD"]}
    used |= {call[3] for call in calls[PROJECT] if call[2:3] == ["IO_STANDARD"]}
    assert {value for row in table.table["standards"] for value in row.values()} <= used


def test_the_table_names_its_sources() -> None:
    table = board_projects.TABLE
    assert table.unsourced() == []
    for kind, known in table.table["kinds"].items():
        used = [known, *known["interfaces"].values()]
        assert {each["source"] for each in used if "source" in each} <= table.table["sources"].keys(), kind
        assert "source" in known, kind
    assert all(": " in row or "github.com" in row or "Intel" in row for row in table.table["sources"].values())


@pytest.mark.parametrize("name", NAMES)
def test_the_language_is_that_of_quartus_standard(folders: dict[str, Path], name: str) -> None:
    sources = list(folders[name].rglob("*.sv"))
    assert {path.parent.name for path in sources} >= {FOLDER, "shell", "bus"}
    assert [(path.name, said) for path in sources for said in language(path.read_text())] == []


@pytest.mark.parametrize("name", NAMES)
def test_clock_memory_and_chip_are_those_that_frames_are_counted_with(name: str) -> None:
    board = load_board(name)
    config, chip = load_config(board.config), load_fpga(board.fpga)
    assert board.mhz(config) == chip.shell_clocks.get(board.config, chip.clocks[board.config])
    # A board with one channel of the two that the config is for moves half of the beats.
    half = board.memory_data_w < config.axi_data_w
    assert board.memory == (config.memory.replace("-x2", "-half") if half else config.memory)
    # The same chip, no slower: its core's speed grade is the digit before the package's two letters.
    grades = [int(re.search(r"[CEI](\d)(SG|LG|SGES)?$", part)[1]) for part in (board.chip.part, chip.part)]  # type: ignore[index]
    assert board.chip.part[:7] == chip.part[:7] and grades[0] <= grades[1] == chip.speed_grade


@pytest.mark.parametrize("name", NAMES)
def test_the_linter_has_nothing_to_say(folders: dict[str, Path], name: str) -> None:
    files = sorted(path for path in (folders[name] / FOLDER).iterdir() if path.suffix in (".tcl", ".sdc"))
    command = [sys.executable, "-m", "tclint", "--style-line-length", "200", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_interpreter_makes_the_same_calls(folders: dict[str, Path], name: str) -> None:
    for file, part in board_projects.PARTS.items():
        path = folders[name] / FOLDER / file
        assert list(tcl.calls_by_interpreter(path, board_projects.TABLE.commands(part))) == tcl.calls(path)


def overlay(folder: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    """What the Makefile's command makes of the device tree in the folder, to `scratch`."""
    assert shutil.which("dtc"), "dtc is missing; remedy: sudo apt install device-tree-compiler"
    makefile = (folder / FOLDER / "Makefile").read_text()
    command = re.search(r"^sterna\.dtbo: .*\n\t(.*)", makefile, re.M)[1]  # type: ignore[index]
    names = {"$@": str(scratch / "sterna.dtbo"), "$<": str(folder / FOLDER / "sterna.dts")}
    return subprocess.run([names.get(word, word) for word in command.split()], capture_output=True, text=True)


@pytest.mark.slow
def test_the_device_tree_compiles(folders: dict[str, Path], tmp_path: Path) -> None:
    done = overlay(folders[SOC], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    shown = subprocess.run(
        ["dtc", "-q", "-I", "dtb", "-O", "dts", tmp_path / "sterna.dtbo"], capture_output=True, text=True, check=True
    )
    assert "reg = <0xff200000 0x1000>;" in shown.stdout and "interrupts = <0x00 0x28 0x04>;" in shown.stdout


@pytest.mark.slow
def test_the_compiler_of_device_trees_finds_a_planted_fault(folders: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(folders[SOC] / FOLDER, tmp_path / FOLDER)
    path = tmp_path / FOLDER / "sterna.dts"
    path.write_text(path.read_text().replace("sterna@ff200000", "sterna"))
    assert "(unit_address_vs_reg)" in overlay(tmp_path, tmp_path).stderr


#: Those of `sterna board test`.
STEPS = ["identity", "registers", "memory, from here", "memory, from the engine", "counters", "speed"]
#: What the programs of the Makefile make, by how each is called.
MADE = {
    "quartus_sh -t": f"{TOP}.qpf",
    "qsys-script": f"{SYSTEM}.qsys",
    "qsys-generate": SYSTEM,
    "quartus_sh --flow": f"{TOP}.sof",
    "quartus_cpf": "sterna.rbf",
    "dtc": "sterna.dtbo",
}


@pytest.mark.parametrize("name", NAMES)
def test_one_command_takes_the_steps_of_the_readme(folders: dict[str, Path], tmp_path: Path, name: str) -> None:
    """With programs in the place of the real ones, which note how they are called, and leave the folder as it was."""
    engine, tools, board = tmp_path / "engine", tmp_path / "tools", load_board(name)
    shutil.copytree(folders[name], engine)
    tools.mkdir()
    cases = "".join(f'"{step}"*) {"mkdir" if made == SYSTEM else "touch"} {made} ;;\n' for step, made in MADE.items())
    for tool in {step.split()[0] for step in MADE}:
        (tools / tool).write_text(f'#!/bin/sh\necho {tool} "$@" >> steps\ncase "{tool} $*" in\n{cases}esac\n')
        (tools / tool).chmod(0o755)
    command = f"cd '{engine}' && PATH='{tools}':$PATH && {BOARD_COMMAND}"
    subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True)
    called = (engine / "build" / FOLDER / "steps").read_text().splitlines()
    readme = (engine / FOLDER / README).read_text()
    told = re.findall(r"^\| `(.+?)` \|", readme, re.M)
    assert BOARD_COMMAND in readme and len(called) == len(told)
    assert all(call.startswith(step) for call, step in zip(called, told, strict=True)), called
    assert generate(load_config(board.config), engine, board=board) == Replaced()


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_tells_what_a_good_board_says(name: str) -> None:
    """Of what is known without one: the engine, how much of its memory is tried, and where tapes lie."""
    board = load_board(name)
    size = spec.SOC_BUFFER_BYTES if board.kind == "soc" else 1 << spec.PCIE_WINDOW_BITS
    told = dict(re.findall(r"^(\w.*?) +ok   (.*)", board.readme(), re.M))
    assert list(told) == STEPS
    assert told["identity"] == f"config hash {load_config(board.config).hash:08x}"
    assert f" of {size:,} bytes" in told["memory, from here"]
    assert told["memory, from the engine"].endswith(", ".join(f"{part * size // 4:#x}" for part in range(4)) + " on")


def test_boards_are_found_and_refused() -> None:
    with pytest.raises(SternaError, match=r"no such board; board = de11; allowed: .*de10_nano.*; remedy: name one"):
        load_board("de11")
    with pytest.raises(SternaError, match=r"de10_nano: no clock is known .*; config = arria10; allowed: nano, cyc"):
        load_board(SOC).mhz(load_config("arria10"))


def test_a_wrong_pin_list_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sterna.generate.boards.board.BOARDS", tmp_path)
    shutil.copytree(BOARDS / SOC, tmp_path / SOC)
    path = tmp_path / SOC / "pins.yaml"
    rows = yaml.safe_load(path.read_text())
    for field, value, said in (
        ("source", "nobody", "source must be one of adi, not nobody"),
        ("direction", "in", "direction = in; allowed: 'input', 'output' or 'inout'"),
        ("negative", "A1 A2", "negative must name 1 pins, one per pin"),
        ("pin", "A1", "there is no such field; pin"),
    ):
        path.write_text(yaml.safe_dump({**rows, "ports": [rows["ports"][0] | {field: value}, *rows["ports"][1:]]}))
        with pytest.raises(SternaError, match=re.escape(said)):
            load_board(SOC).pinout()
