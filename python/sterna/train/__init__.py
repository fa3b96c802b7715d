"""Training: from labelled pictures to an integer graph."""

from __future__ import annotations

from sterna.train.evaluate import evaluate_graph
from sterna.train.options import TrainOptions
from sterna.train.run_folder import load_options
from sterna.train.trainer import TrainingStoppedError, TrainResult, train

__all__ = ["TrainOptions", "TrainResult", "TrainingStoppedError", "evaluate_graph", "load_options", "train"]
