"""All files for Quartus of a generated folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from sterna.errors import SternaError
from sterna.generate.quartus.component import Interface, interfaces
from sterna.generate.quartus.project import project_files
from sterna.generate.templates import Templates
from sterna.spec.config import EngineConfig
from sterna.spec.fpga import Fpga
from sterna.spec.ports import ports

#: Where they lie in the folder, and inside it the project that fits the engine alone.
FOLDER, FIT = "quartus", "fit_only"
#: Name of the project, and of its reports.
PROJECT = "sterna_fit"
_COMPONENT, _INDEX, _TIMING = "sterna_hw.tcl", "sterna.qip", "sterna.sdc"
_CLOCK, _PINS = "fit.sdc", "fit_pins.tcl"

#: To be run in the generated folder. The copy takes what Quartus writes: this folder holds only what was generated.
FIT_COMMAND = f"mkdir -p build && cp -r {FOLDER}/{FIT} build && make -C build/{FIT}"

_render = Templates("sterna.generate.quartus").render


def quartus_files(config: EngineConfig, fpga: Fpga, sources: Iterable[str], top: str) -> dict[str, bytes]:
    """The files by their paths in the generated folder: component, list of files, constraints, project.

    `sources`: the engine's files in order, by their paths in the folder; `top`: its top module. Raises SternaError if
    the FPGA has no part number.
    """
    if not fpga.part:
        raise SternaError(
            "Quartus needs the FPGA's part number",
            where=f"FPGA {fpga.name}",
            attribute="part",
            value="(empty)",
            remedy="give it in hw/configs/fpgas.yaml, or name another FPGA",
        )
    mhz = fpga.clocks.get(config.name, fpga.mhz)
    paths = [PurePosixPath(name) for name in sources]
    timing = f"{FOLDER}/{_TIMING}"
    files = {
        _COMPONENT: component_file(config, "sterna", top, sources, [timing], interfaces(ports(config))),
        _INDEX: _render(_INDEX, name=_quoted(config.name), sources=paths, sdc=_TIMING),
        _TIMING: _render(_TIMING),
        f"{FIT}/{_CLOCK}": _render(_CLOCK, mhz=mhz, period=f"{1000 / mhz:.3f}"),
        f"{FIT}/{_PINS}": _render(_PINS),
    }
    listed = [f"../../{FOLDER}/{_INDEX}", _CLOCK, _PINS]
    files |= {f"{FIT}/{name}": data for name, data in project_files(PROJECT, fpga, top, listed).items()}
    return {f"{FOLDER}/{name}": data for name, data in files.items()}


def component_file(
    config: EngineConfig,
    module: str,
    top: str,
    sources: Iterable[str],
    constraints: Iterable[str],
    found: list[Interface],
    parameters: Mapping[str, int] | None = None,
) -> bytes:
    """The component `module` of Platform Designer in a folder of the generated one, as NAME_hw.tcl.

    `sources`, `constraints`: files by their paths in the generated folder; `parameters`: those of the module `top`.
    """
    return _render(
        _COMPONENT, name=_quoted(config.name), module=module, top=top, parameters=parameters or {}, interfaces=found,
        sources=[PurePosixPath(path) for path in sources], constraints=[PurePosixPath(path) for path in constraints],
    )  # fmt: skip


def _quoted(text: str) -> str:
    """`text`, which may be anything, for a comment or between the quotes of a Tcl string."""
    return re.sub(r'([\\"$\[\]{}])', r"\\\1", " ".join(text.split()))
