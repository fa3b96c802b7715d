"""The GPU that some results are measured on."""

from __future__ import annotations

import torch

from sterna.errors import SternaError
from sterna.train.model import integer


def device() -> torch.device:
    """The GPU, set to multiply floats with all their bits; raises SternaError if there is none."""
    if not torch.cuda.is_available():
        raise SternaError("there is no GPU here", where="results", remedy="run it on a machine that has one")
    integer.need_all_bits()
    return torch.device("cuda")
