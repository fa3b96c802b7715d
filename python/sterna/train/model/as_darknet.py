"""An imported float network computed as darknet does, to judge an import and to measure what it changes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sterna.graph.layers import Layer, Reorg
from sterna.graph.network import GREY, IMAGE, Conv
from sterna.train.model.network import ConvBlock, Network, _Pass, space_to_depth

BLACK = (0 - GREY) / GREY  # as Sterna's float networks see it


class DarknetNetwork(Network):
    """`Network` in float form, but with darknet's reorg, and with black around the image.

    straight: the reorgs that are a true space-to-depth in darknet as well.
    """

    straight: frozenset[str] = frozenset()

    def _output(self, layer: Layer, state: _Pass) -> Tensor:
        match layer:
            case Reorg() if layer.name not in self.straight:
                return darknet_reorg(state.values[layer.input])
            case Conv(kernel=kernel) if layer.input == IMAGE and kernel > 1:
                block = self.blocks[layer.name]
                assert isinstance(block, ConvBlock)
                framed = functional.pad(state.values[IMAGE], (kernel // 2,) * 4, value=BLACK)
                conv = block.conv
                sums = functional.conv2d(framed, conv.weight, None, conv.stride, 0, 1, conv.groups)
                return functional.leaky_relu(block.norm(sums), block.slope)
            case _:
                return super()._output(layer, state)


def as_darknet(network: Network, straight: frozenset[str] = frozenset()) -> DarknetNetwork:
    """`network`, a float network with darknet's weights, as darknet computes it; both have the same parameters.

    straight: the layers of the cfg file that are [reorg3d], as `Yolo2` has them.
    """
    with torch.device("meta"):  # the parameters come from `network`
        made = DarknetNetwork(network.description, network.classes, network.form).eval()
    made.load_state_dict(network.state_dict(), assign=True)
    made.straight = straight
    return made


def darknet_reorg(x: Tensor) -> Tensor:
    """What darknet's [reorg] of stride 2 does with x [N, C, H, W]: [N, 4 * C, H / 2, W / 2], C a multiple of 4.

    Source: `reorg_cpu` in `blas.c`. It takes the values in memory for a map of C/4 channels and twice the height and
    width, does a true space-to-depth on that, and takes the result for one of 4*C channels. So a row of that map is
    two rows of x. Where H is a multiple of 4, the outcome is a true space-to-depth of x with the rows of each group of
    four in the order 0, 2, 1, 3. Otherwise 1 / H of the values come from the channel before or after as well. In both
    cases half of the values are where a true space-to-depth puts them, and the others one row away.
    """
    n, c, h, w = x.shape
    return space_to_depth(x.reshape(n, c // 4, 2 * h, 2 * w)).reshape(n, 4 * c, h // 2, w // 2)
