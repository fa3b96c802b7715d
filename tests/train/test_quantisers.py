from __future__ import annotations

import brevitas.nn as qnn
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sterna.graph import csd
from sterna.train import networks, quantisers
from sterna.train.networks import Form
from sterna.train.quantisers import Pattern


def hidden(filters: int = 16, inputs: int = 24, kernel: int = 3) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(filters, inputs, kernel, kernel) * torch.rand(filters, 1, 1, 1).exp()


def ternary(weight: torch.Tensor, pattern: Pattern = Pattern.UNSTRUCTURED) -> quantisers.TernaryWeightQuant:
    return quantisers.TernaryWeightQuant(pattern, len(weight), weight[0].numel())


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
    quantiser = ternary(weight, Pattern.BALANCED)
    quantiser.aim(weight, density)
    integers = quantiser.integers(weight)[0].flatten(1)
    for start in range(0, size, quantisers.BALANCED_BLOCK):
        block = integers[:, start : start + quantisers.BALANCED_BLOCK]
        counts = block.count_nonzero(1)
        assert counts.unique().numel() == 1
        dropped = weight.flatten(1)[:, start : start + quantisers.BALANCED_BLOCK].abs()
        for row, nonzero in zip(dropped, block != 0, strict=True):
            assert not nonzero.any() or nonzero.all() or row[nonzero].min() > row[~nonzero].max()
    assert int(integers.count_nonzero()) == filters * round(density * size)


@pytest.mark.parametrize("pattern", Pattern)
def test_memory_format_changes_nothing(pattern: Pattern) -> None:
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


def test_wide_ternary_filters_always_fit_the_accumulator() -> None:
    weight = hidden(2, 600)
    quantiser = ternary(weight)
    integers, _ = quantiser.integers(weight)
    assert integers.abs().sum((1, 2, 3)).tolist() == [quantisers.PEAK_LIMIT] * 2
    quantiser.aim(weight, 0.9)
    assert quantiser.integers(weight)[0].abs().sum((1, 2, 3)).tolist() == [quantisers.PEAK_LIMIT] * 2
    quantiser.aim(weight, 0.3)
    assert int(quantiser.integers(weight)[0].count_nonzero()) == round(0.3 * weight.numel())


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
    peaks = csd.peak(integers.numpy().astype(np.int8)).astype(np.int64).sum((1, 2, 3))
    assert (peaks <= quantisers.PEAK_LIMIT).all()
    assert integers.abs().max() <= 127
    assert (weight / scale - integers).abs().max() <= 0.5001
    if inputs == 27:
        assert (integers.abs().amax((1, 2, 3)) == 127).all()


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


def test_layers_that_meet_in_the_concat_share_one_quantiser() -> None:
    network = networks.build("yolov2-nano", 2, Form.QUANTISED)
    concat = next(layer for layer in network.layers if isinstance(layer, networks.Concat))
    sharing = [layer.name for layer in network.layers if isinstance(layer, networks.Conv) and layer.shares]
    assert len(sharing) == 2 and sharing[0] in concat.inputs
    assert "concat" in network.activations and not set(sharing) & set(network.activations)


def test_brevitas_layers_carry_the_quantisers() -> None:
    network = networks.build("yolov2-nano", 2, Form.QUANTISED)
    network.aim(0.28)
    for layer, conv in network.convolutions():
        quantised = conv.quant_weight()
        integers, scale = quantisers.weight_quantiser(conv).integers(conv.weight)
        torch.testing.assert_close(quantised.value, integers * scale)
        expected = {networks.FIRST_BITS, networks.HEAD_BITS} if layer.name in ("conv1", "head") else {2}
        assert int(quantised.bit_width) in expected


def test_a_convolution_gives_what_brevitas_own_pass_does() -> None:
    network = networks.build("yolov2-nano", 2, Form.TERNARY).train()
    network.aim(0.28)
    for _, conv in network.convolutions():
        x = torch.randn(2, conv.in_channels, 5, 7)
        assert torch.equal(conv(x), qnn.QuantConv2d.forward(conv, x))
