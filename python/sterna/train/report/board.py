"""The TensorBoard log of a run: `tensorboard --logdir RUN_FOLDER`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from PIL import Image

from sterna.train.report.accuracy import Accuracy
from sterna.train.report.coco_precision import RECALL
from sterna.train.report.distances import PairAccuracy
from sterna.train.report.evaluate import Precision

FOLDER = "tensorboard"


class Board:
    """Writes to the folder FOLDER of a run; steps count from 0 over all stages and never go back.

    `step`: where the run begins or goes on. Whatever an interrupted run has written for this step or later is dropped
    by TensorBoard, so that a resumed run shows each point once. Use it as a context, or call `close`.
    """

    def __init__(self, run: Path, step: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter  # takes a second to import, which only training needs

        self._writer: Any = SummaryWriter(str(run / FOLDER), purge_step=step)

    def losses(self, step: int, stage: str, parts: Mapping[str, float], rate: float) -> None:
        """Parts of the loss by name, and the learning rate."""
        for name, value in parts.items():
            self._scalar(f"loss/{name}", value, step)
        self._scalar("loss/all", sum(parts.values()), step)
        self._scalar(f"rate/{stage}", rate, step)

    def precision(self, step: int, form: str, found: Precision) -> None:
        """mAP, AP50 by class, and the curves, of `form` on the validation images."""
        self._scalar(f"map50/{form}", found.map50, step)
        self._scalar(f"map/{form}", found.map, step)
        for name, each in found.classes.items():
            self._scalar(f"ap50 {name}/{form}", each.ap50, step)
            unknown = np.zeros_like(RECALL)  # counts, which TensorBoard shows beside a point of the curve
            self._writer.add_pr_curve_raw(
                f"precision and recall {name}/{form}",
                *(unknown,) * 4,
                precision=np.array(each.curve.precision),
                recall=RECALL,
                global_step=step,
                num_thresholds=len(RECALL),
            )

    def accuracy(self, step: int, form: str, found: Accuracy) -> None:
        """Accuracy, all and by class, of `form` on the validation images."""
        self._scalar(f"top1/{form}", found.top1, step)
        self._scalar(f"top5/{form}", found.top5, step)
        for name, each in found.classes.items():
            self._scalar(f"top1 {name}/{form}", each, step)

    def pairs(self, step: int, form: str, found: PairAccuracy) -> None:
        """The shares of pairs that `form` tells right, of validation images: all, those of one class, the others."""
        for name in ("accuracy", "alike", "others"):
            self._scalar(f"pairs {name}/{form}", getattr(found, name), step)

    def layers(self, step: int, density: Mapping[str, float], rho: Mapping[str, float]) -> None:
        """Density and rho by layer."""
        for title, values in (("density", density), ("rho", rho)):
            for name, value in values.items():
                self._scalar(f"{title}/{name}", value, step)

    def samples(self, step: int, form: str, image: Image.Image) -> None:
        """Sample images with boxes, as `plots.samples` makes them."""
        self._writer.add_image(f"samples/{form}", np.asarray(image), step, dataformats="HWC")

    def _scalar(self, tag: str, value: float, step: int) -> None:
        self._writer.add_scalar(tag, value, step)

    def flush(self) -> None:
        """Write out what is buffered; call it with each checkpoint, so that both hold the same."""
        self._writer.flush()

    def close(self) -> None:
        """Write out everything; the board takes nothing more."""
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
