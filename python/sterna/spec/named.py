"""YAML files of named mappings: engine configs, FPGA devices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from sterna.errors import SternaError
from sterna.text import read_text


class _Loader(yaml.SafeLoader):
    """Refuses a key that a mapping has twice, of which the last would count."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise ConstructorError(problem=f"{key} is given twice")
        return super().construct_mapping(node, deep)


def read_all(path: Path, kind: str) -> dict[str, Any]:
    """All entries of the file by name. `kind` is what they are, for errors.

    Raises SternaError if the file cannot be read or holds none.
    """
    try:
        entries = yaml.load(read_text(path, f"the list of {kind}s"), _Loader)
    except yaml.YAMLError as error:
        reason = str(error).splitlines()[0]
        raise SternaError(f"cannot read the {kind}s ({reason})", where=str(path)) from error
    if not isinstance(entries, dict) or not entries:
        raise SternaError(f"holds no {kind}s", where=str(path), remedy="write name: {parameters}, one or more")
    return {str(name): fields for name, fields in entries.items()}


def read(path: Path, kind: str, name: str, remedy: str) -> tuple[str, Any]:
    """The entry `name` with its name; the only one if `name` is empty.

    Raises SternaError, with `remedy`, if there is none.
    """
    entries = read_all(path, kind)
    if not name and len(entries) == 1:
        name = next(iter(entries))
    if name not in entries:
        raise SternaError(
            f"no such {kind}",
            where=str(path),
            attribute=kind,
            value=name or "(none)",
            allowed=", ".join(entries),
            remedy=remedy,
        )
    return name, entries[name]
