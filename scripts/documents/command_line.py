"""The reference of the command line, read from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from sterna.cli.main import app
from sterna.cli.train import app as train_app

#: Commands whose options are an application of their own.
_INNER = {"train": train_app}
#: Click puts a default in brackets that is given as a text.
_DEFAULT = re.compile(r"\[default: \(([^()]*)\)")


def text() -> str:
    """A section for each command: what it does, its usage, tables of its arguments and options."""
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    commands = {name: get_command(_INNER[name]) if name in _INNER else each for name, each in root.commands.items()}
    return "\n".join(_section(f"sterna {name}", command) for name, command in commands.items())


def _section(name: str, command: Any) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join((name, *command.collect_usage_pieces(context)))
    lines = [f"## {name}", "", command.help or "", "", "```text", usage, "```", ""]
    for panel, parameters in groupby(command.params, lambda parameter: parameter.rich_help_panel):
        lines += [f"**{panel}**", ""] if panel else []
        lines += _table(parameters, context)
    return "\n".join(lines)


def _table(parameters: Iterable[Any], context: Any) -> list[str]:
    records = [parameter.get_help_record(context) for parameter in parameters]
    rows = [f"| <code>{_cell(record[0])}</code> | {_cell(record[1])} |" for record in records if record]
    return ["| argument or option | meaning |", "|---|---|", *rows, ""]


def _cell(words: str) -> str:
    return escape(_DEFAULT.sub(r"[default: \1", words)).replace("|", "&#124;").replace("[", "&#91;")
