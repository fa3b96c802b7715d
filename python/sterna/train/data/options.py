"""Which images a run sees, and how."""

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
    """Options of what is let through when a data set is opened."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Format | None = Field(None, description="folder: its format, where it fits several")
    skip_bad: bool = Field(False, description="folder: leave out images whose file or labels are faulty")
    missing_share: float = Field(
        0.1, ge=0.0, le=1.0,
        description="folder: largest share of images without a label file, and of label files without an image",
    )  # fmt: skip
    exif: Exif = Field(
        Exif.UPRIGHT,
        description="folder: pixels that labels are of, where an image has an EXIF orientation and nothing else tells",
    )
    decode: bool = Field(
        False, description="folder: decode all of every image at the start, not its header alone"
    )


class DataOptions(ReadOptions):
    """Options of the data of a run."""

    data: str = Field(
        SCENES,
        description="'scenes' or 'hard-scenes' for generated street scenes, or a data set: Pascal VOC, COCO, YOLO",
    )
    train_split: str = Field("train", description="folder: split to train on")
    val_split: str | None = Field(None, description="folder: split to watch mAP on; default val, or else test")
    test_split: str | None = Field(None, description="folder: split for the final metrics; default test, or else val")
    val_share: float = Field(
        0.0, ge=0.0, lt=1.0, description="folder without split val: share of the training split to watch mAP on instead"
    )
    test_share: float = Field(
        0.0, ge=0.0, lt=1.0, description="folder without split test: share of the training split for the final metrics"
    )
    train_share: float = Field(1.0, gt=0.0, le=1.0, description="share of the training images to use, by the seed")
    classes: Annotated[tuple[str, ...], BeforeValidator(listed), AfterValidator(named_once)] = Field(
        (), description="folder: classes A,B to keep, in this order; default all"
    )
    rename: Annotated[dict[str, str], BeforeValidator(paired)] = Field(
        {}, description="folder: new names OLD=NEW,OLD=NEW of classes, before --classes"
    )
    height: int = Field(
        160, ge=32, le=1024, multiple_of=32,
        description="image height, a multiple of 32; that of --start or of a .cfg file unless given",
    )  # fmt: skip
    width: int = Field(
        160, ge=32, le=1024, multiple_of=32,
        description="image width, a multiple of 32; that of --start or of a .cfg file unless given",
    )  # fmt: skip
    seed: int = Field(0, ge=0, lt=1 << 31, description="of order, augmentation and scenes")
    train_scenes: int = Field(2000, ge=1, le=1_000_000, description="scenes: different images to train on")
    val_scenes: int = Field(100, ge=1, le=100_000, description="scenes: images to watch mAP on")
    test_scenes: int = Field(200, ge=1, le=100_000, description="scenes: images for the final metrics")
    multi_scale: float = Field(
        0.0, ge=0.0, lt=1.0, description="training images vary in size by up to this share, in steps of 32 pixels"
    )
    workers: int | None = Field(
        None, ge=0, le=256, description="processes that make images; if not given, one less than the processor cores"
    )


Options = TypeVar("Options", bound=BaseModel)


def validated(kind: type[Options], values: Mapping[str, object], command: str) -> Options:
    """The options `kind` from loose `values` of a command; raises SternaError that names the first bad one."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or None
        raise SternaError(
            first["msg"].removeprefix("Value error, "),
            where=command,
            attribute=name,
            value=first["input"] if name else None,
            remedy="correct the option",
        ) from None
