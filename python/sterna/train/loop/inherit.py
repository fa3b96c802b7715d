"""What a run takes over from the run it starts from and from its cfg file, unless its own options say otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sterna.errors import SternaError
from sterna.graph.network import Classifier
from sterna.importers import registry
from sterna.train import run_folder
from sterna.train.data import GENERATED
from sterna.train.data.augment import STEP
from sterna.train.data.augment_options import AugmentOptions
from sterna.train.loop import forms
from sterna.train.options import PairOptions, TrainOptions
from sterna.validated import WrongValueError

SIZE = ("height", "width")
SPLIT = ("train_split", "val_split", "test_split", "val_share", "test_share")


@dataclass(frozen=True)
class Settled:
    """The options of a run with all that it takes over. notes, warnings: what a person should know, one line each."""

    options: TrainOptions
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Source:
    """Something that states options. notes: what else it says, which is not used. classifies: whether its network
    ends in scores of classes, so that images may have any size."""

    where: str
    options: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    classifies: bool = False


def settle(options: TrainOptions) -> Settled:
    """`options`, and what the person left out: from the run to start from, or else from the cfg file or classifier.

    An option that is given holds. A run that is resumed keeps all that it was started with. Raises SternaError for
    files that cannot be read, and for what they state but a training cannot have.
    """
    if options.resume:
        return Settled(_resumed(options), ())
    sources = [*_start(options), *_file(options), *_classifier(options)]
    given = {name: getattr(options, name) for name in options.model_fields_set}
    taken: dict[str, Any] = {}
    notes, warnings = [], []
    for source in sources:
        new = {name: value for name, value in source.options.items() if name not in given and name not in taken}
        _check(given | taken | new, source, new)
        notes += _taken(source, new, options) + _overruled(source, given) + list(source.notes)
        taken |= new
    settled = TrainOptions.model_validate(given | taken)
    if options.start is not None:
        warnings += _another_size(settled, sources[0]) + _other_images(settled, _earlier(options.start))
    return Settled(settled, tuple(notes), tuple(warnings))


def _resumed(options: TrainOptions) -> TrainOptions:
    """What is not said again stays as it was when the run was started."""
    earlier = run_folder.load_options(options.output)
    return earlier.model_copy(update={name: getattr(options, name) for name in options.model_fields_set})


def _start(options: TrainOptions) -> list[_Source]:
    """What the weights to start from were trained for, and how their images varied."""
    if options.start is None:
        return []
    path = forms.find(options.start)
    trained = forms.load(path)
    description = trained.network.description
    stated: dict[str, Any] = {
        "network": trained.name,
        "height": trained.height,
        "width": trained.width,
        "first_bits": next(layer.bits for layer in description.convolutions if layer.bits is not None),
        "head_bits": description.last.bits,
    }
    if earlier := _earlier(options.start):
        learnt = PairOptions.model_fields if earlier.features else ()
        stated |= {name: getattr(earlier, name) for name in (*AugmentOptions.model_fields, *learnt)}
    return [_Source(str(options.start), stated, classifies=isinstance(description.last, Classifier))]


def _earlier(start: Path) -> TrainOptions | None:
    """The options of the run that `start` is of; None for weights outside a run folder."""
    folder = forms.find(start).parent
    return run_folder.load_options(folder) if (folder / run_folder.OPTIONS).is_file() else None


def _file(options: TrainOptions) -> list[_Source]:
    """What a file that describes the network says about images and training."""
    importer, path = registry.importer_of(options.network), Path(options.network)
    if importer is None:
        return []
    described, training = importer.describe(path, options.given), importer.training(path, AugmentOptions().model_dump())
    stated: dict[str, Any] = {"height": described.height, "width": described.width, **training.options}
    unused = list(training.unused)
    if options.start is None and options.darknet_weights is None:
        unused += ["stopbackward (no weights to start from)"] * bool(training.frozen)
    elif training.frozen:
        stated["freeze"] = training.frozen
    if options.darknet_weights is None:
        unused += ["dontload (no --darknet-weights)"] * bool(training.not_loaded)
    notes = (f"{path}: not used: {'; '.join(unused)}",) if unused else ()
    return [_Source(str(path), stated, notes, isinstance(described.network.last, Classifier))]


def _classifier(options: TrainOptions) -> list[_Source]:
    """The size of the images that a classifier is made for, which alone leave one score of a class."""
    named = options.start is None and registry.importer_of(options.network) is None
    if not named or not registry.is_classifier(options.network):
        return []
    side = registry.describe(options.network).side
    return [] if side is None else [_Source(options.network, {"height": side, "width": side}, classifies=True)]


def _check(values: Mapping[str, Any], source: _Source, new: Mapping[str, Any]) -> None:
    """Refuse what `source` states and an option cannot be."""
    name = next((name for name in SIZE if new.get(name, 0) % STEP), None)
    if name is not None and not source.classifies:
        raise _refused(source, name, new, f"multiples of {STEP}")
    try:
        TrainOptions.model_validate(values, context=source.where)
    except WrongValueError as error:
        name = (error.attribute or "").partition(".")[0]
        if name not in new:
            raise
        raise _refused(source, name, new, error.allowed or error.what) from None


def _refused(source: _Source, name: str, new: Mapping[str, Any], allowed: str) -> SternaError:
    return SternaError(
        "states a value that cannot be trained with", where=source.where, attribute=name, value=new[name],
        allowed=allowed, remedy=f"give {_option(name)}",
    )  # fmt: skip


def _taken(source: _Source, new: Mapping[str, Any], options: TrainOptions) -> list[str]:
    shown = [f"{_option(name)} {_text(value)}" for name, value in new.items() if value != getattr(options, name)]
    return [f"from {source.where}: {' '.join(shown)}"] if shown else []


def _overruled(source: _Source, given: Mapping[str, Any]) -> list[str]:
    other = [name for name, value in source.options.items() if name in given and given[name] != value]
    return [
        f"{source.where} says {_option(name)} {_text(source.options[name])}; {_text(given[name])} is given and applies"
        for name in other
        if name != "network"  # whose layers are compared
    ]


def _another_size(options: TrainOptions, start: _Source) -> list[str]:
    now, before = ({name: source[name] for name in SIZE} for source in (options.model_dump(), start.options))
    if now == before:
        return []
    return [
        f"the weights to start from were trained with images of {before['height']}x{before['width']}, "
        f"this run has {now['height']}x{now['width']}: object sizes in cells differ from those that the weights know"
    ]


def _other_images(options: TrainOptions, earlier: TrainOptions | None) -> list[str]:
    """Whether the images that judge this run may be among those that the run before learnt from."""
    if earlier is None or options.data in GENERATED or Path(options.data).resolve() != Path(earlier.data).resolve():
        return []
    names = [*SPLIT, *(["seed"] if earlier.val_share or earlier.test_share else [])]
    now, before = ({name: getattr(each, name) for name in names} for each in (options, earlier))
    if now == before:
        return []
    told = " ".join(f"{_option(name)} {value}" for name, value in before.items() if value is not None)
    return [
        "the weights to start from may have learnt test images of this run: they were trained on these data with "
        f"{told}, unlike this run"
    ]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
