"""Bench of sterna_step_checker: random steps, right ones and others, against the rules for them."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from sim.support.words import step_word

from sterna.spec.registers import ErrorCode
from sterna.spec.tape import ALIGN, BESIDE_LOADS, MOST_BESIDE_STORES, Op

PARAMETERS = [
    {"Clusters": 2, "FirstLayer": 1},
    {"Clusters": 4, "TableEntries": 16, "InputTable": 1},
    {"Clusters": 1, "InputTable": 1, "FirstLayer": 1},
]
#: Bytes of the REQUANT payload of a step that carries no WEIGHTS.
PAYLOADS = {Op.TABLE: 2048, Op.FIRST: 1280}
#: What may go on beside a step.
BESIDE = {
    Op.STORE: [0],
    Op.LOAD: [*range(MOST_BESIDE_STORES + 1)],
    Op.CONV: [stores | loads for stores in range(MOST_BESIDE_STORES + 1) for loads in (0, BESIDE_LOADS)],
}
LENGTHS = [0, 1, 32, ALIGN // 2, ALIGN - 1, ALIGN + 1, (1 << 32) - ALIGN]
FIELDS = ("op", "fm_words", "tiles_at_once", "tile_groups", "filters", "requant_bytes", "weights_bytes", "beside")


def table_bytes(step: dict[str, int], clusters: int) -> int:
    """Bytes of the REQUANT payload of a legal CONV step."""
    return -(-8 * step["filters"] * clusters // step["tiles_at_once"] // ALIGN) * ALIGN


def random_step(clusters: int, entries: int) -> dict[str, int]:
    """A step with nothing wrong; TABLE and FIRST, if the engine has what they fill."""
    step = dict.fromkeys(FIELDS, 0)
    if random.random() < 0.2:
        op = random.choice([*PAYLOADS])
        return step | {"op": op, "requant_bytes": PAYLOADS[op]}
    if random.random() < 0.2:
        op = random.choice([Op.LOAD, Op.STORE])
        return step | {"op": op, "fm_words": random.randint(1, (1 << 24) - 1), "beside": random.choice(BESIDE[op])}
    step |= {
        "op": Op.CONV,
        "beside": random.choice(BESIDE[Op.CONV]),
        "tiles_at_once": random.choice([1 << i for i in range(clusters.bit_length())]),
        "tile_groups": random.choice([1, 1, 2, random.getrandbits(32) | 1]),
        "filters": random.randint(1, entries),
        "weights_bytes": random.randint(1, 999) * ALIGN,
    }
    return step | {"requant_bytes": table_bytes(step, clusters)}


def spoilt(step: dict[str, int], clusters: int, entries: int) -> dict[str, int]:
    """`step` with one field changed, most often to what is not legal."""
    wrong: dict[str, list[int]] = {
        "op": [0, Op.LOAD, Op.STORE, *PAYLOADS, 6, 255],
        "fm_words": [0],
        "tiles_at_once": [0, 3, 2 * clusters, 128],
        "tile_groups": [0],
        "filters": [0, entries, entries + 1, (1 << 16) - 1],
        "requant_bytes": [*LENGTHS, *PAYLOADS.values(), step["requant_bytes"] + ALIGN],
        "weights_bytes": LENGTHS,
        "beside": [0, 1, 2, 3, 4, 6, 7, 8, 128],
    }
    name = random.choice(list(wrong))
    return step | {name: random.choice(wrong[name])}


def fault_of(
    step: dict[str, int], place: int, lines: int, clusters: int, entries: int, filled: set[int]
) -> ErrorCode:
    """What is wrong with the step, whose payloads begin after `place` of `lines` lines; `filled`: ops of tables."""
    if step["beside"] not in BESIDE.get(step["op"], [0]):
        return ErrorCode.BAD_STEP
    if step["op"] in filled:
        right = step["requant_bytes"] == PAYLOADS[Op(step["op"])] and end_of(step, place) <= lines
        return ErrorCode.NONE if right else ErrorCode.BAD_LENGTH
    if step["op"] in (Op.LOAD, Op.STORE):
        return ErrorCode.NONE if step["fm_words"] else ErrorCode.BAD_STEP
    tiles = step["tiles_at_once"] in [1 << i for i in range(clusters.bit_length())]
    if step["op"] != Op.CONV or not tiles or not step["tile_groups"] or not 0 < step["filters"] <= entries:
        return ErrorCode.BAD_STEP
    weights = step["weights_bytes"]
    right = step["requant_bytes"] == table_bytes(step, clusters) and weights and weights % ALIGN == 0
    return ErrorCode.NONE if right and end_of(step, place) <= lines else ErrorCode.BAD_LENGTH


def end_of(step: dict[str, int], place: int) -> int:
    """Lines before the end of both segments, each with a header; a step without WEIGHTS has one."""
    if step["op"] in PAYLOADS:
        return place + step["requant_bytes"] // ALIGN + 1
    return place + step["requant_bytes"] // ALIGN + step["weights_bytes"] // ALIGN + 2


@cocotb.test()
async def finds_what_is_wrong(dut: Any) -> None:
    clusters, entries = int(dut.Clusters.value), int(dut.TableEntries.value)
    line_bits = len(dut.place_i)
    has = {Op.TABLE: int(dut.InputTable.value), Op.FIRST: int(dut.FirstLayer.value)}
    filled: set[int] = {op for op in has if has[op]}
    Clock(dut.clk_i, 10, unit="ns").start()
    await FallingEdge(dut.clk_i)
    found = set()
    for number in range(1500):
        step = random_step(clusters, entries)
        if number % 3:
            step = spoilt(step, clusters, entries)
        place = random.randint(1, 1 << 20)
        is_conv, is_table = step["op"] == Op.CONV, step["op"] in filled
        end = end_of(step, place)
        lines = min(max(end + random.choice([-1, 0, 1, 1000]), 1), (1 << line_bits) - 1)
        dut.step_i.value, dut.place_i.value = step_word(**step), random.getrandbits(line_bits)
        dut.tape_lines_i.value = lines
        await FallingEdge(dut.clk_i)
        dut.place_i.value = place
        assert int(dut.is_conv_o.value) == is_conv
        assert int(dut.is_table_o.value) == is_table
        assert int(dut.one_group_o.value) == (step["tile_groups"] == 1)
        await FallingEdge(dut.clk_i)
        assert not (is_conv or is_table) or int(dut.end_o.value) == end
        await FallingEdge(dut.clk_i)
        fault = fault_of(step, place, lines, clusters, entries, filled)
        assert int(dut.fault_o.value) == fault, (step, place, lines)
        found.add((is_conv, is_table, fault))
    assert len(found) == 8
