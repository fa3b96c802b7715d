"""Writes a config, and if given a package, as a folder that simulators and synthesis tools take as it is."""

from __future__ import annotations

import json
from pathlib import Path

import jinja2

from sterna.errors import SternaError
from sterna.generate.images import images
from sterna.generate.output import Replaced, write_folder
from sterna.generate.top import parameters, ports
from sterna.run.package import Package
from sterna.run.simulator import FILE_LIST, PARAMETERS
from sterna.spec.config import EngineConfig
from sterna.spec.paths import LINT, RTL

TOP, README = "sterna_top.sv", "README.txt"
WAIVERS = "lint/waivers.vlt"
#: To be run in the folder.
LINT_COMMAND = f"verilator --lint-only -Wall --top-module {Path(TOP).stem} {WAIVERS} -f {FILE_LIST}"
SOURCES, MEMORY = "rtl", "memory"

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("sterna.generate"),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,
)


def generate(config: EngineConfig, out_dir: Path, package: Package | None = None, *, force: bool = False) -> Replaced:
    """Write the engine of `config` to `out_dir`, and the memory images of `package` if there is one.

    The same config and package give the same bytes. An earlier generated folder is replaced. Raises SternaError if the
    package is for another config, its tape is damaged, or the folder holds what `generate` did not write and `force`
    does not say to overwrite it (see `write_folder`).
    """
    if package is not None:
        _check_package(config, package)
    return write_folder(out_dir, _files(config, package), _about(config), force=force)


def _check_package(config: EngineConfig, package: Package) -> None:
    if package.config.hash != config.hash:
        raise SternaError(
            "the package is for another engine config",
            where="package",
            attribute="config",
            value=f"{package.config.name} ({package.config.hash:08x})",
            allowed=f"{config.name} ({config.hash:08x})",
            remedy="compile the graph for this config, or generate the package's config",
        )
    package.verify_tape()


def _files(config: EngineConfig, package: Package | None) -> dict[str, bytes]:
    """All files by path inside the folder."""
    sources = _sources()
    order = [*(f"{SOURCES}/{path.name}" for path in sources), TOP]
    values = {
        "name": config.name,
        "axi_data_w": config.axi_data_w,
        "ports": ports(config),
        "parameters": parameters(config),
        "has_package": package is not None,
        "lint": LINT_COMMAND,
    }
    about = {
        **_about(config),
        "top": Path(TOP).stem,
        "parameters": values["parameters"],
    }
    files = {WAIVERS: (LINT / Path(WAIVERS).name).read_bytes()}
    files |= {f"{SOURCES}/{path.name}": path.read_bytes() for path in sources}
    files[TOP] = _TEMPLATES.get_template(f"{TOP}.j2").render(values).encode()
    files[README] = _TEMPLATES.get_template(f"{README}.j2").render(values).encode()
    files[FILE_LIST] = "".join(f"{name}\n" for name in order).encode()
    files[PARAMETERS] = (json.dumps(about, indent=1) + "\n").encode()
    if package is not None:
        files |= {f"{MEMORY}/{name}": data for name, data in images(package).items()}
    return files


def _about(config: EngineConfig) -> dict[str, object]:
    return {"config": config.model_dump(), "config_hash": config.hash}


def _sources() -> list[Path]:
    """The engine's sources, packages first as tools want them."""
    sources = sorted(RTL.glob("*.sv"), key=lambda path: (not path.stem.endswith("_pkg"), path.name))
    if not sources:
        raise SternaError("holds no RTL", where=str(RTL), remedy="install Sterna again")
    return sources
