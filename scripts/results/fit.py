"""What an engine and its board's shell take of an FPGA, as metrics and rows of a result; an estimate."""

from __future__ import annotations

from results.record import Metric, TableRow, write
from sterna.cli.estimate import measure, measure_clock
from sterna.estimate.engine import FULL, EngineEstimate, Row, Share
from sterna.estimate.supported_clock import SupportedClock
from sterna.estimate.whole import compare_alms
from sterna.spec.config import load_config
from sterna.spec.fpga import load_fpga

#: By kind of resource: its name in the result, and what its count comes from.
KINDS = {
    "alm": ("alm", "modules times their instances, MLABs included"),
    "mlab": ("mlab", "shapes of memories of up to 32 words; they are ALMs as well"),
    "block_ram": ("m20k", "shapes of deeper memories that the device can build, byte strobes included"),
    "dsp": ("dsp", "shapes of multipliers"),
}


def record(config: str, fpga: str) -> None:
    """Measure the engine and write docs/results/fit_FPGA.json."""
    size = measure(load_config(config), load_fpga(fpga))
    name = f"fit_{fpga.replace('-', '_')}"
    found = metrics(size, measure_clock(size))
    write(name, found, command=f"make results-{name}", config=config, rows=list(map(row, size.rows)))


def metrics(size: EngineEstimate, clock: SupportedClock) -> dict[str, Metric]:
    """Of the engine alone, of the shell, and the share of both."""
    fpga = size.fpga
    found = {}
    for each in size.shares:
        found |= _of_kind(each, size)
    found["fits"] = Metric(
        what=f"Every sum under {FULL:.0%}", value=all(each.share <= FULL for each in size.shares), unit="",
        method="the metrics before",
    )  # fmt: skip
    found["registers"] = Metric(
        what="Registers of the engine", value=size.resources.flip_flops, unit="",
        method="open synthesis, without those inside blocks",
    )  # fmt: skip
    found["slowest_path_ns"] = Metric(
        what=f"Slowest path, with wires, at {fpga.period / 1000:.2f} ns a period",
        value=round(clock.slowest[0].delay / 1000, 2), unit="ns",
        method="across all modules; delays of cells and wires of the family by speed grade, a chip 80 % full",
    )  # fmt: skip
    found["clock_mhz"] = Metric(
        what="Clock that it supports", value=clock.mhz, unit="MHz", method="the inverse of the slowest path"
    )
    composed, whole = compare_alms()
    found["composition"] = Metric(
        what="ALMs of a small engine, composed / synthesised as a whole", value=round(composed / whole, 3), unit="",
        method=f"{composed:,} from modules, {whole:,} flat; registers in any ALM that has room",
    )  # fmt: skip
    return found


def _of_kind(each: Share, size: EngineEstimate) -> dict[str, Metric]:
    key, method = KINDS[each.key]
    return {
        key: Metric(
            what=f"{each.name} of the engine, estimated", value=each.used, unit="", method=f"open synthesis: {method}"
        ),
        f"shell_{key}": Metric(
            what=f"{each.name} of the shell", value=each.shell, unit="", method=size.fpga.shell_source
        ),
        f"sum_{key}_share": Metric(
            what=f"Both, of {each.there:,} {each.name}", value=round(100 * each.share, 1), unit="%",
            method="the two metrics before",
        ),
    }  # fmt: skip


def row(part: Row) -> TableRow:
    """A part of the engine."""
    each = part.each
    return {
        "part": part.part.module.removeprefix("sterna_"),
        "times": part.count,
        "LUT_ALMs": each.lut_alms + each.mux_alms,
        "adder_bits": each.adder_bits,
        "registers": each.flip_flops,
        "register_ALMs": each.register_alms,
        "MLABs": each.mlabs,
        "ALMs_each": each.alms,
        "ALMs": part.alms,
        "M20K": part.all.block_rams,
        "DSP": part.all.dsps,
    }
