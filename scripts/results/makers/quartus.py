"""docs/results/quartus.json: what Quartus made of a generated engine, beside the estimate."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from results.record import Metric, TableRow, write
from sterna.cli.estimate import measure, measure_clock
from sterna.cli.guard import guarded
from sterna.errors import SternaError
from sterna.estimate.engine import EngineEstimate
from sterna.estimate.quartus_reports import Fitted, read_reports
from sterna.generate.quartus.files import FIT
from sterna.run.simulator import PARAMETERS
from sterna.spec.config import EngineConfig, make_config
from sterna.spec.fpga import Fpga, about_fpgas, load_fpga

ENGINE = "ENGINE"  # what the environment calls the generated folder
_COMMAND = f"make results-quartus {ENGINE}=FOLDER"


def main() -> None:
    """Read the reports, estimate the same engine on the same FPGA, and write both."""
    folder = _folder()
    config, fitted = _config(folder), read_reports(folder / "build" / FIT)
    size = measure(config, _fpga(fitted))
    found = metrics(fitted, measure_clock(size).mhz)
    write("quartus", found, command=_COMMAND, config=config.name, rows=rows(size, fitted))


def metrics(fitted: Fitted, estimated_mhz: float) -> dict[str, Metric]:
    """The clocks, and what was run for which chip."""
    slowest = fitted.slowest
    return {
        "version": Metric(what="Quartus Prime", value=fitted.version, unit="", method="report of its Fitter"),
        "device": Metric(what="Device", value=fitted.device, unit="", method="report of its Fitter"),
        "fmax_mhz": Metric(
            what=f"Clock by Quartus ({slowest.model})", value=slowest.mhz, unit="MHz",
            method="the least restricted Fmax of all models of the chip; paths from and to virtual pins are not timed",
        ),
        "estimated_mhz": Metric(
            what="Clock, estimated", value=estimated_mhz, unit="MHz", method="sterna estimate: its slowest path"
        ),
        "virtual_pins": Metric(
            what="Virtual pins", value=fitted.virtual_pins, unit="",
            method="report of its Fitter; each takes a logic cell, which the ALMs by Quartus hold",
        ),
    }  # fmt: skip


def rows(size: EngineEstimate, fitted: Fitted) -> list[TableRow]:
    """What the engine takes, by both."""
    alm, _, block_ram, dsp = size.shares
    pairs = {
        "ALM": (alm.used, fitted.alms),
        "registers": (size.resources.flip_flops, fitted.registers),
        "block_RAM": (block_ram.used, fitted.block_rams),
        "DSP": (dsp.used, fitted.dsps),
    }
    return [{"resource": name, "estimated": guess, "Quartus": found} for name, (guess, found) in pairs.items()]


def _folder() -> Path:
    folder = os.environ.get(ENGINE)
    if not folder:
        raise SternaError("no engine folder is named", where="results", remedy=_COMMAND)
    return Path(folder)


def _config(folder: Path) -> EngineConfig:
    """The config of the generated folder."""
    path = folder / PARAMETERS
    try:
        fields = dict(json.loads(path.read_text(encoding="utf-8"))["config"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SternaError(
            "is no folder that sterna generate wrote", where=str(folder), remedy="name one that has this file",
            attribute="file", value=PARAMETERS,
        ) from error  # fmt: skip
    return make_config(str(fields.pop("name", "")), fields, str(path))


def _fpga(fitted: Fitted) -> Fpga:
    """The FPGA that Quartus fitted the engine to."""
    fpgas = [load_fpga(name) for name in about_fpgas()]
    for fpga in fpgas:
        if fpga.part == fitted.device:
            return fpga
    raise SternaError(
        "the reports are for an FPGA that has no entry", where="hw/configs/fpgas.yaml", attribute="part",
        value=fitted.device, allowed=", ".join(fpga.part for fpga in fpgas if fpga.part), remedy="describe it there",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(guarded(main))
