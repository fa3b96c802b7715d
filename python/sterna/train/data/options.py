"""Options of the images that a run sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from sterna.errors import SternaError
from sterna.train.data.formats.canvas import Exif
from sterna.train.data.formats.folder import Format
from sterna.train.text_options import listed, named_once, paired

SCENES, HARD_SCENES = "scenes", "hard-scenes"
GENERATED = (SCENES, HARD_SCENES)


class ReadOptions(BaseModel):
    """Checks of a data set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Format | None = Field(None, description="data set: its format, if it fits several")
    skip_bad: bool = Field(False, description="data set: leave out images whose file or labels are faulty")
    missing_share: float = Field(
        0.1, ge=0.0, le=1.0,
        description="data set: maximum share of images without a label file, and of label files without an image",
    )  # fmt: skip
    exif: Exif = Field(
        Exif.UPRIGHT,
        description="data set: pixels that labels refer to if an image has an EXIF orientation and no label size",
    )
    decode: bool = Field(False, description="data set: decode every image at the start, not only its header")


class DataOptions(ReadOptions):
    """Data."""

    data: str = Field(
        SCENES,
        description="'scenes' or 'hard-scenes' for generated street scenes, or a data set: Pascal VOC, COCO, YOLO",
    )
    train_split: str = Field("train", description="data set: split to train on")
    val_split: str | None = Field(None, description="data set: split for validation; default val, else test")
    test_split: str | None = Field(None, description="data set: split for the final metrics; default test, else val")
    val_share: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="data set without split val: share of the training split to hold back for validation",
    )
    test_share: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="data set without split test: share of the training split to hold back for the final metrics",
    )
    train_share: float = Field(
        1.0, gt=0.0, le=1.0, description="share of the training images to use, chosen by the seed"
    )
    classes: Annotated[tuple[str, ...], BeforeValidator(listed), AfterValidator(named_once)] = Field(
        (), description="data set: classes A,B to keep, in this order; default all"
    )
    rename: Annotated[dict[str, str], BeforeValidator(paired)] = Field(
        {}, description="data set: classes to rename, OLD=NEW,OLD=NEW; applied before --classes"
    )
    height: int = Field(
        160, ge=32, le=1024, multiple_of=32,
        description="image height, a multiple of 32; by default that of --start or of a .cfg file",
    )  # fmt: skip
    width: int = Field(
        160, ge=32, le=1024, multiple_of=32,
        description="image width, a multiple of 32; by default that of --start or of a .cfg file",
    )  # fmt: skip
    seed: int = Field(0, ge=0, lt=1 << 31, description="seed of order, augmentation and scenes")
    train_scenes: int = Field(2000, ge=1, le=1_000_000, description="scenes: number of training images")
    val_scenes: int = Field(100, ge=1, le=100_000, description="scenes: number of validation images")
    test_scenes: int = Field(200, ge=1, le=100_000, description="scenes: number of images for the final metrics")
    multi_scale: float = Field(
        0.0, ge=0.0, lt=1.0, description="vary the size of training images by up to this share, in steps of 32 pixels"
    )
    workers: int | None = Field(
        None, ge=0, le=256, description="processes that load images; default: one less than the CPU cores, at most 8"
    )


Options = TypeVar("Options", bound=BaseModel)
#: Plain words for what pydantic says of a model.
_PLAIN = {"extra_forbidden": "there is no such option", "missing": "the option is required"}


def validated(kind: type[Options], values: Mapping[str, object], command: str) -> Options:
    """Options of class `kind` from the loose `values` of a command; the SternaError names the first bad one."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        # A misspelt option may leave another one missing: the misspelt one is the fault.
        first = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        name = ".".join(str(part) for part in first["loc"]) or None
        raise SternaError(
            _PLAIN.get(first["type"], first["msg"].removeprefix("Value error, ")),
            where=command,
            attribute=name,
            value="nothing" if first["type"] == "missing" else first["input"] if name else None,
            remedy="correct the option",
        ) from None
