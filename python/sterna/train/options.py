"""What a training run is asked to do."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sterna.errors import SternaError
from sterna.train import networks
from sterna.train.data.options import SCENES


class TrainOptions(BaseModel):
    """Options of one run; equal options on equal software and `threads` give equal weights.

    Build it with `parse` where the values come from a person, so that a refusal is a SternaError.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: str = "yolov2-nano"
    data: str = Field(SCENES, description="'scenes' for generated street scenes, or a Pascal VOC folder")
    train_split: str = Field("train", description="VOC: name of the image set to train on")
    test_split: str = Field("test", description="VOC: name of the image set for the final figures")
    height: int = Field(160, ge=32, le=1024, description="picture height, a multiple of 32")
    width: int = Field(160, ge=32, le=1024, description="picture width, a multiple of 32")
    float_epochs: int = Field(24, ge=1, le=10_000, description="epochs of the float network, the first phase")
    ternary_epochs: int = Field(36, ge=1, le=10_000, description="epochs of the ternary network, from the float one")
    density: float = Field(0.28, gt=0.0, le=1.0, description="share of nonzeros in the ternary layers to aim at")
    batch: int = Field(16, ge=1, le=512, description="pictures in one training step")
    float_rate: float = Field(3e-3, gt=0.0, le=1.0, description="highest learning rate of the float phase")
    ternary_rate: float = Field(2e-3, gt=0.0, le=1.0, description="highest learning rate of the ternary phase")
    seed: int = Field(0, ge=0, lt=1 << 31, description="of weights, order, variation and scenes")
    threads: int = Field(2, ge=1, le=256, description="processor threads of PyTorch")
    evaluate_every: int = Field(6, ge=1, description="epochs between two mAP figures on the validation pictures")
    train_scenes: int = Field(2000, ge=1, le=1_000_000, description="scenes: different pictures to train on")
    val_scenes: int = Field(100, ge=1, le=100_000, description="scenes: pictures to watch mAP on")
    test_scenes: int = Field(200, ge=1, le=100_000, description="scenes: pictures for the final figures")
    output: Path = Field(description="run folder: checkpoints, log, summary and graph")
    resume: bool = Field(False, description="continue the run that is in the output folder")

    @field_validator("network")
    @classmethod
    def _known_network(cls, name: str) -> str:
        if name not in networks.NETWORKS:
            raise ValueError(f"no such network, there are {', '.join(networks.NETWORKS)}")
        return name

    @model_validator(mode="after")
    def _whole_cells(self) -> TrainOptions:
        for side in ("height", "width"):
            if getattr(self, side) % 32:
                raise ValueError(f"{side} must be a multiple of 32")
        return self

    def same_run(self, other: TrainOptions) -> str | None:
        """The name of the first option that would make `other` another run, or None."""
        free = {"resume", "output", "threads"}
        mine, theirs = self.model_dump(exclude=free), other.model_dump(exclude=free)
        return next((name for name in mine if mine[name] != theirs[name]), None)


def parse(**values: object) -> TrainOptions:
    """TrainOptions from loose values; raises SternaError that names the first bad one."""
    try:
        return TrainOptions.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or None
        raise SternaError(
            first["msg"].removeprefix("Value error, "),
            where="train",
            attribute=name,
            value=first["input"] if name else None,
            remedy="correct the option",
        ) from None
