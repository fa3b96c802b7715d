"""libsterna decodes JPEG files to the pixels that Pillow gives, and refuses what is damaged or too large at once."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sterna.errors import SternaError
from sterna.native import libsterna

RANDOM = np.random.default_rng(4)
SMOOTH = Image.fromarray(RANDOM.integers(0, 256, (9, 12, 3)).astype(np.uint8)).resize((133, 95))


def jpeg(image: Image.Image = SMOOTH, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality", [30, 95])
def test_pixels_are_those_of_pillow(progressive: bool, subsampling: str, quality: int) -> None:
    data = jpeg(progressive=progressive, subsampling=subsampling, quality=quality)
    assert np.array_equal(libsterna.read_jpeg(data), np.asarray(Image.open(io.BytesIO(data))))


def test_grey_becomes_colours() -> None:
    data = jpeg(SMOOTH.convert("L"))
    assert np.array_equal(libsterna.read_jpeg(data), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("progressive", [False, True])
def test_what_is_cut_off_is_refused(progressive: bool) -> None:
    data = jpeg(progressive=progressive)
    for length in (0, 1, 2, 20, 200, len(data) // 2, len(data) - 40):
        with pytest.raises(SternaError, match=r"^JPEG: cannot be read \(.+\); remedy: save the image again"):
            libsterna.read_jpeg(data[:length])


def test_what_is_no_jpeg_of_colours_is_refused() -> None:
    with pytest.raises(SternaError, match=r"Not a JPEG file: starts with 0x89 0x50"):
        libsterna.read_jpeg(b"\x89PNG" + bytes(100))
    with pytest.raises(SternaError, match=r"JPEG: cannot be read \(Unsupported color conversion request\)"):
        libsterna.read_jpeg(jpeg(SMOOTH.convert("CMYK")))


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    data = jpeg()
    at = data.index(b"\xff\xc0") + 5  # height and width of the frame
    huge = data[:at] + (60000).to_bytes(2) * 2 + data[at + 4 :]
    with pytest.raises(SternaError, match="JPEG: has too many pixels; 60000 x 60000; allowed: at most 89478485"):
        libsterna.read_jpeg(huge)


def test_too_many_scans_are_refused() -> None:
    data = jpeg(progressive=True)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(SternaError, match="JPEG: has too many scans; allowed: at most 100"):
        libsterna.read_jpeg(data[:last] + data[last:-2] * 120 + data[-2:])
