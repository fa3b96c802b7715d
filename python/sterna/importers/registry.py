"""The importers, and what the name of a network means: one of Sterna's own, or a file that one of them reads."""

from __future__ import annotations

from pathlib import Path

from sterna.graph import networks
from sterna.graph.network import Classifier, NetworkDescription
from sterna.importers import darknet
from sterna.importers.importer import ALONE, Given, Importer
from sterna.importers.onnx import floats

IMPORTERS: tuple[Importer, ...] = (darknet.IMPORTER, floats.IMPORTER)


def importer_of(network: str) -> Importer | None:
    """The importer of the file `network`, by its suffix; None for the name of one of Sterna's networks."""
    return next((each for each in IMPORTERS if network.endswith(each.suffix)), None)


def describe(network: str, given: Given = ALONE) -> NetworkDescription:
    """The layers of `network`, the name of one of Sterna's networks or the path of a file, for which more is `given`.

    Raises SternaError for another name, and for a file that its importer refuses.
    """
    importer = importer_of(network)
    return networks.describe(network) if importer is None else importer.describe(Path(network), given).network


def is_classifier(network: str, given: Given = ALONE) -> bool:
    """Whether `network` ends in scores of classes. Raises SternaError as `describe` does."""
    return isinstance(describe(network, given).last, Classifier)


def check(network: str) -> str:
    """`network`, if it is one of the named networks or a file that an importer reads; raises SternaError if not."""
    if importer_of(network) is None and network not in networks.networks:
        raise networks.networks.unknown(network, known())
    return network


def known() -> str:
    """The names and files that `describe` takes, for messages."""
    *files, last = (each.files for each in IMPORTERS)
    return ", ".join([*networks.networks, *files, f"and {last}"])
