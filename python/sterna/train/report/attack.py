"""Untargeted attacks: images changed a little so that a detector is as wrong about them as it can be made.

Projected gradient descent within a maximum change of each pixel (Madry et al. 2018, "Towards deep learning models
resistant to adversarial attacks", section 2.1), from the image itself on. With one step it is the fast gradient sign
method (Goodfellow et al. 2015, "Explaining and harnessing adversarial examples", section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sterna.train.data import Frame
from sterna.train.model.network import Network
from sterna.train.optim import loss
from sterna.train.report.evaluate import Images, from_integers
from sterna.vision.prepare import to_integers

STEPS = 10
#: What the steps together could change a pixel, relative to what they may: enough to reach the limit and turn round.
SPAN = 2.5


@dataclass(frozen=True)
class Attack:
    """An attack on `network` in float or quantised form. anchors: [A, 2], width and height in cells.

    levels: the most that a value of a pixel is changed, of 255. steps: gradients that are followed.
    """

    network: Network
    anchors: Sequence[Sequence[float]]
    levels: int
    steps: int = STEPS

    def __call__(self, frames: Sequence[Frame]) -> list[Frame]:
        """`frames`, all of one size, with images that raise the training loss of their labels."""
        network = self.network.eval()
        device = next(network.parameters()).device
        anchors = torch.tensor(self.anchors, device=device)
        wanted = loss.targets(frames, np.asarray(self.anchors), network.description.stride).to(device)
        # Integers of a graph's input, -128 .. 127, but not rounded before the end.
        start = torch.from_numpy(to_integers(np.stack([frame.image for frame in frames]))).to(device).float()
        least, most = (start - self.levels).clamp(-128), (start + self.levels).clamp(max=127)
        images, step = start, SPAN * self.levels / self.steps if self.steps > 1 else float(self.levels)
        for _ in range(self.steps):
            images = images.detach().requires_grad_()
            with torch.enable_grad():
                total = loss.losses(network(from_integers(images.clone())), wanted, anchors).total
                (gradient,) = torch.autograd.grad(total, images)
            images = (images + step * gradient.sign()).clamp(least, most)
        return _with_images(frames, images.detach())


def _with_images(frames: Sequence[Frame], images: torch.Tensor) -> list[Frame]:
    """`frames` with `images` [N, 3, H, W] of -128 .. 127."""
    pixels: Images = (images.round() + 128).byte().permute(0, 2, 3, 1).cpu().numpy()
    return [frame._replace(image=image) for frame, image in zip(frames, pixels, strict=True)]
