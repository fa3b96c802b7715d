"""Cases: situations that people's own files and machines make, each held by one test or several.

A test says which case it holds with

    @pytest.mark.case("voc-upper-case-suffix", kind="layout", expected="the image is read", source="...")

and what it saw with the fixture `got`. `make results-cases` runs these tests and keeps a row for each case.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CASE, GOT = "case", "got"


@dataclass
class Case:
    """A situation, what is right in it, and what the tests saw; ok: all of its tests passed."""

    kind: str
    expected: str
    source: str = ""
    got: list[str] = field(default_factory=list)
    ok: bool = True


def tell(item: pytest.Item) -> None:
    """Let the report of a test hold the cases that it is marked with."""
    for mark in item.iter_markers(CASE):
        item.user_properties.append((CASE, json.dumps(described(*mark.args, **mark.kwargs))))


def described(name: str, *, kind: str, expected: str, source: str = "") -> dict[str, str]:
    """The arguments of a mark, checked by being bound."""
    return {"name": name, "kind": kind, "expected": expected, "source": source}


def read_report(path: Path) -> dict[str, Case]:
    """The cases by name in a JUnit report that pytest wrote."""
    cases: dict[str, Case] = {}
    for test in ElementTree.parse(path).iter("testcase"):
        properties = [(found.get("name"), found.get("value", "")) for found in test.iter("property")]
        passed = not any(test.find(kind) is not None for kind in ("failure", "error", "skipped"))
        for text in (value for name, value in properties if name == CASE):
            told: dict[str, Any] = json.loads(text)
            case = cases.setdefault(told.pop("name"), Case(**told))
            case.ok &= passed
            case.got += [value for name, value in properties if name == GOT]
    return cases
