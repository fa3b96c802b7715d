"""A network in one stage of its training, and a training step on it."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from sterna.errors import SternaError
from sterna.train import distributed
from sterna.train.loop.loader import Batch
from sterna.train.model import integer
from sterna.train.model.network import Network
from sterna.train.optim import contrast, loss, optimisers
from sterna.train.optim.average import MovingAverage
from sterna.train.optim.communication import Parallel
from sterna.train.optim.optimisers import Optimiser
from sterna.train.options import Precision, RecipeOptions
from sterna.train.report.evaluate import from_integers

GRADIENT_LIMIT = 20.0
#: Parts of the loss of a detector.
LOSSES = ("box", "objectness", "classes", "distillation")


class Learner:
    """`network` and all that its training changes.

    anchors: [A, 2] in cells. teacher: the float network to learn from as well, or None. losses: the parts of its loss,
    in the order in which `step` gives them.
    """

    losses: ClassVar[tuple[str, ...]] = LOSSES

    def __init__(
        self,
        network: Network,
        anchors: list[list[float]],
        teacher: Network | None,
        optimiser: Optimiser,
        options: RecipeOptions,
    ) -> None:
        self.network, self._teacher, self._options = network, teacher, options
        self._device = next(network.parameters()).device
        self._anchors = torch.tensor(anchors, device=self._device)
        self._average = MovingAverage(network, options.ema) if options.ema else None
        self._parameters = list(network.parameters())
        self._optimiser = optimisers.build(optimiser, network)
        self._noise = optimisers.noise(
            self._optimiser, network, options.smoothing, options.variational, torch.initial_seed()
        )  # fmt: skip
        # K-FAC limits its steps by what they change; a gradient of any length does for it.
        self._limit = math.inf if optimiser is Optimiser.KFAC else GRADIENT_LIMIT
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=options.precision is Precision.FP16)
        #: Images that the teacher is asked about at a time.
        self._told_at_once = min(network.parts.values(), default=options.batch)
        self._parallel = Parallel(network, options.gradients, options.hierarchy)

    def step(self, batch: list[Batch], rate: float) -> list[float]:
        """One step on the parts of `batch` with learning rate `rate`; its `losses`, means over the images.

        Raises SternaError if a gradient is not a number.
        """
        if not self.network.training:
            self.network.train()
        self._optimiser.zero_grad(set_to_none=True)
        losses = torch.zeros(len(self.losses), device=self._device)
        self._parallel.bytes = 0
        for number, part in enumerate(batch, 1):
            with self._parallel.gathering(number == len(batch)), self._perturbed():
                losses += self.gradients(part, 1 / len(batch))
        self._descend(rate)
        if self._average is not None:
            self._average.update()
        values: list[float] = distributed.mean(losses).tolist()
        return values

    def _perturbed(self) -> AbstractContextManager[None]:
        return nullcontext() if self._noise is None else self._noise.added()

    def gradients(self, batch: Batch, share: float) -> Tensor:
        """Add the gradients of `batch`, times its `share` of the step; its `losses`, times that too."""
        images = from_integers(batch.images.to(self._device, non_blocking=True))
        wanted = batch.targets.to(self._device)
        # The teacher first: what it computes is gone when the network keeps what it computes.
        told = None
        if self._teacher is not None:
            with torch.no_grad(), self._autocast():
                told = self._ask(self._teacher, images)
        with self._autocast():
            head = self._parallel.module(images)
        head = head.float()
        parts = self._losses(head, wanted, told)
        # Where fewer bits are wanted anyway, also for the gradients of the integer form, which computes with floats.
        with integer.tensor_cores(self._options.precision is not Precision.FP32):
            self._scaler.scale(share * sum(parts, head.new_zeros(()))).backward()
        return share * torch.stack([part.detach() for part in parts])

    def _ask(self, teacher: Network, images: Tensor) -> Tensor:
        """What `teacher` gives for `images`, no more at a time than the network computes at a time."""
        parts: tuple[Tensor, ...] = torch.split(images, self._told_at_once)
        return torch.cat([teacher(part).float() for part in parts])

    def _losses(self, head: Tensor, wanted: Any, told: Tensor | None) -> list[Tensor]:
        """The `losses` of the raw `head` for `wanted`, the targets of a batch, and for what a teacher `told`."""
        parts = loss.losses(head, wanted, self._anchors)
        taught = head.new_zeros(())
        if told is not None:
            taught = self._options.distillation * loss.distillation(head, told, len(self._anchors))
        return [parts.box, parts.objectness, parts.classes, taught]

    def _autocast(self) -> AbstractContextManager[Any]:
        dtypes = {Precision.FP16: torch.float16, Precision.BF16: torch.bfloat16}
        dtype = dtypes.get(self._options.precision)
        return nullcontext() if dtype is None else torch.autocast(self._device.type, dtype)

    def _descend(self, rate: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._scaler.unscale_(self._optimiser)
        length = torch.nn.utils.clip_grad_norm_(self._parameters, self._limit)
        # Scaled gradients of 16 bits may overflow: the scaler then leaves out the step and scales less.
        if not self._scaler.is_enabled() and not torch.isfinite(length):
            raise SternaError(
                "the gradient is not a number", where="train", attribute="learning rate", value=f"{rate:g}",
                remedy="train with a lower learning rate",
            )  # fmt: skip
        self._scaler.step(self._optimiser)
        self._scaler.update()

    @property
    def learns_from_teacher(self) -> bool:
        """Whether the last of `losses` is used."""
        return self._teacher is not None

    @property
    def bytes_sent(self) -> int:
        """Bytes of gradients that this process sent in the last step."""
        return self._parallel.bytes

    def result(self) -> Network:
        """The result: the moving average of the network, or itself if there is none."""
        return self.network if self._average is None else self._average.network

    def state(self) -> dict[str, Any]:
        """Everything needed to resume; all processes must call it together."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "average": {} if self._average is None else self._average.state(),
            "scaler": self._scaler.state_dict(),
            "parallel": distributed.gather(self._parallel.state()),
            "draws": 0 if self._noise is None else self._noise.draws,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Resume from `state`; raises what PyTorch raises if it does not fit."""
        self.network.restore(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        if self._average is not None:
            self._average.restore(state["average"], self.network)
        self._scaler.load_state_dict(state["scaler"])
        self._parallel.restore(state["parallel"][distributed.rank()])
        if self._noise is not None:
            self._noise.draws = state["draws"]


class ClassLearner(Learner):
    """The same of a classifier."""

    losses: ClassVar[tuple[str, ...]] = ("classes", "distillation")

    def _losses(self, head: Tensor, wanted: Any, told: Tensor | None) -> list[Tensor]:
        scores = head.flatten(1)
        taught = scores.new_zeros(())
        if told is not None:
            soft = functional.softmax(told.flatten(1), 1)
            taught = self._options.distillation * functional.cross_entropy(scores, soft)
        return [functional.cross_entropy(scores, wanted), taught]


class PairLearner(Learner):
    """The same of a Siamese network: all pairs of the images of a step, over all processes, are learnt from.

    A teacher tells how far images are apart.
    """

    losses: ClassVar[tuple[str, ...]] = ("pairs", "distillation")

    def _losses(self, head: Tensor, wanted: Any, told: Tensor | None) -> list[Tensor]:
        apart = contrast.between_all(distributed.joined(head))
        taught = apart.new_zeros(())
        if told is not None:
            should = contrast.between_all(distributed.joined(told))
            taught = self._options.distillation * functional.mse_loss(apart, should)
        kinds = distributed.joined(wanted)
        return [contrast.contrast(apart, contrast.are_equal(kinds), self._options.margin), taught]
