"""Tables of the forms that commands of generated Tcl may have, each with a public project that uses it.

A word of a form: alternatives with | between them; `*` any word, at the end of a word any end of it; NUMBER a number;
<KIND> the name of an interface of that kind; a name in capitals that the table has a list for, one of that list.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from support.tcl import Call


class Forms:
    """The table in a YAML file beside this one."""

    def __init__(self, name: str) -> None:
        self.table: dict[str, Any] = yaml.safe_load(Path(__file__).with_name(name).read_text("utf-8"))

    def of(self, part: tuple[str, ...]) -> list[list[str]]:
        """The forms of parts of the table, as words."""
        return [shlex.split(form) for name in part for row in self.table[name] for form in row.values()]

    def commands(self, part: tuple[str, ...]) -> set[str]:
        """The commands of parts of the table."""
        return {form[0] for form in self.of(part)}

    def unknown(self, called: list[Call], part: tuple[str, ...]) -> Iterator[str]:
        """The calls that have no form in the table."""
        forms, known = self.of(part), kinds(called)
        for call in called:
            if not any(self.fits(call, form, known) for form in forms):
                yield f"not in the table: {' '.join(call)}"

    def unsourced(self) -> list[str]:
        """The sources of rows that the table does not name."""
        rows = [row for part in self.table.values() if isinstance(part, list) for row in part]
        return sorted({source for row in rows for source in row} - self.table["sources"].keys())

    def fits(self, call: Call, form: list[str], known: Mapping[str, str]) -> bool:
        """Whether a call has a form; `known`: the kinds of interfaces."""
        return len(call) == len(form) and all(self._is(word, of, known) for word, of in zip(call, form, strict=True))

    def _is(self, word: str, form: str, known: Mapping[str, str]) -> bool:
        if form.endswith("*"):
            return word.startswith(form[:-1])
        if form in self._lists():
            return word in self._lists()[form]
        return any(
            known.get(word) == each[1:-1] if each.startswith("<") else is_value(word, each) for each in form.split("|")
        )

    def _lists(self) -> dict[str, list[str]]:
        standards = [value for row in self.table.get("standards", ()) for value in row.values()]
        return {"STANDARD": standards} if standards else {}


def kinds(called: list[Call]) -> dict[str, str]:
    """The kind of each interface."""
    return {call[1]: call[2] for call in called if call[0] == "add_interface"}


def is_value(word: str, allowed: str) -> bool:
    """Whether a word is a value: one of those with | between them, or a NUMBER."""
    if "|" in allowed:
        return any(is_value(word, each) for each in allowed.split("|"))
    if allowed == "NUMBER":
        return word.lstrip("-").replace(".", "", 1).isdigit()
    return word == allowed
