"""Writes a config, and if given a package, as a folder that simulators and synthesis tools take as it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jinja2

from sterna.errors import SternaError
from sterna.generate.images import images
from sterna.generate.top import parameters, ports
from sterna.run.package import Package
from sterna.spec.config import EngineConfig
from sterna.spec.paths import RTL

TOP, FILE_LIST, PARAMETERS, README = "sterna_top.sv", "files.f", "parameters.json", "README.txt"
SOURCES, MEMORY = "rtl", "memory"

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("sterna.generate"),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,
)


def generate(config: EngineConfig, out_dir: Path, package: Package | None = None) -> None:
    """Write the engine of `config` to `out_dir`, and the memory images of `package` if there is one.

    The same config and package give the same bytes. An earlier generated folder is replaced. Raises
    SternaError if the package is for another config, its tape is damaged or the folder holds something else.
    """
    if package is not None:
        _check_package(config, package)
    files = _files(config, package)
    try:
        _clear(out_dir)
        for name, data in files.items():
            path = out_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except OSError as error:
        raise SternaError(f"cannot write the engine's folder ({error.strerror})", where=str(out_dir)) from error


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
    }
    about = {
        "config": config.model_dump(),
        "config_hash": config.hash,
        "top": Path(TOP).stem,
        "parameters": values["parameters"],
    }
    files = {f"{SOURCES}/{path.name}": path.read_bytes() for path in sources}
    files[TOP] = _TEMPLATES.get_template(f"{TOP}.j2").render(values).encode()
    files[README] = _TEMPLATES.get_template(f"{README}.j2").render(values).encode()
    files[FILE_LIST] = "".join(f"{name}\n" for name in order).encode()
    files[PARAMETERS] = (json.dumps(about, indent=1) + "\n").encode()
    if package is not None:
        files |= {f"{MEMORY}/{name}": data for name, data in images(package).items()}
    return files


def _sources() -> list[Path]:
    """The engine's sources, packages first as tools want them."""
    sources = sorted(RTL.glob("*.sv"), key=lambda path: (not path.stem.endswith("_pkg"), path.name))
    if not sources:
        raise SternaError("holds no RTL", where=str(RTL), remedy="install Sterna again")
    return sources


def _clear(out_dir: Path) -> None:
    """Remove an earlier generated folder; refuse to touch anything else."""
    if not out_dir.exists() or (out_dir.is_dir() and not any(out_dir.iterdir())):
        return
    if not (out_dir / PARAMETERS).is_file() or not (out_dir / FILE_LIST).is_file():
        raise SternaError(
            "exists and is not a generated engine",
            where=str(out_dir),
            remedy="give a new or an empty folder",
        )
    shutil.rmtree(out_dir)
