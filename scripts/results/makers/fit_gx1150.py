"""docs/results/fit_gx1150.json: what config arria10 takes of an Arria 10 GX 1150, from open synthesis; an estimate."""

from __future__ import annotations

from results.record import Metric, TableRow, write
from sterna.cli.estimate import measure, measure_clock
from sterna.estimate.engine import FULL, EngineEstimate, Row
from sterna.estimate.fpgas import load_fpga
from sterna.estimate.whole import compare_alms
from sterna.spec.config import load_config

CONFIG, FPGA = "arria10", "gx1150"


def main() -> None:
    """Synthesise and write."""
    size = measure(load_config(CONFIG), load_fpga(FPGA))
    write(
        "fit_gx1150", _metrics(size), command="make results-fit_gx1150", config=CONFIG, rows=list(map(_row, size.rows))
    )


#: By kind of resource: its name in the result, and what its count comes from.
KINDS = {
    "alm": ("alm", "modules times their instances, MLABs included"),
    "mlab": ("mlab", "shapes of memories of up to 32 words; they are ALMs as well"),
    "block_ram": ("m20k", "shapes of deeper memories"),
    "dsp": ("dsp", "shapes of multipliers"),
}


def _metrics(size: EngineEstimate) -> dict[str, Metric]:
    used, fpga = size.resources, size.fpga
    metrics = {}
    for each in size.shares:
        key, method = KINDS[each.key]
        metrics[key] = Metric(
            what=f"{each.name}, estimated", value=each.used, unit="", method=f"open synthesis: {method}"
        )
        metrics[f"{key}_share"] = Metric(
            what=f"{each.name}, of {each.there:,}", value=round(100 * each.share, 1), unit="%",
            method="the metric before",
        )  # fmt: skip
    metrics["fits"] = Metric(
        what=f"All of them under {FULL:.0%}", value=all(each.share <= FULL for each in size.shares), unit="",
        method="the metrics before",
    )  # fmt: skip
    metrics["registers"] = Metric(
        what="Registers", value=used.flip_flops, unit="", method="open synthesis, without those inside blocks"
    )
    clock = measure_clock(size)
    metrics["slowest_path_ns"] = Metric(
        what=f"Slowest path, with wires, at {fpga.period / 1000:.2f} ns a period",
        value=round(clock.slowest[0].delay / 1000, 2), unit="ns",
        method="across all modules; delays of cells and wires of the family by speed grade, a chip 80 % full",
    )  # fmt: skip
    metrics["clock_mhz"] = Metric(
        what="Clock that it supports", value=clock.mhz, unit="MHz", method="the inverse of the slowest path"
    )
    composed, whole = compare_alms()
    metrics["composition"] = Metric(
        what="ALMs of a small engine, composed / synthesised as a whole", value=round(composed / whole, 3), unit="",
        method=f"{composed:,} from modules, {whole:,} flat; registers in any ALM that has room",
    )  # fmt: skip
    return metrics


def _row(row: Row) -> TableRow:
    each = row.each
    return {
        "part": row.part.module.removeprefix("sterna_"),
        "times": row.count,
        "LUT_ALMs": each.lut_alms + each.mux_alms,
        "adder_bits": each.adder_bits,
        "registers": each.flip_flops,
        "register_ALMs": each.register_alms,
        "MLABs": each.mlabs,
        "ALMs_each": each.alms,
        "ALMs": row.alms,
        "M20K": row.all.block_rams,
        "DSP": row.all.dsps,
    }


if __name__ == "__main__":
    main()
