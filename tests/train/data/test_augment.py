from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sterna.graph.network import GREY
from sterna.train.data.augment import LEAST_SHOWN, STEP, augment, sizes
from sterna.train.data.augment_options import AugmentOptions
from sterna.train.data.frames import Frame, Labels

HEIGHT, WIDTH = 96, 128


def marked(boxes: list[list[int]], kinds: list[int] | None = None) -> Frame:
    """Boxes of a strong colour each, red, green, blue, on dark grey: an image shows where its boxes are."""
    image = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    kinds = list(range(len(boxes))) if kinds is None else kinds
    for kind, (left, top, right, bottom) in zip(kinds, boxes, strict=True):
        image[top:bottom, left:right] = np.eye(3, dtype=np.uint8)[kind] * 200
    return Frame(image, *Labels.of(np.array(boxes, np.float32), np.array(kinds, np.int64)))


def coloured(image: np.ndarray) -> np.ndarray:
    """bool [H, W]: where the image is neither grey nor background."""
    return (image.max(2).astype(int) - image.min(2)) > 60


@pytest.mark.parametrize("seed", range(30))
def test_a_box_still_encloses_its_object(seed: int) -> None:
    frame = augment(marked([[40, 30, 90, 60]]), np.random.default_rng(seed))
    rows, columns = np.nonzero(coloured(frame.image))
    shown = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    # Bilinear sampling blurs an edge over one or two pixels.
    np.testing.assert_allclose(frame.boxes, [shown], atol=1.6)


@pytest.mark.parametrize("seed", range(10))
def test_labels_stay_with_their_boxes(seed: int) -> None:
    source = marked([[10, 10, 50, 40], [70, 50, 110, 80], [80, 10, 120, 40]])
    source = source._replace(difficult=source.classes == 1, crowd=source.classes == 2)
    frame = augment(source, np.random.default_rng(seed))
    for box, kind in zip(frame.boxes.astype(int), frame.classes, strict=True):
        x, y = (box[:2] + box[2:]) // 2
        assert frame.image[y, x].argmax() == kind  # hue varies by less than a sixth of the circle
    np.testing.assert_array_equal(frame.difficult, frame.classes == 1)
    np.testing.assert_array_equal(frame.crowd, frame.classes == 2)


def test_boxes_stay_while_enough_of_them_is_shown() -> None:
    source = marked([[0, 40, 30, 60]])
    frames = [augment(source, np.random.default_rng(seed)) for seed in range(60)]
    kept = [len(frame.boxes) for frame in frames]
    assert 0 < sum(kept) < len(frames)
    whole = 30 * 20
    for frame in frames:
        area = int(coloured(frame.image).sum())
        # A zoom of 0.7 to 1.5 in area and the blur of edges lie between what is shown and the share of the box.
        assert len(frame.boxes) or area < LEAST_SHOWN * whole * 2
        assert not len(frame.boxes) or area > LEAST_SHOWN * whole * 0.5
        assert (frame.boxes >= 0).all() and (frame.boxes <= [WIDTH, HEIGHT, WIDTH, HEIGHT]).all()


def test_what_comes_from_outside_is_the_zero_of_the_network() -> None:
    no_labels = Labels.of(np.empty((0, 4), np.float32), np.empty(0, np.int64))
    white = Frame(np.full((64, 64, 3), 255, np.uint8), *no_labels)
    corners = [augment(white, np.random.default_rng(seed)).image[::63, ::63] for seed in range(12)]
    assert {tuple(pixel) for image in corners for pixel in image.reshape(-1, 3).tolist()} >= {(GREY,) * 3}


def test_mirror_colour_and_shift_all_occur() -> None:
    source = marked([[10, 30, 50, 60]], [0])
    frames = [augment(source, np.random.default_rng(seed)) for seed in range(20)]
    left = [frame.boxes[0, 0] < WIDTH / 4 for frame in frames if len(frame.boxes)]
    assert 0.2 < np.mean(left) < 0.8
    assert len({frame.image.max() for frame in frames}) > 5


def test_augmentation_depends_on_its_generator_only() -> None:
    source = marked([[40, 30, 90, 60]])
    first, again, other = (augment(source, np.random.default_rng(seed)) for seed in (1, 1, 2))
    for mine, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(mine, same)
    assert not np.array_equal(first.image, other.image)
    np.testing.assert_array_equal(source.image, marked([[40, 30, 90, 60]]).image)


def test_sizes_around_the_published_one() -> None:
    assert sizes(416, 416, 0.25) == [(side, side) for side in (320, 352, 384, 416, 448, 480, 512)]
    assert sizes(416, 416, 0.0) == [(416, 416)]
    assert sizes(192, 256, 0.25) == [(128, 192), (160, 224), (192, 256), (224, 288), (256, 320)]


@given(st.integers(1, 32), st.integers(1, 32), st.floats(0, 0.99))
def test_sizes_are_multiples_within_the_share(rows: int, columns: int, share: float) -> None:
    height, width = rows * STEP, columns * STEP
    found = sizes(height, width, share)
    assert (height, width) in found and len(set(found)) == len(found)
    for other_height, other_width in found:
        assert other_height % STEP == other_width % STEP == 0 and other_height >= STEP
        assert abs(other_width - width) <= share * width
        assert abs(other_height - height) <= share * height + STEP


STILL = {"mirror": 0.0, "zoom": 1.0, "stretch": 1.0, "shift": 0.0, "exposure": 1.0, "saturation": 1.0, "hue": 0.0}


def varied(seed: int, source: Frame, **options: float) -> Frame:
    """`source` varied in nothing but `options`."""
    return augment(source, np.random.default_rng(seed), AugmentOptions(**{**STILL, **options}))


@pytest.mark.case(
    "mirror-image-classes",
    kind="what a file states is dropped",
    expected="with --mirror 0 or flip=0 no training image is mirrored",
    source="AlexeyAB/darknet#2416",
)
def test_without_mirror_left_stays_left(got: Callable[[object], None]) -> None:
    source = marked([[40, 30, 60, 60], [70, 30, 90, 60]])  # red is left of green
    frames = [augment(source, np.random.default_rng(seed), AugmentOptions(mirror=0.0)) for seed in range(64)]
    turned = sum(bool(frame.boxes[0, 0] > frame.boxes[1, 0]) for frame in frames if len(frame.boxes) == 2)
    mirrored = [augment(source, np.random.default_rng(seed), AugmentOptions(mirror=1.0)) for seed in range(64)]
    assert all(frame.boxes[0, 0] > frame.boxes[1, 0] for frame in mirrored if len(frame.boxes) == 2)
    got(f"{turned} of 64 images mirrored")
    assert turned == 0


@pytest.mark.parametrize("seed", range(4))
def test_augmentation_that_is_off_leaves_the_image(seed: int) -> None:
    source = marked([[40, 30, 90, 60]])
    same = varied(seed, source)
    np.testing.assert_array_equal(same.image, source.image)
    np.testing.assert_array_equal(same.boxes, source.boxes)


@pytest.mark.parametrize("part", STILL)
def test_each_part_varies_alone(part: str) -> None:
    most = {"mirror": 1.0, "zoom": 2.0, "stretch": 1.5, "shift": 0.2, "exposure": 3.0, "saturation": 3.0, "hue": 0.3}
    source = marked([[40, 30, 60, 60]])
    frames = [varied(seed, source, **{part: most[part]}) for seed in range(8)]
    assert any(not np.array_equal(frame.image, source.image) for frame in frames)
    moved = any(len(frame.boxes) and not np.allclose(frame.boxes, source.boxes) for frame in frames)
    assert moved == (part in ("mirror", "zoom", "stretch", "shift"))


def test_defaults_vary_as_the_kept_runs_were_trained() -> None:
    """A change of what is drawn, or of its order, would give kept weights that no recipe repeats."""
    digest = hashlib.sha256()
    for seed in range(8):
        frame = augment(marked([[40, 30, 90, 60], [5, 5, 30, 90]]), np.random.default_rng(seed))
        for part in (frame.image, frame.boxes, frame.classes):
            digest.update(np.ascontiguousarray(part).tobytes())
    assert digest.hexdigest()[:16] == "f844fe79e09e5c02"
