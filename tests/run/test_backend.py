"""What all backends share, shown on the reference: the order of the calls, the check of the images."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.graph import reference
from sterna.package.package import Package
from sterna.run import open_backend
from support.packages import small_images, small_package


@pytest.fixture(scope="module")
def package() -> Package:
    return small_package()


def test_reference(package: Package) -> None:
    images = small_images(3)
    expected = reference.execute(package.graph, images)
    seen: list[tuple[int, int]] = []
    with open_backend("reference:") as backend:
        backend.load(package)
        results = backend.infer(images, lambda *at: seen.append(at))
        assert backend.counters() is None and backend.note() is None
    assert set(results) == {store.layer for store in package.schedule.stores} | {"out"}
    for name, tensor in results.items():
        assert np.array_equal(tensor, expected[name])
    assert seen == [(number, len(package.schedule.steps)) for number in range(3)]


def test_calls_in_the_wrong_order(package: Package) -> None:
    backend = open_backend("reference")
    with pytest.raises(SternaError, match="no package is loaded"):
        backend.infer(small_images())
    backend.load(package)
    backend.close()
    backend.close()
    with pytest.raises(SternaError, match="backend: is closed; remedy: open it again"):
        backend.load(package)
    with pytest.raises(SternaError, match="no package is loaded"):
        backend.infer(small_images())


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((1, 3, 9, 12), np.int8),
        np.zeros((3, 9, 13), np.int8),
        np.zeros((0, 3, 9, 13), np.int8),
        np.zeros((1, 3, 9, 13), np.uint8),
    ],
)
def test_images_that_do_not_fit(package: Package, images: np.ndarray) -> None:
    with open_backend("reference:") as backend:
        backend.load(package)
        with pytest.raises(SternaError, match="layer 'image': the images do not fit the model"):
            backend.infer(images)


def test_a_stream_gives_what_a_batch_gives(package: Package) -> None:
    images, seen = small_images(3), []
    expected = reference.execute(package.graph, images)
    with open_backend("reference:") as backend:
        with pytest.raises(SternaError, match="no package is loaded"):
            backend.stream(images)
        backend.load(package)
        results = list(backend.stream(iter(images), lambda *at: seen.append(at)))
        assert [found["out"].shape[0] for found in results] == [1, 1, 1]
        for number, found in enumerate(results):
            assert all(np.array_equal(layer, expected[name][number : number + 1]) for name, layer in found.items())
        assert seen == [(number, len(package.schedule.steps)) for number in range(3)]
        assert list(backend.stream([])) == []
        with pytest.raises(SternaError, match="the images do not fit the model"):
            list(backend.stream([images[0], images[0, :, :5]]))
