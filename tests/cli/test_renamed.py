"""Whoever types an old name is told the new one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.cli.renamed import BACKENDS, COMMANDS, OPTIONS

from .conftest import Sterna
from .test_refusals import assert_refused

#: What each command needs besides.
ARGUMENTS = {
    "compile": ("x.sterna-graph", "-o", "x.sterna"),
    "detect": ("x.sterna", "x.png"),
    "compare": ("x.sterna", "x.png"),
    "estimate": (),
    "explore": ("x.sterna-graph",),
}


@pytest.mark.parametrize(("command", "old"), OPTIONS)
def test_old_option(sterna: Sterna, command: str, old: str) -> None:
    new = OPTIONS[command, old]
    ended = sterna(command, *ARGUMENTS[command], old, "x")
    assert ended.code == 2
    assert_refused(ended, f"the option {old} is now {new}; remedy: ")
    known = sterna(command, "--help").out.split()
    assert new in known or new.removeprefix("--no-") in " ".join(known), "the new name is one"
    assert old not in known


@pytest.mark.parametrize("old", COMMANDS)
def test_old_command(sterna: Sterna, old: str) -> None:
    assert_refused(sterna(old, "--config", "nano"), f"the command {old} is now {COMMANDS[old]}; remedy: ")
    assert sterna(COMMANDS[old], "--help").code == 0


@pytest.mark.parametrize("old", BACKENDS)
def test_old_backend(sterna: Sterna, package_path: Path, images: Path, old: str) -> None:
    for option in (("detect", "--backend", old), ("compare", "--backends", f"reference,{old}")):
        command, *rest = option
        ended = sterna(command, package_path, images, *rest)
        assert ended.code == 2
        assert_refused(ended, f"the backend {old} is now {BACKENDS[old]}; remedy: name it {BACKENDS[old]}")


def test_an_option_that_never_was(sterna: Sterna) -> None:
    ended = sterna("detect", "x.sterna", "x.png", "--devices", "x")
    assert_refused(ended, "No such option: --devices", "(see sterna detect --help)")
