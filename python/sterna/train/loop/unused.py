"""Options that were given but have no effect together with the others."""

from __future__ import annotations

from collections.abc import Collection

from sterna.importers import registry
from sterna.importers.onnx.floats import SUFFIX
from sterna.train.data.augment import sizes
from sterna.train.data.options import GENERATED, ReadOptions
from sterna.train.model.form import Form
from sterna.train.options import TrainOptions
from sterna.train.stages import Stage

_FOLDER = ("train_split", "val_split", "test_split", "classes", "rename", *ReadOptions.model_fields)
#: Of data sets of boxes.
_BOXES = ("format", "missing_share", "exif")
_ONNX = ("onnx_pixels", "onnx_activation", "onnx_until")
_SCENES = ("train_scenes", "val_scenes", "test_scenes")


def unused(options: TrainOptions, stages: Collection[Stage], processes: int) -> list[str]:
    """The options given that have no effect in a run of these `stages`, in a sentence if there are any."""
    scenes = options.data in GENERATED
    floats = any(stage.form is Form.FLOAT for stage in stages)
    without_effect = {
        "the data are generated scenes": _FOLDER if scenes else (),
        "the data are a data set": () if scenes else _SCENES,
        "without --unlabelled": () if options.unlabelled else ("unlabelled_epochs",),
        "without --unlabelled-epochs": () if options.unlabelled_epochs else ("unlabelled",),
        "there is no other multiple of 32 pixels in that range": () if _sizes_vary(options) else ("multi_scale",),
        "without --darknet-weights": () if options.darknet_weights else ("darknet_names", "darknet_epsilon"),
        "the network is no .onnx model": () if options.network.endswith(SUFFIX) else _ONNX,
        "the float network is not trained": () if floats else ("float_rate", "freeze"),
        "without --features": ("margin",) if options.features is None else (),
        "the network is a classifier": _BOXES if registry.is_classifier(options.network, options.given) else (),
        "one process sends no gradients": () if processes > 1 else ("gradients", "hierarchy"),
    }
    found = [
        f"--{name.replace('_', '-')} ({why})"
        for why, names in without_effect.items()
        for name in names
        if name in options.model_fields_set
    ]
    return [f"not used: {', '.join(found)}"] if found else []


def _sizes_vary(options: TrainOptions) -> bool:
    return not options.multi_scale or len(sizes(options.height, options.width, options.multi_scale)) > 1
