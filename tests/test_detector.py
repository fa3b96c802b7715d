"""The detector in tiles and with the aspect kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import sterna
from sterna.errors import SternaError
from sterna.vision.boxes import iou


@pytest.fixture(scope="module")
def package() -> sterna.Package:
    return sterna.compile("demo-nano", cycles=False)


@pytest.fixture(scope="module")
def wide() -> np.ndarray:
    """A scene of the network's own size, somewhere on a plain ground six times as wide."""
    ground = np.full((160, 960, 3), 120, np.uint8)
    ground[:, 320:480] = sterna.scene(7)
    return ground


def test_small_objects_are_found_in_tiles(package: sterna.Package, wide: np.ndarray) -> None:
    with sterna.Detector(package, threshold=0.5) as detect:
        alone = detect.detect(sterna.scene(7))
        missed = detect.detect(wide)
    with sterna.Detector(package, threshold=0.5, tiles=160, tile_overlap=0.0) as tiled:
        found = tiled.detect(wide)
    assert len(found) >= len(alone) > len(missed)
    shared = iou(alone.boxes + np.array([320, 0, 320, 0], np.float32), found.boxes)
    assert (shared.max(1) > 0.99).all()


def test_an_image_of_one_tile_is_seen_once(package: sterna.Package) -> None:
    with sterna.Detector(package) as plain, sterna.Detector(package, tiles=(160, 160)) as tiled:
        images = [sterna.scene(seed) for seed in (7, 8)]
        for one, other in zip(plain.stream(images), tiled.stream(images), strict=True):
            assert np.array_equal(one.boxes, other.boxes) and np.array_equal(one.scores, other.scores)


def test_images_of_many_sizes_in_one_stream(package: sterna.Package, wide: np.ndarray) -> None:
    images = [sterna.scene(7), wide, sterna.scene(8), wide[:, :480]]
    with sterna.Detector(package, tiles=160) as detect:
        together = list(detect.stream(images))
        alone = [detect.detect(image) for image in images]
    assert [found.boxes.tolist() for found in together] == [found.boxes.tolist() for found in alone]
    assert set(detect.times.seconds) == {"resize", "device", "boxes"}


@pytest.mark.parametrize("aspect", ["stretch", "letterbox"])
def test_a_stream_finds_what_is_found_alone(package: sterna.Package, aspect: str) -> None:
    random = np.random.default_rng(3)
    images = [sterna.scene(seed, *random.integers(40, 300, 2).tolist()) for seed in range(12)]
    images[3], images[4] = images[3][::2, ::-1], images[4][..., ::-1]
    with sterna.Detector(package, aspect=aspect, threshold=0.1) as detect:
        alone = [detect.detect(image) for image in images]
        together = list(detect.stream(image for image in images))
        assert sum(map(len, alone)) > len(images) and len(together) == len(images)
        for one, other in zip(alone, together, strict=True):
            assert np.array_equal(one.boxes, other.boxes) and np.array_equal(one.scores, other.scores)
            assert np.array_equal(one.classes, other.classes)
        assert set(detect.times.seconds) == {"resize", "device", "boxes"}


def test_a_stream_ends_at_any_time(package: sterna.Package) -> None:
    def images() -> Iterator[np.ndarray]:
        yield from (sterna.scene(seed) for seed in range(3))
        raise OSError("the camera is gone")

    with sterna.Detector(package) as detect:
        stream = detect.stream(images())
        next(stream)
        stream.close()
        stream = detect.stream(images())
        assert [len(next(stream)) > 0 for _ in range(3)] == [True] * 3
        with pytest.raises(OSError, match="the camera is gone"):
            next(stream)
        with pytest.raises(SternaError, match="is no image"):
            list(detect.stream([sterna.scene(1), np.zeros((4, 4), np.uint8)]))
        assert len(list(detect.stream([sterna.scene(1)] * 5))) == 5


def test_the_aspect_is_kept_on_request(package: sterna.Package) -> None:
    tall = np.full((160, 40, 3), 120, np.uint8)
    with sterna.Detector(package) as plain, sterna.Detector(package, aspect="letterbox") as kept:
        assert (plain.aspect, kept.aspect) == ("stretch", "letterbox")
        scene = sterna.scene(7)
        assert np.array_equal(plain.detect(scene).boxes, kept.detect(scene).boxes)
        padded = np.full((160, 320, 3), 128, np.uint8)
        padded[:, 80:240] = scene
        found = kept.detect(padded)
        assert (found.boxes <= [320, 160, 320, 160]).all() and kept.detect(tall).boxes.shape[1] == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tiles": 8}, r"there are no such tiles; got 8 x 8; allowed: a side of at least 16"),
        ({"tiles": (640,)}, r"Detector: is no size of tiles; tiles = \(640,\)"),
        ({"tiles": (640, "480")}, r"is no size of tiles"),
        ({"tiles": 640, "tile_overlap": 1.0}, r"an overlap of 0 \.\. 0\.9"),
        ({"aspect": "wide"}, r"there is no such aspect; aspect = wide; allowed: stretch, letterbox"),
    ],
)
def test_wrong_options_are_refused(package: sterna.Package, options: dict[str, object], said: str) -> None:
    with pytest.raises(SternaError, match=said):
        sterna.Detector(package, **options)  # type: ignore[arg-type]
