"""Training: from labelled images to an integer graph."""

from __future__ import annotations

from sterna.rooms import make_callable
from sterna.train.loop.trainer import TrainingStoppedError, TrainResult, train
from sterna.train.options import TrainOptions
from sterna.train.report.evaluate import evaluate_graph
from sterna.train.run_folder import load_options

__all__ = ["TrainOptions", "TrainResult", "TrainingStoppedError", "evaluate_graph", "load_options", "train"]

make_callable(__name__)
