"""Projects of Quartus, written by edalize."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from edalize.edatool import Edatool
from edalize.quartus import Quartus

from sterna.spec.fpga import Fpga

#: Families as Quartus calls them, and whether its Pro edition is to be used: Cyclone V needs Standard or Lite.
FAMILIES = {"arria10": ("Arria 10", True), "cyclone5": ("Cyclone V", False)}
_TYPES = {".sdc": "SDC", ".tcl": "tclSource", ".qip": "QIP", ".qsys": "QSYS", ".sv": "systemVerilogSource"}


def project_files(name: str, fpga: Fpga, top: str, files: Iterable[str]) -> dict[str, bytes]:
    """The Tcl and the Makefile of project `name`, by theirs. `files`: paths from the project's folder."""
    family, pro = FAMILIES[fpga.family]
    edam: dict[str, object] = {
        "name": name,
        "toplevel": top,
        "files": [{"name": path, "file_type": _TYPES[Path(path).suffix]} for path in files],
        "tool_options": {"quartus": {"family": family, "device": fpga.part}},
    }
    with TemporaryDirectory(prefix="sterna-") as scratch:
        # Its own __init__ asks the Quartus that happens to be installed for its edition.
        tool = Quartus.__new__(Quartus)
        Edatool.__init__(tool, edam, scratch)
        tool.isPro = pro
        tool.configure()
        return {path.name: path.read_bytes() for path in sorted(Path(scratch).iterdir())}
