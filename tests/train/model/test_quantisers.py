from __future__ import annotations

import brevitas.nn as qnn
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.profiler import ProfilerActivity, profile

from sterna.graph import csd, networks
from sterna.graph.layers import Concat
from sterna.graph.network import FIRST_BITS, HEAD_BITS, Conv
from sterna.train.model import quantisers
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.model.patterns import BALANCED_BLOCK, DEFAULT, Balanced, patterns


def hidden(filters: int = 16, inputs: int = 24, kernel: int = 3) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(filters, inputs, kernel, kernel) * torch.rand(filters, 1, 1, 1).exp()


def ternary(weight: torch.Tensor, pattern: str = DEFAULT) -> quantisers.TernaryWeightQuant:
    return patterns[pattern](len(weight), weight[0].numel())


@pytest.mark.parametrize("density", [0.05, 0.28, 0.5, 1.0])
def test_threshold_reaches_the_density_it_aims_at(density: float) -> None:
    weight = hidden()
    quantiser = ternary(weight)
    quantiser.aim(weight, density)
    integers, scale = quantiser.integers(weight)
    assert int(integers.count_nonzero()) == weight.numel() - round((1 - density) * weight.numel())
    kept = integers != 0
    assert set(integers.unique().tolist()) <= {-1.0, 0.0, 1.0}
    assert (integers[kept] == weight[kept].sign()).all()
    for row in range(len(weight)):
        assert scale[row].item() == pytest.approx(weight[row][kept[row]].abs().mean().item(), rel=1e-5)


@given(st.integers(1, 5), st.integers(1, 700), st.floats(0.02, 1.0), st.integers(0, 99))
def test_balanced_filters_have_equally_many_in_every_block(filters: int, size: int, density: float, seed: int) -> None:
    weight = torch.randn(filters, size, 1, 1, generator=torch.Generator().manual_seed(seed))
    quantiser = ternary(weight, "balanced")
    quantiser.aim(weight, density)
    integers = quantiser.integers(weight)[0].flatten(1)
    for start in range(0, size, BALANCED_BLOCK):
        block = integers[:, start : start + BALANCED_BLOCK]
        counts = block.count_nonzero(1)
        assert counts.unique().numel() == 1
        dropped = weight.flatten(1)[:, start : start + BALANCED_BLOCK].abs()
        for row, nonzero in zip(dropped, block != 0, strict=True):
            assert not nonzero.any() or nonzero.all() or row[nonzero].min() > row[~nonzero].max()
    assert int(integers.count_nonzero()) == filters * round(density * size)


@pytest.mark.parametrize("pattern", ["unstructured", "balanced"])
def test_memory_format_changes_nothing(pattern: str) -> None:
    weight = hidden(filters=64, inputs=48)
    quantiser = ternary(weight, pattern)
    quantiser.aim(weight, 0.15)
    kept, scale = quantiser.integers(weight)
    found, found_scale = quantiser.integers(weight.contiguous(memory_format=torch.channels_last))
    assert (found == kept).all() and (found_scale == scale).all()


def test_straight_through_is_exact_and_has_the_other_gradient() -> None:
    real = torch.tensor([0.1, 126.7], requires_grad=True)
    value = quantisers.straight_through(torch.tensor([0.0, 127.0]), real)
    assert value.tolist() == [0.0, 127.0]
    value.sum().backward()
    assert real.grad is not None and real.grad.tolist() == [1.0, 1.0]


def test_forward_leaves_the_threshold_alone_and_passes_gradients_straight_through() -> None:
    weight = hidden().requires_grad_()
    quantiser = ternary(weight)
    quantiser.aim(weight.detach(), 0.3)
    rho = quantiser.rho.clone()
    value, scale, _, _ = quantiser(weight)
    upstream = torch.randn_like(value)
    value.backward(upstream)
    torch.testing.assert_close(weight.grad, upstream)
    torch.testing.assert_close(value / scale, (value / scale).round())
    assert quantiser.rho == rho


def test_all_zero_filters_stay_finite() -> None:
    weight = torch.zeros(4, 3, 3, 3)
    quantiser = ternary(weight)
    value, scale, _, _ = quantiser(weight)
    assert (value == 0).all() and torch.isfinite(scale).all() and (scale > 0).all()
    integers, scale = quantisers.DigitWeightQuant(8).integers(weight)
    assert (integers == 0).all() and torch.isfinite(scale).all()


def test_zeros_count_nothing_in_the_scale_before_the_first_aim() -> None:
    """A filter of a single nonzero, and one of two."""
    integers, scale = ternary(torch.zeros(2, 3, 1, 1)).integers(
        torch.tensor([[0.0, 3, 0], [0, -1, 2]]).view(2, 3, 1, 1)
    )
    assert integers.flatten(1).tolist() == [[0, 1, 0], [0, -1, 1]] and scale.flatten().tolist() == [3.0, 1.5]


@pytest.mark.parametrize(("size", "blocks"), [(1, 1), (256, 1), (257, 2), (2304, 9)])
def test_a_balanced_layer_has_a_threshold_per_256_weights(size: int, blocks: int) -> None:
    assert Balanced(3, size).rho.shape == (3, blocks)


def test_wide_ternary_filters_always_fit_the_accumulator() -> None:
    weight = hidden(2, 600)
    quantiser = ternary(weight)
    integers, _ = quantiser.integers(weight)
    assert integers.abs().sum((1, 2, 3)).tolist() == [quantisers.PEAK_LIMIT] * 2
    quantiser.aim(weight, 0.9)
    assert quantiser.integers(weight)[0].abs().sum((1, 2, 3)).tolist() == [quantisers.PEAK_LIMIT] * 2
    quantiser.aim(weight, 0.3)
    assert int(quantiser.integers(weight)[0].count_nonzero()) == round(0.3 * weight.numel())


def asks(quantiser: quantisers.TernaryWeightQuant, weight: torch.Tensor) -> bool:
    """Whether the processor looks at a value of a pass, for which it would wait for a GPU."""
    with profile(activities=[ProfilerActivity.CPU]) as taken:
        quantiser(weight)
    return bool({"aten::_local_scalar_dense", "aten::is_nonzero"} & {event.name for event in taken.events()})


def test_filters_far_from_the_accumulators_limit_are_not_looked_at() -> None:
    limit = torch.randn(2, quantisers.PEAK_LIMIT, 1, 1)
    assert not asks(ternary(limit), limit)
    narrow = ternary(hidden())
    narrow.aim(hidden(), 1.0)
    assert not asks(narrow, hidden())
    wide = hidden(2, 600)
    quantiser = ternary(wide)
    assert asks(quantiser, wide)
    quantiser.aim(wide, 0.3)
    assert not asks(quantiser, wide)
    quantiser.aim(wide, 0.9)
    assert asks(quantiser, wide)


def test_weights_that_move_after_the_aim_still_fit_the_accumulator() -> None:
    weight = hidden(2, 600)
    quantiser = ternary(weight)
    quantiser.aim(weight, 0.7)  # below the limit, but not far
    assert int(quantiser.integers(weight)[0].count_nonzero()) == round(0.7 * weight.numel())
    alike = torch.linspace(1, 2, weight[0].numel()).expand(2, -1).reshape(weight.shape)
    assert quantiser.integers(alike)[0].abs().sum((1, 2, 3)).tolist() == [quantisers.PEAK_LIMIT] * 2


@given(st.integers(1, 9000), st.integers(2, 8), st.floats(0.1, 30.0), st.integers(0, 99))
def test_the_scale_of_several_digits_is_the_smallest_that_fits(inputs: int, bits: int, tail: float, seed: int) -> None:
    weight = torch.randn(3, inputs, 1, 1, generator=torch.Generator().manual_seed(seed)).sinh() * tail
    weight[2] = 0.0
    quantiser = quantisers.DigitWeightQuant(bits)

    def peaks(integers: torch.Tensor) -> torch.Tensor:
        return quantiser.peaks[integers.abs().clamp(max=quantiser.limit).long()].sum((1, 2, 3))

    integers, scale = quantiser.integers(weight)
    assert (peaks(integers) <= quantisers.PEAK_LIMIT).all() and integers.abs().max() <= quantiser.limit
    torch.testing.assert_close(integers, (weight / scale).round())
    finer = (weight / (scale / quantiser.FINENESS))[:2]
    too_large = finer.abs().amax((1, 2, 3)) > quantiser.limit
    crowded = peaks(finer.round()) > 0.99 * quantisers.PEAK_LIMIT
    assert (too_large | crowded).all()


@pytest.mark.parametrize("inputs", [27, 64, 1024])
def test_weights_of_several_digits_always_fit_the_accumulator(inputs: int) -> None:
    weight = torch.rand(6, inputs, 1, 1) + 0.5  # all large: the worst case
    integers, scale = quantisers.DigitWeightQuant(8).integers(weight)
    reach = csd.reach(integers.numpy().astype(np.int8), quantisers.ACT_BITS).sum((1, 2, 3))
    assert (reach < 1 << (quantisers.ACC_BITS - 1)).all()
    assert integers.abs().max() <= 127
    assert (weight / scale - integers).abs().max() <= 0.5001
    if inputs == 27:
        assert (integers.abs().amax((1, 2, 3)) == 127).all()


@pytest.mark.parametrize("size", [2 * quantisers.PEAK_LIMIT, 10 * quantisers.PEAK_LIMIT])
def test_a_filter_whose_weights_all_round_up_to_twice_their_size_fits(size: int) -> None:
    """One weight more than the accumulator can add, each near half a step until the scale is large enough."""
    weight = torch.zeros(1, size, 1, 1)
    weight[0, : quantisers.PEAK_LIMIT + 1] = 1.0
    quantiser = quantisers.DigitWeightQuant(8)
    integers, scale = quantiser.integers(weight)
    assert not integers.any() and 2.0 <= scale.item() <= 2.1


def test_a_filter_may_fill_the_accumulator_to_its_limit() -> None:
    integers, scale = quantisers.DigitWeightQuant(8).integers(torch.ones(1, quantisers.PEAK_LIMIT, 1, 1))
    assert (integers == 1).all() and 2 / 3 <= scale.item() <= 2 / 3 * 1.0501  # 1.5 steps would be rounded to 2


def test_checkpoints_hold_of_quantisers_only_what_is_learnt() -> None:
    assert ternary(hidden()).state_dict().keys() == {"rho"}
    assert quantisers.DigitWeightQuant(8).state_dict().keys() == set()
    assert quantisers.ActivationQuant(None).state_dict().keys() == {"scale"}


def test_no_integer_has_a_peak_above_twice_what_was_rounded_to_it() -> None:
    peaks = quantisers.DigitWeightQuant(8).peaks
    integers = torch.arange(len(peaks))
    assert len(peaks) == 128 and (peaks[1:] <= 2 * (integers[1:] - 0.5)).all() and peaks[0] == 0


def test_activations_round_half_up_and_saturate() -> None:
    quantiser = quantisers.ActivationQuant(0.5).eval()
    x = torch.tensor([0.25, -0.25, 0.24, 100.0, -100.0, -0.26], requires_grad=True)
    value, scale, _, _ = quantiser(x)
    assert (value / scale).tolist() == [1, 0, 0, 127, -128, -1]
    value.sum().backward()
    assert x.grad is not None and x.grad.tolist() == [1, 1, 1, 0, 0, 1]


def test_scale_follows_the_largest_value_in_training_only() -> None:
    quantiser = quantisers.ActivationQuant(None)
    quantiser(torch.tensor([12.7, -1.0]))
    assert quantiser.scale.item() == pytest.approx(0.1)
    quantiser.eval()(torch.tensor([1270.0]))
    assert quantiser.scale.item() == pytest.approx(0.1)
    quantiser.train()(torch.tensor([25.4]))
    assert 0.1 < quantiser.scale.item() < 0.2


def test_activations_that_are_all_zero_stay_finite() -> None:
    quantiser = quantisers.ActivationQuant(None)
    value, scale, _, _ = quantiser(torch.zeros(3))
    assert (value == 0).all() and scale > 0


def test_layers_that_meet_in_the_concat_share_one_quantiser() -> None:
    network = Network(networks.describe("yolov2-nano"), 2, Form.QUANTISED)
    concat = next(layer for layer in network.description.layers if isinstance(layer, Concat))
    sharing = [layer.name for layer in network.description.layers if isinstance(layer, Conv) and layer.shares]
    assert len(sharing) == 2 and sharing[0] in concat.inputs
    assert "concat" in network.activations and not set(sharing) & set(network.activations)


def test_brevitas_layers_carry_the_quantisers() -> None:
    network = Network(networks.describe("yolov2-nano"), 2, Form.QUANTISED)
    network.aim(0.28)
    for layer, conv in network.convolutions():
        quantised = conv.quant_weight()
        integers, scale = quantisers.weight_quantiser(conv).integers(conv.weight)
        torch.testing.assert_close(quantised.value, integers * scale)
        assert quantised.signed and torch.equal(quantised.int().float(), integers)
        expected = {FIRST_BITS, HEAD_BITS} if layer.name in ("conv1", "head") else {2}
        assert int(quantised.bit_width) in expected


def test_brevitas_sees_the_integers_of_activations() -> None:
    layer = quantisers.activation(0.5).eval()
    layer.return_quant_tensor = True
    quantised = layer(torch.tensor([0.5, -0.5, 100.0, -100.0]))
    assert quantised.signed and quantised.int().tolist() == [1, -1, 127, -128]
    assert int(quantised.bit_width) == quantisers.ACT_BITS


def test_a_convolution_gives_what_brevitas_own_pass_does() -> None:
    network = Network(networks.describe("yolov2-nano"), 2, Form.TERNARY).train()
    network.aim(0.28)
    for _, conv in network.convolutions():
        x = torch.randn(2, conv.in_channels, 5, 7)
        assert torch.equal(conv(x), qnn.QuantConv2d.forward(conv, x))
