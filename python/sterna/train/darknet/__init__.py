"""Networks of darknet (github.com/pjreddie/darknet) in Sterna: cfg files, weights files, and import for training."""

from __future__ import annotations

from sterna.train.darknet.cfg import Yolo2, read_cfg
from sterna.train.darknet.convert import Epsilon
from sterna.train.darknet.exact import exact
from sterna.train.darknet.load import Imported, load
from sterna.train.darknet.training import Training, read_training
from sterna.train.darknet.weights import Weights, read_weights, write_weights
from sterna.train.darknet.writer import for_darknet, write_cfg

__all__ = [
    "Epsilon",
    "Imported",
    "Training",
    "Weights",
    "Yolo2",
    "exact",
    "for_darknet",
    "load",
    "read_cfg",
    "read_training",
    "read_weights",
    "write_cfg",
    "write_weights",
]
