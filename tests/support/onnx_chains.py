"""Random models of one convolution and a chain of elementwise operators, and images that reach every accumulator."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto

from support.onnx_builder import QONNX, ModelBuilder


class ChainModel:
    """Filters of one sign each over the channels of an image, then elementwise operators and a quantiser.

    The image's pixels have every sum of channels that there is, so they reach every accumulator of every filter.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.filters, self.channels = int(rng.integers(1, 5)), int(rng.integers(1, 9))
        self._builder = ModelBuilder((self.channels, 1, 255 * self.channels + 1), annotation="INT8")
        self.add = self._builder.add
        signs = rng.choice([-1.0, 1.0], (self.filters, 1, 1, 1)).astype(np.float32)
        self.add("Conv", np.tile(signs, (1, self.channels, 1, 1)), kernel_shape=[1, 1])
        #: About how large values are.
        self._size = 64.0 * self.channels
        for _ in range(int(rng.integers(0, 5))):
            getattr(self, f"_{rng.choice(_OPERATORS)}")()
        getattr(self, f"_{rng.choice(_ENDS)}")()

    def image(self) -> np.ndarray:
        """int8 [C, 1, W]."""
        sums = np.arange(255 * self.channels + 1)
        steps = [np.clip(sums - 255 * channel, 0, 255) - 128 for channel in range(self.channels)]
        return np.array(steps, np.int8)[:, np.newaxis]

    def model(self) -> ModelProto:
        """As an ONNX model."""
        return self._builder.model()

    def _factors(self, least: float = 0.3, most: float = 3.0) -> np.ndarray:
        """By channel or one for all, at times a power of two, at times of either sign."""
        rng = self._rng
        shape = (1, self.filters, 1, 1) if rng.random() < 0.6 else ()
        values = rng.uniform(least, most, shape)
        if rng.random() < 0.3:
            values = 2.0 ** np.round(np.log2(values))
        signs = rng.choice([-1, 1], shape) if rng.random() < 0.3 else 1
        return (values * signs).astype(np.float32)

    def _mul(self) -> None:
        self.add("Mul", self._factors())

    def _div(self) -> None:
        self.add("Div", self._factors())

    def _term(self) -> None:
        self.add(str(self._rng.choice(["Add", "Sub"])), self._size * self._factors() - np.float32(self._size))

    def _normalise(self) -> None:
        rng, filters, size = self._rng, self.filters, self._size
        numbers = [
            rng.normal(1, 1, filters), rng.normal(0, 1, filters), rng.normal(0, size / 4, filters),
            (size * rng.uniform(0.1, 2, filters)) ** 2,
        ]  # fmt: skip
        self.add("BatchNormalization", *(each.astype(np.float32) for each in numbers), epsilon=1e-4)
        self._size = 2.0

    def _relu(self) -> None:
        self.add("Relu")

    def _leaky(self) -> None:
        self.add("LeakyRelu", alpha=float(self._rng.choice([0.125, 0.125, 0.1])))

    def _clip(self) -> None:
        ends = np.sort(self._rng.uniform(-1, 1, 2)).astype(np.float32) * np.float32(self._size)
        self.add("Clip", *ends)

    def _quant(self) -> None:
        rng = self._rng
        bits = int(rng.integers(1, 9))
        scale = np.float32(self._size / 2 ** max(1, bits - 1) * rng.uniform(0.3, 2))
        if rng.random() < 0.5:
            scale = np.float32(2.0 ** np.round(np.log2(scale)))
        zero = np.float32(rng.integers(-3, 4) if rng.random() < 0.3 else 0)
        self.add(
            "Quant", scale, zero, np.float32(bits), domain=QONNX, signed=int(rng.integers(2)),
            narrow=int(rng.integers(2)), rounding_mode=str(rng.choice(_ROUNDING)),
        )  # fmt: skip

    def _bipolar(self) -> None:
        self.add("BipolarQuant", np.float32(self._rng.uniform(0.1, 2)), domain=QONNX)

    def _thresholds(self) -> None:
        rng = self._rng
        rows, steps = (1 if rng.random() < 0.3 else self.filters), int(rng.integers(1, 16))
        spacing = self._size / 8 * rng.uniform(0.2, 1, (rows, 1))
        values = spacing * np.arange(steps) + rng.uniform(-1, 0.5, (rows, 1)) * self._size
        if rng.random() < 0.2:
            values += rng.normal(0, spacing / 4, values.shape)
        self.add(
            "MultiThreshold", np.sort(values, axis=1).astype(np.float32), domain=QONNX, out_dtype="INT8",
            out_scale=float(rng.choice([1.0, 0.5])), out_bias=float(rng.choice([0.0, -2.0])), data_layout="NCHW",
        )  # fmt: skip


_ROUNDING = ("ROUND", "ROUND", "FLOOR", "CEIL", "HALF_UP", "HALF_DOWN", "UP", "DOWN")
_OPERATORS = ("mul", "div", "term", "normalise", "normalise", "relu", "leaky", "clip", "quant")
_ENDS = ("quant", "quant", "quant", "bipolar", "thresholds")
