"""Why an error that went unnoticed is none: the reasons that `reasons.yaml` keeps, by the lines that differ."""

from __future__ import annotations

from pathlib import Path

import yaml

from mutation.sites import Mutant

FILE = Path(__file__).with_name("reasons.yaml")
#: Module, and the lines before and after.
Change = tuple[str, str, str]


def reasons() -> dict[Change, str]:
    """All reasons."""
    entries = yaml.safe_load(FILE.read_text("utf-8"))
    return {(entry["module"], entry["before"], entry["after"]): entry["reason"] for entry in entries}


def reason(mutant: Mutant) -> str | None:
    """The reason of `mutant`, if one is kept."""
    return reasons().get((mutant.module, *mutant.change()))
