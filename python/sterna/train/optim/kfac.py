"""K-FAC, an optimiser that steps along the natural gradient, for float and quantised convolutional networks.

Osawa et al., "Large-Scale Distributed Second-Order Optimization Using Kronecker-Factored Approximate Curvature for
Deep Convolutional Neural Networks" (CVPR 2019), and its follow-up "Scalable and Practical Natural Gradient for
Large-Scale Deep Learning" (2020). What is kept of each layer's Fisher matrix is in `curvature`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sterna.errors import SternaError
from sterna.train import distributed
from sterna.train.optim.curvature import ConvCurvature, Curvature, NormCurvature

# Name of each hyperparameter: smallest and largest value, whether it is a whole number.
RANGES: dict[str, tuple[float, float, bool]] = {
    "lr": (0.0, 100.0, False),
    "momentum": (0.0, 0.999, False),
    "weight_decay": (0.0, 1.0, False),
    "damping": (1e-8, 1e6, False),
    "first_damping": (1e-8, 1e6, False),
    "damping_steps": (0, 10**9, True),
    "statistics_decay": (0.0, 0.9999, False),
    "factor_interval": (1, 10**6, True),
    "inverse_interval": (1, 10**6, True),
    "longest_stretch": (1, 10**6, True),
    "similarity": (0.0, 1.0, False),
    "kl_clip": (1e-12, 1e12, False),
    "largest_factor": (16, 65_536, True),
    "positions": (1, 10**9, True),
    "variational": (0.0, 1.0, False),
}


class Kfac(torch.optim.Optimizer):
    """Momentum descent along the damped inverse Fisher matrix times the gradient, with decoupled weight decay.

    Give the gradient of a loss that is the mean over the images of the batch, from one forward pass in training
    mode and one backward pass for each `step`. Convolutions and batch normalisations have a curvature; parameters of
    any other layer descend along their gradient itself, and `plain` names them. The gradient may be of any length:
    `kl_clip` takes the place of a limit on it.

    lr: learning rate.
    momentum: of the preconditioned gradient.
    weight_decay: share of a parameter that is taken off in a step at learning rate 1.
    damping: Tikhonov damping of a layer's Fisher matrix, as a share of its mean eigenvalue, so that it means the same
      for every layer and scale of the loss. It falls to this from `first_damping`, most of the way in
      `damping_steps` steps (Osawa et al. 2019).
    statistics_decay: of the running averages of the factors; the first batches weigh alike.
    factor_interval, inverse_interval: steps between two updates of a layer's factors, and of its inverses. Both are
      stretched, layer by layer, while the factors change by less than the share `similarity` from one inversion to
      the next: along the Fibonacci numbers up to `longest_stretch`, and halved when they change more (Osawa et
      al. 2020, who compare the factors of single batches).
    kl_clip: most that a step may change the predictions, by the quadratic model lr^2 * gradient * direction; a longer
      one is shortened (Ba et al. 2017).
    largest_factor: rows of a Kronecker factor above which it is cut into blocks of channels.
    positions: most positions of an image's map that the factor of the inputs is taken from.
    variational: of `draw`, the covariance of the weights as a share of the damped inverse Fisher matrix: the weight of
      their distance from a prior, divided by the images that are learnt from (noisy K-FAC; Zhang et al. 2018, "Noisy
      natural gradient as variational inference").

    With `torch.distributed`, each process gives the averaged gradient and a batch of the same size: factors are
    averaged over processes, each layer is inverted by one of them, and the inverses are sent to the others.

    The state holds everything: a run that is resumed from it takes the same steps, bit for bit. Raises SternaError for
    a hyperparameter out of range, by name, and for a step before any forward and backward pass.
    """

    def __init__(
        self,
        network: nn.Module,
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 5e-4,
        damping: float = 0.1,
        *,
        first_damping: float | None = None,
        damping_steps: int = 0,
        statistics_decay: float = 0.95,
        factor_interval: int = 10,
        inverse_interval: int = 20,
        longest_stretch: int = 8,
        similarity: float = 0.3,
        kl_clip: float = 1.0,
        largest_factor: int = 2048,
        positions: int = 64,
        variational: float = 0.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "damping": damping,
            "first_damping": damping if first_damping is None else first_damping,
            "damping_steps": damping_steps,
            "statistics_decay": statistics_decay,
            "factor_interval": factor_interval,
            "inverse_interval": inverse_interval,
            "longest_stretch": longest_stretch,
            "similarity": similarity,
            "kl_clip": kl_clip,
            "largest_factor": largest_factor,
            "positions": positions,
            "variational": variational,
        }
        for name, value in defaults.items():
            _check(name, value)
        super().__init__(
            [parameter for parameter in network.parameters() if parameter.requires_grad], {**defaults, "steps": 0}
        )
        self._network = network
        self._curvatures = self._find_curvatures()
        covered = {id(parameter) for curvature in self._curvatures for parameter in curvature.parameters}
        self.plain = [
            name
            for name, parameter in network.named_parameters()
            if parameter.requires_grad and id(parameter) not in covered
        ]
        #: By layer name the inverses that roots were taken of, and the roots.
        self._roots: dict[str, tuple[list[Tensor], list[Tensor]]] = {}
        self._owners = _owners([curvature.cost() for curvature in self._curvatures], distributed.size())

    def _find_curvatures(self) -> list[Curvature]:
        found: list[Curvature] = []
        group = self.param_groups[0]
        for name, layer in self._network.named_modules():
            if not all(parameter.requires_grad for parameter in layer.parameters(recurse=False)):
                continue
            if ConvCurvature.knows(layer):
                sizes = {"largest_factor": group["largest_factor"], "positions": group["positions"]}
                found.append(ConvCurvature(name, layer, self._wanted(len(found)), **sizes))
            elif NormCurvature.knows(layer):
                found.append(NormCurvature(name, layer, self._wanted(len(found))))
        return found

    def _wanted(self, index: int) -> Callable[[], bool]:
        def wanted() -> bool:
            due = self._state(self._curvatures[index]).get("factors_due", 0)
            return self._network.training and torch.is_grad_enabled() and self._steps >= due

        return wanted

    def _state(self, curvature: Curvature) -> dict[str, Any]:
        return self.state[curvature.parameters[0]]

    @property
    def _steps(self) -> int:
        return self.param_groups[0]["steps"]

    def curvature(self) -> dict[str, list[Tensor]]:
        """By layer name the running averages of its statistics, as `curvature` describes them; empty before a step."""
        states = {curvature.name: self._state(curvature) for curvature in self._curvatures}
        return {name: state["factors"] for name, state in states.items() if "factors" in state}

    def intervals(self) -> dict[str, int]:
        """By layer name the steps between two inversions, as they are stretched now."""
        interval = self.param_groups[0]["inverse_interval"]
        return {curvature.name: interval * self._state(curvature).get("stretch", 1) for curvature in self._curvatures}

    @torch.no_grad()
    def draw(self, generator: torch.Generator) -> dict[Tensor, Tensor]:
        """What is added to parameters with curvature, so that they are drawn from a Gaussian around what they are.

        Its covariance is `variational` times the inverse Fisher matrix. Nothing before the first step.
        """
        drawn: dict[Tensor, Tensor] = {}
        deviation = math.sqrt(self.param_groups[0]["variational"])
        for curvature in self._curvatures:
            inverses = self._state(curvature).get("inverses")
            if inverses is None:
                continue
            before, roots = self._roots.get(curvature.name, (None, []))
            if before is not inverses:
                roots = [_root(inverse) for inverse in inverses]
                self._roots[curvature.name] = (inverses, roots)
            noise = [torch.randn(each.shape, generator=generator).to(each) for each in curvature.parameters]
            found = curvature.precondition(noise, roots)
            drawn |= {one: deviation * other for one, other in zip(curvature.parameters, found, strict=True)}
        return drawn

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step along the gradients that the parameters hold; `closure`, if given, makes them first."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._update_factors()
        self._update_inverses()
        self._descend(self._directions())
        self.param_groups[0]["steps"] += 1
        return loss

    def _update_factors(self) -> None:
        """Take the batch that was seen into the running averages of the layers that are due."""
        group = self.param_groups[0]
        seen = [(curvature, curvature.take()) for curvature in self._curvatures]
        new = [(curvature, statistics) for curvature, statistics in seen if statistics is not None]
        averages = iter(_average([statistic for _, statistics in new for statistic in statistics]))
        for curvature, statistics in new:
            state = self._state(curvature)
            batch = [next(averages) for _ in statistics]
            state["updates"] = state.get("updates", 0) + 1
            share = max(1.0 / state["updates"], 1.0 - group["statistics_decay"])
            if "factors" in state:
                for factor, value in zip(state["factors"], batch, strict=True):
                    factor.lerp_(value, share)
            else:
                state["factors"] = batch
            state["factors_due"] = self._steps + group["factor_interval"] * state.get("stretch", 1)

    def _update_inverses(self) -> None:
        """Invert the factors of the layers that are due, each in one process, and stretch or halve their intervals."""
        group, rank = self.param_groups[0], distributed.rank()
        due = [
            (curvature, owner)
            for curvature, owner in zip(self._curvatures, self._owners, strict=True)
            if self._steps >= self._state(curvature).get("inverses_due", 0)
        ]
        for curvature, owner in due:
            state = self._state(curvature)
            if "factors" not in state:
                raise SternaError(
                    "there was no forward and backward pass in training mode before the step", where=curvature.name
                )
            self._stretch(state)
            state["inverses_due"] = self._steps + group["inverse_interval"] * state["stretch"]
            if owner == rank:
                state["inverses"] = curvature.invert(state["factors"], self._damping())
            else:
                state["inverses"] = [torch.empty_like(factor) for factor in state["factors"]]
        for owner in sorted({owner for _, owner in due}):
            _send([inverse for one, by in due if by == owner for inverse in self._state(one)["inverses"]], owner)

    def _stretch(self, state: dict[str, Any]) -> None:
        """Lengthen the intervals of a layer whose factors stay, along the Fibonacci numbers; halve them where not."""
        group = self.param_groups[0]
        stretch, before = state.get("stretch", 1), state.get("stretch_before", 0)
        if "inverted" in state:
            change = max(
                float((new - old).norm() / old.norm().clamp(min=torch.finfo(old.dtype).tiny))
                for new, old in zip(state["factors"], state["inverted"], strict=True)
            )
            longer = min(stretch + before, group["longest_stretch"])
            stretch, before = (longer, stretch) if change < group["similarity"] else (max(1, stretch // 2), 0)
        state["stretch"], state["stretch_before"] = stretch, before
        state["inverted"] = [factor.clone() for factor in state["factors"]]

    def _damping(self) -> float:
        group = self.param_groups[0]
        last, first, steps = group["damping"], group["first_damping"], group["damping_steps"]
        if not steps or first <= last:
            return last
        left = max(0.0, 1.0 - 2.0 * math.log10(first / last) / steps)
        return last + (first - last) * left**self._steps

    def _directions(self) -> dict[Tensor, Tensor]:
        """The preconditioned gradients of all parameters with curvature, clipped."""
        directions: dict[Tensor, Tensor] = {}
        change = 0.0
        for curvature in self._curvatures:
            gradients = [parameter.grad for parameter in curvature.parameters if parameter.grad is not None]
            if len(gradients) != len(curvature.parameters):
                continue  # took no part in the loss
            found = curvature.precondition(gradients, self._state(curvature)["inverses"])
            directions.update(zip(curvature.parameters, found, strict=True))
            change += sum(float((one * other).sum()) for one, other in zip(found, gradients, strict=True))
        group = self.param_groups[0]
        change *= group["lr"] ** 2
        if change > group["kl_clip"]:
            for direction in directions.values():
                direction.mul_(math.sqrt(group["kl_clip"] / change))
        return directions

    def _descend(self, directions: dict[Tensor, Tensor]) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(parameter)
                velocity = state["momentum"].mul_(group["momentum"]).add_(directions.get(parameter, parameter.grad))
                parameter.mul_(1.0 - group["lr"] * group["weight_decay"]).add_(velocity, alpha=-group["lr"])


def _root(matrices: Tensor) -> Tensor:
    """The symmetric square root of symmetric `matrices` without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrices.double())
    return (vectors * values.clamp(min=0).sqrt().unsqueeze(-2) @ vectors.mT).to(matrices.dtype)


def _check(name: str, value: float) -> None:
    low, high, whole = RANGES[name]
    fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not (fits and low <= value <= high):
        kind = "a whole number from" if whole else "from"
        raise SternaError(
            "a hyperparameter of K-FAC is out of range",
            where="train",
            attribute=name,
            value=value,
            allowed=f"{kind} {low:g} to {high:g}",
            remedy="correct it",
        )


def _owners(costs: list[int], processes: int) -> list[int]:
    """Who inverts which layer: the costliest first, each to the process that has least to do."""
    loads, owners = [0] * processes, [0] * len(costs)
    for index in sorted(range(len(costs)), key=lambda index: -costs[index]):
        owners[index] = loads.index(min(loads))
        loads[owners[index]] += costs[index]
    return owners


def _average(tensors: list[Tensor]) -> list[Tensor]:
    """`tensors`, each averaged over the processes."""
    if distributed.size() == 1 or not tensors:
        return tensors
    packed = distributed.mean(torch.cat([tensor.flatten() for tensor in tensors]))
    parts = torch.split(packed, [tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape).clone() for part, tensor in zip(parts, tensors, strict=True)]


def _send(tensors: list[Tensor], owner: int) -> None:
    """Fill `tensors` of every process with those of the process `owner`."""
    if distributed.size() == 1:
        return
    packed = torch.cat([tensor.flatten() for tensor in tensors])
    dist.broadcast(packed, owner)
    for part, tensor in zip(torch.split(packed, [tensor.numel() for tensor in tensors]), tensors, strict=True):
        tensor.copy_(part.view(tensor.shape))
