from __future__ import annotations

from itertools import chain

import pytest
import torch

from sterna.graph import networks
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.optim.average import MovingAverage

MEMORY = 0.5


def network() -> Network:
    torch.manual_seed(0)
    return Network(networks.describe("yolov2-nano"), 1, Form.TERNARY)


def change(trained: Network) -> None:
    """As a step of training does: parameters and buffers move, the ranges of activations among them."""
    trained.train()
    trained(torch.rand(2, 3, 32, 32))
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(1.0)


def test_an_average_is_the_first_network_and_then_remembers_its_share() -> None:
    trained = network()
    average = MovingAverage(trained, MEMORY)
    change(trained)
    average.update()
    names = trained.state_dict().keys()
    first = {name: value.clone() for name, value in trained.state_dict().items()}
    assert all(torch.equal(average.network.state_dict()[name], first[name]) for name in names)
    change(trained)
    average.update()
    young = 2 / 11
    for name, new in trained.state_dict().items():
        if new.is_floating_point():
            expected = young * first[name] + (1 - young) * new
            torch.testing.assert_close(average.network.state_dict()[name], expected, msg=name)
        else:
            assert torch.equal(average.network.state_dict()[name], new), name


@pytest.mark.parametrize("updates", [0, 1, 3])
def test_a_restored_average_goes_on_as_the_other(updates: int) -> None:
    trained, other = network(), network()
    average, restored = MovingAverage(trained, MEMORY), MovingAverage(other, MEMORY)
    for _ in range(updates):
        change(trained)
        average.update()
    other.load_state_dict(trained.state_dict())
    restored.restore(average.state(), other)
    for each in (trained, other):
        torch.manual_seed(1)
        change(each)
    average.update()
    restored.update()
    ends = [each.network.state_dict() for each in (average, restored)]
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


@pytest.mark.filterwarnings("ignore:.*meta parameter")
@pytest.mark.parametrize("form", Form)
def test_what_is_restored_stays_on_the_device_of_the_network(form: Form) -> None:
    """Brevitas makes tensors anew when a state is loaded: on a GPU a training could not go on."""
    layers = networks.describe("yolov2-nano")
    state = MovingAverage(Network(layers, 2, form), 0.9).state()
    network = Network(layers, 2, form).to("meta")  # a device that every machine has
    average = MovingAverage(network, 0.9)
    network.restore(state["network"])
    average.restore(state, network)
    for each in (network, average.network):
        assert {tensor.device.type for tensor in chain(each.parameters(), each.buffers())} == {"meta"}
