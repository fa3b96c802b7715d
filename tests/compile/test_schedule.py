"""Every filter is computed once, by a PE with an accumulator for it, and spread so that it takes few cycles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from sterna.compile.decide import additions_of_channels
from sterna.compile.lower import Operation, Weights, lower
from sterna.compile.lowered import Lowered
from sterna.compile.schedule import most_rows, spread
from sterna.graph import Concat, Conv, Graph, Input, Output, Requant
from sterna.graph.csd import digits
from sterna.spec import load_config
from sterna.spec.config import EngineConfig
from sterna.spec.tape import Pool
from support.network_graphs import passthrough_graph
from support.random_configs import random_config
from support.random_graphs import random_graph

NO_REQUANT = Requant(np.ones(1, np.int64), np.zeros(1, np.int64), 0, "linear")


@pytest.mark.parametrize("seed", range(25))
def test_every_filter_has_a_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, config = random_graph(rng), random_config(rng)
    for operation in lower(graph).operations:
        plan = spread(config, operation, int(rng.integers(1, 50)))
        members = np.concatenate([chosen.filters.ravel() for chosen in plan.parts])
        assert sorted(members[members >= 0]) == list(range(operation.filters))
        assert config.clusters % plan.tiles_at_once == 0
        for chosen in plan.parts:
            assert chosen.channels <= config.pes * most_rows(config, operation)


def random_operation(rng: np.random.Generator) -> Operation:
    """Filters of random size and density, some with weights of several digits."""
    pool = Pool(int(rng.integers(len(Pool))))
    filters, channels, kernel = (int(2 ** rng.uniform(0, 8)), int(2 ** rng.uniform(0, 5)), int(rng.choice([1, 3])))
    shape = (filters, 1 if pool is Pool.NONE else 4, channels, kernel, kernel)
    # Filters differ, so that the heaviest one may decide.
    density = rng.uniform(0, 1) * rng.uniform(0, 1, (filters, 1, 1, 1, 1)) ** rng.integers(0, 5)
    value = rng.choice([-5, -1, 1, 1], shape) * (rng.random(shape) < density)
    return Operation(("conv",), ("image",), nonzeros(value.astype(np.int8)), filters, pool, 1, 0, NO_REQUANT)


def nonzeros(value: NDArray[np.int8]) -> Weights:
    """The weights [filter, phase, channel, row, col] that are not 0."""
    found, phase, channel, row, col = np.nonzero(value)
    return Weights(
        found.astype(np.int32), phase.astype(np.int8), channel.astype(np.int32), row.astype(np.int16),
        col.astype(np.int16), value[found, phase, channel, row, col],
    )  # fmt: skip


def coarse_cycles(config: EngineConfig, operation: Operation, tiles: int, at_once: int, parts: int) -> float:
    """Cycles of an operation whose filters have equal work, or that of the heaviest: those of issuer, bus and drains
    together, for each part over each group of tiles. Of two that take equally long each waits for the other."""
    weights, phases = operation.weights, 1 if operation.pool is Pool.NONE else 4
    additions, words = [0] * operation.filters, set()
    planes = digits(weights.value)
    for number, value_digits in enumerate(planes.T):
        for plane in np.flatnonzero(value_digits).tolist():
            additions[weights.filter[number]] += 1
            words.add((plane, weights.channel[number] // 4, weights.row[number], weights.col[number]))
    count = max(1, len(words))
    streams = config.pes * config.clusters // at_once
    rows = math.ceil(operation.filters / (parts * streams))
    # The PE with the most filters has an average share of all, or the heaviest filter.
    busy = max(sum(additions) / operation.filters * rows, max(additions))
    # So full are windows with what it adds: it finds an addition in each channel with a chance of d / (d + 0.03).
    density = busy / (rows * phases * count * 4)
    operations = busy / (4 * density / (density + 0.03)) if busy else 0.0
    operations += rows * phases * (len(planes) - 1)
    # A single accumulator takes one in two rounds.
    rounds = np.linalg.norm([count * at_once, operations * (2 if rows * phases == 1 else 1)], 4)
    # Two headers for each 64 fetch words; the memory gives 85 % of the beats.
    streamed = ((rounds * streams * 4 + count * 8) * 8 / config.axi_data_w + 2 * math.ceil(count / 64)) / 0.85
    drained = rows * phases * config.pes * config.clusters / config.drains
    cycles = np.linalg.norm([rounds + rows * phases + 5, streamed, drained], 4)
    return math.ceil(tiles / at_once) * parts * float(cycles)


@pytest.mark.parametrize("seed", range(150))
def test_as_many_tiles_at_once_and_parts_as_take_the_fewest_cycles(seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = random_config(rng).model_copy(update={"clusters": 4})
    operation, tiles = random_operation(rng), int(2 ** rng.uniform(0, 6))
    cycles = {}
    for at_once in (1, 2, 4):
        capacity = config.pes * 4 // at_once * (config.accumulators // (1 if operation.pool is Pool.NONE else 4))
        fewest = math.ceil(operation.filters / capacity)
        for parts in range(fewest, 2 * fewest + 1):
            cycles[at_once, parts] = coarse_cycles(config, operation, tiles, at_once, parts)
    chosen = spread(config, operation, tiles)
    assert (chosen.tiles_at_once, len(chosen.parts)) == min(cycles, key=lambda each: (round(cycles[each], 6), each))


def test_channels_of_a_word_are_read_equally_often_and_rows_alike() -> None:
    """Of a layer whose filters have equal work."""
    config = load_config("nano").model_copy(update={"pes": 8})
    value = np.ones((128, 1, 3, 1, 1), np.int8)
    operation = Operation(("conv",), ("image",), nonzeros(value), 128, Pool.NONE, 1, 0, NO_REQUANT)
    read = np.random.default_rng(1).permutation(128)

    def differences(known: NDArray[np.int64] | None) -> tuple[float, float]:
        """Between channels of a word, and between rows."""
        (part,) = spread(config, operation, 1, known).parts
        words = read[part.filters].reshape(len(part.filters), -1, 2, 4)  # group, row, word, channel
        return float(np.ptp(words, axis=3).mean()), float(np.ptp(words.sum(axis=(0, 2, 3))))

    assert differences(read)[0] < 0.5 * differences(None)[0]
    assert differences(read)[1] < 0.7 * differences(None)[1]


def test_additions_of_a_channel_are_counted_through_views() -> None:
    def pointwise(name: str, source: str, weights: NDArray[np.int8]) -> Conv:
        filters = len(weights)
        requant = Requant(np.ones(filters, np.int64), np.zeros(filters, np.int64), 4, "linear")
        return Conv(name, source, weights[:, :, None, None], 1, (0, 0, 0, 0), requant, 1.0)

    rng = np.random.default_rng(2)
    first, second = rng.integers(-1, 2, (3, 2)).astype(np.int8), rng.integers(-9, 10, (4, 5)).astype(np.int8)
    layers = pointwise("a", "image", first), Concat("both", ("a", "image")), pointwise("b", "both", second)
    lowered = Lowered(Graph((Input("image", 2, 5, 5, 1.0, 0), *layers, Output("out", "b"))), load_config("nano"))
    read = additions_of_channels(lowered)
    digit_counts = np.abs(digits(second)).sum(axis=(0, 1))
    assert read["a"].tolist() == digit_counts[:3].tolist() and not read["b"].any()
    assert read["image"].tolist() == (digit_counts[3:] + np.abs(first).sum(axis=0)).tolist()


def test_additions_of_phases_count_for_their_channel() -> None:
    """The reorg of a passthrough shows four phases of each channel; each operation reads all that it adds."""
    lowered = Lowered(passthrough_graph(np.random.default_rng(3), 8, 12), load_config("nano"))
    assert lowered.program.split
    made = [int(np.abs(digits(each.weights.value)).sum()) for each in lowered.program.operations]
    assert sum(int(each.sum()) for each in additions_of_channels(lowered).values()) == sum(made)
