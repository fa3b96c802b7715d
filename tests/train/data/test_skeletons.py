from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.graph import networks
from sterna.train.data import DataOptions, skeletons
from sterna.train.data.class_folders import open_classes


def moving(motion: str, seed: int = 0, noise: float = 0.0) -> np.ndarray:
    return skeletons.moving(motion, np.random.default_rng(seed), noise=noise)


def test_a_map_has_each_limb_and_the_trunk_beside_it() -> None:
    joints = np.zeros((64, 5, 4, 3))
    joints[:, 0, 3, 1] = 0.7  # the head is up
    joints[9, 4, 0, 2] = -0.25  # the right hip, in the second segment
    joints[10, 1, 3, 0] = 2.0
    found = skeletons.to_map(joints)
    assert found.shape == (8, 8, 96) and found.dtype == np.uint8
    assert np.argwhere((found == 198).all((0, 1))).ravel().tolist() == [12 + 9 + 1 + 24 * limb for limb in range(4)]
    assert found[1, 1, 72 + 2] == 103 and found[1, 2, 9] == 255
    assert (found != 128).sum() == 4 * 64 + 2


def test_frames_are_taken_evenly() -> None:
    joints = np.zeros((127, 5, 4, 3)) + np.linspace(0, 1.26, 127)[:, None, None, None]
    assert skeletons.to_map(joints)[..., 0].ravel().tolist() == list(range(128, 255, 2))
    assert (skeletons.to_map(joints[50:51]) == 178).all()


@pytest.mark.parametrize("shape", [(64, 25, 3), (64, 5, 3, 3), (0, 5, 4, 3)])
def test_other_joints_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SternaError, match=r"are no joints of a body over time; shape = .*allowed: frames, 5 parts, 4"):
        skeletons.to_map(np.zeros(shape))


@pytest.mark.parametrize("motion", skeletons.MOTIONS)
def test_bones_keep_their_lengths(motion: str) -> None:
    joints = moving(motion)
    bones = np.linalg.norm(np.diff(joints, axis=2), axis=-1)
    np.testing.assert_allclose(bones, np.broadcast_to(bones[:1], bones.shape), rtol=1e-9)
    assert 0.85 * 0.42 - 1e-9 < bones[0, 3, 0] < 1.15 * 0.42 + 1e-9
    assert not joints[:, 0, 0].any()


def test_motions_are_what_they_are_called() -> None:
    """Seen from the body's own side, whichever way it is turned."""
    span = {motion: np.ptp(moving(motion), axis=0).max(-1) for motion in skeletons.MOTIONS}
    for motion, part in (("wave left", 1), ("wave right", 2), ("kick left", 3), ("kick right", 4), ("bow", 0)):
        others = np.delete(span[motion][:, 3], [part] if motion != "bow" else [0, 1, 2])
        assert span[motion][part, 3] > 1.5 * others.max(), motion
    assert span["stand"].max() < 0.2 < span["twist"][1, 0]
    hands = moving("raise arms")[:, 1:3, 3, 1]
    assert hands.min() < 0 and hands.max() > 0.4


def test_a_data_set_is_made_again_from_its_seed(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        skeletons.generate(tmp_path / name, {"train": 2, "test": 1}, seed)
    first, same, other = (open_classes(DataOptions(data=str(tmp_path / name), height=8, width=8), 96) for name in "abc")
    assert first.train.classes == tuple(skeletons.MOTIONS) and len(first.train) == 2 * len(skeletons.MOTIONS)
    assert all(np.array_equal(first.train[index].image, same.train[index].image) for index in range(len(first.train)))
    assert not np.array_equal(first.train[0].image, other.train[0].image)
    assert not np.array_equal(first.train[0].image, first.test[0].image)
    assert first.train[0].image.shape[-1] == networks.describe("skeleton").image_channels
