"""An image lies where it should in the input, and boxes come back to where they were."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sterna.errors import SternaError
from sterna.graph import Graph, Input, MaxPool, Output
from sterna.vision.boxes import Detections
from sterna.vision.decoder import Decoder
from sterna.vision.fit import ASPECTS, LETTERBOX, STRETCH, Fit, aspect_of
from sterna.vision.prepare import prepare


def graph(**metadata: object) -> Graph:
    layers = (Input("image", 3, 40, 40, 1.0, 0), MaxPool("pool", "image", 1), Output("out", "pool"))
    return Graph(layers, metadata=metadata)


def found(*boxes: tuple[float, ...]) -> Detections:
    return Detections(np.array(boxes, np.float32), np.ones(len(boxes), np.float32), np.arange(len(boxes)))


def test_a_letterbox_keeps_the_aspect_between_grey() -> None:
    image = np.full((20, 80, 3), 200, np.uint8)
    frame = Fit((20, 80), (40, 40), LETTERBOX).frame(image)
    assert (frame[15:25] == 200 - 128).all() and (frame[:15] == 0).all() and (frame[25:] == 0).all()
    upright = Fit((80, 20), (40, 40), LETTERBOX).frame(image.transpose(1, 0, 2))
    assert np.array_equal(upright, frame.transpose(1, 0, 2))


def test_a_stretched_image_fills_the_input() -> None:
    image = np.random.default_rng(1).integers(0, 256, (20, 80, 3)).astype(np.uint8)
    fit = Fit((20, 80), (40, 40), STRETCH)
    assert fit.inner == (0, 0, 40, 40) and fit.frame(image).shape == (40, 40, 3)
    assert fit.in_pixels(found((0.25, 0.5, 0.5, 1))).boxes.tolist() == [[20, 10, 40, 20]]


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize(
    "image", [(90, 160), (7, 500), (500, 7), (1, 1), (33, 47), (16, 16), (64, 96), (17, 65), (300, 5000)]
)
@pytest.mark.parametrize("size", [(64, 96), (32, 32), (17, 5), (200, 211)])
def test_images_are_resized_as_training_does_it(aspect: str, image: tuple[int, int], size: tuple[int, int]) -> None:
    """Training resizes by Pillow's BILINEAR: bit for bit the same, on pixels at both ends of their range too."""
    random = np.random.default_rng(sum(image))
    noise = random.integers(0, 256, (*image, 3)).astype(np.uint8)
    for pixels in (noise, np.where(noise > 127, 255, 0).astype(np.uint8)):
        fit = Fit(image, size, aspect)
        left, top, width, height = fit.inner
        expected = np.full((*size, 3), 128, np.uint8)
        resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
        expected[top : top + height, left : left + width] = resized
        assert np.array_equal(fit.frame(pixels), (expected ^ 128).view(np.int8))


def test_a_part_of_an_image_needs_no_copy() -> None:
    image = np.random.default_rng(2).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    fit = Fit((30, 40), (32, 32), STRETCH)
    part = image[10:40, 5:45]
    assert np.array_equal(fit.frame(part), fit.frame(part.copy()))
    assert np.array_equal(fit.frame(part[::-1]), fit.frame(part[::-1].copy()))
    assert np.array_equal(fit.frame(part[..., ::-1]), fit.frame(part[..., ::-1].copy()))


def test_sides_without_end_are_refused() -> None:
    with pytest.raises(SternaError, match=r"pixels: cannot be resized; 1 x 65536; allowed: 1 \.\. 65535 a side"):
        Fit((1, 65536), (32, 32), STRETCH).frame(np.zeros((1, 65536, 3), np.uint8))


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("size", [(40, 40), (7, 500), (500, 7), (1, 1000), (333, 512)])
def test_boxes_come_back_to_where_they_were(aspect: str, size: tuple[int, int]) -> None:
    height, width = size
    fit = Fit(size, (40, 56), aspect)
    left, top, inner_width, inner_height = fit.inner
    share = np.array([0.1, 0.2, 0.7, 0.9])
    inside = (share * ([inner_width, inner_height] * 2) + [left, top] * 2) / [56, 40, 56, 40]
    back = fit.in_pixels(found(tuple(inside))).boxes
    np.testing.assert_allclose(back, [share * ([width, height] * 2)], rtol=1e-3, atol=1e-3)


def test_what_lies_on_the_grey_is_no_object() -> None:
    fit = Fit((20, 80), (40, 40), LETTERBOX)
    kept = fit.in_pixels(found((0.1, 0.0, 0.2, 0.3), (0.0, 0.2, 0.5, 0.5)))
    assert kept.classes.tolist() == [1] and kept.boxes.tolist() == [[0, 0, 40, 10]]


def test_the_option_comes_before_the_metadata() -> None:
    assert aspect_of(graph()) == STRETCH
    assert aspect_of(graph(aspect=LETTERBOX)) == LETTERBOX
    assert aspect_of(graph(aspect=LETTERBOX), STRETCH) == STRETCH
    with pytest.raises(SternaError, match="graph metadata: there is no such aspect; aspect = tall; allowed: stretch,"):
        aspect_of(graph(aspect="tall"))
    with pytest.raises(SternaError, match=r"^there is no such aspect; aspect = wide"):
        aspect_of(graph(), "wide")


def test_the_metadata_reaches_input_and_boxes() -> None:
    image = np.full((20, 80, 3), 200, np.uint8)
    boxed = prepare(graph(aspect=LETTERBOX), image)
    assert np.array_equal(boxed, prepare(graph(), image, LETTERBOX)) and (boxed[:, 0] == 0).all()
    assert (prepare(graph(), image) == 200 - 128).all()
    layers = (Input("image", 3, 40, 40, 1.0, 0), MaxPool("pool", "image", 1), Output("out", "pool"))
    metadata = {"kind": "yolov2", "classes": [], "anchors": [], "aspect": LETTERBOX}
    with pytest.raises(SternaError, match="not a detector"):
        Decoder.of(Graph(layers, metadata=metadata))
