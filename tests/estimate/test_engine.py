"""Sizes of whole engines."""

from __future__ import annotations

import pytest

from sterna.estimate import whole
from sterna.estimate.engine import OPEN, default_synthesis, estimate_engine, module_usage
from sterna.estimate.hierarchy import engine
from sterna.estimate.resources import resources
from sterna.spec.fpga import load_fpga
from support.engines import SIMULATORS


@pytest.fixture(autouse=True)
def shared_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests and makers have synthesised."""
    monkeypatch.setenv("STERNA_BUILD_DIR", str(SIMULATORS))


def test_rows_are_all_modules() -> None:
    size = estimate_engine(whole.SMALL, load_fpga("gx1150"))
    assert sum(row.all.flip_flops for row in size.rows) == size.resources.flip_flops
    assert size.resources.flip_flops == sum(count * usage.flip_flops for _, count, usage in size.modules)
    pes = next(row for row in size.rows if row.part.module == "sterna_pe")
    assert pes.count == whole.SMALL.clusters * whole.SMALL.pes
    # A lane of a PE has an accumulator memory of its own.
    assert pes.each.mlabs >= whole.SMALL.lanes * whole.SMALL.acc_w // 20
    assert {row.part.module for row in size.rows} >= {*OPEN, "sterna_gather", "sterna_drain"}


def test_engine_and_shell_are_judged_together() -> None:
    fpga = load_fpga("gx1150")
    shell = {"shell_alms": 1, "shell_mlabs": 2, "shell_block_rams": 3, "shell_dsps": 4}
    size = estimate_engine(whole.SMALL, fpga.model_copy(update=shell))
    assert [each.shell for each in size.shares] == [1, 2, 3, 4]
    alm = size.shares[0]
    assert alm.share == (size.alms + 1) / fpga.alms


def test_products_of_the_first_layer_are_dsp_blocks() -> None:
    """Two pixels, 32 filters, 14 blocks for 27 weights: no logic beside the blocks."""
    fpga, synthesis = load_fpga("gx1150"), default_synthesis()
    parts = engine(whole.SMALL.model_copy(update={"first_layer": True}), synthesis.rtl).counts
    (pair,) = (part for part in parts if part.module == "sterna_product_pair")
    assert parts[pair] == 2 * 32 * 14
    plain, alone = resources(synthesis.usage(pair), fpga), resources(module_usage(synthesis, pair), fpga)
    assert (alone.dsps, alone.alms, alone.flip_flops) == (1, 0, 0)
    assert (plain.dsps, plain.alms > 0) == (1, True)


@pytest.mark.slow
def test_composition_is_the_whole() -> None:
    """Modules synthesised alone, times their instances, against the same engine flat."""
    composed, flat = whole.compare_alms()
    assert abs(composed / flat - 1) < 0.1, f"{composed} ALMs composed, {flat} flat"


@pytest.mark.slow
@pytest.mark.parametrize("fpga", ["de10-nano", "gx1150"])
def test_joined_parts_are_no_faster_than_the_whole(fpga: str) -> None:
    """Paths through parts synthesised alone, against the same engine flat."""
    composed, flat = whole.compare_paths(fpga)
    assert flat <= composed < 1.6 * flat, f"{composed} ps composed, {flat} flat"
