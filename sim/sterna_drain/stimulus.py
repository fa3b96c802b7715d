"""Random passes for a drain: commands, tables and accumulators."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from sim.sterna_cluster.model import Pe
from sim.sterna_drain.model import PHASES
from sim.support.streams import Field

from sterna.generate.spec.systemverilog import PASS
from sterna.graph.layers import MAX_SHIFT
from sterna.spec.tape import Pool

#: Fields in which, beside `write`, the clusters of a drain and the passes of a step differ.
ADDRESSES = ("address", "keep_address")


@dataclass(frozen=True)
class Shape:
    """The parameters of a drain."""

    lanes: int
    clusters: int
    pes: int
    accumulators: int
    act_w: int
    acc_w: int
    mul_w: int
    address_w: int


def shape_of(dut: Any) -> Shape:
    """The parameters of a drain or its reader, which has no lanes and no widths."""
    names = ("Lanes", "Clusters", "Pes", "Accumulators", "ActW", "AccW", "MulW", "FmAddrW")
    return Shape(*(int(getattr(dut, name).value) if hasattr(dut, name) else 8 for name in names))


def pass_fields(dut: Any, clusters: int) -> dict[str, Field]:
    """The fields of the port `pass_i`, a name and the cluster's number each."""
    fields = {}
    for cluster in range(clusters):
        for field, position in PASS.places():
            fields[f"{field.name}{cluster}"] = Field(dut.pass_i, cluster * PASS.bits + position, field.bits)
    return fields


def joined(commands: list[dict[str, int]]) -> dict[str, int]:
    """The commands of all clusters as values of `pass_fields`."""
    return {f"{name}{cluster}": value for cluster, command in enumerate(commands) for name, value in command.items()}


def random_commands(shape: Shape, table_half: int, **fixed: int) -> list[dict[str, int]]:
    """Fields of a `pass_t` for each cluster, those in `fixed` as given."""
    pool = fixed.get("pool", random.choice(list(Pool)))
    most = shape.pes * shape.accumulators // (PHASES if pool else 1)
    common = {
        "table_half": table_half,
        "pool": int(pool),
        "activation": random.randrange(3),
        "shift": random.choice([0, 1, 2, random.randint(3, MAX_SHIFT)]),
        "filters": random.choice([1, most, random.randint(1, most)]),
        "plane": random.getrandbits(shape.address_w),
    }
    return moved(shape, [common] * shape.clusters, **fixed)


def moved(shape: Shape, commands: list[dict[str, int]], **fixed: int) -> list[dict[str, int]]:
    """The commands of another pass of the same step, those fields in `fixed` as given."""
    return [
        command | {"write": int(random.random() < 0.85)}
        | {name: random.getrandbits(shape.address_w) for name in ADDRESSES} | fixed
        for command in commands
    ]  # fmt: skip


def random_general(dut: Any) -> dict[str, int]:
    """Fields of `general_t`; those of an engine without them give what it does."""
    act_w = int(dut.ActW.value)
    low, high = -(1 << act_w - 1), (1 << act_w - 1) - 1
    if not int(dut.GeneralRequant.value):
        return {"low": low, "high": high, "half_even": 0}
    own = sorted(random.sample(range(low, high + 1), 2))
    low, high = random.choice([(low, high), own])
    return {"low": low, "high": high, "half_even": random.randrange(2)}


def random_table(shape: Shape, command: dict[str, int]) -> list[int]:
    """Table entries for the channels of `command`: results inside and outside the range of an activation."""
    return [_table_entry(shape, command["shift"]) for _ in range(command["filters"])]


def random_pes(shape: Shape) -> list[Pe]:
    """The PEs of a cluster with random accumulators, some untouched."""
    limit = 1 << shape.acc_w - 1
    pes = []
    for _ in range(shape.pes):
        pe = Pe(shape.lanes, shape.acc_w)
        for acc_index in random.sample(range(shape.accumulators), random.randint(0, shape.accumulators)):
            values = [random.choice([-limit, limit - 1, random.randrange(-limit, limit)]) for _ in range(shape.lanes)]
            pe.sums[acc_index] = np.array(values, np.int64)
        pes.append(pe)
    return pes


def _table_entry(shape: Shape, shift: int) -> int:
    """A multiplier and a bias that give results inside and outside the range of an activation."""
    multiplier = random.choice([0, 1, (1 << shape.mul_w) - 1, random.getrandbits(shape.mul_w)])
    if shift and random.random() < 0.2:  # multiples of a half, so that there are ties
        half = min(shift - 1, shape.mul_w - 1)
        return random.randrange(1 << 8) << half + 18 | 1 << half
    bits = random.choice([1, 45, min(45, shift + shape.act_w), random.randint(1, 45)])
    bias = random.randrange(-(1 << bits), 1 << bits)
    return (bias & (1 << 46) - 1) << 18 | multiplier
