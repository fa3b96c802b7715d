"""Options of a training run."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, field_validator, model_validator

from sterna.graph.network import BITS, FIRST_BITS, HEAD_BITS
from sterna.importers import darknet, registry
from sterna.importers.epsilon import Epsilon
from sterna.importers.importer import ALONE, Given
from sterna.registry import Registry
from sterna.train.data.augment_options import AugmentOptions
from sterna.train.data.options import DataOptions
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


class Replacement(StrEnum):
    """What may take the place of an activation that Sterna lacks."""

    RELU = "relu"
    LEAKY = "leaky"


class Precision(StrEnum):
    """Arithmetic of a training step: PyTorch's automatic mixed precision, or none."""

    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"


class NetworkOptions(BaseModel):
    """Network and starting weights."""

    network: Annotated[str, AfterValidator(registry.check)] = Field(
        "yolov2-nano", description="one of the named networks, a darknet .cfg file, or an .onnx model in floats"
    )
    darknet_weights: Path | None = Field(None, description="darknet weights to start from, for the .cfg file")
    darknet_names: Path | None = Field(
        None, description="file of the class names of the weights; without it, classes are matched by position"
    )
    darknet_epsilon: Epsilon = Field(
        Epsilon.GPU, description="batch normalisation of the program that made the weights"
    )
    onnx_pixels: Annotated[tuple[float, ...], BeforeValidator(listed)] = Field(
        (), description="LOW,HIGH: real values of the image's bytes 0 and 255 in the .onnx model; default: 0,1"
    )
    onnx_activation: Replacement | None = Field(
        None,
        description="takes the place of activations of the .onnx model that Sterna lacks; default: they are refused",
    )
    onnx_until: str | None = Field(
        None, description="tensor of the .onnx model in which the network ends; default: its result"
    )
    start: Path | None = Field(
        None,
        description="float weights to start from: a run folder or a float.pt in it; "
        "network, image size, bits, classes, anchors and augmentation come from there unless given",
    )
    freeze: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        (), description="layers to freeze in the float stages: conv1,conv2 or how many of the first layers"
    )
    anchors: Annotated[tuple[float, ...], BeforeValidator(listed)] = Field(
        (),
        description="anchors W,H,W,H,... in cells; default: from the weights, the .cfg file or the training boxes",
    )
    first_bits: int = Field(FIRST_BITS, ge=BITS[0], le=BITS[1], description="weight bits of the first layer")
    head_bits: int = Field(HEAD_BITS, ge=BITS[0], le=BITS[1], description="weight bits of the head")


class StageOptions(BaseModel):
    """Training stages."""

    float_epochs: int | None = Field(
        None,
        ge=0,
        le=10_000,
        description=f"epochs of the float stage; default {FLOAT_EPOCHS}, or 0 with complete weights to start from",
    )
    unlabelled: Path | None = Field(None, description="folder of unlabelled images to learn from as well")
    unlabelled_epochs: int = Field(24, ge=0, le=10_000, description="epochs of the float stage that uses --unlabelled")
    ternary_epochs: int = Field(
        24, ge=0, le=10_000, description="epochs of the ternary stage, in which weights become ternary"
    )
    quantised_epochs: int = Field(
        6, ge=0, le=10_000, description="epochs of the quantised stage, with 8-bit activations"
    )
    integer_epochs: int = Field(
        6, ge=0, le=10_000, description="epochs of the integer stage, with the engine's arithmetic"
    )
    distillation: float = Field(
        1.0, ge=0.0, le=100.0, description="weight of distillation from the float network; 0: none"
    )


class SparsityOptions(BaseModel):
    """Sparsity."""

    density: float = Field(0.28, gt=0.0, le=1.0, description="target share of nonzero weights in the ternary layers")
    pattern: Annotated[str, AfterValidator(patterns.check)] = Field(
        DEFAULT, description=f"pattern of the nonzeros: {_listed(patterns)}"
    )
    schedule: Annotated[str, AfterValidator(schedules.check)] = Field(
        cubic.__name__, description=f"how density falls in the ternary stage: {_listed(schedules)}"
    )
    allocation: Allocation = Field(Allocation.UNIFORM, description="how density is shared among the layers")
    layer_density: Annotated[dict[str, Share], BeforeValidator(paired)] = Field(
        {}, description="density of single layers, such as conv3=0.1,conv7=0.2"
    )


class PairOptions(BaseModel):
    """Siamese networks."""

    features: int | None = Field(
        None, ge=1, le=1024,
        description="features of an image, whose distance says whether two images show the same; "
        "default: none, a classifier learns classes",
    )  # fmt: skip
    margin: float = Field(
        1.0, gt=0.0, le=16.0, description="mean difference of features up to which classes are pushed apart"
    )


class StepOptions(BaseModel):
    """Optimisation."""

    optimiser: Optimiser = Field(Optimiser.ADAMW, description="algorithm that updates the weights")
    float_rate: float | None = Field(None, gt=0.0, le=10.0, description="peak learning rate of the float stage")
    ternary_rate: float | None = Field(None, gt=0.0, le=10.0, description="peak learning rate of the ternary stage")
    batch: int = Field(16, ge=1, le=65_536, description="images per training step, over all processes")
    accumulate: int = Field(
        1, ge=1, le=1024, description="gradient accumulation: parts into which a process splits a batch"
    )
    memory: int | None = Field(
        None, ge=1,
        description="MiB that maps and gradients of a step may take in a process; layers are computed in parts of a "
        "batch for it, with the results of the whole; default: no limit",
    )  # fmt: skip
    scale_rates: bool = Field(False, description="learning rates are per 16 images and grow with the batch")
    smoothing: float = Field(
        0.0, ge=0.0, le=1.0,
        description="noise on the weights while gradients are taken, as a share of each filter; 0: none",
    )  # fmt: skip
    variational: float = Field(
        0.0, ge=0.0, le=1.0,
        description="noisy K-FAC: noise of that share of the inverse curvature instead, such as 1 / images; 0: none",
    )  # fmt: skip
    ema: float = Field(0.99, ge=0.0, lt=1.0, description="decay of the moving average of the weights; 0: no average")
    precision: Precision = Field(Precision.FP32, description="arithmetic of training, except in the integer stage")
    gradients: Hook = Field(Hook.FP32, description="format in which processes exchange gradients")
    hierarchy: int = Field(
        1, ge=1, le=65_536,
        description="processes of a group, in a two-level exchange of gradients: in the format of --gradients between "
        "groups, as they are within; 1: no groups",
    )  # fmt: skip


class RecipeOptions(StepOptions, SparsityOptions, PairOptions, StageOptions):
    """What the stages of a run are made of, whatever it learns."""

    def rates(self, optimiser: Optimiser) -> tuple[float, float]:
        """Highest learning rates of the float and of the ternary stage with `optimiser`."""
        usual = RATES[optimiser]
        growth = self.batch / RATE_BATCH if self.scale_rates else 1.0
        chosen = (self.float_rate, self.ternary_rate) if optimiser is self.optimiser else (None, None)
        return tuple(growth * (mine or other) for mine, other in zip(chosen, usual, strict=True))  # type: ignore[return-value]


class RunOptions(BaseModel):
    """Run."""

    output: Path = Field(description="run folder: checkpoints, log, summary and graph")
    resume: bool = Field(False, description="continue the run in the output folder")
    device: str = Field("auto", description="cpu, cuda, or auto for a GPU if there is one")
    deterministic: bool = Field(True, description="repeat exactly: equal runs give equal weights; slower on a GPU")
    threads: int = Field(2, ge=1, le=256, description="CPU threads of PyTorch")
    evaluate_every: int = Field(6, ge=1, description="epochs between measurements of validation mAP")
    save_every: float = Field(60.0, ge=0.0, description="seconds between checkpoints within a stage")


class TrainOptions(RunOptions, RecipeOptions, NetworkOptions, AugmentOptions, DataOptions):
    """The options of a run; equal options with equal software and `threads` give equal weights.

    Raises SternaError for a wrong value.

    >>> options = sterna.TrainOptions(output="runs/mine", density=0.15, pattern="balanced")
    >>> options.network, options.schedule
    ('yolov2-nano', 'cubic')
    """

    @model_validator(mode="after")
    def _whole_recipe(self) -> TrainOptions:
        importer = registry.importer_of(self.network)
        holds_weights = importer is not None and importer.holds_weights
        if self.float_epochs == 0 and not (self.start or self.darknet_weights or holds_weights):
            raise ValueError("float_epochs is 0 without weights to start from: set start or float_epochs")
        if self.darknet_weights and self.start:
            raise ValueError("--darknet-weights and --start both name weights to start from: give one of them")
        if self.darknet_weights and not self.network.endswith(darknet.SUFFIX):
            raise ValueError("--darknet-weights need their .cfg file: name it with --network")
        if not (self.ternary_epochs or self.quantised_epochs):
            raise ValueError(
                "ternary_epochs and quantised_epochs are both 0, so nothing would learn the ranges of activations"
            )
        if self.unlabelled and not self.ema:
            raise ValueError("ema is 0, but the moving average of the weights must label the unlabelled images")
        if self.optimiser is Optimiser.KFAC and self.accumulate > 1:
            raise ValueError("optimiser kfac needs whole batches for its curvature: accumulate must be 1")
        if self.variational and self.optimiser is not Optimiser.KFAC:
            raise ValueError("variational is noise by the curvature of K-FAC: set --optimiser kfac, or use --smoothing")
        if self.variational and self.smoothing:
            raise ValueError("smoothing and variational are both noise on the weights: set one of them")
        if self.optimiser is Optimiser.KFAC and self.memory:
            raise ValueError("optimiser kfac needs whole batches for its curvature: leave --memory out")
        if self.memory and self.precision is not Precision.FP32:
            raise ValueError("memory is limited in fp32 alone: set --precision fp32, or leave --memory out")
        if self.optimiser is Optimiser.KFAC and self.precision is Precision.FP16:
            raise ValueError("optimiser kfac needs unscaled gradients: precision must be fp32 or bf16")
        if self.batch % self.accumulate:
            raise ValueError(f"batch must be a multiple of accumulate, {self.accumulate}")
        return self

    @field_validator("onnx_pixels")
    @classmethod
    def _two_pixels(cls, ends: tuple[float, ...]) -> tuple[float, ...]:
        if ends and (len(ends) != 2 or not -1e6 < ends[0] < ends[1] < 1e6):
            raise ValueError("onnx_pixels are two numbers, the first the smaller one")
        return ends

    @field_validator("anchors")
    @classmethod
    def _whole_anchors(cls, sides: tuple[float, ...]) -> tuple[float, ...]:
        if len(sides) % 2 or not all(0 < side <= 1024 for side in sides):
            raise ValueError("anchors are pairs of width and height in cells, each above 0 and at most 1024")
        return sides

    @property
    def given(self) -> Given:
        """What is given beside the file of the network."""
        low, high = self.onnx_pixels or ALONE.pixels
        activation = None if self.onnx_activation is None else self.onnx_activation.value
        return Given(
            self.darknet_weights, self.darknet_names, self.darknet_epsilon, (low, high), activation, self.onnx_until
        )

    def same_run(self, other: TrainOptions) -> str | None:
        """The name of the first option that would make `other` another run, or None."""
        free = {"resume", "output", "threads", "workers", "save_every"}
        mine, theirs = self.model_dump(exclude=free), other.model_dump(exclude=free)
        return next((name for name in mine if mine[name] != theirs[name]), None)


def parse(**values: object) -> TrainOptions:
    """TrainOptions from loose values; the SternaError names the first bad one."""
    return TrainOptions.model_validate(values, context="train")
