"""The kept models compile to the same tapes and cycles, unless a change means to alter them."""

from __future__ import annotations

import hashlib

import pytest

from sterna.compile import compile_graph
from sterna.graph import file
from sterna.spec import load_config
from sterna.spec.paths import ROOT
from sterna.spec.tape import ALIGN

#: Config; cycles of a frame alone, without those after its last step; cycles of one of many; digest of the segments.
KEPT = {
    "demo-nano": ("nano", 140_835, 135_820, "1b4273a758b658ce"),
    "yolov2-scenes": ("arria10", 255_801, 170_540, "20d79b5f1c0d4c41"),
}


@pytest.mark.parametrize("model", ["demo-nano", pytest.param("yolov2-scenes", marks=pytest.mark.slow)])
def test_tape_and_cycles(model: str) -> None:
    """The tape's header names the config, whose hash changes with each name of a parameter; the rest is compared."""
    config, alone, queued, digest = KEPT[model]
    package = compile_graph(file.load(ROOT / "models" / f"{model}.sterna-graph"), load_config(config))
    assert sum(step.cycles for step in package.schedule.steps) == alone
    assert package.schedule.queued_cycles == queued
    assert hashlib.sha256(package.tape[ALIGN:]).hexdigest()[:16] == digest
