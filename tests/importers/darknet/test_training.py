from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.exporters.darknet import for_darknet, write_cfg
from sterna.graph import networks
from sterna.importers.darknet import keys, read_cfg, read_training
from sterna.importers.importer import Training
from sterna.train.data.augment_options import AugmentOptions

ANCHORS = ((1.0, 1.0), (2.0, 2.0))


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Training]:
    """What a cfg file of a small network says of training, with more lines in its sections."""
    write_cfg(for_darknet(networks.describe("yolov2-nano"), ANCHORS, 2, 64, 64), tmp_path / "small.cfg")
    text = (tmp_path / "small.cfg").read_text()

    def reader(net: str = "", region: str = "", conv3: str = "", head: str = "") -> Training:
        parts = text.split("[convolutional]\n")
        parts[3] = conv3 + parts[3]
        parts[-1] = head + parts[-1].replace("[region]\n", "[region]\n" + region)
        path = tmp_path / "changed.cfg"
        path.write_text("[convolutional]\n".join(parts).replace("[net]\n", "[net]\n" + net))
        read_cfg(path)
        return read_training(path, AugmentOptions().model_dump())

    return reader


@pytest.mark.case(
    "cfg-augmentation",
    kind="what a file states is dropped",
    expected="flip, hue, saturation, exposure, jitter and random of a cfg file become the augmentation of training",
    source="AlexeyAB/darknet#2416",
)
def test_augmentation_is_taken_over(read: Callable[..., Training], got: Callable[[object], None]) -> None:
    found = read("flip=0\nhue=.05\nsaturation=1\nexposure=2.5\n", "jitter=0\nrandom=0\n").options
    assert found == {
        "mirror": 0, "hue": 0.05, "saturation": 1, "exposure": 2.5,
        "zoom": 1, "stretch": 1, "shift": 0, "multi_scale": 0,
    }  # fmt: skip
    got(", ".join(f"{name} {value:g}" for name, value in found.items()))
    assert read().options == {}


def test_published_values_are_the_defaults(read: Callable[..., Training]) -> None:
    found = read("flip=1\nhue=.1\nsaturation = 1.5\nexposure = 1.5\n", "jitter=.2\n").options
    assert found == AugmentOptions().model_dump()


def test_more_jitter_is_more_augmentation(read: Callable[..., Training]) -> None:
    low, high = (read(region=f"jitter={value}\n").options for value in (0.1, 0.4))
    for name, value in AugmentOptions().model_dump(include={"zoom", "stretch", "shift"}).items():
        assert low[name] < value < high[name]


@pytest.mark.parametrize(("random", "share"), [("1", 0.4), ("1.2", 0.2), ("0.8", 0.25), ("0", 0)])
def test_random_is_the_share_by_which_sizes_vary(read: Callable[..., Training], random: str, share: float) -> None:
    assert read(region=f"random={random}\n").options["multi_scale"] == pytest.approx(share)


def test_a_factor_below_one_is_its_inverse(read: Callable[..., Training]) -> None:
    assert read("exposure=.5\nsaturation=0\nhue=-.1\n").options == {"exposure": 2, "saturation": 1, "hue": 0.1}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ({"net": "hue=2\n"}, r"\[net\].*hue is out of range.*allowed: -0.5 .. 0.5"),
        ({"net": "flip=maybe\n"}, "flip is not an integer"),
        ({"region": "jitter=lots\n"}, r"\[region\].*jitter is not a number"),
    ],
)
def test_values_out_of_range_are_refused(read: Callable[..., Training], lines: dict[str, str], message: str) -> None:
    with pytest.raises(SternaError, match=message):
        read(**lines)


@pytest.mark.case(
    "cfg-freezes-layers",
    kind="what a file states is dropped",
    expected="stopbackward=1 freezes its layer and those before it; other numbers are named as not used",
)
def test_layers_before_the_last_stop_are_frozen(read: Callable[..., Training], got: Callable[[object], None]) -> None:
    found = read(conv3="stopbackward=1\n")
    got(f"frozen: {', '.join(found.frozen)}")
    assert found.frozen == ("conv1", "conv2", "conv3")
    assert read().frozen == ()
    late = read(conv3="stopbackward=4000\n")
    assert late.frozen == () and "[convolutional] stopbackward" in late.unused


def test_layers_that_are_not_loaded_are_named(read: Callable[..., Training]) -> None:
    assert read(conv3="dontload=1\n", head="dontload=1\n").not_loaded == ("conv3", "head")


@pytest.mark.case(
    "cfg-keys-of-other-programs",
    kind="what a file states is dropped",
    expected="keys that only steer darknet's own training are accepted and named as not used",
)
def test_keys_that_steer_darknet_are_named(read: Callable[..., Training], got: Callable[[object], None]) -> None:
    def lines(section: str) -> str:
        return "".join(f"{key}=1\n" for key in keys.unused(section))

    bare = read().unused
    found = read(lines("net"), lines("region"), lines("convolutional")).unused
    named = {part.split("] ")[0] + "]": set(part.split("] ")[1].split(", ")) for part in found}
    assert bare == ("[net] batch",)
    for section in ("net", "region", "convolutional"):
        assert named[f"[{section}]"] == set(keys.unused(section))
    got(f"{sum(map(len, named.values()))} keys of darknet and its continuation named as not used")
