"""The reference of engine configs, FPGAs, memories and energies, written from what describes them in the code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sterna.estimate.energies import ENERGIES, KIND, Energies, load_energies
from sterna.spec import named
from sterna.spec.config import EngineConfig, about_configs, load_config
from sterna.spec.fpga import Fpga, about_fpgas, load_fpga
from sterna.spec.memory import Memory, about_memories, load_memory


def configs() -> str:
    """Fields of a config, then the named configs side by side."""
    return _page(EngineConfig, about_configs(), load_config)


def fpgas() -> str:
    """Fields of an FPGA, then the named FPGAs side by side."""
    return _page(Fpga, about_fpgas(), load_fpga)


def memories() -> str:
    """Fields of a memory, then the named memories side by side."""
    return _page(Memory, about_memories(), load_memory)


def energies() -> str:
    """The figures of each family, with their sources."""
    return "\n\n".join(_figures(name, about) for name, about in named.about(ENERGIES, KIND).items())


def _figures(family: str, about: str) -> str:
    known = load_energies(family)
    rows = []
    for name, field in Energies.model_fields.items():
        if name != "name":
            figure = getattr(known, name)
            rows.append((f"`{name}`", field.description or "", f"{figure.low:g}", f"{figure.high:g}", figure.source))
    return f"`{family}`\n:   {about}\n\n{_table(('figure', 'meaning', 'low', 'high', 'source'), rows)}"


def _page(kind: type[BaseModel], about: dict[str, str], load: Callable[[str], BaseModel]) -> str:
    fields = {name: field for name, field in kind.model_fields.items() if name != "name"}
    meanings = [(f"`{name}`", _range(field), field.description or "") for name, field in fields.items()]
    values = {name: load(name).model_dump() for name in about}
    compared = [(f"`{name}`", *(str(values[each][name]) for each in about)) for name in fields]
    return "\n\n".join(
        (
            _table(("field", "range", "meaning"), meanings),
            *(f"`{name}`\n:   {sentence}" for name, sentence in about.items()),
            _table(("field", *(f"`{name}`" for name in about)), compared),
        )
    )


def _range(field: FieldInfo) -> str:
    bounds: dict[str, Any] = {}
    for each in field.metadata:
        if isinstance(each, annotated_types.Ge):
            bounds["least"] = each.ge
        elif isinstance(each, annotated_types.Le):
            bounds["most"] = each.le
    return f"{bounds['least']} .. {bounds['most']}" if len(bounds) == 2 else ""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
