"""Images turned upright, of several frames, damaged, and of far more pixels than their bytes let expect."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from sterna.errors import SternaError
from sterna.vision import image_files


def png(width: int, height: int) -> bytes:
    """The header of a PNG of one bit a pixel, and an empty image."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.case(
    "image-of-too-many-pixels",
    kind="bomb",
    expected="refused in one line that names the limit, without a warning of the library",
    source="python-pillow/Pillow#515",
)
@pytest.mark.parametrize("size", [(10_000, 9_000), (20_000, 20_000), (60_000, 60_000)])
def test_too_many_pixels(tmp_path: Path, size: tuple[int, int], got: Callable[[object], None]) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(*size))
    with warnings.catch_warnings(record=True) as warned:
        for read in (image_files.read, image_files.header):
            with pytest.raises(
                SternaError, match="the image has too many pixels; allowed: at most 89478485; "
            ) as caught:
                read(path)
    assert not warned and "\n" not in str(caught.value)
    got(f"{size[0]}x{size[1]}: {str(caught.value).removeprefix(str(tmp_path))}")


def test_images_in_a_file_are_counted(tmp_path: Path) -> None:
    shades = [Image.new("L", (4, 4), shade) for shade in (0, 200, 255)]
    shades[0].save(tmp_path / "three.tif", save_all=True, append_images=shades[1:])
    shades[0].save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=shades[1:])
    shades[0].save(tmp_path / "one.png")
    assert [image_files.header(tmp_path / name).frames for name in ("three.tif", "phone.jpg", "one.png")] == [3, 1, 1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "got a git-lfs pointer.*remedy: .* git lfs pull"),
        (b"<!DOCTYPE html>", "got a web page.*remedy: download it again"),
        (b"", "got an empty file.*remedy: copy it again"),
        (b"anything", "is not a readable image; allowed: .*remedy: give a PNG or JPEG"),
    ],
)
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(SternaError, match=said):
        image_files.read(tmp_path / "a.jpg")


def exif(orientation: object) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    return made


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_pillow_turns_them(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "a.png"
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    Image.fromarray(pixels).save(path, exif=exif(orientation))
    upright = image_files.read(path)
    with Image.open(path) as stored:
        np.testing.assert_array_equal(np.asarray(upright), np.asarray(ImageOps.exif_transpose(stored)))
    assert image_files.header(path) == ((9, 6), orientation, 1) and image_files.header(path).upright == upright.size


@pytest.mark.case(
    "damaged-exif",
    kind="damage",
    expected="an image with damaged EXIF is read, or refused in one line",
)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow tells of damage in this way too
def test_damaged_exif_is_no_traceback(tmp_path: Path, got: Callable[[str], None]) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (30, 20)).save(path, exif=exif(6))
    good = path.read_bytes()
    begin = good.index(b"Exif")
    rng = np.random.default_rng(0)
    read = 0
    for _ in range(300):
        data = bytearray(good)
        for _ in range(rng.integers(1, 6)):
            data[begin + rng.integers(0, 40)] = rng.integers(0, 256)
        path.write_bytes(data)
        try:
            assert image_files.read(path).size == image_files.header(path).upright
        except SternaError:
            continue
        read += 1
    assert read > 150
    got(f"{read} of 300 read, the others refused")


@pytest.mark.filterwarnings("ignore::UserWarning")  # of pillow, of each tag that is cut
@pytest.mark.parametrize("kind", ["three.tif", "three.png", "three.webp"])
def test_a_file_of_several_images_cut_anywhere_gives_a_header_or_a_refusal(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    first, *others = (Image.new("RGB", (9, 7), (40 * shade, 9, 9)) for shade in range(3))
    first.save(path, save_all=True, append_images=others)
    whole = path.read_bytes()
    assert image_files.header(path) == ((9, 7), 1, 3)
    for end in range(0, len(whole), 5):
        path.write_bytes(whole[:end])
        try:
            assert image_files.header(path).stored == (9, 7)
        except SternaError:
            continue


def test_damage_to_an_image_of_a_rare_kind_is_a_refusal(tmp_path: Path) -> None:
    """Pages on the web give AVIF under the name of another kind."""
    path = tmp_path / "download.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)).save(path, format="AVIF")
    whole = path.read_bytes()
    refused = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            image_files.read(path)
        except SternaError:
            refused += 1
    assert refused
