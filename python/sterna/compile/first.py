"""The first layer in LOAD: whether an engine can compute the first operation while it loads the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.compile.lower import PHASES, Operation
from sterna.compile.lowered import Lowered
from sterna.package.plan import Part, Spread
from sterna.spec.tape import FIRST_CHANNELS, FIRST_FILTERS, FIRST_KERNEL, FIRST_WIDTH, Pool


def fits_load(lowered: Lowered) -> bool:
    """Whether LOAD can compute the first operation, and nothing else needs the image."""
    if not lowered.config.first_layer or not lowered.program.operations:
        return False
    operation, *others = lowered.program.operations
    image = lowered.graph.input
    step = 2 if operation.pool is Pool.MAX else 1
    fits = (
        operation.pool in (Pool.NONE, Pool.MAX)
        and operation.sources == (image.name,)
        and operation.outputs == (operation.output,)
        and operation.gather_stride == step
        and lowered.size(operation.output) == (image.height // step, image.width // step)
        and operation.filters <= FIRST_FILTERS
        and image.channels == FIRST_CHANNELS
        and image.width <= FIRST_WIDTH
        and has_window(operation)
    )
    shown = [lowered.program.sources(layer.input) for layer in lowered.graph.outputs]
    read = [lowered.computed_sources(other) for other in others]
    return fits and not any(image.name in names for names in (*shown, *read))


def load_cycles(lowered: Lowered) -> int:
    """Cycles of a LOAD that computes the first operation: two pixels of the image in each, or one without pooling."""
    image = lowered.graph.input
    columns = -(-image.height // 2) * (image.width + 2)
    return columns if lowered.program.operations[0].pool is Pool.MAX else 2 * columns


def has_window(operation: Operation) -> bool:
    """Whether every phase of the operation has the same weights, those of a kernel around its pixel."""
    weights = operation.weights
    phases = PHASES if operation.pool is Pool.MAX else PHASES[:1]
    start = np.array(PHASES)[weights.phase] - FIRST_KERNEL // 2
    row, col = weights.row - start[:, 0], weights.col - start[:, 1]
    if (np.minimum(row, col) < 0).any() or (np.maximum(row, col) >= FIRST_KERNEL).any():
        return False
    dense: NDArray[np.int8] = np.zeros(
        (len(phases), operation.filters, FIRST_CHANNELS, FIRST_KERNEL, FIRST_KERNEL), np.int8
    )
    dense[weights.phase, weights.filter, weights.channel, row, col] = weights.value
    return bool((dense == dense[0]).all())


def spread_in_load(lowered: Lowered) -> Spread:
    """The spread of the first operation: one part, with the filters in order."""
    filters = np.arange(lowered.program.operations[0].filters, dtype=np.int64)
    return Spread(lowered.config.clusters, (Part(filters[np.newaxis]),))
