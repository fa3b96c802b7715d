"""The backends that a person names on the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from sterna.cli import renamed
from sterna.cli.tables import print_wide
from sterna.errors import SternaError
from sterna.run import Backend, open_backend
from sterna.run.registry import backends
from sterna.run.uri import Uri

#: The backend that `--engine` is for.
SIM = "sim"


def with_engine(names: Sequence[str], engine: Path | None) -> list[str]:
    """URIs of the backends `names`; those of `sim` without a folder get that of `engine`.

    Raises SternaError for an unknown backend, and if none would use the folder.
    """
    uris = [Uri.parse(name) for name in names]
    for uri in uris:
        renamed.check_backend(uri.scheme)
        backends[uri.scheme]
    if engine is not None:
        given = [replace(uri, path=str(engine)) if uri.scheme == SIM and not uri.path else uri for uri in uris]
        if given == uris:
            raise _unused(engine)
        uris = given
    return list(map(str, uris))


def opened(uri: str) -> Backend:
    """The backend that `uri` names; standard error says what takes long."""
    return open_backend(uri, announce)


def show() -> None:
    """Print the name and the parameters of each backend."""
    table = Table("backend", "parameter", "what it does", "values", box=SIMPLE_HEAD, pad_edge=False)
    for scheme in backends:
        try:
            found = backends[scheme]
        except SternaError as error:
            table.add_row(f"{scheme}:", "", escape(str(error)), "", end_section=True)
            continue
        about = (found.__doc__ or "").partition("\n")[0]
        table.add_row(escape(found.usage), "", escape(about), "")
        for name, each in found.parameters.items():
            table.add_row("", *map(escape, (name, each.help, each.allowed)))
        table.add_section()
    print_wide(table)


def announce(text: str) -> None:
    """Print `text` on standard error."""
    print(text, file=sys.stderr, flush=True)


def _unused(engine: Path) -> SternaError:
    return SternaError(
        "no backend would use the engine's folder",
        where="--engine",
        value=str(engine),
        allowed=f"a backend {SIM}: without a folder of its own",
        remedy=f"add the backend {SIM}, or remove --engine",
    )
