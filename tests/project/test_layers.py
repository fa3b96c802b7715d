"""Each layer of the package imports only those below it, and only packages that the project asks for."""

from __future__ import annotations

import ast
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from sterna import extras

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "sterna"
#: From the bottom up.
LOWEST = (
    "_native", "errors", "native", "arguments", "validated", "machine", "rooms", "signals", "archive", "extras",
    "files", "recognise", "registry", "stopwatch", "text",
)  # fmt: skip
LAYERS = (
    *LOWEST, "spec", "graph", "package", "vision", "report", "run", "watch", "loaded", "classifier", "detector",
    "detect", "bench", "generate", "compile", "estimate", "importers", "exporters", "train", "api", "cli",
)  # fmt: skip
#: Those of `train`, likewise: its rooms, and between them the files of its own.
TRAIN = (
    "distributed", "text_options", "data", "model", "optim", "options", "stages", "checkpoint", "run_folder",
    "recipes", "report", "loop",
)  # fmt: skip
#: What imports the packages of each extra that people use.
ROOMS = {
    extras.VIDEO: ("vision/video",),
    extras.INTEROP: ("exporters/onnx", "importers/onnx", "generate/hls"),
    extras.CORRUPTIONS: ("train/data/corruptions.py",),
}
SOURCES = sorted(PACKAGE.rglob("*.py"))
LAYERED = [path for path in SOURCES if path.parent != PACKAGE or path.stem in LAYERS]
#: Import names that differ from the package's name.
IMPORTED_AS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "edgefirst": "edgefirst-tracker",
    "minisign": "py-minisign",
    "typing_extensions": "typing-extensions",
    "yaml": "pyyaml",
}


def imports(source: Path) -> Iterator[str]:
    """Full names of the modules that `source` imports, or of what it takes from them, wherever in it."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rank(module: str) -> tuple[int, int] | None:
    """The layer of a module of Sterna and, in `train`, its layer there; None for other modules."""
    parts = module.split(".")
    if parts[0] != "sterna" or len(parts) == 1 or parts[1].startswith("__"):
        return None
    within = TRAIN.index(parts[2]) if parts[1] == "train" and len(parts) > 2 and parts[2] in TRAIN else len(TRAIN)
    return LAYERS.index(parts[1]), within


@pytest.mark.parametrize("source", LAYERED, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(source: Path) -> None:
    own = rank(".".join(("sterna", *source.relative_to(PACKAGE).with_suffix("").parts)))
    for module in imports(source):
        below = rank(module)
        assert own is not None and (below is None or below <= own), f"{source.name} imports {module}"


def test_every_import_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = {module.partition(".")[0] for source in SOURCES for module in imports(source)}
    foreign = {IMPORTED_AS.get(name, name) for name in found - sys.stdlib_module_names - {"sterna"}}
    optional = project["optional-dependencies"]
    assert foreign <= {*project["dependencies"], *(name for extra in ROOMS for name in optional[extra])}


@pytest.mark.parametrize("extra", ROOMS)
def test_packages_of_an_extra_are_imported_when_they_are_used(extra: str) -> None:
    """And in few rooms, so that the remedy is named where they are missing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    packages = set(project["optional-dependencies"][extra])
    for source in SOURCES:
        names = {module.partition(".")[0] for module in imports(source)}
        used = {IMPORTED_AS.get(name, name) for name in names} & packages
        at_home = any(source.is_relative_to(PACKAGE / room) for room in ROOMS[extra])
        assert not used or at_home, f"{source}: {used}"


def pins() -> dict[str, str]:
    """Version by package of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return {plain(name): version for name, version in (line.split("==") for line in lines if line[0] != "#")}


def plain(name: str) -> str:
    return name.lower().replace("_", "-")


def test_every_package_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"].values()
    wanted = {plain(name) for name in [*project["dependencies"], *(name for extra in optional for name in extra)]}
    assert wanted <= pins().keys()
    assert all(version[0].isdigit() and "+" not in version for version in pins().values())


def test_everything_installed_is_pinned() -> None:
    """In the environment that make made: no package comes in at whatever version is newest."""
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("another environment than .venv")
    # The folder by name: what a package carries within itself is on sys.path once setuptools has been imported.
    found = metadata.distributions(path=[sysconfig.get_path("purelib")])
    installed = {plain(package.metadata["Name"]): package.version.partition("+")[0] for package in found}
    assert {name: installed[name] for name in installed.keys() - {"pip", "sterna"}}.items() <= pins().items()
