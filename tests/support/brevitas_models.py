"""Brevitas' own examples of quantised networks, with random numbers, as QONNX."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

#: Networks that Brevitas has the code of, by the image that they read.
EXAMPLES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("TFC_1W1A", "TFC_1W2A", "TFC_2W2A"), (1, 28, 28)),
    **dict.fromkeys(("CNV_1W1A", "CNV_1W2A", "CNV_2W2A"), (3, 32, 32)),
}
_BATCHES, _BATCH = 8, 16


def export_example(name: str, path: Path) -> None:
    """The example `name` as the file `path`: its weights are random, and its normalisation follows random images.

    Scales of both signs let some activations fall. PyTorch's newer exporter does not take Brevitas' models.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from brevitas.export import export_qonnx
        from brevitas_examples.bnn_pynq.models import model_with_cfg

        torch.manual_seed(0)
        model = model_with_cfg(name.lower(), pretrained=False)[0]
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias, std=0.5)
        with torch.no_grad():
            for _ in range(_BATCHES):
                model.train()(torch.rand(_BATCH, *EXAMPLES[name]))
        export_qonnx(model.eval(), args=torch.rand(1, *EXAMPLES[name]), export_path=str(path), dynamo=False)
