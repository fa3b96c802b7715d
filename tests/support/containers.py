"""Packages taken apart and put together again, with headers and checksums that fit."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sterna.spec.fields import Layout
from sterna.spec.package import FORMAT, HEADER, MAGIC, SECTION_HEADER

GRAPH, SCHEDULE = "graph", "schedule"
GAPS, SIGNS, VALUES, INTEGERS, FILTERS = "gaps", "signs", "values", "integers", "filters"


@dataclass(frozen=True)
class Raw:
    """A section as it lies in the file. size: what its header says that it unpacks to."""

    name: str
    packed: bytes
    size: int
    mandatory: int = 1

    @classmethod
    def of(cls, name: str, payload: bytes, mandatory: int = 1) -> Raw:
        """An honest one."""
        return cls(name, deflated(payload), len(payload), mandatory)

    @property
    def payload(self) -> bytes:
        """What it unpacks to."""
        return zlib.decompress(self.packed, -zlib.MAX_WBITS)


def deflated(payload: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(payload) + packer.flush()


def with_crc(layout: Layout, **values: int) -> bytes:
    body = layout.to_bytes(**values)[:-4]
    return body + zlib.crc32(body).to_bytes(4, "little")


def joined(given: list[Raw], **header: int) -> bytes:
    """The file of the sections `given`; header: fields of it that are not as they should be."""
    parts = []
    for section in given:
        parts.append(
            with_crc(
                SECTION_HEADER, name=int.from_bytes(section.name.encode(), "little"), mandatory=section.mandatory,
                payload_crc=zlib.crc32(section.packed), packed_bytes=len(section.packed), bytes=section.size,
            )
        )  # fmt: skip
        parts.append(section.packed)
    body = b"".join(parts)
    fields = {"magic": MAGIC, "format": FORMAT, "sections": len(given), "bytes": HEADER.size + len(body)} | header
    return with_crc(HEADER, **fields) + body


def parted(data: bytes) -> list[Raw]:
    """The sections of the file `data`, which is whole."""
    sections, at = [], HEADER.size
    while at < len(data):
        fields = SECTION_HEADER.from_bytes(data[at : at + SECTION_HEADER.size])
        at += SECTION_HEADER.size
        name = fields["name"].to_bytes(8, "little").rstrip(b"\0").decode()
        sections.append(Raw(name, data[at : at + fields["packed_bytes"]], fields["bytes"], fields["mandatory"]))
        at += fields["packed_bytes"]
    return sections


def changed(data: bytes, change: Mapping[str, Callable[[bytes], bytes] | bytes]) -> bytes:
    """The file `data` with other payloads in sections."""
    return joined(
        [
            Raw.of(each.name, new(each.payload) if callable(new) else new, each.mandatory)
            if (new := change.get(each.name)) is not None
            else each
            for each in parted(data)
        ]
    )


def reported(data: bytes, section: str, change: Callable[[Any], object]) -> bytes:
    """The file `data` with a section of JSON values changed; `change` may return others or change them in place."""

    def rewritten(payload: bytes) -> bytes:
        values = json.loads(payload)
        new = change(values)
        return json.dumps(values if new is None else new).encode()

    return changed(data, {section: rewritten})


def claiming(data: bytes, section: str, size: int) -> bytes:
    """The file `data` whose `section` says that it unpacks to `size` bytes."""
    return joined([replace(each, size=size) if each.name == section else each for each in parted(data)])
