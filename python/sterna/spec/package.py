"""The container of a package (docs/reference/package.md): a header, then sections, each of a name and a payload.

Everything is little-endian. The last four bytes of a header are the CRC-32 of the bytes before it; a section's header
carries the CRC-32 of its payload, so every byte of a package is checked. `sterna.generate.spec` makes the C header and
the tables of the documentation from this.
"""

from __future__ import annotations

from sterna.spec.described import DescribedEnum
from sterna.spec.fields import UNUSED, Field, Layout

MAGIC = int.from_bytes(b"STERNAPK", "little")
FORMAT = 4
"""Version of the file format. 1 to 3 were zip archives with the tape in them."""

MOST_SECTIONS = 32
"""The most sections of a package, known and unknown."""
MOST_WEIGHTS = 96 << 20
"""The most weights of a graph. Full YOLOv2, the largest network that Sterna trains, has 51 million."""
MOST_BYTES = 208 << 20
"""Bytes of a package at most; MOST_WEIGHTS weights that are all nonzero take half of it."""

HEADER = Layout(
    "package_header",
    (
        Field("magic", 64, 'the letters "STERNAPK"'),
        Field("format", 32, "version of the format"),
        Field("sections", 32, "number of sections that follow"),
        Field("bytes", 64, "length of the whole package in bytes"),
        Field(UNUSED, 32),
        Field("crc", 32, "CRC-32 of the bytes before it"),
    ),
    "The first bytes of a package.",
)
SECTION_HEADER = Layout(
    "section_header",
    (
        Field("name", 64, "up to eight letters, filled up with zeros"),
        Field("mandatory", 8, "1: a reader that does not know the section refuses the package; 0: it skips it"),
        Field(UNUSED, 24),
        Field("payload_crc", 32, "CRC-32 of the payload as it lies in the package"),
        Field("packed_bytes", 64, "length of the payload as it lies in the package"),
        Field("bytes", 64, "length of the payload when it is unpacked"),
        Field(UNUSED, 32),
        Field("crc", 32, "CRC-32 of the bytes before it"),
    ),
    "Comes before each section's payload, which is packed by raw Deflate (RFC 1951).",
)
LAYOUTS = (HEADER, SECTION_HEADER)


def _letters(name: str) -> int:
    return int.from_bytes(name.encode(), "little")


class PackageSection(DescribedEnum):
    """The sections that this version knows, by the number that their letters make."""

    GRAPH = _letters("graph"), "JSON: the layers, without their arrays"
    GAPS = _letters("gaps"), "zeros before each nonzero ternary weight"
    SIGNS = _letters("signs"), "a bit for each nonzero ternary weight"
    VALUES = _letters("values"), "a byte for each weight of several digits and each entry of an input table"
    INTEGERS = _letters("integers"), "multipliers and biases of requantisation"
    CONFIG = _letters("config"), "JSON: the engine config"
    SCHEDULE = _letters("schedule"), "JSON: what the compiler decided"
    FILTERS = _letters("filters"), "the order of filters in each part of a layer"
    CYCLES = _letters("cycles"), "JSON: the expected cycles; optional"

    @property
    def text(self) -> str:
        """Its letters."""
        return self.name.lower()


OPTIONAL = (PackageSection.CYCLES,)
"""Sections that a package may lack and a reader may skip."""

MOST_UNPACKED: dict[PackageSection, int] = {
    PackageSection.GRAPH: 1 << 20,
    PackageSection.GAPS: MOST_WEIGHTS,
    PackageSection.SIGNS: MOST_WEIGHTS // 8,
    PackageSection.VALUES: MOST_WEIGHTS,
    PackageSection.INTEGERS: 16 << 20,
    PackageSection.CONFIG: 1 << 16,
    PackageSection.SCHEDULE: 1 << 20,
    PackageSection.FILTERS: 4 << 20,
    PackageSection.CYCLES: 1 << 20,
}
"""Bytes that each section may unpack to. JSON takes 30 times as much memory when it is read."""

RUN = 255
"""In `gaps`: so many zeros, after which no nonzero comes yet."""
ABSENT = 0xFFFF
"""In `filters`: no filter."""
