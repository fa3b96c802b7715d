"""The forms of a network on its way to the hardware."""

from __future__ import annotations

from enum import StrEnum


class Form(StrEnum):
    """How the weights and activations of a network are held, from training's first form to the hardware's."""

    FLOAT = "float"
    #: Ternary weights (integers in first layer and head), activations not quantised; their ranges are learnt.
    TERNARY = "ternary"
    #: Activations of 8 bits as well; float arithmetic.
    QUANTISED = "quantised"
    #: The integers of the engine, to the bit; batch normalisation and activation scales no longer move.
    INTEGER = "integer"
