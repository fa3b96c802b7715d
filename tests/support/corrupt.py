"""Packages as they must not be: bytes changed anywhere, or parts that contradict each other under right checksums."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sterna.compile import compile_graph
from sterna.package import file as package_file
from sterna.spec.package import OPTIONAL
from support import containers
from support.containers import Raw
from support.packages import small_package
from support.random_configs import random_config
from support.random_graphs import random_graph

_Change = Callable[[bytearray, random.Random], bytes]


def whole(number: int) -> bytes:
    """A good package, another one for each of 0 .. 7."""
    if not number:
        return package_file.to_bytes(small_package())
    rng = np.random.default_rng(number)
    graph = random_graph(rng)
    config = random_config(rng).model_copy(update={"input_table": graph.input.table is not None})
    return package_file.to_bytes(compile_graph(graph, config, cycles=bool(number % 2)))


def _span(data: bytes | bytearray, rng: random.Random) -> slice:
    start = rng.randrange(len(data))
    return slice(start, min(len(data), start + rng.choice([1, 4, 40, 400])))


def _flipped(data: bytearray, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _overwritten(data: bytearray, rng: random.Random) -> bytes:
    span = _span(data, rng)
    data[span] = rng.randbytes(span.stop - span.start)
    return data


def _filled(data: bytearray, rng: random.Random) -> bytes:
    span = _span(data, rng)
    data[span] = bytes([rng.choice([0, 255])]) * (span.stop - span.start)
    return data


def _cut(data: bytearray, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _longer(data: bytearray, rng: random.Random) -> bytes:
    return data + rng.randbytes(rng.randint(1, 100))


def _removed(data: bytearray, rng: random.Random) -> bytes:
    del data[_span(data, rng)]
    return data


def _inserted(data: bytearray, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    data[at:at] = rng.randbytes(rng.randint(1, 40))
    return data


def _moved(data: bytearray, rng: random.Random) -> bytes:
    moved = data[(span := _span(data, rng))]
    del data[span]
    at = rng.randrange(len(data) + 1)
    data[at:at] = moved
    return data


_DAMAGES: tuple[_Change, ...] = (_flipped, _overwritten, _filled, _cut, _longer, _removed, _inserted, _moved)


def damaged(data: bytes, seed: int) -> bytes:
    """`data` with bytes changed, whose checksums no longer fit."""
    rng = random.Random(seed)
    while True:
        made = bytes(_DAMAGES[seed % len(_DAMAGES)](bytearray(data), rng))
        if made != data:
            return made


def _lacking(sections: list[Raw], rng: random.Random) -> bytes:
    needed = [each for each in sections if each.name not in {section.text for section in OPTIONAL}]
    sections.remove(rng.choice(needed))
    return containers.joined(sections)


def _twice(sections: list[Raw], rng: random.Random) -> bytes:
    return containers.joined([*sections, rng.choice(sections)])


def _resized(sections: list[Raw], rng: random.Random) -> bytes:
    at = rng.choice([at for at, each in enumerate(sections) if _is_graph(each)])
    more = rng.choice([1, 7, 1 << 16, 1 << 24, 1 << 40, -1 if sections[at].size else 1])
    sections[at] = replace(sections[at], size=sections[at].size + more)
    return containers.joined(sections)


def _ending_early(sections: list[Raw], rng: random.Random) -> bytes:
    at = rng.choice([at for at, each in enumerate(sections) if _is_graph(each)])
    sections[at] = replace(sections[at], packed=sections[at].packed[: rng.randrange(len(sections[at].packed))])
    return containers.joined(sections)


def _going_on(sections: list[Raw], rng: random.Random) -> bytes:
    at = rng.choice([at for at, each in enumerate(sections) if _is_graph(each)])
    sections[at] = replace(sections[at], packed=sections[at].packed + rng.randbytes(rng.randint(1, 9)))
    return containers.joined(sections)


def _shorter(sections: list[Raw], rng: random.Random) -> bytes:
    # Gaps may end earlier: the weights after them are 0.
    at = rng.choice(
        [at for at, each in enumerate(sections) if _is_graph(each) and each.size and each.name != containers.GAPS]
    )
    sections[at] = Raw.of(sections[at].name, sections[at].payload[: rng.randrange(sections[at].size)])
    return containers.joined(sections)


def _later(sections: list[Raw], rng: random.Random) -> bytes:
    sections.insert(rng.randrange(len(sections) + 1), Raw.of("later", rng.randbytes(20)))
    return containers.joined(sections)


def _of_another_format(sections: list[Raw], rng: random.Random) -> bytes:
    return containers.joined(sections, format=rng.choice([0, 1, 3, 5, 1 << 31]))


def _is_graph(section: Raw) -> bool:
    """Whether both readers unpack it: libsterna reads the graph alone."""
    return section.name in (containers.GRAPH, containers.GAPS, containers.SIGNS, containers.INTEGERS)


_CONTRADICTIONS: tuple[Callable[[list[Raw], random.Random], bytes], ...] = (
    _lacking, _twice, _resized, _ending_early, _going_on, _shorter, _later, _of_another_format
)  # fmt: skip


def contradictory(data: bytes, seed: int) -> bytes:
    """`data` with parts that cannot be, and checksums that fit."""
    rng = random.Random(seed)
    return _CONTRADICTIONS[seed % len(_CONTRADICTIONS)](containers.parted(data), rng)
