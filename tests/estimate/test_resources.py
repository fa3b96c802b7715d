"""Shapes of memories and multipliers as blocks of an FPGA."""

from __future__ import annotations

import pytest

from sterna.errors import SternaError
from sterna.estimate.resources import Resources, resources
from sterna.estimate.usage import MemoryShape, MultiplierShape, Usage
from sterna.spec.fpga import load_fpga

EMPTY = {"lut_alms": 0, "adder_bits": 0, "luts": 0, "absorbed_luts": 0, "inputs": 0, "flip_flops": 0}


def of(fpga: str = "gx1150", **fields: object) -> Resources:
    return resources(Usage(**EMPTY | {"bypassed_flip_flops": 0} | fields), load_fpga(fpga))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "width", "clocked", "fpga", "expected"),
    [
        (32, 20, True, "gx1150", Resources(mlabs=1)),
        (8, 21, False, "gx1150", Resources(mlabs=2)),
        (64, 20, False, "gx1150", Resources(mlabs=2, mux_alms=10)),
        (512, 1352, True, "gx1150", Resources(block_rams=34)),
        (3072, 32, True, "gx1150", Resources(block_rams=6, mux_alms=16)),
        (4096, 5, True, "gx1150", Resources(block_rams=1)),
        (512, 40, True, "de10-nano", Resources(block_rams=2)),
        (2048, 32, True, "de10-nano", Resources(block_rams=7)),
    ],
)
def test_memories(words: int, width: int, clocked: bool, fpga: str, expected: Resources) -> None:
    assert of(fpga, memories={MemoryShape(words, width, 1, 1, clocked): 1}) == expected


@pytest.mark.parametrize(
    ("words", "width", "strobes", "fpga", "expected"),
    [
        (3072, 32, 4, "gx1150", Resources(block_rams=6, mux_alms=16)),  # three of 1024 x 20 in a row, two bytes each
        (3584, 32, 4, "gx1150", Resources(block_rams=7, mux_alms=64)),  # of 512 x 40
        (4096, 32, 4, "gx1150", Resources(block_rams=8)),  # a channel in two of 4096 x 5
        (512, 32, 4, "gx1150", Resources(block_rams=1)),
        (512, 44, 4, "gx1150", Resources(block_rams=4)),  # eleven bits are no byte
        (2048, 32, 4, "de10-nano", Resources(block_rams=8)),
        (32, 32, 4, "gx1150", Resources(mlabs=4)),
    ],
)
def test_memories_that_are_written_in_groups(
    words: int, width: int, strobes: int, fpga: str, expected: Resources
) -> None:
    assert of(fpga, memories={MemoryShape(words, width, 1, 1, True, strobes): 1}) == expected


def test_two_write_ports_are_refused() -> None:
    with pytest.raises(SternaError, match="no memory block has so many write ports"):
        of(memories={MemoryShape(64, 8, 1, 2, True): 1})


def test_each_read_port_has_a_copy() -> None:
    assert of(memories={MemoryShape(512, 40, 2, 1, True): 3}).block_rams == 6


@pytest.mark.parametrize(("a", "b", "blocks"), [(18, 19, 0.5), (20, 26, 1), (27, 27, 1), (20, 28, 2), (8, 8, 0.5)])
def test_multipliers(a: int, b: int, blocks: float) -> None:
    assert of(multipliers={MultiplierShape(a, b): 4}).dsps == 4 * blocks


@pytest.mark.parametrize(
    ("fields", "alms"),
    [
        ({"lut_alms": 10, "adder_bits": 5}, 13),
        ({"flip_flops": 9, "bypassed_flip_flops": 9}, 3),
        ({"lut_alms": 4, "flip_flops": 8, "bypassed_flip_flops": 8}, 4),  # beside the LUTs
        ({"lut_alms": 4, "inputs": 30, "flip_flops": 8, "bypassed_flip_flops": 8}, 6),  # two inputs are left
        ({"lut_alms": 4, "flip_flops": 20, "bypassed_flip_flops": 8}, 5),  # four places are left
    ],
)
def test_registers_lie_beside_logic(fields: dict[str, int], alms: int) -> None:
    assert of(**fields).alms == alms
