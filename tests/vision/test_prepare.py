"""Images become the graph's input exactly."""

from __future__ import annotations

import numpy as np

from sterna.vision.prepare import to_integers


def test_every_value_of_a_pixel_becomes_that_less_128() -> None:
    image = np.arange(256 * 3).reshape(16, 16, 3).astype(np.uint8)
    integers = to_integers(image)
    assert integers.dtype == np.int8 and integers.shape == (3, 16, 16)
    assert (integers.transpose(1, 2, 0).astype(int) == image.astype(int) - 128).all()
