"""Outputs are checked before the work, never replace what is read, and are written whole or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sterna.cli import build, demo, explore
from sterna.cli.guard import guarded
from sterna.train.report import report

from .conftest import Ended, Sterna
from .test_refusals import assert_refused

Run = Callable[[str, Path], Ended]


@pytest.fixture
def run(
    sterna: Sterna, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path,
    graph_path: Path, package_path: Path, images: Path,
) -> Run:  # fmt: skip
    """A command that writes to the place given; the work itself would fail at once."""
    for module, work in (
        (build, "compile_graph"), (explore, "search"), (report, "compare"), (demo, "compile_graph"),
    ):  # fmt: skip
        monkeypatch.setattr(module, work, None)
    monkeypatch.setenv("STERNA_BUILD_DIR", str(tmp_path / "build"))

    def run(command: str, output: Path) -> Ended:
        if command == "demo":
            code = guarded(
                lambda: demo.app(["--model", str(graph_path), "--output", str(output)], standalone_mode=False)
            )
            return Ended(code, *capfd.readouterr())
        arguments = {
            "compile": (graph_path, "-o", output),
            "explore": (graph_path, "-o", output),
            "eval --json": (graph_path, "--scenes", 2, "--json", output),
            "eval --report": (graph_path, "--scenes", 2, "--report", output),
            "detect": (package_path, images / "a.png", "-o", output),
            "train": ("--output", output, "--threads", 1),
        }[command]
        return sterna(command.split()[0], *arguments)

    return run


FILES = {"compile": "x.sterna", "explore": "x.png", "eval --json": "x.json"}
FOLDERS = ("eval --report", "detect", "train", "demo")


@pytest.mark.case(
    "output-that-cannot-be-written",
    kind="outputs",
    expected="one line names it before any work is done, and nothing is left behind",
)
@pytest.mark.parametrize("command", [*FILES, *FOLDERS])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    run: Run, tmp_path: Path, command: str, got: Callable[[object], None]
) -> None:
    name = FILES.get(command, "folder")
    (tmp_path / "file").touch()
    (tmp_path / "at" / name).mkdir(parents=True)
    wrong = tmp_path / "at" / name if command in FILES else tmp_path / "file"
    before = sorted(tmp_path.rglob("*"))
    for output in (wrong, tmp_path / "file" / name, tmp_path / "file" / "below" / name, Path("/proc/none") / name):
        ended = run(command, output)
        assert_refused(ended, str(output), "remedy: ")
        assert "free disk space" not in ended.err
        assert sorted(tmp_path.rglob("*")) == before
    long = tmp_path / ("x" * 256) / name
    assert_refused(run(command, long), "a name is too long")
    got(ended.err.strip())


@pytest.mark.parametrize("command", ["compile", "eval --json"])
def test_a_file_of_another_kind_is_not_replaced(run: Run, tmp_path: Path, command: str) -> None:
    path = tmp_path / "thesis.tex"
    path.write_text("years of work")
    assert_refused(run(command, path), "a file of another kind, which would be lost")
    assert path.read_text() == "years of work"


@pytest.mark.case(
    "json-of-others-in-place-of-figures",
    kind="outputs",
    expected="eval --json replaces the metrics of an earlier evaluation, and no other JSON file, such as annotations",
)
def test_json_that_no_evaluation_wrote_is_not_replaced(
    sterna: Sterna, graph_path: Path, tmp_path: Path, got: Callable[[object], None]
) -> None:
    annotations = tmp_path / "instances_test.json"
    annotations.write_text('{"images": [], "annotations": [], "categories": []}')
    before = annotations.read_bytes()
    ended = sterna("eval", graph_path, "--scenes", 1, "--json", annotations)
    assert_refused(ended, "is not a file of metrics and would be lost")
    assert annotations.read_bytes() == before
    for _ in range(2):  # its own it replaces
        assert sterna("eval", graph_path, "--scenes", 1, "--json", tmp_path / "metrics.json").code == 0
    got(ended.err.strip().replace(str(tmp_path), ""))


@pytest.mark.case(
    "results-that-are-kept-without-their-run",
    kind="outputs",
    expected="a training replaces no graph and no weights that are in its folder already",
)
@pytest.mark.parametrize("kept", ["graph.sterna-graph", "float.pt", "summary.html"])
def test_what_is_kept_of_an_earlier_run_is_not_replaced(
    sterna: Sterna, tmp_path: Path, kept: str, got: Callable[[object], None]
) -> None:
    (tmp_path / kept).write_text("days of work")
    ended = sterna("train", "--output", tmp_path, "--threads", 1, "--train-scenes", 1)
    assert_refused(ended, f"the folder holds files that the run would replace; files = {kept}")
    assert [path.name for path in tmp_path.iterdir()] == [kept] and (tmp_path / kept).read_text() == "days of work"
    got(ended.err.strip().replace(str(tmp_path), ""))


def test_the_input_is_not_replaced(sterna: Sterna, graph_path: Path, run_folder: Path, tmp_path: Path) -> None:
    graph = Path(shutil.copy(graph_path, tmp_path / "same.png"))
    for command in ("compile", "explore"):
        assert_refused(sterna(command, graph, "-o", graph), "would overwrite an input")
    assert_refused(sterna("eval", graph, "--json", graph), "would overwrite an input")
    for name in ("summary.json", "options.json", "log.json"):
        assert_refused(sterna("eval", run_folder, "--json", run_folder / name), "would overwrite an input")
    assert_refused(sterna("eval", run_folder, "--report", run_folder), "is also an input folder")
    assert_refused(sterna("eval", run_folder, "--json", run_folder / "float.pt"), "a PyTorch file, which would be lost")
    assert graph.read_bytes() == graph_path.read_bytes()


@pytest.mark.case(
    "run-folder-in-place-of-its-graph",
    kind="remedy",
    expected="commands that want a graph take the run folder, which holds one",
)
def test_a_run_folder_stands_for_its_graph(
    sterna: Sterna, run_folder: Path, tmp_path: Path, got: Callable[[object], None]
) -> None:
    ended = sterna("compile", run_folder, "-o", tmp_path / "a.sterna")
    assert ended.code == 0, ended.err
    assert sterna("compile", run_folder / "graph.sterna-graph", "-o", tmp_path / "b.sterna").code == 0
    assert (tmp_path / "a.sterna").read_bytes() == (tmp_path / "b.sterna").read_bytes()
    shutil.copy(run_folder / "options.json", tmp_path)
    assert_refused(sterna("compile", tmp_path, "-o", tmp_path / "c.sterna"), "finish the run", "--resume")
    got(ended.out.splitlines()[0].replace(str(tmp_path), ""))


#: The command, with a limit on the length of files from its first output on.
LIMITED = """
import resource, signal
from sterna.cli.main import main
from sterna import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
write = files.write_atomically
def limited(path, fill):
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    write(path, fill)
files.write_atomically = limited
main()
"""


@pytest.mark.case(
    "disk-full",
    kind="outputs",
    expected="one line names the file, the old file stays whole and no half of a new one is left",
)
@pytest.mark.parametrize("command", ["compile", "detect"])
def test_a_disk_that_fills_up(package_path: Path, graph_path: Path, images: Path, tmp_path: Path, command: str) -> None:
    """A limit on the length of files stands for the disk; both commands write files of more than a kilobyte."""
    output = {"compile": tmp_path / "x.sterna", "detect": tmp_path / "out"}[command]
    given = {"compile": [graph_path], "detect": [package_path, images / "a.png"]}[command]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, command, *given, "-o", output], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "MPLCONFIGDIR": str(tmp_path / "plots")},
    )  # fmt: skip
    named = output if command == "compile" else output / "0000_a.png"
    assert done.returncode == 2 and done.stderr.startswith(f"error: {named}: cannot be written (File too large)")
    assert done.stderr.count("\n") == 1
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left <= {"detections.json"}, left


@pytest.mark.parametrize("name", ["summary.html", "precision_recall.png"])
def test_a_report_replaces_earlier_reports_only(sterna: Sterna, graph_path: Path, tmp_path: Path, name: str) -> None:
    folder, command = tmp_path / "report", ("eval", graph_path, "--scenes", 1, "--report", tmp_path / "report")
    folder.mkdir()
    (folder / name).write_text("<!DOCTYPE html><title>yolov2 on VOC</title>")
    assert_refused(sterna(*command), name, "is not from an earlier report", "another folder")
    assert [path.name for path in folder.iterdir()] == [name]
    (folder / name).unlink()
    for _ in range(2):
        ended = sterna(*command)
        assert ended.code == 0, ended.err
