"""An imported detector for the classes of another data set."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from sterna.run.boxes import BOX_FIELDS
from sterna.train.darknet.load import Imported
from sterna.train.networks import Form, Head, Network


@torch.no_grad()
def for_classes(imported: Imported, classes: Sequence[str]) -> Network:
    """The imported network, float form, with a head for `classes`; all other parameters are as imported.

    In the head, boxes and objectness are kept, and so is a class whose name the detector knows. The others have fresh
    weights from PyTorch's random generator.
    """
    source, head = imported.network, imported.network.layers[-1]
    assert isinstance(head, Head)
    made = Network(source.layers, len(classes), Form.FLOAT)
    fresh = made.state_dict()  # shares the parameters of `made`
    for key, values in source.state_dict().items():
        if not key.startswith(f"blocks.{head.name}."):
            fresh[key].copy_(values)
            continue
        old, new = (part.unflatten(0, (head.anchors, -1)) for part in (values, fresh[key]))
        new[:, :BOX_FIELDS] = old[:, :BOX_FIELDS]
        for index, name in enumerate(classes):
            if name in imported.names:
                new[:, BOX_FIELDS + index] = old[:, BOX_FIELDS + imported.names.index(name)]
    return made
