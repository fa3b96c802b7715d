"""Raw frames through a pipe become images, exactly."""

from __future__ import annotations

import io

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.vision.frames import Frame
from sterna.vision.raw_frames import FORMS, RawForm, RawFrames

IMAGE = np.random.default_rng(1).integers(0, 256, (4, 6, 3)).astype(np.uint8)


def read(data: bytes, form: str = "6x4:rgb24", rate: float = 25.0) -> list[Frame]:
    source = RawFrames(io.BytesIO(data), RawForm.parse(form), rate)
    source.check(print)
    return list(source.frames(print))


def test_frames_follow_each_other() -> None:
    frames = read(IMAGE.tobytes() + IMAGE[::-1].tobytes(), rate=10)
    assert [(frame.number, frame.seconds) for frame in frames] == [(0, 0), (1, 0.1)]
    assert np.array_equal(frames[0].image, IMAGE) and np.array_equal(frames[1].image, IMAGE[::-1])


def test_pixels_of_every_form_are_read() -> None:
    alpha = np.full((4, 6, 1), 9, np.uint8)
    given = {
        "rgb24": IMAGE,
        "bgr24": IMAGE[..., ::-1],
        "rgba": np.concatenate([IMAGE, alpha], 2),
        "bgra": np.concatenate([IMAGE[..., ::-1], alpha], 2),
    }
    for form, pixels in given.items():
        assert np.array_equal(read(pixels.tobytes(), f"6x4:{form}")[0].image, IMAGE), form
    (grey,) = read(IMAGE[..., 0].tobytes(), "6x4:gray")
    assert np.array_equal(grey.image, np.repeat(IMAGE[..., :1], 3, axis=2))
    # Studio range: 16 is black, 235 white; 128 is no colour.
    light, colour = bytes([235] * 12 + [16] * 12), bytes([128] * 12)
    for form, data in (
        ("yuv420p", light + colour), ("nv12", light + colour),
        ("yuyv422", bytes([235, 128] * 12 + [16, 128] * 12)),
    ):  # fmt: skip
        (frame,) = read(data, f"6x4:{form}")
        assert (frame.image[:2] == 255).all() and (frame.image[2:] == 0).all(), form
    assert set(given) | {"gray", "yuv420p", "nv12", "yuyv422"} == set(FORMS)


@pytest.mark.case("raw-frames-that-end-early", kind="videos", expected="one line says in which frame and by how much")
def test_a_partial_frame_is_refused(got: object) -> None:
    data = IMAGE.tobytes()
    source = RawFrames(io.BytesIO(data + data[:50]), RawForm.parse("6x4:rgb24"), 25)
    frames = source.frames(print)
    next(frames)
    with pytest.raises(
        SternaError, match=r"-: ends within frame 1; bytes = 50; allowed: 72 per frame of 6x4:rgb24; remedy: "
    ) as refused:
        next(frames)
    got(str(refused.value))  # type: ignore[operator]
    with pytest.raises(SternaError, match="-: holds no frame; remedy: start the program"):
        read(b"")


@pytest.mark.parametrize("text", ["", "6x4", "6x4:", "6x4:rgb", "x4:rgb24", "6X4:rgb24", "6x4:rgb24:", "-6x4:rgb24"])
def test_forms_that_are_none(text: str) -> None:
    with pytest.raises(SternaError, match=r"--raw: is no form of raw frames; got .*; allowed: WIDTHxHEIGHT:PIXELS"):
        RawForm.parse(text)


@pytest.mark.parametrize("text", ["0x4:rgb24", "6x20000:rgb24", "5x4:nv12", "6x3:yuv420p"])
def test_sizes_that_cannot_be(text: str) -> None:
    with pytest.raises(SternaError, match=r"--raw: frames cannot have this size; got .*; allowed: 1 \.\. 16384"):
        RawForm.parse(text)
