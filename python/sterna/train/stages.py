"""The recipe: the stages of a run, and how each of them trains."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sterna.train.model.form import Form
from sterna.train.optim.optimisers import Optimiser
from sterna.train.options import FLOAT_EPOCHS, RecipeOptions

FLOAT, UNLABELLED = "float", "unlabelled"  # names of the stages that train the float network, in order

WARM_UP = 0.05  # share of a stage in which the learning rate rises
LAST_RATE = 0.01  # share of its peak at which the learning rate of a stage ends
#: Peaks of the learning rate in the stages that only settle a network, as shares of the ternary stage's.
QUANTISED_RATE, INTEGER_RATE = 0.3, 0.1


@dataclass(frozen=True)
class Stage:
    """A part of the recipe. `name` is unique in a run; `rate` is the highest learning rate.

    sparsifies: density falls from that of the start to the target. distils: learns from the float network's heads as
    well. pseudo: learns from images without labels as well, which its own moving average labels.
    """

    name: str
    form: Form
    epochs: int
    optimiser: Optimiser
    rate: float
    sparsifies: bool = False
    distils: bool = False
    pseudo: bool = False


def plan(options: RecipeOptions) -> tuple[Stage, ...]:
    """The stages of a run in order, without those that are skipped."""
    float_epochs = FLOAT_EPOCHS if options.float_epochs is None else options.float_epochs
    first = options.optimiser
    # The integer form computes without the convolutions' modules, whose inputs the curvature of K-FAC is taken from.
    last = Optimiser.ADAMW if first is Optimiser.KFAC else first
    float_rate, ternary_rate = options.rates(first)
    quantised_rate, integer_rate = QUANTISED_RATE * ternary_rate, INTEGER_RATE * options.rates(last)[1]
    every = (
        Stage(FLOAT, Form.FLOAT, float_epochs, first, float_rate),
        Stage(UNLABELLED, Form.FLOAT, options.unlabelled_epochs, first, float_rate, pseudo=True),
        Stage("ternary", Form.TERNARY, options.ternary_epochs, first, ternary_rate, sparsifies=True, distils=True),
        Stage("quantised", Form.QUANTISED, options.quantised_epochs, first, quantised_rate, distils=True),
        Stage("integer", Form.INTEGER, options.integer_epochs, last, integer_rate, distils=True),
    )
    return tuple(stage for stage in every if stage.epochs and (options.unlabelled or not stage.pseudo))


def rate(share: float) -> float:
    """Learning rate as a share of its peak after `share` (0..1) of a stage: a linear rise, then half a cosine."""
    if share < WARM_UP:
        return (share + 1e-3) / (WARM_UP + 1e-3)
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP)))
