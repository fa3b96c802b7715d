"""The forms of the detector that a run folder holds, to be compared with each other."""

from __future__ import annotations

from pathlib import Path

from sterna.errors import SternaError
from sterna.graph import Graph, file
from sterna.run.detector import Detector
from sterna.train import checkpoint, networks
from sterna.train.networks import Form, Network

FLOAT_CHECKPOINT = "float.pt"


def load(folder: Path) -> dict[str, Network | Graph]:
    """`float` and `ternary` networks and `integer` graph of the finished run in `folder`, in this order.

    Raises SternaError if one of their files is missing or damaged.
    """
    from sterna.train import trainer

    if not (folder / trainer.GRAPH).is_file():
        raise SternaError("the run has no integer graph yet", where=str(folder), remedy="finish it with resume")
    graph = file.load(folder / trainer.GRAPH)
    classes = len(Detector.of(graph).classes)
    name = trainer.load_options(folder).network
    forms: dict[str, Network | Graph] = {}
    for form, path in ((Form.FLOAT, FLOAT_CHECKPOINT), (Form.TERNARY, trainer.CHECKPOINT)):
        network = networks.build(name, classes, form)
        try:
            network.load_state_dict(checkpoint.load(folder / path)["network"])
        except (KeyError, RuntimeError):
            raise checkpoint.damaged(folder / path) from None
        forms[form.value] = network
    return forms | {"integer": graph}
