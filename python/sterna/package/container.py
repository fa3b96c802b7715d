"""The container of a package: sections of a name and a payload, as `sterna.spec.package` lays them out.

What a section may unpack to is limited before it is unpacked, and every byte is checked.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sterna.errors import SternaError
from sterna.spec.fields import Layout
from sterna.spec.package import (
    FORMAT,
    HEADER,
    MAGIC,
    MOST_SECTIONS,
    MOST_UNPACKED,
    OPTIONAL,
    SECTION_HEADER,
    PackageSection,
)

AGAIN = "copy or compile it again"
_RAW = -zlib.MAX_WBITS
#: The most that zlib may use: fewer tables of Huffman codes.
_LEVEL, _MEMORY = 9, 9
_PART = 1 << 20  # bytes that are unpacked at a time


def write(sections: Mapping[PackageSection, bytes], entropy_coded: Iterable[PackageSection]) -> bytes:
    """A package of `sections`, packed; those that are `entropy_coded` hold no repeated strings to look for."""
    parts = []
    for section, payload in sections.items():
        strategy = zlib.Z_HUFFMAN_ONLY if section in entropy_coded else zlib.Z_DEFAULT_STRATEGY
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, _MEMORY, strategy)
        packed = packer.compress(payload) + packer.flush()
        parts.append(
            SECTION_HEADER.with_crc(
                name=section, mandatory=int(section not in OPTIONAL),
                payload_crc=zlib.crc32(packed), packed_bytes=len(packed), bytes=len(payload),
            )
        )  # fmt: skip
        parts.append(packed)
    total = HEADER.size + sum(map(len, parts))
    return b"".join([HEADER.with_crc(magic=MAGIC, format=FORMAT, sections=len(sections), bytes=total), *parts])


@dataclass(frozen=True)
class Section:
    """A section of a package: its payload, still packed, and the bytes that it unpacks to."""

    section: PackageSection
    payload: memoryview
    size: int

    def open(self) -> Unpacked:
        """Its payload, to be unpacked part by part."""
        return Unpacked(self)

    def read(self) -> bytes:
        """Its payload unpacked. Raises SternaError if it is not as long as its header says."""
        unpacked = self.open()
        data = unpacked.read(self.size)
        unpacked.finish()
        return data


class Unpacked:
    """The payload of a section, unpacked as it is read, and never more than its header says."""

    def __init__(self, section: Section) -> None:
        self._section, self._packed, self._left = section, section.payload, section.size
        self._inflate, self._given = zlib.decompressobj(_RAW), b""

    @property
    def left(self) -> int:
        """Bytes that are still to be read."""
        return self._left

    def read(self, size: int) -> bytes:
        """The next `size` bytes. Raises SternaError if there are fewer or they are damaged."""
        if size > self._left:
            raise self._broken(f"{size} bytes are wanted and {self._left} are left")
        parts, wanted = [], size
        while wanted and (part := self._next(min(wanted, _PART))):
            parts.append(part)
            wanted -= len(part)
        if wanted:
            raise self._broken(f"it unpacks to {self._section.size - self._left + size - wanted} bytes")
        self._left -= size
        return b"".join(parts)

    def finish(self) -> None:
        """Raise SternaError unless all has been read and nothing comes after it."""
        if self._left:
            raise self._broken(f"{self._left} bytes of it are not used")
        if self._next(1) or not self._inflate.eof or self._inflate.unused_data or self._packed:
            raise self._broken(f"it does not end after {self._section.size} bytes")

    def _next(self, most: int) -> bytes:
        """One to `most` bytes; none at the end."""
        part, is_last = b"", False
        while not (part or is_last or self._inflate.eof):
            if not self._given:
                self._given, self._packed = bytes(self._packed[:_PART]), self._packed[_PART:]
            # zlib may hold back bytes whose input it has taken.
            is_last = not self._given
            try:
                part = self._inflate.decompress(self._given, most)
            except zlib.error as error:
                raise self._broken(error) from error
            self._given = self._inflate.unconsumed_tail
        return part

    def _broken(self, reason: object) -> SternaError:
        return SternaError(f"is damaged (section {self._section.section.text}: {reason})", remedy=AGAIN)


def read(data: bytes) -> dict[PackageSection, Section]:
    """The sections of the package `data` that this version knows, their bytes checked, by what they are.

    Raises SternaError for what is no package, damaged, of another format, too large when it is unpacked, or holds a
    mandatory section that this version does not know. All but the optional sections are there.
    """
    header = _checked(HEADER, memoryview(data)[: HEADER.size], "its header")
    if header["magic"] != MAGIC:
        raise SternaError("is not a Sterna package", remedy="give a file made by sterna compile")
    if header["format"] != FORMAT:
        raise other_format(header["format"])
    if header["bytes"] != len(data):
        raise SternaError(
            "is truncated or has extra bytes", attribute="bytes", value=len(data), allowed=str(header["bytes"]),
            remedy=AGAIN,
        )  # fmt: skip
    if header["sections"] > MOST_SECTIONS:
        raise _too_much("sections", header["sections"], MOST_SECTIONS)
    found: dict[PackageSection, Section] = {}
    rest = memoryview(data)[HEADER.size :]
    for number in range(header["sections"]):
        fields = _checked(SECTION_HEADER, rest[: SECTION_HEADER.size], f"the header of section {number}")
        rest = rest[SECTION_HEADER.size :]
        payload, rest = rest[: fields["packed_bytes"]], rest[fields["packed_bytes"] :]
        name = _name(fields["name"])
        if len(payload) != fields["packed_bytes"] or zlib.crc32(payload) != fields["payload_crc"]:
            raise SternaError(f"is damaged (section {name})", remedy=AGAIN)
        section = _known(fields, name, payload)
        if section is None:
            continue
        if section.section in found:
            raise SternaError(f"holds two sections {name}", remedy=AGAIN)
        found[section.section] = section
    if rest:
        raise SternaError("is damaged (bytes follow the last section)", remedy=AGAIN)
    missing = [section.text for section in PackageSection if section not in found and section not in OPTIONAL]
    if missing:
        raise SternaError("lacks sections", attribute="sections", value=", ".join(missing), remedy=AGAIN)
    return found


def _checked(layout: Layout, data: memoryview, what: str) -> dict[str, int]:
    if len(data) < layout.size:
        raise SternaError("is truncated", remedy=AGAIN)
    header = bytes(data)
    if not layout.has_crc(header):
        raise SternaError(f"is damaged ({what})", remedy=AGAIN)
    return layout.from_bytes(header)


def _known(fields: Mapping[str, int], name: str, payload: memoryview) -> Section | None:
    """The section with this header, if this version knows it."""
    if fields["name"] not in list(PackageSection):
        if fields["mandatory"]:
            raise SternaError(
                "needs a later version of Sterna", attribute="section", value=name,
                allowed=", ".join(section.text for section in PackageSection),
                remedy="install the version of Sterna that wrote it, or compile the graph again with this one",
            )  # fmt: skip
        return None
    section = PackageSection(fields["name"])
    if fields["bytes"] > MOST_UNPACKED[section]:
        raise _too_much(f"unpacked bytes of {name}", fields["bytes"], MOST_UNPACKED[section])
    return Section(section, payload, fields["bytes"])


def _name(letters: int) -> str:
    return letters.to_bytes(8, "little").rstrip(b"\0").decode("ascii", "backslashreplace")


def _too_much(attribute: str, value: int, limit: int) -> SternaError:
    return SternaError("is too large", attribute=attribute, value=value, allowed=f"at most {limit}", remedy=AGAIN)


def other_format(found: object) -> SternaError:
    """The refusal of a package of the format `found`."""
    later = type(found) is int and found > FORMAT
    return SternaError(
        "is a package of another version", attribute="format", value=found, allowed=str(FORMAT),
        remedy="install the later version of Sterna that wrote it, or compile the graph again with this one" if later
        else "compile the graph again with this version of Sterna",
    )  # fmt: skip
