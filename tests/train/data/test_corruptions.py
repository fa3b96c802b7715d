"""Each corruption does what its amount says, and leaves everything else alone."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from sterna.errors import SternaError
from sterna.train.data.corruptions import AMOUNTS, SEVERITIES, Corrupted, Corruption, corrupt
from support.small_detector import SIZE, small_scenes

GREY = np.full((96, 128, 3), 128, np.uint8)


def change(image: np.ndarray, kind: Corruption, severity: int) -> float:
    return float(np.abs(corrupt(image, kind, severity, 0).astype(float) - image).mean())


@pytest.mark.parametrize("kind", Corruption)
def test_a_higher_severity_changes_more(kind: Corruption) -> None:
    image = small_scenes()[0].image
    changes = [change(image, kind, severity) for severity in SEVERITIES]
    assert changes == sorted(changes) and changes[0] > 1 and len(set(changes)) == len(AMOUNTS[kind]) == 5


def test_noise_has_the_deviation_that_is_stated() -> None:
    noise = (corrupt(GREY, Corruption.NOISE, 1, 0).astype(float) - GREY) / 255
    assert noise.std() == pytest.approx(0.08, rel=0.02) and abs(noise.mean()) < 0.002


def test_a_blur_has_the_deviation_that_is_stated() -> None:
    line = np.zeros((64, 64, 3), np.uint8)
    line[:, 32] = 255
    seen = corrupt(line, Corruption.BLUR, 3, 0)[32, :, 0].astype(float)
    places = np.arange(64) - 32
    assert (seen * places).sum() == 0
    assert np.sqrt((seen * places**2).sum() / seen.sum()) == pytest.approx(3, rel=0.05)


def test_darkness_leaves_the_share_of_light_that_is_stated() -> None:
    image = small_scenes()[0].image
    assert np.abs(corrupt(image, Corruption.DARKNESS, 2, 0) - image / 2).max() <= 0.5


@pytest.mark.parametrize("severity", SEVERITIES)
def test_jpeg_is_nearly_what_a_codec_makes_of_that_quality(severity: int) -> None:
    image = small_scenes()[0].image
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(AMOUNTS[Corruption.JPEG][severity - 1]))
    coded = np.asarray(Image.open(file)).astype(float)
    seen = corrupt(image, Corruption.JPEG, severity, 0)
    assert np.abs(seen - coded).mean() < 0.5 * np.abs(image - coded).mean()


def test_a_corrupted_data_set_is_the_same_each_time_and_keeps_its_labels() -> None:
    scenes = small_scenes(2)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    worse = Corrupted(scenes, Corruption.NOISE, 3)
    first, second = worse[0], worse[1]
    assert torch.equal(torch.get_rng_state(), before), "PyTorch's own random numbers are drawn from"
    assert (worse[0].image == first.image).all()
    noises = [made.image.astype(int) - scenes[index].image for index, made in enumerate((first, second))]
    assert (noises[0] != noises[1]).mean() > 0.5, "all images have the same noise"
    assert len(worse) == 2 and worse.classes == scenes.classes
    for mine, theirs in zip(first.labels, scenes[0].labels, strict=True):
        assert (mine == theirs).all()
    assert (worse.labels(1).boxes == scenes.labels(1).boxes).all()
    assert worse.resized(32, 2 * SIZE)[0].image.shape == (32, 2 * SIZE, 3)


def test_the_smallest_images_are_taken() -> None:
    small = small_scenes()[0].image[:32, :32]
    assert all(corrupt(small, kind, 5, 0).shape == (32, 32, 3) for kind in Corruption)


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kornia", None)
    with pytest.raises(SternaError, match=r"package = kornia.*pip install 'sterna\[corruptions\]'"):
        corrupt(GREY, Corruption.BLUR, 1, 0)
