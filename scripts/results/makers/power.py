"""docs/results/power.json: estimated power of full YOLOv2 on `arria10`, by part, beside a card's limit and a GPU."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from results import peers
from results.clock import supported_mhz
from results.record import Metric, TableRow, write
from sterna.cli.estimate import measure
from sterna.cli.guard import guarded
from sterna.compile import compile_graph
from sterna.estimate.activity import load_activity
from sterna.estimate.band import Band, total
from sterna.estimate.energies import load_energies
from sterna.estimate.performance import performance
from sterna.estimate.power import SHELL, Power, estimate_power
from sterna.graph import file
from sterna.spec.config import load_config
from sterna.spec.fpga import load_fpga
from sterna.spec.paths import MODELS

CONFIG, FPGA, GRAPH = "arria10", "gx1150", "yolov2-scenes"
#: W that Intel allows its card with this FPGA, and the FPGA on it (AN 872, 683795, Power Specification).
CARD, CARD_FPGA = 66, 45
#: The GPU whose power was measured.
GPU = "H100 80GB"
_WATTS = re.compile(r"(\d+) W\b")


def main() -> None:
    """Estimate and write."""
    fpga = load_fpga(FPGA)
    size = measure(load_config(CONFIG), fpga)
    package = compile_graph(file.load(MODELS / f"{GRAPH}.sterna-graph"), size.config)
    powers, frames = [], []
    for mhz in dict.fromkeys((supported_mhz(), fpga.mhz)):
        found = performance(package, mhz)
        powers.append(estimate_power(size, load_activity(), load_energies(fpga.family), mhz, found.bandwidth))
        frames.append(found.frames)
    rows = list(side_by_side(powers, frames, yaml.safe_load(peers.FILE.read_text("utf-8"))))
    write("power", metrics(powers[0], frames[0], rows), command="make results-power", config=CONFIG, rows=rows)


def side_by_side(powers: Sequence[Power], frames: Sequence[float], systems: Sequence[Any]) -> Iterator[TableRow]:
    """The engine at each clock, the same frames at the card's limit, and the GPU as `systems` have it."""
    for power, per_second in zip(powers, frames, strict=True):
        yield _row(f"{CONFIG} at {power.mhz} MHz", per_second, power.all, "estimated, card with FPGA and memory")
    limit = Band(CARD, CARD)
    yield _row(f"{CONFIG} at {powers[0].mhz} MHz", frames[0], limit, "the most that Intel allows its card (AN 872)")
    for system in systems:
        if system["chip"] == GPU:
            watts = float(_WATTS.match(system["power"])[1])  # type: ignore[index]
            name = f"{GPU}, {system['precision']}, batch {system['batch']}"
            yield _row(name, system["frames"], Band(watts, watts), "measured once by hand, GPU board (nvidia-smi)")


def _row(system: str, frames: float, watts: Band, kind: str) -> TableRow:
    return {
        "system": system,
        "frames/s": round(frames, 1),
        "W_from": round(watts.low, 1),
        "W_to": round(watts.high, 1),
        "frames/J_from": round(frames / watts.high, 1),
        "frames/J_to": round(frames / watts.low, 1),
        "power": kind,
    }


def metrics(power: Power, frames: float, rows: Sequence[TableRow]) -> dict[str, Metric]:
    """The sum, its parts, and its share of the GPU's power at batch 1."""
    engine = [each for each in power.modules if each.module != SHELL]
    (shell,) = (each for each in power.modules if each.module == SHELL)
    joule = power.frames_per_joule(frames)
    gpu = next(float(row["W_from"]) for row in rows if str(row["system"]).startswith(GPU))
    clock = f"at the {power.mhz} MHz that the engine supports"
    parts = {
        "logic": ("Logic of the engine", total(each.logic for each in engine), "toggles of half ALMs"),
        "clock": ("Its registers and clock", total(each.clock for each in engine), "every register in every cycle"),
        "block_ram": ("Its block RAM", total(each.block_ram for each in engine), "every block in every cycle"),
        "dsp": ("Its DSP blocks", total(each.dsp for each in engine), "toggles of their inputs"),
        "shell": ("The shell", shell.all, "resources of PCIe with DMA, memory controller, interconnect"),
        "static": ("Leakage of the FPGA", power.static, "carried over from other chips, by ALMs"),
        "fpga": ("The FPGA", power.fpga, f"the six parts before; Intel allows it {CARD_FPGA} W on its card"),
        "memory": ("DDR4", power.memory, "bytes of tape, frame and result"),
        "board": ("The rest of the card", power.board, f"at most what Intel allows: {CARD} - {CARD_FPGA} W"),
    }
    return {
        "watts": Metric(
            what=f"Power of a card with full YOLOv2, {clock}", value=round(power.all.middle, 1), unit="W",
            method="middle of the band: as many times above its low end as below its high one",
        ),
        "factor": Metric(
            what="It is known within a factor of", value=round(power.all.factor, 1), unit="",
            method="root of high / low end",
        ),
        "low": Metric(what="Low end", value=round(power.all.low, 1), unit="W", method="sum of the parts' low ends"),
        "high": Metric(what="High end", value=round(power.all.high, 1), unit="W", method="sum of their high ends"),
        "frames_per_joule": Metric(
            what="Frames per joule, queued", value=round(joule.middle, 1), unit="frames/J",
            method=f"{_shown(joule)}; {frames:.0f} frames/s by the cycle model",
        ),
        "of_gpu": Metric(
            what=f"Share of the {gpu:.0f} W of a H100 at batch 1",
            value=f"{100 * power.all.low / gpu:.0f} .. {100 * power.all.high / gpu:.0f}", unit="%",
            method="estimate / measured; the GPU makes more frames",
        ),
    } | {
        key: Metric(what=what, value=_shown(band), unit="W", method=how) for key, (what, band, how) in parts.items()
    }  # fmt: skip


def _shown(band: Band) -> str:
    return f"{band.low:.1f} .. {band.high:.1f}"


if __name__ == "__main__":
    sys.exit(guarded(main))
