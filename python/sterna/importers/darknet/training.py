"""What darknet's cfg files say about training: the keys that Sterna's training uses, and those that it does not.

Sources: `parser.c`, `data.c` and `detector.c` of darknet (github.com/pjreddie/darknet, github.com/AlexeyAB/darknet).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sterna.importers.darknet import keys
from sterna.importers.darknet.sections import Section, read_sections
from sterna.importers.importer import Training

MOST_FACTOR = 10.0  # of exposure and saturation
JITTER = 0.2  # of the published cfg files; the defaults of zoom, stretch and shift are for it
RANDOM = 0.4  # share of the size by which random=1 changes it


def read_training(path: Path, usual: Mapping[str, float]) -> Training:
    """Read what the cfg file `path`, which `read_cfg` accepts, says about training.

    usual: the augmentation of published cfg files in options of Sterna, `mirror`, `zoom`, `stretch` and `shift`. Raises
    SternaError with its line for a value that is out of range.
    """
    net, *layers = read_sections(path)
    names = _names(layers)
    stops = [index for index, layer in enumerate(layers) if layer.integer("stopbackward", 0, low=0, high=_LONG) == 1]
    # Darknet ends the way back at the last such layer, before that layer itself has learnt.
    frozen = [name for index, name in names.items() if stops and index <= stops[-1]]
    stated = _of_net(net, usual) | _of_region(layers[-1], usual)
    return Training(stated, tuple(frozen), _not_loaded(layers), _unused([net, *layers]))


def not_loaded(path: Path) -> tuple[str, ...]:
    """The layers of the cfg file `path` whose weights are not in the weights file."""
    return _not_loaded(read_sections(path)[1:])


def _not_loaded(layers: Sequence[Section]) -> tuple[str, ...]:
    names = _names(layers)
    return tuple(name for index, name in names.items() if layers[index].integer("dontload", 0, low=0, high=1))


_LONG = 1_000_000_000


def _names(layers: Sequence[Section]) -> dict[int, str]:
    """The names of the convolutions, as `read_cfg` gives them, by their place among the layers."""
    places = [index for index, layer in enumerate(layers) if layer.name == "convolutional"]
    return {index: f"conv{number}" for number, index in enumerate(places, 1)} | {places[-1]: "head"}


def _of_net(net: Section, usual: Mapping[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    if "flip" in net.options:
        found["mirror"] = usual["mirror"] if net.integer("flip", low=0, high=1) else 0.0
    if "hue" in net.options:
        found["hue"] = abs(net.real("hue", -0.5, 0.5))
    for key in ("exposure", "saturation"):
        if key in net.options:
            given = net.real(key, 0.0, MOST_FACTOR) or 1.0  # darknet takes 0 for 1
            found[key] = min(max(given, 1 / given), MOST_FACTOR)
    return found


def _of_region(region: Section, usual: Mapping[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    if "jitter" in region.options:
        share = region.real("jitter", 0.0, 1.0) / JITTER
        found |= {name: usual[name] ** share for name in ("zoom", "stretch")} | {"shift": usual["shift"] * share}
    if "random" in region.options:
        given = region.real("random", 0.0, MOST_FACTOR)
        found["multi_scale"] = 0.0 if given == 0 else RANDOM if given == 1 else min(max(given, 1 / given) - 1, 0.9)
    return {name: round(value, 6) for name, value in found.items()}


def _unused(sections: Sequence[Section]) -> tuple[str, ...]:
    found: dict[str, dict[str, None]] = {}
    for section in sections:
        for key in section.options:
            if key in keys.unused(section.name) or _without_effect(section, key):
                found.setdefault(section.name, {})[key] = None
    return tuple(f"[{name}] {', '.join(names)}" for name, names in found.items())


def _without_effect(section: Section, key: str) -> bool:
    """Whether a key of training says what is not followed: to freeze layers for some first steps."""
    return key == "stopbackward" and section.integer(key, low=0, high=_LONG) > 1
