"""Gradients on two levels are the mean that one level gives, up to the rounding that each format states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, multiprocessing

from sterna.errors import SternaError
from sterna.train import distributed
from sterna.train.optim.communication import Hook, check_groups
from support import exchange_process
from support.exchange_process import CASES, COMPRESSED, SHAPE, Case, gradient

EPSILON = {Hook.FP32: torch.finfo(torch.float32).eps, Hook.FP16: torch.finfo(torch.float16).eps,
           Hook.BF16: torch.finfo(torch.bfloat16).eps}  # fmt: skip
WIDTH = {Hook.FP32: 4, Hook.FP16: 2, Hook.BF16: 2}
NUMBERS = SHAPE[0] * SHAPE[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What 4 processes have exchanged, and 2."""
    made = tmp_path_factory.mktemp("exchange")
    for processes in (4, 2):
        multiprocessing.start_processes(
            exchange_process.run, (processes, made), nprocs=processes, start_method="fork"
        )  # fmt: skip
    return made


def got(folder: Path, case: Case, rank: int, processes: int = 4) -> dict[str, Any]:
    return torch.load(folder / f"{processes}-{case.hook}-{case.group}-{rank}.pt")


def wanted(step: int = 0) -> Tensor:
    return torch.stack([gradient(rank, step).double() for rank in range(4)]).mean(0)


def limit(case: Case) -> Tensor:
    """Of the difference from the exact mean, number by number.

    Within groups float32 is summed, four times at most; between them each message is rounded to the format, and so is
    each sum of them.
    """
    groups = torch.stack([gradient(rank, 0).double() for rank in range(4)]).reshape(4 // case.group, case.group, *SHAPE)
    within = 4 * EPSILON[Hook.FP32] * groups.abs().mean((0, 1))
    return within + EPSILON[case.hook] * len(groups) * groups.mean(1).abs().mean(0) + torch.finfo(torch.float16).tiny


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.hook}-{case.group}")
def test_the_mean_is_exact_but_for_rounding(folder: Path, case: Case) -> None:
    for rank in range(4):
        assert ((got(folder, case, rank)["gradient"] - wanted()).abs() <= limit(case)).all()


def test_the_limit_notices_a_process_that_is_left_out() -> None:
    without = torch.stack([gradient(rank, 0).double() for rank in range(1, 4)]).sum(0) / 4
    for case in CASES:
        assert ((without - wanted()).abs() > limit(case)).any(), case


@pytest.mark.parametrize("case", [*CASES, COMPRESSED], ids=lambda case: f"{case.hook}-{case.group}")
def test_all_processes_have_the_same(folder: Path, case: Case) -> None:
    first, *others = (got(folder, case, rank)["gradient"] for rank in range(4))
    assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.hook}-{case.group}")
def test_only_leaders_send_to_other_groups(folder: Path, case: Case) -> None:
    sent = [got(folder, case, rank)["bytes"] for rank in range(4)]
    assert sent == [0 if rank % case.group else WIDTH[case.hook] * NUMBERS for rank in range(4)]


def test_compressed_gradients_of_groups_are_those_of_as_many_processes(folder: Path) -> None:
    """And so is what is remembered from step to step."""
    mine, theirs = got(folder, COMPRESSED, 3), got(folder, COMPRESSED._replace(group=1), 1, processes=2)
    assert (mine["gradient"] - theirs["gradient"]).norm() < 1e-5 * theirs["gradient"].norm()
    exact = wanted(COMPRESSED.steps - 1)
    assert (mine["gradient"] - exact).norm() > 0.1 * exact.norm(), "nothing was compressed"
    leader = got(folder, COMPRESSED, 0)["bytes"]
    assert leader == got(folder, COMPRESSED._replace(group=1), 0, processes=2)["bytes"] > 0


def test_groups_that_cannot_be_equal_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_groups(3)  # one process has no groups
    monkeypatch.setattr(distributed, "size", lambda: 6)
    check_groups(3)
    with pytest.raises(SternaError, match="hierarchy = 4; allowed: divisors of 6"):
        check_groups(4)
