"""docs/results/ecp5.json: an engine that open tools placed and routed for a ULX3S, and its netlist in simulation."""

from __future__ import annotations

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
from sterna.package.package import Package
from sterna.run import open_backend
from sterna.run.compare import compare_backends
from sterna.run.engine import EngineBackend
from sterna.run.transports.serial import SerialTransport
from sterna.spec.serial import BAUD
from sterna.vision.prepare import prepare
from support.packages import small_graph, small_images

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
    """A frame on a simulated board: whether every map equals the reference, clock cycles, bytes on the line."""

    equal: bool
    cycles: int
    line_bytes: int


def main() -> None:
    """Make the bitstream, simulate, write."""
    made = flow.make(print)
    with TemporaryDirectory() as name:
        folder = Path(name)
        routed = folder / "routed.v"
        routed.write_text(netlist.verilog(made.routed, flow.DESIGN))
        small = small_graph()
        on_netlist = run(board.build_netlist(folder / "netlist", routed), small, small_images(1))
        demo = read_graph(Path(DEMO))
        image = prepare(demo, scene(SCENE))[np.newaxis]
        on_rtl = run(board.build_rtl(folder / "rtl"), demo, image)
    write("ecp5", metrics(made, on_netlist, on_rtl), command="make results-ecp5", config=flow.config().name)


def run(program: Path, graph: Graph, image: NDArray[np.int8]) -> Frame:
    """A frame on the board that `program` simulates, over its serial line."""
    package: Package = compile_graph(graph, flow.config())
    with board.running(program) as port, open_backend("reference:") as reference:
        transport = SerialTransport(port, patience=PATIENCE)
        with EngineBackend(transport) as engine:
            engine.load(package)
            before = transport.sent + transport.received
            engine.infer(image)
            line_bytes = transport.sent + transport.received - before
            counters = engine.counters()
            assert counters is not None
            comparison = compare_backends(reference, engine, package, image)
    return Frame(comparison.equal, counters.cycles, line_bytes)


def metrics(made: flow.Bitstream, on_netlist: Frame, on_rtl: Frame) -> dict[str, Metric]:
    """What the FPGA holds, how fast it may be clocked, and frames per second of the demo's network."""
    used, there = made.used(), made.there()
    first, last = made.slowest()
    alone = flow.MHZ * 1e6 / on_rtl.cycles
    seconds = on_rtl.line_bytes * LINE_BITS / BAUD + on_rtl.cycles / (flow.MHZ * 1e6)
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
            what="The netlist that place and route wrote equals the reference on a frame", value=on_netlist.equal,
            unit="", method="every map of a small network; board simulated, all of it over the serial line",
        ),
        "demo_equal": Metric(
            what="The RTL equals the reference on a frame of the demo", value=on_rtl.equal, unit="",
            method="every map; board simulated, tape, image and result in its SDRAM",
        ),
        "demo_cycles": Metric(
            what="Cycles of the demo's frame", value=on_rtl.cycles, unit="cycles",
            method="counted in RTL simulation of the board, a frame alone",
        ),
        "frames_per_second": Metric(
            what="Frames per second of the engine", value=round(alone, 1), unit="1/s",
            method=f"the cycles before at {flow.MHZ} MHz; image in the SDRAM",
        ),
        "line_frames_per_second": Metric(
            what="Frames per second through the serial line", value=round(1 / seconds, 2), unit="1/s",
            method=f"{on_rtl.line_bytes:,} bytes of image, result and registers at {BAUD:,} bits per second, then the "
            "engine; without the pauses of USB, which are not known here",
        ),
    }  # fmt: skip


if __name__ == "__main__":
    main()
