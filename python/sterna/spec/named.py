"""YAML files of named mappings: engine configs, FPGAs.

An entry may have a sentence for people under `about`, which is none of its fields.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sterna.errors import SternaError
from sterna.text import read_yaml

_ABOUT = "about"


def read_all(path: Path, kind: str) -> dict[str, Any]:
    """All entries of the file by name. `kind` is what they are, for errors.

    Raises SternaError if the file cannot be read or holds none.
    """
    entries = read_yaml(path, f"the list of {kind}s", f"name a YAML file of {kind}s, or correct this one")
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
    return name, _without_about(entries[name])


def place(spec: str, file: Path) -> tuple[Path, str]:
    """The file and the name that `FILE.yaml:NAME` or `FILE.yaml` means; the name is empty in the latter.

    Another `spec` is a name in `file`.
    """
    if spec.endswith(".yaml"):
        return Path(spec), ""
    own, colon, name = spec.rpartition(".yaml:")
    return (Path(f"{own}.yaml"), name) if colon else (file, spec)


def about(path: Path, kind: str) -> dict[str, str]:
    """The sentence of each entry by name, empty where there is none. Raises SternaError as `read_all` does."""
    entries = read_all(path, kind).items()
    return {name: str(fields.get(_ABOUT, "")) if isinstance(fields, dict) else "" for name, fields in entries}


def _without_about(fields: Any) -> Any:
    return {name: value for name, value in fields.items() if name != _ABOUT} if isinstance(fields, dict) else fields
