"""The tape format: what is written is read back, and no damaged byte goes unseen."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sterna.errors import SternaError
from sterna.spec import tape
from sterna.spec.tape import Segment, SegmentKind

STEPS = st.fixed_dictionaries(
    {
        field.name: st.integers(-(field.mask // 2) - 1, field.mask // 2) if field.signed else st.integers(0, field.mask)
        for field, _ in tape.STEP.places()
    }
)


def example() -> bytes:
    step = tape.pack_step(op=2, pad_value=-3, filters=7)
    kinds = (SegmentKind.STEP, step), (SegmentKind.REQUANT, bytes(range(56))), (SegmentKind.WEIGHTS, b"w" * 64)
    return tape.write(0x1234ABCD, [Segment(kind, payload) for kind, payload in kinds])


@given(STEPS)
def test_step_fields_survive(fields: dict[str, int]) -> None:
    assert tape.unpack_step(tape.pack_step(**fields)) == fields


def test_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SternaError, match="filters = 65536; allowed: 16 bits"):
        tape.pack_step(filters=1 << 16)


def test_round_trip() -> None:
    parsed = tape.read(example())
    assert parsed.config_hash == 0x1234ABCD
    assert [segment.kind for segment in parsed.segments] == list(SegmentKind)
    assert parsed.segments[1].payload == bytes(range(56)) + bytes(tape.ALIGN - 56)
    assert parsed.steps[0]["filters"] == 7


def test_headers_have_the_crc_residue() -> None:
    """The engine finds a header right when its CRC register ends at the residue."""
    header = example()[: tape.ALIGN]
    assert zlib.crc32(header) ^ 0xFFFFFFFF == tape.CRC_RESIDUE


@pytest.mark.parametrize("position", range(len(example())))
def test_every_flipped_byte_is_seen(position: int) -> None:
    damaged = bytearray(example())
    damaged[position] ^= 1 << position % 8
    with pytest.raises(SternaError, match="tape"):
        tape.read(bytes(damaged))


@pytest.mark.parametrize("size", [0, 7, 63, 64, 100, len(example()) - 1])
def test_truncated_tapes_are_refused(size: int) -> None:
    with pytest.raises(SternaError, match="remedy"):
        tape.read(example()[:size])


def test_extra_bytes_are_refused() -> None:
    with pytest.raises(SternaError, match="truncated or has extra bytes"):
        tape.read(example() + bytes(64))
