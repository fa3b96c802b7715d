"""Options of the images that a run sees."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from sterna.graph.network import MAX_SIDE
from sterna.train.data.formats.canvas import Exif
from sterna.train.data.formats.folder import Format
from sterna.train.text_options import listed, named_once, paired
from sterna.validated import Validated

SCENES, HARD_SCENES = "scenes", "hard-scenes"
GENERATED = (SCENES, HARD_SCENES)


class ReadOptions(Validated):
    """Checks of a data set."""

    _field: ClassVar[str] = "option"
    _remedy: ClassVar[str] = "correct the option"

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
        description="'scenes' or 'hard-scenes' for generated street scenes, or a data set: Pascal VOC, COCO, YOLO; for "
        "a classifier, images in folders of classes",
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
        160, ge=8, le=MAX_SIDE,
        description="image height, of a detector a multiple of 32; by default that of --start, of a .cfg file or that "
        "a classifier is made for",
    )  # fmt: skip
    width: int = Field(
        160, ge=8, le=MAX_SIDE,
        description="image width, of a detector a multiple of 32; by default that of --start, of a .cfg file or that "
        "a classifier is made for",
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
