"""Small files that would unpack to far more than any network, or take long to be refused.

Each is written by hand, record by record, so that its directory can claim what is not so.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from sterna.compile import compile_graph
from sterna.graph import Conv, Graph, Input, Output, Requant
from sterna.graph import file as graph_file
from sterna.package import file as package_file
from sterna.spec.config import load_config
from sterna.spec.package import MOST_UNPACKED
from support import containers

OLDER = Path(__file__).parents[1] / "package" / "format-3.sterna"
"""`support.packages.small_package()` in the format before."""
MEGABYTE, GIGABYTE = 1 << 20, 1 << 30
_LOCAL, _ENTRY, _END = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s4H2IH")


@dataclass(frozen=True)
class Member:
    """A member as the directory claims it. data: raw deflate. at: the member whose data it shares, by number."""

    name: str
    data: bytes
    claimed: int
    at: int | None = None


def zeros(size: int) -> bytes:
    """`size` bytes of zero as raw deflate; a thousandth of it."""
    return _repeated(bytes(MEGABYTE), size // MEGABYTE)


def _repeated(block: bytes, times: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return packed * times + zlib.compressobj(9, zlib.DEFLATED, -15).flush()


def forged(members: Iterable[Member], *, count: int | None = None) -> bytes:
    """An archive of `members`; count: how many its end claims."""
    body, directory, places = b"", [], []
    for member in members:
        name = member.name.encode()
        if member.at is None:
            places.append(len(body))
            head = (20, 0, zipfile.ZIP_DEFLATED, 0, 33, 0, len(member.data), member.claimed, len(name), 0)
            body += _LOCAL.pack(b"PK\3\4", *head) + name + member.data
        else:
            places.append(places[member.at])
        entry = (20, 20, 0, zipfile.ZIP_DEFLATED, 0, 33, 0, len(member.data), member.claimed, len(name), 0, 0, 0, 0, 0)
        directory.append(_ENTRY.pack(b"PK\1\2", *entry, places[-1]) + name)
    records = b"".join(directory)
    number = min(len(directory), 0xFFFF) if count is None else count
    return body + records + _END.pack(b"PK\5\6", 0, 0, number, number, len(records), len(body), 0)


def packed(members: Mapping[str, bytes]) -> bytes:
    """An honest archive."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def _opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _graph() -> Graph:
    requant = Requant(np.full(2, 900), np.zeros(2, np.int64), 13, "leaky")
    conv = Conv("conv", "image", np.ones((2, 3, 1, 1), np.int8), 1, (0, 0, 0, 0), requant, 0.1)
    return Graph((Input("image", 3, 8, 8, 1 / 128, 0), conv, Output("out", "conv")))


def _header(descr: str, shape: str, version: bytes = b"\1\0") -> bytes:
    """The beginning of an .npy file."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}".encode()
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text


def _large_array(size: int) -> bytes:
    return _header("|i1", f"({size}, 1, 1, 1)") + bytes(size)


def _shared_names(name: str, size: int, members: int, claimed: int) -> list[Member]:
    """Many members that all are the same bytes."""
    data = zeros(size)
    return [Member(name.format(n), data, claimed, at=0 if n else None) for n in range(members)]


def graphs() -> dict[str, Callable[[], bytes]]:
    """Bombs in place of a graph file."""
    whole = _opened(graph_file.to_bytes(_graph()))
    index = json.loads(whole[graph_file.INDEX])
    at_most = graph_file.LIMITS.each

    def with_index(text: str) -> bytes:
        return packed(whole | {graph_file.INDEX: text.encode()})

    def with_value(**change: object) -> bytes:
        return with_index(json.dumps(index | change))

    def with_array(content: bytes) -> bytes:
        return packed(whole | {"1.weights.npy": content})

    def of_layers(count: int) -> bytes:
        pools = [
            {"kind": "maxpool", "name": f"p{n}", "input": f"p{n - 1}" if n else "image", "stride": 1,
             "padding": [0, 0, 1, 1]}
            for n in range(count)
        ]
        return with_value(layers=[index["layers"][0], *pools])

    def largest() -> bytes:
        names = [f"{n}.npy" for n in range(graph_file.LIMITS.total // at_most)]
        arrays = {name: _large_array(at_most - 4096) for name in names}
        layers = [
            index["layers"][1] | {"name": name, "weights": {"array": name}, "requant": 3, "input": "image"}
            for name in names
        ]
        text = json.dumps(index | {"layers": [index["layers"][0], *layers]})
        return packed({graph_file.INDEX: text.encode(), **arrays})

    return {
        "a gigabyte of zeros": lambda: forged([Member("graph.json", zeros(GIGABYTE), GIGABYTE)]),
        "a gigabyte that claims ten bytes": lambda: forged([Member("graph.json", zeros(GIGABYTE), 10)]),
        "a gigabyte that claims the limit": lambda: forged([Member("0.npy", zeros(GIGABYTE), at_most)]),
        "ten bytes that claim the limit": lambda: forged([Member("graph.json", zeros(0), MEGABYTE)]),
        "members that overlap": lambda: forged(_shared_names("{}.npy", 32 * MEGABYTE, 4000, at_most)),
        "many members": lambda: forged(_shared_names("{}", 0, 70_000, 0)),
        "many members that claim to be three": lambda: forged(_shared_names("{}", 0, 70_000, 0), count=3),
        "one name for all members": lambda: forged(_shared_names("graph.json", 0, 1000, 0)),
        "a long JSON text": lambda: forged([Member("graph.json", _repeated(b"[{}," * 2**18, 900), 900 * MEGABYTE)]),
        "many small JSON values": lambda: with_index("[" + "{}," * 340_000 + "{}]"),
        "many small JSON values as metadata": lambda: with_value(metadata=[[]] * 250_000),
        "JSON a million deep": lambda: with_index("[" * (MEGABYTE - 1)),
        "an integer of a million digits": lambda: with_index('{"format": ' + "9" * (MEGABYTE - 20) + "}"),
        "an integer of 4,000 digits": lambda: with_value(act_bits=10**4000),
        "an array of a huge shape": lambda: with_array(_header("|i1", f"({2**40},)")),
        "an array of a shape beyond 64 bits": lambda: with_array(_header("|i1", f"({2**40}, {2**40})")),
        "an array of many dimensions": lambda: with_array(_header("|i1", f"({'1, ' * 2000})")),
        "an array of values without bytes": lambda: with_array(_header("|V0", f"({2**60},)")),
        "an array of huge values": lambda: with_array(_header(f"|V{2**31 - 1}", f"({2**20},)")),
        "an array of a long header": lambda: with_array(_header("|i1", f"({'(' * 20000}")),
        "a long name of a layer": lambda: with_index(json.dumps(index).replace('"image"', f'"{"x" * 400_000}"')),
        "a long name of a kind": lambda: with_index(json.dumps(index).replace('"output"', f'"{"x" * 900_000}"')),
        "a long name of a key": lambda: with_value(**{"x" * 900_000: 1}),
        "many layers": lambda: of_layers(10_000),
        "the largest that is allowed": largest,
    }


def older_packages() -> dict[str, Callable[[], bytes]]:
    """Bombs in place of a package of the format before: those of graphs inside it, and its own."""
    whole = _opened(OLDER.read_bytes())
    about = json.loads(whole["package.json"])

    def inside(bomb: Callable[[], bytes]) -> Callable[[], bytes]:
        return lambda: packed(whole | {"graph.bin": bomb()})

    def described(text: str) -> bytes:
        return packed(whole | {"package.json": text.encode()})

    nested = {f"{name}, inside": inside(bomb) for name, bomb in graphs().items()}
    return nested | {
        "a tape of a gigabyte": lambda: forged([
            Member(name, zlib.compress(data, wbits=-15), len(data)) if name != "tape.bin"
            else Member(name, zeros(GIGABYTE), GIGABYTE) for name, data in whole.items()
        ]),
        "a package in a package": lambda: packed(whole | {"graph.bin": packed(whole)}),
        "a fourth member": lambda: packed(whole | {"more": b""}),
        "many unknown parameters": lambda: described(
            json.dumps(about | {"config": {str(n): 0 for n in range(75_000)}})
        ),
        "a count of 10,000 digits": lambda: described('{"format": ' + "1" * 10_000 + "}"),
        "nesting beyond all bounds": lambda: described("[" * 500_000),
        "a long name of the config": lambda: described(json.dumps(about | {"config": {"name": "x" * 900_000}})),
    }  # fmt: skip


def packages() -> dict[str, Callable[[], bytes]]:
    """Bombs in place of a package."""
    whole = package_file.to_bytes(compile_graph(_graph(), load_config("nano")))
    weights = {"array": {"type": "ternary", "shape": [65535, 512, 1, 1]}}

    def with_section(name: str, packed_bytes: bytes, size: int) -> bytes:
        raw = containers.Raw(name, packed_bytes, size)
        return containers.joined([raw if each.name == name else each for each in containers.parted(whole)])

    def with_values(section: str, **change: object) -> Callable[[], bytes]:
        return lambda: containers.reported(whole, section, lambda values: values | change)

    def with_plan(**change: object) -> Callable[[], bytes]:
        return lambda: containers.reported(
            whole, "schedule", lambda values: values | {"plan": values["plan"] | change}
        )  # fmt: skip

    def with_layers(*layers: dict[str, object]) -> Callable[[], bytes]:
        def change(values: dict[str, list[dict[str, object]]]) -> None:
            values["layers"][1:1] = [values["layers"][1] | layer for layer in layers]

        return lambda: containers.reported(whole, "graph", change)

    bombs: dict[str, Callable[[], bytes]] = {}
    for section, most in MOST_UNPACKED.items():
        for claim in (10, most, GIGABYTE):
            bombs[f"a gigabyte of {section.text} that claims {claim}"] = partial(
                with_section, section.text, zeros(GIGABYTE), claim
            )
        bombs[f"as much of {section.text} as is allowed"] = partial(
            with_section, section.text, zeros(most) if most >= MEGABYTE else containers.deflated(bytes(most)), most
        )
    texts = {
        "a long JSON text": "[" + "{}," * 340_000 + "{}]",
        "JSON a million deep": "[" * (MEGABYTE - 1),
        "an integer of a million digits": '{"format": ' + "9" * (MEGABYTE - 20) + "}",
    }
    for section in ("graph", "schedule", "cycles"):
        for name, text in texts.items():
            bombs[f"{name} as {section}"] = partial(containers.changed, whole, {section: text.encode()})
    sections = [containers.Raw.of(f"x{number}", b"", 0) for number in range(10_000)]
    wrong = {"tiles_at_once": 1, "parts": 65535, "channels": 65535}
    return bombs | {
        "many sections": lambda: containers.joined([*containers.parted(whole), *sections]),
        "many sections that claim to be nine": lambda: containers.joined(
            [*containers.parted(whole), *sections], sections=9
        ),
        "many small JSON values as metadata": with_values("graph", metadata=[[]] * 250_000),
        "an integer of 4,000 digits": with_values("graph", act_bits=10**4000),
        "a long name of a key": with_values("graph", **{"x" * 900_000: 1}),
        "many layers": with_layers(*({"name": f"c{number}"} for number in range(1500))),
        "more weights than are allowed": with_layers(*({"name": f"c{n}", "weights": weights} for n in range(5))),
        "as many weights as are allowed": with_layers(
            *({"name": f"c{n}", "weights": weights, "requant": 3} for n in range(3))
        ),
        "many unknown parameters": with_values("config", **{str(number): 0 for number in range(5_000)}),
        "a long name of the config": with_values("config", name="x" * 60_000, more=0),
        "many wrong spreads": with_plan(spreads=[wrong] * 15_000),
        "many bases": with_plan(bases={str(number): 0 for number in range(75_000)}),
        "many names of what is stored": with_plan(stored=[str(number) for number in range(90_000)]),
        "many wrong steps": with_values("cycles", steps=[0] * 300_000),
        "many steps": with_values("cycles", steps=[[0] * 5] * 60_000),
    }
