"""Whether a generated folder, which may have been edited, is an engine for a package."""

from __future__ import annotations

import json
from pathlib import Path

from pyslang import ast, driver

from sterna.errors import SternaError
from sterna.generate.rtl import output
from sterna.generate.rtl.top import ENGINE, parameters
from sterna.run.simulator import PARAMETERS, sources
from sterna.spec.config import EngineConfig

_REMEDY = "compile the graph for the folder's config, or generate a folder for the package's"


def check_fits(folder: Path, config: EngineConfig) -> None:
    """Raise SternaError if `folder` is no generated engine, or not one of `config`, which is that of a package.

    What counts is the engine's own parameters, as its sources give them; the rest may be edited.
    """
    files = sources(folder)
    output.check_complete(folder)
    found = _config_of(folder)
    if found != (expected := f"{config.name} ({config.hash:08x})"):
        raise SternaError(
            "the engine in the folder has another config than the package",
            where=str(folder),
            attribute="config",
            value=found,
            allowed=f"{expected}, of the package",
            remedy=_REMEDY,
        )
    values = _values(folder, files)
    for parameter, value in _values_of(config).items():
        if values.get(parameter) != value:
            raise SternaError(
                "the engine in the folder differs from the package's config in a parameter",
                where=str(folder),
                attribute=parameter,
                value=values.get(parameter),
                allowed=f"{value}, of '{config.name}'",
                remedy=_REMEDY,
            )


def edited(folder: Path) -> tuple[str, ...]:
    """The edited files of a generated folder, by their paths inside it."""
    return output.changed(folder)


def _config_of(folder: Path) -> str:
    """Name and hash of the config that `folder` says it is of."""
    about = json.loads((folder / PARAMETERS).read_text(encoding="utf-8"))
    try:
        return f"{about['config']['name']} ({int(about['config_hash']):08x})"
    except (KeyError, TypeError, ValueError):
        return f"unknown, {PARAMETERS} names none"


def _values_of(config: EngineConfig) -> dict[str, int]:
    return {name: config.hash if name == "ConfigHash" else int(value) for name, value in parameters(config).items()}


def _values(folder: Path, files: list[Path]) -> dict[str, int]:
    """The parameters of the engine that the top of `files` instantiates."""
    slang = driver.Driver()
    slang.addStandardArgs()
    command = " ".join(["slang", *(f'"{path}"' for path in files)])
    if not (slang.parseCommandLine(command) and slang.processOptions() and slang.parseAllSources()):
        raise SternaError("the sources cannot be read", where=str(folder), remedy="generate them again")
    for top in slang.createCompilation().getRoot().topInstances:
        for part in top.body:
            if isinstance(part, ast.InstanceSymbol) and part.definition.name == ENGINE:
                return {each.name: int(each.value.value) for each in part.body.parameters if not each.isLocalParam}
    raise SternaError(f"no top module in the folder holds {ENGINE}", where=str(folder), remedy="generate it again")
