"""Train a detector on your own labelled images and compile it for an engine.

`python examples/train_on_folder.py FOLDER RUN [OPTION=VALUE ...]`: FOLDER is a data set of Pascal VOC, COCO or YOLO,
RUN a new folder; the options are those of `sterna train`, such as `float_epochs=60` or `density=0.15`.
"""

import sys

import sterna

folder, run, *options = sys.argv[1:]
trained = sterna.train(data=folder, output=run, **dict(option.split("=", 1) for option in options))
for form, precision in trained.summary["precision"].items():
    print(f"mAP50 of the {form} network: {precision['map50']:.3f}")

package = sterna.compile(trained.graph, "nano")
sterna.save(package, f"{run}/detector.sterna")
print(f"{run}/detector.sterna: {package.schedule.queued_cycles:,} cycles per frame")
