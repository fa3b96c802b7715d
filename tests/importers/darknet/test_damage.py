"""Damaged files of darknet are read right, or refused in one line, or what is lost of the weights is said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings

from sterna.errors import SternaError, single
from sterna.exporters.darknet import for_darknet, write_cfg, write_weights
from sterna.graph.layers import Concat, MaxPool
from sterna.graph.network import Conv, Head, NetworkDescription, share_quantisers
from sterna.importers.darknet import load
from sterna.importers.importer import Imported
from sterna.train.model.imported import to_network
from support import damage
from support.damage import Damaged, Known
from support.darknet_networks import VOC_ANCHORS, random_weights

QUICK, MANY = 60, 1000
LAYERS = (
    Conv("conv1", "image", 4, 3),
    MaxPool("pool1", "conv1", 2),
    Conv("conv2", "pool1", 4, 3),
    Conv("conv3", "conv2", 4, 1),
    Concat("concat", ("conv3", "conv2")),
    Head("head", "concat"),
)


def good(folder: Path) -> tuple[Imported, damage.Files]:
    network = for_darknet(NetworkDescription(share_quantisers(LAYERS)), VOC_ANCHORS[:2], 2, 64, 96)
    write_cfg(network, folder / "a.cfg")
    write_weights(random_weights(network), folder / "a.weights")
    (folder / "a.names").write_text("cat\ndog\n")
    return loaded(folder), damage.load(folder)


def loaded(folder: Path) -> Imported:
    return load(folder / "a.cfg", folder / "a.weights", folder / "a.names")


def check(expected: Imported, made: Damaged, folder: Path) -> str:
    damage.store(made.files, folder)
    try:
        found = loaded(folder)
    except SternaError as refused:
        assert made.known is not Known.SAME, refused
        for fault in single(refused):
            message = str(fault)
            assert len(message.splitlines()) == 1 and len(message) < 3000 and str(folder) in message, message
        return "refused"
    network = to_network(found)
    assert network(torch.zeros(1, 3, 64, 64)).isfinite().all()
    for layer in found.fresh:
        assert any(layer in change for change in found.changes)
    if made.known is not Known.SAME:
        return "read"
    assert (found.described, found.names) == (expected.described, expected.names)
    for mine, other in zip(network.parameters(), to_network(expected).parameters(), strict=True):
        assert torch.equal(mine, other)
    return "read right"


def hold(folder: Path, examples: int) -> list[str]:
    """Check so many damaged networks, always the same; gives the outcomes."""
    outcomes: list[str] = []
    (folder / "good").mkdir()
    expected, files = good(folder / "good")

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(made=damage.damaged("network", files, damage.OF_TEXTS))
    def every(made: Damaged) -> None:
        shutil.rmtree(folder / "damaged", ignore_errors=True)
        outcomes.append(check(expected, made, folder / "damaged"))

    every()
    return outcomes


@pytest.mark.case(
    "damaged-darknet-network",
    kind="damage",
    expected="damaged cfg, weights and names are read right, or refused in one line, or what is lost is said",
)
def test_damage_is_never_silent(tmp_path: Path, got: Callable[[str], None]) -> None:
    outcomes = hold(tmp_path, QUICK)
    found = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    assert len(outcomes) == QUICK and found.keys() == {"read", "read right", "refused"}
    got(", ".join(f"{outcome}: {count}" for outcome, count in found.items()))


@pytest.mark.slow
def test_much_more_damage_is_never_silent(tmp_path: Path) -> None:
    assert len(hold(tmp_path, MANY)) >= MANY
