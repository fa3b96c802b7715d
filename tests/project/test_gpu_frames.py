"""The measurement of a GPU's frames per second, as far as a machine without one can tell."""

from __future__ import annotations

import pytest
import torch

from results.makers import gpu_frames, training_speed_gpu
from results.makers.gpu_frames import RUNS, STEPS, WARM_UP, Case
from sterna.errors import SternaError
from sterna.graph import networks
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.options import Precision

CPU = torch.device("cpu")


def small_network() -> Network:
    """With the statistics of batch normalisation that some images leave."""
    torch.manual_seed(0)
    network = Network(networks.describe("yolov2-nano"), 2, Form.FLOAT)
    network(torch.randn(4, 3, 64, 64))
    return network.eval()


@pytest.mark.skipif(torch.cuda.is_available(), reason="a machine with a GPU")
@pytest.mark.parametrize("maker", [gpu_frames, training_speed_gpu], ids=lambda maker: maker.__name__.split(".")[-1])
def test_without_a_gpu_nothing_is_measured(maker: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maker, "write", lambda *_, **__: pytest.fail("something was written"))
    with pytest.raises(SternaError, match="there is no GPU here; remedy: run it on a machine that has one"):
        maker.main()  # type: ignore[attr-defined]


def test_the_rate_is_that_of_the_median_run_after_the_warm_up() -> None:
    """A step takes 2 s, but 100 s while warming up and in one run."""
    now, calls = 0.0, 0

    def work() -> None:
        nonlocal now, calls
        now += 100.0 if calls < WARM_UP + STEPS else 2.0
        calls += 1

    assert gpu_frames.rate(work, 8, lambda: now) == 4.0
    assert calls == WARM_UP + RUNS * STEPS


def test_folding_leaves_no_normalisation_and_the_same_heads() -> None:
    network, images = small_network(), torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        before = network(images)
        after = gpu_frames.folded(network)(images)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    assert torch.allclose(before, after, atol=1e-4) and before.std() > 0.01


@pytest.mark.parametrize(("precision", "kind"), [(Precision.FP32, torch.float32), (Precision.FP16, torch.float16)])
def test_a_pass_is_of_the_precision_and_batch_of_its_case(precision: Precision, kind: torch.dtype) -> None:
    case = Case(precision, 3, graph=False)
    with torch.inference_mode():
        head = gpu_frames.prepared(small_network(), case, (64, 96), CPU)()
    assert isinstance(head, torch.Tensor)
    assert (head.dtype, head.shape[0], tuple(head.shape[2:])) == (kind, 3, (4, 6)) and head.isfinite().all()


def test_each_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in gpu_frames.CASES}) == len({case.told for case in gpu_frames.CASES}) == 6
