"""The `sterna` command: its sub-commands, and how errors reach people.

A sub-command imports what it needs when it runs, so that help and refusals come at once.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sterna import __version__
from sterna.cli.guard import guarded
from sterna.errors import SternaError
from sterna.vision.defaults import OVERLAP, SHOWN, TILE_OVERLAP, TOP


class _Commands(TyperGroup):
    """The sub-commands. An empty word, as a shell makes of a variable that is not set, reaches none of them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an empty word, or read the options before the sub-command."""
        for before, word in zip(["", *args], args, strict=False):
            if word == "" or re.fullmatch("--[a-z-]+=", word):
                raise SternaError(
                    "an option or argument is empty", where="sterna",
                    attribute=word.rstrip("=") or (before if before.startswith("-") else "argument"),
                    value="''", remedy="give it a value, or leave it out",
                )  # fmt: skip
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="sterna",
    cls=_Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Sparse ternary object detectors as FPGA hardware without multipliers.",
)


PackageFile = Annotated[Path, typer.Argument(help="Package made by sterna compile.", show_default=False)]
Images = Annotated[list[Path], typer.Argument(help="Images, or folders of images.", show_default=False)]
Inputs = Annotated[
    list[str],
    typer.Argument(
        help="Images, videos, folders of them, cameras (/dev/video0), URLs (rtsp://...), or - for raw frames.",
        show_default=False,
    ),
]
#: Groups of options.
_LOOKING, _FOLLOWING, _VIDEOS = "Looking", "Following", "Frames"
TileSize = Annotated[
    str | None,
    typer.Option(
        help="Tiles, SIDE or WIDTHxHEIGHT in pixels, in which larger images are looked at too; finds small objects.",
        show_default="the whole image alone",
        rich_help_panel=_LOOKING,
    ),
]
TileOverlap = Annotated[
    float,
    typer.Option(
        min=0.0, max=0.9, help="Share of a side that neighbouring tiles have in common.", rich_help_panel=_LOOKING
    ),
]
Aspect = Annotated[
    str | None,
    typer.Option(
        help="What becomes of an image of another aspect than the network's: stretch, or letterbox, which keeps it.",
        show_default="as the package says, or stretch",
        rich_help_panel=_LOOKING,
    ),
]
Track = Annotated[
    bool,
    typer.Option("--track", help="Number the objects of a video over its frames.", rich_help_panel=_FOLLOWING),
]
RawForm = Annotated[
    str | None,
    typer.Option(
        help="Form of the raw frames on standard input: WIDTHxHEIGHT:PIXELS, with PIXELS as rgb24, bgr24, gray, nv12.",
        show_default=False,
        rich_help_panel=_VIDEOS,
    ),
]
SkipBad = Annotated[
    bool | None,
    typer.Option("--skip-bad", help="Leave out images whose file or labels are faulty.", show_default=False),
]
MissingShare = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Maximum share of images without a label file, and of label files without an image.",
        show_default="0.1",
    ),
]
Exif = Annotated[
    str | None,
    typer.Option(
        help="Pixels that labels refer to if an image has an EXIF orientation: upright or stored.",
        show_default="upright",
    ),
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="Format of the data set, if it fits several: voc, coco, yolo.", show_default=False),
]
Decode = Annotated[
    bool | None, typer.Option("--decode", help="Decode each image completely, not just its header.", show_default=False)
]
Recursive = Annotated[bool, typer.Option("--recursive", help="Read sub-folders as well.")]
ConfigName = Annotated[str, typer.Option("--config", help="Named engine config, or FILE.yaml:NAME.")]
EngineFolder = Annotated[
    Path | None,
    typer.Option(
        "--engine",
        help="Folder made by sterna generate, to simulate as it is, edits included.",
        show_default="the engine of the package's config",
    ),
]
BackendUri = Annotated[
    str,
    typer.Option(
        "--backend",
        help="What executes the package: emulator:, sim:, or another that sterna backends lists.",
    ),
]
MemoryName = Annotated[
    str | None,
    typer.Option(
        "--memory",
        help="Memory on the bus: ideal, another in hw/configs/memories.yaml, or FILE.yaml:NAME.",
        show_default="that of the config",
    ),
]
FpgaName = Annotated[str, typer.Option("--fpga", help="FPGA: one in hw/configs/fpgas.yaml, or FILE.yaml:NAME.")]


def _given(**options: object) -> dict[str, object]:
    """The `options` that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _show_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options before the sub-command."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def train(context: typer.Context) -> None:
    """Train a ternary detector or classifier and export its integer graph."""
    from sterna.cli.train import app as train_app

    # The options are those of TrainOptions, which takes seconds to import: they are read only here.
    raise typer.Exit(train_app(context.args, prog_name="sterna train", standalone_mode=False) or 0)


@app.command("eval")
def evaluate(
    target: Annotated[Path, typer.Argument(help="Run folder, integer graph, or package.", show_default=False)],
    data: Annotated[
        str | None,
        typer.Option(
            help="'scenes', 'hard-scenes', or a data set: Pascal VOC, COCO or YOLO; images in folders of classes for a "
            "classifier.",
            show_default="as the run, or scenes",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Split to measure: train, val, test, or another that the data set has.", show_default="test"),
    ] = None,
    scenes: Annotated[
        int | None, typer.Option(min=1, help="Generated scenes to use.", show_default="as the run, or 200")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the generated scenes.", show_default="as the run, or 0")
    ] = None,
    data_format: Format = None,
    skip_bad: SkipBad = None,
    missing_share: MissingShare = None,
    exif: Exif = None,
    decode: Decode = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="File to write all metrics to.", show_default=False)
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write summary.html, and precision-recall curves or confusion, to.", show_default=False
        ),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            help="What executes a package: onnx:, sim:, or another that sterna backends lists.",
            show_default="the emulator",
        ),
    ] = None,
    corruptions: Annotated[
        bool,
        typer.Option(
            "--corruptions", help="Measure a detector with noise, blur, JPEG, darkness and under attack as well."
        ),
    ] = False,
) -> None:
    """Measure average precision or accuracy: of an integer graph, or of all forms of a run side by side."""
    from sterna.cli.evaluate import evaluate as run
    from sterna.train.evaluation import Wanted

    read = _given(format=data_format, skip_bad=skip_bad, missing_share=missing_share, exif=exif, decode=decode)
    run(target, Wanted(data, split, scenes, seed, read), json_file, report, backend, corruptions)


@app.command("data")
def check_data(
    folder: Annotated[Path, typer.Argument(help="Data set: Pascal VOC, COCO or YOLO.", show_default=False)],
    splits: Annotated[
        str | None, typer.Option(help="Splits A,B to check.", show_default="train, val, test; else all")
    ] = None,
    data_format: Format = None,
    skip_bad: SkipBad = None,
    missing_share: MissingShare = None,
    exif: Exif = None,
    decode: Decode = None,
    height: Annotated[int | None, typer.Option(help="Height that training resizes to.", show_default="160")] = None,
    width: Annotated[int | None, typer.Option(help="Width that training resizes to.", show_default="160")] = None,
) -> None:
    """Check a data set: count what its splits hold, and name every fault."""
    from sterna.cli.data import check_folder

    read = _given(format=data_format, skip_bad=skip_bad, missing_share=missing_share, exif=exif, decode=decode)
    check_folder(folder, splits, read | _given(height=height, width=width))


@app.command("compile")
def compile_command(
    graph: Annotated[Path, typer.Argument(help="Integer graph, run folder, or demo-nano.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Package to write.", show_default=False)],
    config: ConfigName = "nano",
    trace: Annotated[bool, typer.Option(help="Store the map of every layer that the engine computes.")] = False,
    cycles: Annotated[bool, typer.Option(help="Tell the clock cycles of each step: half of the time.")] = True,
) -> None:
    """Compile an integer graph to a package for an engine config."""
    from sterna.cli.build import compile_package

    compile_package(graph, config, output, trace, cycles)


@app.command("export")
def export_command(
    graph: Annotated[
        Path, typer.Argument(help="Integer graph, package, run folder, or demo-nano.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="ONNX model to write.", show_default=False)],
    form: Annotated[
        str,
        typer.Option(help="onnx: ONNX's own operators, for any runtime; qonnx: thresholds, for QONNX; finn: for FINN."),
    ] = "onnx",
    trace: Annotated[bool, typer.Option(help="Make the map of every layer an output.")] = False,
) -> None:
    """Write an integer graph as an ONNX model, exact on every bit."""
    from sterna.cli.export import export

    export(graph, output, form, trace)


@app.command("import")
def import_command(
    model: Annotated[Path, typer.Argument(help="ONNX or QONNX model.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Integer graph to write.", show_default=False)],
    pixels: Annotated[
        str | None,
        typer.Option(
            help="Real values LOW,HIGH of the image's bytes 0 and 255: 0,1 for torchvision's ToTensor.",
            show_default="the steps of the model's first quantiser",
        ),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            help="Shape of the input, CHANNELS,HEIGHT,WIDTH, if the model leaves it open.", show_default=False
        ),
    ] = None,
    until: Annotated[
        list[str] | None,
        typer.Option(
            help="Tensor to take as a result, in place of the model's own. May be repeated.", show_default=False
        ),
    ] = None,
    round_results: Annotated[
        bool, typer.Option("--round-results", help="Round sums that are results to activations.")
    ] = False,
) -> None:
    """Read an ONNX or QONNX model as an integer graph, exact or refused."""
    from sterna.cli.import_model import import_model

    import_model(model, output, pixels, shape, tuple(until or ()), round_results)


@app.command()
def sign(
    package: PackageFile,
    key: Annotated[Path, typer.Option(help="Secret key, of minisign or made by --new-key.", show_default=False)],
    new_key: Annotated[bool, typer.Option("--new-key", help="Make the key first, and KEY.pub beside it.")] = False,
) -> None:
    """Sign a package, so that others can tell that it comes from you."""
    from sterna.cli.signing import sign_package

    sign_package(package, key, new_key)


@app.command()
def verify(
    package: PackageFile,
    key: Annotated[Path, typer.Option(help="Public key of the signer.", show_default=False)],
) -> None:
    """Check that a package is signed by a key and unchanged since."""
    from sterna.cli.signing import verify_package

    verify_package(package, key)


@app.command()
def generate(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.", show_default=False)],
    config: Annotated[
        str | None,
        typer.Option(help="Named engine config, or FILE.yaml:NAME.", show_default="nano; the board's, if one is named"),
    ] = None,
    package: Annotated[
        Path | None, typer.Option(help="Package whose memory images to write as well.", show_default=False)
    ] = None,
    image: Annotated[
        Path | None,
        typer.Option(
            help="Image for which to write a self-checking testbench with the expected results.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="quartus: write project files as well. hls: write the package's network as a project of high-level "
            "synthesis, instead of an engine.",
            show_default="none",
        ),
    ] = None,
    tool: Annotated[
        str | None,
        typer.Option(help="Tool of high-level synthesis: quartus, vitis, catapult or oneapi.", show_default="quartus"),
    ] = None,
    io: Annotated[
        str | None,
        typer.Option(
            "--io",
            help="How maps go from layer to layer in high-level synthesis: parallel or stream.",
            show_default="parallel",
        ),
    ] = None,
    fpga: Annotated[
        str | None,
        typer.Option(
            help="FPGA that the project files are for: one in hw/configs/fpgas.yaml, or FILE.yaml:NAME.",
            show_default="the one that names the config",
        ),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(help="Board whose project to write as well, by its folder in hw/boards.", show_default="none"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that generate did not write.")] = False,
) -> None:
    """Write the engine of a config as a folder of SystemVerilog, or a network for high-level synthesis."""
    from sterna.cli.hls import TARGET, check_unused, generate_network

    if target == TARGET:
        check_unused(target, {"config": config, "image": image, "fpga": fpga, "board": board})
        generate_network(package, output, tool, io, force)
        return
    check_unused(target, {"tool": tool, "io": io})
    from sterna.cli.build import generate_engine

    generate_engine(config, package, image, output, target, fpga, board, force)


@app.command()
def simulate(
    package: PackageFile,
    images: Images,
    memory: MemoryName = None,
    latency: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=100_000,
            help="Cycles until the memory answers a burst.",
            show_default="that of the memory",
        ),
    ] = None,
    stall: Annotated[
        float, typer.Option(min=0.0, max=0.95, help="Share of cycles, at random, in which the memory stalls besides.")
    ] = 0.0,
    engine: EngineFolder = None,
    recursive: Recursive = False,
) -> None:
    """Run images through the simulated engine and count its clock cycles, layer by layer."""
    from sterna.cli.simulate import simulate as run

    run(package, images, memory, latency, stall, engine, recursive)


@app.command()
def detect(
    package: PackageFile,
    inputs: Inputs,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Folder for what is found, with its list detections.json; - writes JSON lines to standard output.",
        ),
    ] = Path("detections"),
    backend: BackendUri = "emulator",
    threshold: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Minimum score of a box or class.", show_default=f"{SHOWN}; of a class 0"),
    ] = None,
    overlap: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Maximum IoU of two boxes of the same class.", show_default=str(OVERLAP)),
    ] = None,
    engine: EngineFolder = None,
    recursive: Recursive = False,
    tiles: TileSize = None,
    tile_overlap: TileOverlap = TILE_OVERLAP,
    aspect: Aspect = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, help="Classes of an image that a classifier gives at most.", show_default=str(TOP)),
    ] = None,
    track: Track = False,
    lines: Annotated[
        list[str] | None,
        typer.Option(
            "--line",
            help="Line [NAME=]X,Y,X,Y on which to count tracks, in pixels, or in shares of the frame if no number is "
            "more than 1. May be repeated.",
            show_default=False,
            rich_help_panel=_FOLLOWING,
        ),
    ] = None,
    zones: Annotated[
        list[str] | None,
        typer.Option(
            "--zone",
            help="Zone [NAME=]X,Y,X,Y,X,Y,... in which to count tracks, by its corners. May be repeated.",
            show_default=False,
            rich_help_panel=_FOLLOWING,
        ),
    ] = None,
    places: Annotated[
        Path | None,
        typer.Option(
            help="YAML file of more lines and zones: lines: and zones:, below them NAME: [X, Y, X, Y, ...].",
            show_default=False,
            rich_help_panel=_FOLLOWING,
        ),
    ] = None,
    unusual: Annotated[
        bool,
        typer.Option(
            "--unusual",
            help="Report tracks whose speed or direction is far from that of others there.",
            rich_help_panel=_FOLLOWING,
        ),
    ] = False,
    write: Annotated[
        str | None,
        typer.Option(
            help="Forms to write, separated by commas: drawn, frames, jsonl, coco, yolo.",
            show_default="drawn; videos also jsonl",
        ),
    ] = None,
    raw: RawForm = None,
    rate: Annotated[
        float, typer.Option(min=0.001, max=1e6, help="Frames per second of raw frames.", rich_help_panel=_VIDEOS)
    ] = 25.0,
    frames: Annotated[
        int | None,
        typer.Option(
            min=1, help="Maximum number of frames per video or camera.", show_default="all", rich_help_panel=_VIDEOS
        ),
    ] = None,
) -> None:
    """Find objects, or with a classifier classes, in images, videos and cameras: draw, write lists, follow, count."""
    from sterna.cli.detect import Options
    from sterna.cli.detect import detect as run

    options = Options(
        threshold, overlap, tiles, tile_overlap, aspect, top, track, lines or (), zones or (), places, unusual, write,
        raw, rate, frames, recursive,
    )  # fmt: skip
    run(package, inputs, output, backend, engine, options)


@app.command()
def bench(
    package: PackageFile,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="Images, videos, or folders of them.", show_default="generated frames of --size"),
    ] = None,
    size: Annotated[str, typer.Option(help="Size of generated frames, WIDTHxHEIGHT.")] = "1280x720",
    frames: Annotated[int, typer.Option(min=1, help="Number of generated frames, and maximum number per video.")] = 50,
    backend: BackendUri = "emulator",
    engine: EngineFolder = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="File to write the speed to.", show_default=False)
    ] = None,
    recursive: Recursive = False,
    write: Annotated[
        str | None,
        typer.Option(
            help="Forms to write, separated by commas: drawn, frames, jsonl, coco, yolo.",
            show_default="drawn; videos also jsonl",
        ),
    ] = None,
    tiles: TileSize = None,
    tile_overlap: TileOverlap = TILE_OVERLAP,
    aspect: Aspect = None,
    track: Track = False,
) -> None:
    """Measure frames per second of detecting: end to end, and what each part takes."""
    from sterna.cli.bench import bench as run
    from sterna.cli.detect import Options

    options = Options(
        tiles=tiles, tile_overlap=tile_overlap, aspect=aspect, track=track, write=write, frames=frames,
        recursive=recursive,
    )  # fmt: skip
    run(package, inputs or [], size, backend, engine, json_file, options)


@app.command()
def compare(
    package: PackageFile,
    images: Images,
    backends: Annotated[
        str, typer.Option(help="Two backends, separated by a comma; sterna backends lists them all.")
    ] = "reference,sim",
    engine: EngineFolder = None,
    recursive: Recursive = False,
) -> None:
    """Run two backends and name the first place where they differ."""
    from sterna.cli.compare import compare as run

    raise typer.Exit(run(package, images, backends, engine, recursive))


@app.command()
def backends() -> None:
    """List the installed backends, with their URIs and parameters."""
    from sterna.cli.backends import show

    show()


board = typer.Typer(help="Look at an engine on a board.", no_args_is_help=True)
app.add_typer(board, name="board")


@board.command("test")
def board_test(
    uri: Annotated[
        str,
        typer.Argument(
            help="The engine: soc:/dev/uio0, pcie:0000:03:00.0, serial:/dev/ttyUSB0 or sim:FOLDER.", show_default=False
        ),
    ],
    config: Annotated[
        str | None,
        typer.Option("--config", help="Its config, or FILE.yaml:NAME.", show_default="the named one that has its hash"),
    ] = None,
    package: Annotated[
        Path | None, typer.Option(help="Package to run instead of the demo's.", show_default=False)
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames whose speed is measured.")] = 20,
    memory: Annotated[
        int | None,
        typer.Option(
            min=4, help="KiB of memory to try byte by byte.", show_default="65536, or 1024 over a serial line"
        ),
    ] = None,
) -> None:
    """Test an engine step by step: identity, registers, memory, a known frame, counters, speed."""
    from sterna.cli.board import test as run

    run(uri, config, package, frames, memory)


@app.command()
def estimate(
    graph: Annotated[
        Path | None,
        typer.Argument(help="Integer graph or run folder, to estimate the frames per second of.", show_default=False),
    ] = None,
    config: ConfigName = "nano",
    fpga: FpgaName = "gx1150",
    memory: MemoryName = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            help="Image to draw: the frames per second of the graph against bandwidth and latency of the memory.",
            show_default=False,
        ),
    ] = None,
    power: Annotated[
        bool, typer.Option("--power", help="Estimate watts by part as well, and frames per joule, with their band.")
    ] = False,
) -> None:
    """Estimate the FPGA resources of an engine, and the frames per second of a graph on it."""
    from sterna.cli.estimate import estimate as run

    run(graph, config, fpga, memory, plot, power)


@app.command()
def explore(
    graph: Annotated[Path, typer.Argument(help="Integer graph or run folder.", show_default=False)],
    config: Annotated[str, typer.Option("--config", help="Config to take all other parameters from.")] = "arria10",
    fpga: FpgaName = "gx1150",
    min_fps: Annotated[float, typer.Option(min=0.01, help="Minimum frames per second.")] = 1000.0,
    output: Annotated[Path, typer.Option("--output", "-o", help="Image to draw.")] = Path("explore.png"),
) -> None:
    """Search for engines that run a graph fast enough on an FPGA. An interrupted search resumes."""
    from sterna.cli.explore import explore as run

    run(graph, config, fpga, min_fps, output)


@app.command()
def doctor() -> None:
    """Check every tool that Sterna needs: its version, whether it is supported, and the remedy if not."""
    from sterna.cli.doctor import doctor as examine

    raise typer.Exit(examine())


def main() -> None:
    """Run the command; every refusal is one line on standard error and an exit code that is not 0."""
    # Names of files need not be text: what a terminal cannot show is written as its code.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(guarded(lambda: app(standalone_mode=False)))
