from __future__ import annotations

from collections.abc import Callable

import brevitas.nn as qnn
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sterna.train.model import quantisers
from sterna.train.optim.curvature import ConvCurvature, Curvature, NormCurvature

MANY = 10**9


def conv_curvature(conv: nn.Conv2d, largest_factor: int = 2048, positions: int = MANY) -> ConvCurvature:
    return ConvCurvature("conv", conv, lambda: True, largest_factor=largest_factor, positions=positions)


def image_losses(output: Tensor) -> Tensor:
    """A loss for each image whose gradient differs from image to image and from place to place."""
    weights = torch.linspace(-1, 1, output[0].numel(), dtype=output.dtype).view(output[0].shape)
    return (output * weights).flatten(1).sum(1).sin() + output.flatten(1).square().sum(1)


def observe(layer: nn.Module, curvature: Curvature, x: Tensor) -> list[Tensor]:
    layer.zero_grad()
    image_losses(layer(x)).mean().backward()
    statistics = curvature.take()
    assert statistics is not None
    return statistics


def gradients(curvature: Curvature) -> list[Tensor]:
    return [parameter.grad for parameter in curvature.parameters if parameter.grad is not None]


def slow_patches(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """[images, positions, C * K * K (+ 1)] by plain loops over the positions."""
    (tall, wide), (down, right) = conv.kernel_size, conv.stride
    padded = nn.functional.pad(x, (conv.padding[1], conv.padding[1], conv.padding[0], conv.padding[0]))
    rows = []
    for top in range(0, padded.shape[2] - tall + 1, down):
        for left in range(0, padded.shape[3] - wide + 1, right):
            rows.append(padded[:, :, top : top + tall, left : left + wide].flatten(1))
    patches = torch.stack(rows, 1)
    return patches if conv.bias is None else torch.cat([patches, torch.ones_like(patches[:, :, :1])], 2)


def slow_output_factor(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """G by one backward pass for each image."""
    total = torch.zeros(conv.out_channels, conv.out_channels, dtype=x.dtype)
    for image in x:
        output = conv(image[None])
        (gradient,) = torch.autograd.grad(image_losses(output).sum(), output)
        for place in gradient.flatten(2)[0].T:
            total += torch.outer(place, place)
    return total / len(x)


@settings(max_examples=25)
@given(data=st.data())
def test_factors_of_a_convolution_are_those_of_single_images(data: st.DataObject) -> None:
    number = lambda low, high: data.draw(st.integers(low, high))  # noqa: E731
    torch.manual_seed(number(0, 1000))
    kernel = number(1, 3)
    conv = nn.Conv2d(
        number(1, 4), number(1, 4), kernel, number(1, 2), padding=kernel // 2, bias=data.draw(st.booleans())
    )
    conv = conv.double()
    x = torch.randn(number(1, 3), conv.in_channels, number(3, 5), number(3, 6), dtype=torch.float64)
    a, g = observe(conv, conv_curvature(conv), x)
    patches = slow_patches(x, conv).flatten(0, 1)
    torch.testing.assert_close(a, patches.T @ patches / len(patches))
    torch.testing.assert_close(g, slow_output_factor(conv, x))


def test_a_times_g_is_the_exact_fisher_matrix_where_inputs_and_errors_are_independent() -> None:
    # A linear layer under squared error: each of five inputs meets each of four errors.
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 2, 1).double()
    x = torch.randn(5, 3, dtype=torch.float64).repeat_interleave(4, 0)[:, :, None, None]
    errors = torch.randn(4, 2, dtype=torch.float64).repeat(5, 1)
    target = conv(x).detach().flatten(1) - errors
    curvature = conv_curvature(conv)

    def loss(images: slice) -> Tensor:
        return 0.5 * (conv(x[images]).flatten(1) - target[images]).square().sum(1).mean()

    rows = []
    for number in range(20):
        grads = torch.autograd.grad(loss(slice(number, number + 1)), list(conv.parameters()))
        rows.append(torch.cat([grads[0].flatten(1), grads[1][:, None]], 1).flatten())
    jacobian = torch.stack(rows)
    fisher = jacobian.T @ jacobian / 20
    loss(slice(None)).backward()
    a, g = curvature.take() or []
    torch.testing.assert_close(torch.kron(g, a), fisher)

    damping = 1e-20
    weight, bias = curvature.precondition(gradients(curvature), curvature.invert([a, g], damping))
    exact = torch.linalg.solve(fisher, jacobian.mean(0)).view(2, 4)
    torch.testing.assert_close(torch.cat([weight.flatten(1), bias[:, None]], 1), exact, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("largest_factor", [2048, 20])
def test_the_direction_is_the_dense_solution(bias: bool, largest_factor: int) -> None:
    torch.manual_seed(1)
    conv = nn.Conv2d(5, 21, 3, padding=1, bias=bias).double()
    x = torch.randn(4, 5, 6, 6, dtype=torch.float64)
    curvature = conv_curvature(conv, largest_factor)
    statistics = observe(conv, curvature, x)
    assert [tuple(factor.shape) for factor in statistics] == [tuple(shape) for shape in curvature.shapes()]
    assert len(statistics) == (2 if largest_factor == 2048 else 5)
    columns = len(curvature.columns)
    a, g = torch.block_diag(*statistics[:columns]), torch.block_diag(*statistics[columns:])
    damping = 0.3
    a_mean, g_mean = a.trace() / len(a), g.trace() / len(g)
    pi, root = (a_mean / g_mean).sqrt(), (damping * a_mean * g_mean).sqrt()
    damped = torch.kron(g + root / pi * torch.eye(len(g)), a + root * pi * torch.eye(len(a)))
    found = curvature.precondition(gradients(curvature), curvature.invert(statistics, damping))
    given_rows = torch.cat([grad.reshape(21, -1) for grad in gradients(curvature)], 1)
    found_rows = torch.cat([part.reshape(21, -1) for part in found], 1)
    torch.testing.assert_close(damped @ found_rows.flatten(), given_rows.flatten())


def test_blocks_are_those_of_the_whole_factors() -> None:
    torch.manual_seed(2)
    conv = nn.Conv2d(5, 21, 3, padding=1)
    x = torch.randn(2, 5, 4, 4)
    whole = observe(conv, conv_curvature(conv), x)
    blocks = observe(conv, conv_curvature(conv, largest_factor=20), x)
    for full, parts in ((whole[0], blocks[:3]), (whole[1], blocks[3:])):
        start = 0
        for part in parts:
            stop = start + len(part)
            torch.testing.assert_close(part, full[start:stop, start:stop])
            start = stop
        assert start == len(full)


def test_the_cost_of_inverses_is_cubic_in_the_rows_of_a_factor() -> None:
    conv = nn.Conv2d(4, 6, 3, bias=False)
    assert conv_curvature(conv).cost() == 36**3 + 6**3
    assert conv_curvature(conv, largest_factor=20).cost() == 2 * 18**3 + 6**3
    assert NormCurvature("norm", nn.BatchNorm2d(5), lambda: True).cost() == 5 * 2**3


def test_sampled_positions_form_an_even_grid() -> None:
    torch.manual_seed(3)
    conv = nn.Conv2d(2, 3, 3, padding=1)
    x = torch.randn(2, 2, 12, 10)
    a, g = observe(conv, conv_curvature(conv, positions=20), x)  # every third: 4 x 4 positions
    patches = slow_patches(x, conv).view(2, 12, 10, -1)[:, ::3, ::3].flatten(0, 2)
    torch.testing.assert_close(a, patches.T @ patches / len(patches))
    torch.testing.assert_close(g, observe(conv, conv_curvature(conv), x)[1])


@pytest.mark.parametrize("train", [True, False])
def test_normalisation_has_the_exact_fisher_matrix_of_each_channel(train: bool) -> None:
    torch.manual_seed(4)
    norm = nn.BatchNorm2d(3).double().train(train)
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean):
            tensor.copy_(torch.randn(3))
    x = 2 + torch.randn(5, 3, 4, 6, dtype=torch.float64)
    curvature = NormCurvature("norm", norm, lambda: True)
    (fisher,) = observe(norm, curvature, x)

    norm.zero_grad()
    total = torch.zeros(3, 2, 2, dtype=torch.float64)
    for loss in image_losses(norm(x)):  # the statistics of the batch stand still, scale and shift do not
        scale, shift = torch.autograd.grad(loss, [norm.weight, norm.bias], retain_graph=True)
        both = torch.stack([scale, shift], 1)
        total += both[:, :, None] * both[:, None, :]
    torch.testing.assert_close(fisher, total / 5)

    found = curvature.precondition([scale, shift], curvature.invert([fisher], 0.2))
    mean = fisher.diagonal(dim1=1, dim2=2).mean()
    damped = fisher + 0.2 * mean * torch.eye(2)
    torch.testing.assert_close(torch.stack(found, 1), torch.linalg.solve(damped, torch.stack([scale, shift], 1)))


def quantised() -> qnn.QuantConv2d:
    torch.manual_seed(5)
    return qnn.QuantConv2d(2, 3, 3, padding=1, bias=False, weight_quant=quantisers.digit_weights(4))


def test_the_input_factor_is_of_what_the_quantised_convolution_sees() -> None:
    conv = quantised()
    conv.input_quant = quantisers.activation(0.25).act_quant
    x = torch.randn(2, 2, 4, 4)
    a, _ = observe(conv, conv_curvature(conv), x)
    patches = slow_patches((x / 0.25 + 0.5).floor() * 0.25, conv).flatten(0, 1)
    torch.testing.assert_close(a, patches.T @ patches / len(patches))


def test_an_input_that_carries_its_scale_is_taken_by_its_value() -> None:
    conv, before = quantised(), quantisers.activation(0.25)
    before.return_quant_tensor = True
    x = torch.randn(2, 2, 4, 4)
    a, _ = observe(conv, conv_curvature(conv), before(x))
    patches = slow_patches((x / 0.25 + 0.5).floor() * 0.25, conv).flatten(0, 1)
    torch.testing.assert_close(a, patches.T @ patches / len(patches))


def test_mixed_precision_gives_statistics_in_the_precision_of_the_weights() -> None:
    torch.manual_seed(6)
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    assert isinstance(net[0], nn.Conv2d) and isinstance(net[1], nn.BatchNorm2d)
    curvatures = [conv_curvature(net[0]), NormCurvature("norm", net[1], lambda: True)]
    x = torch.randn(2, 2, 5, 5)
    exact = [statistic for curvature in curvatures for statistic in observe(net, curvature, x)]
    with torch.autocast("cpu", torch.bfloat16):
        output = net(x)
    image_losses(output.float()).mean().backward()
    rough = [statistic for curvature in curvatures for statistic in curvature.take() or []]
    assert {statistic.dtype for statistic in rough} == {torch.float32}
    for one, other in zip(rough, exact, strict=True):
        assert (one - other).norm() < 0.05 * other.norm()


def test_convolutions_of_another_form_are_not_known() -> None:
    unknown: list[Callable[[], nn.Module]] = [
        lambda: nn.Conv2d(2, 2, 3, groups=2),
        lambda: nn.Conv2d(2, 2, 3, padding="same"),
        lambda: nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"),
        lambda: nn.ConvTranspose2d(2, 2, 3),
        lambda: nn.Linear(2, 2),
    ]
    assert not any(ConvCurvature.knows(make()) for make in unknown)
    assert ConvCurvature.knows(nn.Conv2d(2, 2, 3)) and ConvCurvature.knows(quantised())
    assert not NormCurvature.knows(nn.BatchNorm2d(2, affine=False)) and NormCurvature.knows(nn.BatchNorm2d(2))


def test_a_factor_of_zeros_can_be_inverted() -> None:
    curvature = conv_curvature(nn.Conv2d(2, 3, 1, bias=False))
    a, g = curvature.invert([torch.zeros(2, 2), 4 * torch.eye(3)], 0.01)
    torch.testing.assert_close(a, 10 * torch.eye(2))
    torch.testing.assert_close(g, torch.eye(3) / 4.4)
