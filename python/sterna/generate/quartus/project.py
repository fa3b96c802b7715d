"""The project that fits an engine alone, with virtual pins: written by edalize, run by make and Quartus."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from edalize.edatool import Edatool
from edalize.quartus import Quartus

from sterna.spec.fpga import Fpga

#: Name of the project, and of its reports.
PROJECT = "sterna_fit"
#: Families as Quartus calls them, and whether its Pro edition is to be used: Cyclone V needs Standard or Lite.
_FAMILIES = {"arria10": ("Arria 10", True), "cyclone5": ("Cyclone V", False)}
_TYPES = {".sdc": "SDC", ".tcl": "tclSource", ".qip": "QIP"}


def project_files(fpga: Fpga, top: str, files: Iterable[str]) -> dict[str, bytes]:
    """The project's Tcl and Makefile by name. `files`: paths from the project's folder."""
    family, pro = _FAMILIES[fpga.family]
    edam: dict[str, object] = {
        "name": PROJECT,
        "toplevel": top,
        "files": [{"name": name, "file_type": _TYPES[Path(name).suffix]} for name in files],
        "tool_options": {"quartus": {"family": family, "device": fpga.part}},
    }
    with TemporaryDirectory(prefix="sterna-") as scratch:
        # Its own __init__ asks the Quartus that happens to be installed for its edition.
        tool = Quartus.__new__(Quartus)
        Edatool.__init__(tool, edam, scratch)
        tool.isPro = pro
        tool.configure()
        return {path.name: path.read_bytes() for path in sorted(Path(scratch).iterdir())}
