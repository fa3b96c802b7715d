"""A plan keeps a step under its limit in the least time."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from sterna.errors import SternaError
from sterna.graph import networks
from sterna.graph.layers import MaxPool
from sterna.graph.network import Conv, Head, NetworkDescription
from sterna.train.data.scenes import SceneSet
from sterna.train.loop.learner import Learner
from sterna.train.loop.loader import Batch as Images
from sterna.train.loop.loader import collate
from sterna.train.model import memory
from sterna.train.model.form import Form
from sterna.train.model.memory import MIB, Batch, plan
from sterna.train.model.network import Network
from sterna.train.optim.optimisers import Optimiser
from sterna.train.options import parse
from support.peak import peak
from support.small_detector import ANCHORS

NANO = networks.describe("yolov2-nano")
#: 16 images of 96x64, of which none has more than 12 labels.
BATCH = Batch(16, 96, 64, 12)
SMALL = NetworkDescription((
    Conv("a", "image", 8, 3, bits=8), MaxPool("p", "a", 2), Conv("b", "p", 16, 3), Conv("c", "b", 32, 3),
    Head("head", "c"),
))  # fmt: skip


@pytest.fixture(scope="module")
def images() -> Images:
    scenes = SceneSet(0, "train", BATCH.images, BATCH.height, BATCH.width)
    frames = [scenes[index] for index in range(len(scenes))]
    assert max(len(frame.boxes) for frame in frames) <= BATCH.boxes
    return collate(frames, ANCHORS, NANO.stride)


def step_peak(form: Form, limit: int | None, images: Images, *, teacher: bool = False) -> tuple[int, int]:
    """Bytes that a step with a plan of `limit` takes, and that the plan says."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network, taught = Network(NANO, 2, form), Network(NANO, 2, Form.FLOAT).eval()
    if form is not Form.FLOAT:
        network.aim(0.3)
        network.form = Form.TERNARY
        network(torch.randn(2, 3, 64, 64))  # the ranges of activations
        network.form = form
    found = plan(NANO, 2, form, BATCH, limit)
    network.parts = found.parts
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    options = parse(output=Path("unused"), ema=0, batch=BATCH.images)
    learner = Learner(network, ANCHORS, taught if teacher else None, Optimiser.SGD, options)
    learner.step([images], 1e-6)
    return peak(lambda: learner.step([images], 1e-6)), found.bytes


@pytest.mark.parametrize("form", Form)
def test_a_step_needs_no_more_than_its_plan_says(form: Form, images: Images) -> None:
    whole, said = step_peak(form, None, images)
    assert 0.75 * said < whole <= said
    for share in (0.6, 0.4):
        limit = int(share * said)
        taken, said_then = step_peak(form, limit, images)
        assert 0.6 * said_then < taken <= said_then <= limit


def test_a_teacher_takes_no_more(images: Images) -> None:
    limit = int(0.35 * plan(NANO, 2, Form.QUANTISED, BATCH).bytes)
    taken, said = step_peak(Form.QUANTISED, limit, images, teacher=True)
    assert taken <= said <= limit


def test_a_plan_is_the_fastest_under_its_limit() -> None:
    """Of all plans there are, tried one by one."""
    costs = memory._Costs(SMALL, 2, Form.FLOAT, BATCH)
    every = []
    for options in itertools.product(*map(costs.options, SMALL.layers)):
        state = costs.start
        for layer, option in zip(SMALL.layers, options, strict=True):
            state = state.then(layer.name, option)
        every.append(costs.finished(state))
    whole = plan(SMALL, 2, Form.FLOAT, BATCH)
    assert whole == min(every, key=lambda each: each.time) and not whole.parts
    least = min(each.bytes for each in every)
    limits = [least + int((whole.bytes - least) * share) for share in (0.01, 0.2, 0.5, 0.8, 1)]
    for limit in limits:
        found = plan(SMALL, 2, Form.FLOAT, BATCH, limit)
        assert found.bytes <= limit
        assert found.time == min(each.time for each in every if each.bytes <= limit)
    times = [plan(SMALL, 2, Form.FLOAT, BATCH, limit).time for limit in limits]
    assert times == sorted(times, reverse=True) and times[0] > times[-1]


def test_a_limit_that_no_plan_meets_is_refused_with_the_least() -> None:
    with pytest.raises(
        SternaError, match=r"does not fit; memory = 0.5 MiB; allowed: .* MiB or more for 16 images"
    ) as error:
        plan(NANO, 2, Form.FLOAT, BATCH, MIB // 2)
    least = float(str(error.value.allowed).split()[0]) * MIB
    assert plan(NANO, 2, Form.FLOAT, BATCH, int(1.001 * least)).bytes <= 1.001 * least
    with pytest.raises(SternaError, match="does not fit"):
        plan(NANO, 2, Form.FLOAT, BATCH, int(0.99 * least))


def test_large_networks_are_planned_as_well() -> None:
    for name, side in (("yolov2", 416), ("resnet50", 224)):
        network = networks.describe(name)
        batch = Batch(16, side, side, 30)
        whole = plan(network, 20, Form.QUANTISED, batch)
        limit = int(0.6 * whole.bytes)
        less = plan(network, 20, Form.QUANTISED, batch, limit)
        assert less.parts and less.bytes <= limit and whole.time < less.time < 2 * whole.time


def test_a_plan_is_told_in_a_line() -> None:
    assert plan(NANO, 2, Form.FLOAT, BATCH).told(BATCH).endswith("MiB at most, all layers with 16 images at a time")
    found = plan(NANO, 2, Form.FLOAT, BATCH, plan(NANO, 2, Form.FLOAT, BATCH).bytes // 2)
    assert f"conv1 {found.parts['conv1']}" in found.told(BATCH)
