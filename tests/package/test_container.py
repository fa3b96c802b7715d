"""The container: every byte is checked, unknown sections are skipped or refused by name, sizes are limited first."""

from __future__ import annotations

import zlib

import pytest

from sterna.errors import SternaError
from sterna.package import container
from sterna.spec.package import FORMAT, HEADER, MOST_SECTIONS, MOST_UNPACKED, OPTIONAL, SECTION_HEADER, PackageSection
from support.containers import Raw, claiming, joined, parted, with_crc

PAYLOADS = {section: bytes(range(number + 3)) * 40 for number, section in enumerate(PackageSection)}
WHOLE = container.write(PAYLOADS, [PackageSection.GAPS])


def refusal(data: bytes) -> str:
    with pytest.raises(SternaError) as caught:
        for section in container.read(data).values():
            section.read()
    return str(caught.value)


def test_round_trip() -> None:
    assert {name: section.read() for name, section in container.read(WHOLE).items()} == PAYLOADS
    assert joined(parted(WHOLE)) == WHOLE


def test_every_flipped_bit_is_noticed() -> None:
    for position in range(len(WHOLE)):
        for bit in (0, 6):
            damaged = bytearray(WHOLE)
            damaged[position] ^= 1 << bit
            refusal(bytes(damaged))


def test_every_truncation_is_noticed() -> None:
    for length in range(len(WHOLE)):
        assert "is truncated" in refusal(WHOLE[:length]) or length == 0
    assert "is truncated or has extra bytes; bytes = " in refusal(WHOLE + b"\0")


def test_an_unknown_section_is_skipped_or_refused_by_name() -> None:
    later = Raw.of("later", b"for a later version", mandatory=0)
    with_it = joined([later, *parted(WHOLE), later])
    assert {name: section.read() for name, section in container.read(with_it).items()} == PAYLOADS
    needed = joined([*parted(WHOLE), Raw.of("later", b"", mandatory=1)])
    assert "needs a later version of Sterna; section = later; allowed: graph, gaps, " in refusal(needed)


def test_what_is_missing_is_named() -> None:
    assert "lacks sections; sections = graph, gaps, signs" in refusal(joined([]))
    optional = {section.text for section in OPTIONAL}
    assert optional == {"cycles"}
    assert not any(section in refusal(joined([])) for section in optional)
    container.read(joined([each for each in parted(WHOLE) if each.name not in optional]))


def test_no_section_twice() -> None:
    assert "holds two sections gaps" in refusal(joined([*parted(WHOLE), parted(WHOLE)[1]]))


@pytest.mark.parametrize("section", PackageSection)
def test_sizes_are_limited_before_anything_is_unpacked(section: PackageSection) -> None:
    most = MOST_UNPACKED[section]
    with pytest.raises(SternaError, match=f"unpacked bytes of {section.text} = {most + 1}; allowed: at most {most}"):
        container.read(claiming(WHOLE, section.text, most + 1))
    container.read(claiming(WHOLE, section.text, most))


def test_the_number_of_sections_is_limited() -> None:
    extra = [Raw.of(f"x{number}", b"", mandatory=0) for number in range(MOST_SECTIONS + 1 - len(PAYLOADS))]
    container.read(joined([*parted(WHOLE), *extra[1:]]))
    limit = f"sections = {MOST_SECTIONS + 1}; allowed: at most {MOST_SECTIONS}"
    assert limit in refusal(joined([*parted(WHOLE), *extra]))


@pytest.mark.parametrize("difference", [-1, 1])
def test_a_section_is_as_long_as_it_says(difference: int) -> None:
    said = refusal(claiming(WHOLE, "gaps", len(PAYLOADS[PackageSection.GAPS]) + difference))
    assert "is damaged (section gaps: it " in said


def test_what_comes_after_a_section_is_noticed() -> None:
    for more in (b"\0", b"\1" * 3):
        sections = [Raw(each.name, each.packed + more, each.size) for each in parted(WHOLE)]
        assert "it does not end after" in refusal(joined(sections))


def test_no_more_is_unpacked_than_was_said() -> None:
    """A gigabyte that says it is ten bytes."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = Raw("gaps", block * 1024 + zlib.compressobj(wbits=-zlib.MAX_WBITS).flush(), 10)
    data = joined([bomb if each.name == "gaps" else each for each in parted(WHOLE)])
    assert "it does not end after 10 bytes" in refusal(data)


def test_payloads_that_are_no_deflate_are_noticed() -> None:
    data = joined([Raw(each.name, b"\7" + each.packed, each.size) for each in parted(WHOLE)])
    assert "is damaged (section graph: " in refusal(data)


def test_other_formats() -> None:
    for found, remedy in ((FORMAT + 1, "install the later version"), (FORMAT - 1, "compile the graph again")):
        said = refusal(joined(parted(WHOLE), format=found))
        assert f"another version; format = {found}; allowed: {FORMAT}; remedy: {remedy}" in said


def test_what_is_no_package() -> None:
    assert "is not a Sterna package" in refusal(with_crc(HEADER, magic=1) + WHOLE[HEADER.size :])
    assert "is damaged (its header)" in refusal(b"\x89PNG and so on" * 10)
    assert "is truncated" in refusal(b"")


def test_a_payload_may_not_reach_past_the_end() -> None:
    last = with_crc(SECTION_HEADER, name=int(PackageSection.CYCLES), mandatory=1, packed_bytes=1 << 63, bytes=1)
    data = joined(parted(WHOLE)) + last
    header = HEADER.from_bytes(data[: HEADER.size])
    count = {"bytes": len(data), "sections": header["sections"] + 1}
    fields = {name: header[name] for name in ("magic", "format")} | count
    assert "is damaged (section cycles)" in refusal(with_crc(HEADER, **fields) + data[HEADER.size :])
