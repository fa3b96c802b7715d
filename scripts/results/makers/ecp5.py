"""docs/results/ecp5.json: an engine that open tools placed and routed for a ULX3S, and its netlist in simulation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecp5 import board, flow, netlist
from results.record import Metric, write
from sterna.api import scene
from sterna.compile import compile_graph
from sterna.graph import Graph
from sterna.package.graphs import read_graph
from sterna.run import open_backend
from sterna.run.compare import compare_backends
from sterna.run.engine import EngineBackend
from sterna.run.transports.serial import SerialTransport
from sterna.spec.serial import BAUD
from sterna.vision.prepare import prepare

DEMO, SCENE = "demo-nano", 7
#: Seconds that a simulated board may take for a byte.
PATIENCE = 3600.0
#: Bits of a byte on the line, with start and stop.
LINE_BITS = 10
#: Cells of the FPGA: the metric, nextpnr's name, and what it is.
CELLS = {
    "lut": ("TRELLIS_COMB", "Tables of four inputs, carries included"),
    "ff": ("TRELLIS_FF", "Registers"),
    "ebr": ("DP16KD", "Block RAMs of 18 Kbit"),
    "dsp": ("MULT18X18D", "Multipliers of 18x18 bits"),
}


class Frame(NamedTuple):
    """A frame on a simulated board: clock cycles, and bytes on the serial line."""

    cycles: int
    line_bytes: int


def main() -> None:
    """Make the bitstream, simulate, write. Takes an hour; the simulations of RTL and netlist run beside each other."""
    demo = read_graph(Path(DEMO))
    image = prepare(demo, scene(SCENE))[np.newaxis]

    def of_rtl(folder: Path) -> tuple[Frame, bool]:
        program = board.build_rtl(folder)
        return run(program, demo, image), equal(program, demo, image)

    with TemporaryDirectory() as name, ThreadPoolExecutor() as pool:
        rtl = pool.submit(of_rtl, Path(name, "rtl"))
        made = flow.make(print)
        routed = Path(name, "routed.v")
        routed.write_text(netlist.verilog(made.routed, flow.DESIGN))
        netlist_equal = equal(board.build_netlist(Path(name, "netlist"), routed), demo, image)
        frame, rtl_equal = rtl.result()
    found = metrics(made, frame, rtl_equal, netlist_equal)
    write("ecp5", found, command="make results-ecp5", config=flow.config().name, seed=made.seed)


def run(program: Path, graph: Graph, image: NDArray[np.int8]) -> Frame:
    """A frame on the board that `program` simulates, all of it over its serial line."""
    with board.running(program) as simulated:
        transport = SerialTransport(simulated.port, patience=PATIENCE)
        with EngineBackend(transport) as engine:
            engine.load(compile_graph(graph, flow.config()))
            before = transport.sent + transport.received
            engine.infer(image)
            line_bytes = transport.sent + transport.received - before
            counters = engine.counters()
            assert counters is not None
    return Frame(counters.cycles, line_bytes)


def equal(program: Path, graph: Graph, image: NDArray[np.int8]) -> bool:
    """Whether every map on the board that `program` simulates is that of the reference."""
    package = compile_graph(graph, flow.config(), trace=True)
    with (
        board.running(program) as simulated,
        open_backend("reference:") as reference,
        EngineBackend(board.NearTransport(simulated, patience=PATIENCE)) as engine,
    ):
        return compare_backends(reference, engine, package, image).equal


def metrics(made: flow.Bitstream, frame: Frame, rtl_equal: bool, netlist_equal: bool) -> dict[str, Metric]:
    """What the FPGA holds, how fast it may be clocked, and frames per second of the demo's network."""
    used, there = made.used(), made.there()
    first, last = made.slowest()
    alone = flow.MHZ * 1e6 / frame.cycles
    seconds = frame.line_bytes * LINE_BITS / BAUD + frame.cycles / (flow.MHZ * 1e6)
    cells = {
        name: Metric(what=what, value=used[kind], unit="", method=f"placed and routed, of {there[kind]:,}")
        for name, (kind, what) in CELLS.items()
    }
    return cells | {
        "fmax_mhz": Metric(
            what="Clock that the routed design may have", value=round(made.fmax(), 1), unit="MHz",
            method=f"nextpnr, speed grade 6; slowest path from {first or 'the top'} to {last or 'the top'}",
        ),
        "clock_mhz": Metric(what="Clock that it is built for", value=flow.MHZ, unit="MHz", method="by its PLL"),
        "bitstream_bytes": Metric(
            what="Bitstream", value=made.file.stat().st_size, unit="bytes", method="ecppack, compressed"
        ),
        "frame_equal": Metric(
            what="The netlist that place and route wrote equals the reference on a frame", value=netlist_equal,
            unit="", method="every map of the demo; board simulated, tape, image and maps in its SDRAM",
        ),
        "demo_equal": Metric(
            what="The RTL equals the reference on a frame of the demo", value=rtl_equal, unit="",
            method="every map; board simulated, tape, image and maps in its SDRAM",
        ),
        "demo_cycles": Metric(
            what="Cycles of the demo's frame", value=frame.cycles, unit="cycles",
            method="counted in RTL simulation of the board, a frame alone",
        ),
        "frames_per_second": Metric(
            what="Frames per second of the engine", value=round(alone, 1), unit="1/s",
            method=f"the cycles before at {flow.MHZ} MHz; image in the SDRAM",
        ),
        "line_frames_per_second": Metric(
            what="Frames per second through the serial line", value=round(1 / seconds, 2), unit="1/s",
            method=f"{frame.line_bytes:,} bytes of image, result and registers at {BAUD:,} bits per second, then the "
            "engine; without the pauses of USB, which are not known here",
        ),
    }  # fmt: skip


if __name__ == "__main__":
    main()
