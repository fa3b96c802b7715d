"""The table of proofs, `hw/formal/proofs.yaml`, and the sources that each of them reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from sterna.spec.paths import BOARDS, RTL

ROOT = Path(__file__).resolve().parents[2]
CHECKS = ROOT / "hw" / "formal"
TABLE = CHECKS / "proofs.yaml"
#: Bound to the module of each proof.
RESET = "formal_reset"
_WORD = re.compile(r"\b(?:sterna|formal|ulx3s)_\w+")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bug(_Entry):
    """An error for the RTL: `replacement` for `text`, which is there once; the assertion `fails` has to notice."""

    what: str
    text: str
    replacement: str
    fails: str
    #: The module with the error; the proof's own if none is named.
    module: str = ""


class Proof(_Entry):
    """What is proved of a module, at some parameters."""

    name: str
    module: str
    #: The property set, in words.
    properties: str
    #: Files of `hw/formal` with it.
    checks: tuple[str, ...]
    #: What is taken for granted of what is outside, by the names of the module's own assertions.
    assume: tuple[str, ...] = ()
    #: Assertions and covers that it goes without: other proofs have them, or nothing needs that duty of a user.
    leave_out: tuple[str, ...] = ()
    parameters: tuple[dict[str, int], ...] = ({},)
    #: By induction, for all cycles; else for the first `depth` cycles after power-up.
    method: Literal["induction", "bounded"] = "induction"
    #: Cycles that an induction looks back, or that are looked at.
    depth: int = Field(ge=1)
    #: Cycles within which the bug shows and all covers are reached.
    reach: int = Field(ge=1)
    #: Quick enough for each run of the tests.
    quick: bool = False
    #: Clocks and their resets.
    clocks: dict[str, str] = {"clk_i": "rst_ni"}
    #: What is read instead of a module that Yosys cannot read, or of one that shows less than may happen.
    instead: dict[str, str] = {}
    bug: Bug


def proofs() -> list[Proof]:
    """All of them, in the order of the table."""
    return [Proof(**entry) for entry in yaml.safe_load(TABLE.read_text("utf-8"))]


def sources(proof: Proof, bug: Bug | None = None) -> dict[str, str]:
    """Text by name of the files that the proof reads, packages first; with `bug` put in."""
    found: dict[str, str] = {}
    waiting = [proof.module, *proof.checks, RESET]
    files = _files()
    while waiting:
        name = waiting.pop()
        if name in found or name not in files:
            continue
        other = proof.instead.get(name, name)
        text = re.sub(rf"\b{other}\b", name, files[other].read_text("utf-8"))
        if bug and name == (bug.module or proof.module):
            assert text.count(bug.text) == 1, f"{name} holds {bug.text!r} {text.count(bug.text)} times"
            text = text.replace(bug.text, bug.replacement)
        found[name] = text
        waiting += _WORD.findall(text)
    return {name: found[name] for name in sorted(found, key=lambda name: (not name.endswith("_pkg"), name))}


def by_name(names: Iterable[str]) -> list[Proof]:
    """The proofs of these names; all if there are none."""
    wanted = set(names)
    return [proof for proof in proofs() if not wanted or proof.name in wanted]


def _files() -> dict[str, Path]:
    return {path.stem: path for folder in (RTL, BOARDS, CHECKS) for path in folder.rglob("*.sv")}
