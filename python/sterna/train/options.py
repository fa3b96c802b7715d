"""What a training run is asked to do."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, field_validator, model_validator

from sterna.graph.network import BITS, FIRST_BITS, HEAD_BITS
from sterna.importers import darknet, registry
from sterna.importers.epsilon import Epsilon
from sterna.registry import Registry
from sterna.train.data.augment_options import AugmentOptions
from sterna.train.data.options import DataOptions, validated
from sterna.train.model.patterns import DEFAULT, patterns
from sterna.train.model.schedules import cubic, schedules
from sterna.train.optim.communication import Hook
from sterna.train.optim.optimisers import RATE_BATCH, RATES, Optimiser
from sterna.train.text_options import listed, paired

FLOAT_EPOCHS = 24  # of a network with fresh weights
Share = Annotated[float, Field(gt=0.0, le=1.0)]


def _listed(names: Registry[Any]) -> str:
    return ", ".join([*names, "or one that is registered"])


class Allocation(StrEnum):
    """How the density of a network is shared among its ternary layers."""

    UNIFORM = "uniform"
    #: More for the layers whose loss rises most when they alone are made sparse.
    SENSITIVITY = "sensitivity"


class Precision(StrEnum):
    """Arithmetic of a training step: PyTorch's automatic mixed precision, or none."""

    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"


class NetworkOptions(BaseModel):
    """Options of the network and of what it begins with."""

    network: Annotated[str, AfterValidator(registry.check)] = Field(
        "yolov2-nano", description="one of the named networks, or a darknet .cfg file"
    )
    darknet_weights: Path | None = Field(None, description="weights of the .cfg file to start from")
    darknet_names: Path | None = Field(
        None, description="list of the class names that the weights know; without it classes are matched by position"
    )
    darknet_epsilon: Epsilon = Field(
        Epsilon.GPU, description="batch normalisation of the program that made the weights: darknet with GPU or without"
    )
    start: Path | None = Field(
        None,
        description="float weights to start from instead of random ones: a run folder or a float.pt in it; "
        "network, image size, bits, classes, anchors and augmentation are taken over unless given",
    )
    freeze: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        (), description="layers conv1,conv2 or the number of first layers that keep their weights in the float stages"
    )
    anchors: Annotated[tuple[float, ...], BeforeValidator(listed)] = Field(
        (),
        description="anchors W,H,W,H,... in cells; default those of the weights or the .cfg file, or from the boxes",
    )
    first_bits: int = Field(FIRST_BITS, ge=BITS[0], le=BITS[1], description="bits of the weights of the first layer")
    head_bits: int = Field(HEAD_BITS, ge=BITS[0], le=BITS[1], description="bits of the weights of the head")


class StageOptions(BaseModel):
    """Options of the stages."""

    float_epochs: int | None = Field(
        None,
        ge=0,
        le=10_000,
        description=f"epochs of the float network; default {FLOAT_EPOCHS}, or 0 with whole weights to start from",
    )
    unlabelled: Path | None = Field(None, description="folder of images without labels to learn from as well")
    unlabelled_epochs: int = Field(24, ge=0, le=10_000, description="epochs of the float network with --unlabelled")
    ternary_epochs: int = Field(24, ge=0, le=10_000, description="epochs in which weights become ternary")
    quantised_epochs: int = Field(6, ge=0, le=10_000, description="epochs with activations of 8 bits")
    integer_epochs: int = Field(6, ge=0, le=10_000, description="epochs through the integer arithmetic of the engine")
    distillation: float = Field(1.0, ge=0.0, le=100.0, description="weight of the float network's say; 0: not asked")


class SparsityOptions(BaseModel):
    """Options of the zeros."""

    density: float = Field(0.28, gt=0.0, le=1.0, description="share of nonzeros in the ternary layers to aim at")
    pattern: Annotated[str, AfterValidator(patterns.check)] = Field(
        DEFAULT, description=f"where nonzeros may be: {_listed(patterns)}"
    )
    schedule: Annotated[str, AfterValidator(schedules.check)] = Field(
        cubic.__name__, description=f"how density falls in the ternary stage: {_listed(schedules)}"
    )
    allocation: Allocation = Field(Allocation.UNIFORM, description="how density is shared among the layers")
    layer_density: Annotated[dict[str, Share], BeforeValidator(paired)] = Field(
        {}, description="densities of single layers, like conv3=0.1,conv7=0.2"
    )


class StepOptions(BaseModel):
    """Options of a step."""

    optimiser: Optimiser = Field(Optimiser.ADAMW, description="how a step follows from the gradients")
    float_rate: float | None = Field(None, gt=0.0, le=10.0, description="highest learning rate of the float stage")
    ternary_rate: float | None = Field(None, gt=0.0, le=10.0, description="highest learning rate of the ternary stage")
    batch: int = Field(16, ge=1, le=65_536, description="images in one training step, of all processes together")
    accumulate: int = Field(1, ge=1, le=1024, description="parts in which a process works through its share of a batch")
    scale_rates: bool = Field(False, description="rates are for 16 images and grow with the batch")
    ema: float = Field(0.99, ge=0.0, lt=1.0, description="memory of the moving average of the weights; 0: none")
    precision: Precision = Field(Precision.FP32, description="arithmetic of training, but for the integer stage")
    gradients: Hook = Field(Hook.FP32, description="what processes send gradients as")


class RunOptions(BaseModel):
    """Options of the run."""

    output: Path = Field(description="run folder: checkpoints, log, summary and graph")
    resume: bool = Field(False, description="continue the run that is in the output folder")
    device: str = Field("auto", description="cpu, cuda, or auto for a GPU if there is one")
    deterministic: bool = Field(True, description="equal runs give equal weights; on a GPU this costs time")
    threads: int = Field(2, ge=1, le=256, description="processor threads of PyTorch")
    evaluate_every: int = Field(6, ge=1, description="epochs between two mAP figures on the validation images")
    save_every: float = Field(60.0, ge=0.0, description="seconds between two checkpoints inside a stage")


class TrainOptions(RunOptions, StepOptions, SparsityOptions, StageOptions, NetworkOptions, AugmentOptions, DataOptions):
    """Options of one run; equal options on equal software and `threads` give equal weights.

    Build it with `parse` where the values come from a person, so that a refusal is a SternaError.
    """

    @model_validator(mode="after")
    def _whole_recipe(self) -> TrainOptions:
        if self.float_epochs == 0 and not (self.start or self.darknet_weights):
            raise ValueError("float_epochs is 0 and there are no weights to start from: give start, or epochs")
        if self.darknet_weights and self.start:
            raise ValueError("--darknet-weights and --start both name weights to start from: give one of them")
        if self.darknet_weights and not self.network.endswith(darknet.SUFFIX):
            raise ValueError("--darknet-weights belong to a .cfg file: name it with --network")
        if not (self.ternary_epochs or self.quantised_epochs):
            raise ValueError(
                "ternary_epochs and quantised_epochs are both 0: nothing would learn the activations' ranges"
            )
        if self.unlabelled and not self.ema:
            raise ValueError("ema is 0, but images without labels are labelled by the moving average of the weights")
        if self.optimiser is Optimiser.KFAC and self.accumulate > 1:
            raise ValueError("optimiser kfac takes its curvature from whole batches: accumulate must be 1")
        if self.optimiser is Optimiser.KFAC and self.precision is Precision.FP16:
            raise ValueError("optimiser kfac needs gradients that are not scaled: precision must be fp32 or bf16")
        if self.batch % self.accumulate:
            raise ValueError(f"batch must be a multiple of accumulate, {self.accumulate}")
        return self

    @field_validator("anchors")
    @classmethod
    def _whole_anchors(cls, sides: tuple[float, ...]) -> tuple[float, ...]:
        if len(sides) % 2 or not all(0 < side <= 1024 for side in sides):
            raise ValueError("anchors are pairs of width and height in cells, each above 0, at most 1024")
        return sides

    def rates(self, optimiser: Optimiser) -> tuple[float, float]:
        """Highest learning rates of the float and of the ternary stage with `optimiser`."""
        usual = RATES[optimiser]
        growth = self.batch / RATE_BATCH if self.scale_rates else 1.0
        chosen = (self.float_rate, self.ternary_rate) if optimiser is self.optimiser else (None, None)
        return tuple(growth * (mine or other) for mine, other in zip(chosen, usual, strict=True))  # type: ignore[return-value]

    def same_run(self, other: TrainOptions) -> str | None:
        """The name of the first option that would make `other` another run, or None."""
        free = {"resume", "output", "threads", "workers", "save_every"}
        mine, theirs = self.model_dump(exclude=free), other.model_dump(exclude=free)
        return next((name for name in mine if mine[name] != theirs[name]), None)


def parse(**values: object) -> TrainOptions:
    """TrainOptions from loose values; raises SternaError that names the first bad one."""
    return validated(TrainOptions, values, "train")
