from __future__ import annotations

import numpy as np
import pytest
import torch

from sterna.train.model.as_darknet import darknet_reorg
from sterna.train.model.network import space_to_depth


def reorg_as_written(x: np.ndarray) -> np.ndarray:
    """`reorg_cpu` in darknet's blas.c with stride 2, pixel by pixel."""
    c, h, w = x.shape
    flat, out = x.reshape(-1), np.empty(x.size, x.dtype)
    for k, j, i in np.ndindex(c, h, w):
        offset, c2 = divmod(k, c // 4)
        h2, w2 = 2 * j + offset // 2, 2 * i + offset % 2
        out[i + w * (j + h * k)] = flat[w2 + 2 * w * (h2 + 2 * h * c2)]
    return out.reshape(4 * c, h // 2, w // 2)


def numbered(c: int, h: int, w: int) -> torch.Tensor:
    return torch.arange(c * h * w).reshape(1, c, h, w)


@pytest.mark.parametrize(("c", "h", "w"), [(4, 4, 6), (8, 26, 26), (12, 6, 4), (4, 2, 2)])
def test_reorg_is_that_of_darknet(c: int, h: int, w: int) -> None:
    x = numbered(c, h, w)
    np.testing.assert_array_equal(darknet_reorg(x)[0].numpy(), reorg_as_written(x[0].numpy()))


def test_reorg_of_fours_of_rows_is_space_to_depth_of_swapped_rows() -> None:
    x = numbered(8, 20, 6)
    swapped = x.reshape(1, 8, 5, 4, 6)[:, :, :, [0, 2, 1, 3]].reshape(x.shape)
    assert torch.equal(darknet_reorg(x), space_to_depth(swapped))
    assert not torch.equal(darknet_reorg(x), space_to_depth(x))


@pytest.mark.parametrize("h", [26, 38, 20, 10])
def test_true_space_to_depth_with_the_same_channels_is_as_near_as_can_be(h: int) -> None:
    x = numbered(4, h, h)
    theirs, ours = darknet_reorg(x)[0], space_to_depth(x)[0]

    def place(pixels: torch.Tensor) -> torch.Tensor:
        """Channel, row and column of the pixels of x."""
        return torch.stack([pixels // h**2, pixels // h % h, pixels % h])

    channels, rows, columns = (place(theirs) - place(ours)).abs()
    assert (theirs == ours).float().mean() == 0.5
    assert not columns.any()
    assert rows[channels == 0].max() == 1
    assert (channels > 0).float().mean() == pytest.approx(1 / h if h % 4 else 0)
    # No other of our channels has more pixels in common with one of theirs.
    common = (theirs[:, None] == ours[None]).flatten(2).sum(2)
    assert torch.equal(common.argmax(1), torch.arange(16))
