"""What is wrong with the files for Quartus in a generated folder, as far as it can be told without Quartus.

Each command must have a form that `quartus_forms.yaml` names, and what the files say must fit the real RTL, whose top
pyslang reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyslang import DiagnosticSeverity, driver

from support import forms, tcl
from support.forms import Forms
from support.tcl import Call

TABLE = Forms("quartus_forms.yaml")
TOP, FOLDER = "sterna_top", "quartus"
#: Kinds of interfaces that need a clock, and those that need a reset.
_CLOCKED = ("reset", "axi4lite", "axi4", "axi", "avalon", "interrupt")
_RESET = ("axi4lite", "axi4", "axi", "avalon", "interrupt")


@dataclass(frozen=True)
class File:
    """A generated file: its part of the table, where Quartus would run it, and the variables that it would have."""

    name: str
    part: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)


FILES = (
    File("sterna_hw.tcl", ("component",)),
    File("sterna.qip", ("index",), {"::quartus(qip_path)": "."}),
    File("fit_only/sterna_fit.tcl", ("project",)),
    File("sterna.sdc", ("timing",)),
    File("fit_only/fit.sdc", ("timing",)),
)


def unused(folders: list[Path]) -> list[str]:
    """The forms of the table that no call in the generated `folders` has."""
    found = {" ".join(form) for file in FILES for form in TABLE.of(file.part)}
    for file in FILES:
        for folder in folders:
            called = tcl.calls(folder / FOLDER / file.name, file.variables)
            known = forms.kinds(called)
            found -= {
                " ".join(form) for form in TABLE.of(file.part) if any(TABLE.fits(call, form, known) for call in called)
            }
    return sorted(found)


def complaints(folder: Path) -> list[str]:
    """One line for each fault in the generated `folder`."""
    found: list[str] = []
    called: dict[str, list[Call]] = {}
    for file in FILES:
        path = folder / FOLDER / file.name
        if not path.is_file():
            found.append(f"{file.name}: missing")
            continue
        called[file.name] = tcl.calls(path, file.variables)
        found += [f"{file.name}: {said}" for said in TABLE.unknown(called[file.name], file.part)]
    if len(called) < len(FILES):
        return found
    found += component(folder / FOLDER, called["sterna_hw.tcl"], TOP, sources(folder), Design(folder, sources(folder)))
    found += _index(folder, called["sterna.qip"])
    found += _project(folder, called["fit_only/sterna_fit.tcl"], called["fit_only/fit.sdc"])
    return [*found, *_timing(folder, called["sterna.sdc"])]


# --------------------------------------------------------------------------------------------------------- component


def sources(folder: Path) -> list[str]:
    """The engine's sources in the generated folder, in order."""
    return (folder / "files.f").read_text().split()


def component(place: Path, called: list[Call], top: str, wanted: list[str], design: Design) -> Iterator[str]:
    """What is wrong with a component: the calls of a file in the folder `place`; `wanted`: the sources in order."""
    yield from _ports(called, top, design.ports())
    yield from _interfaces(called)
    yield from _filesets(place, called, top, wanted)


def _ports(called: list[Call], top: str, real: dict[str, tuple[str, str]]) -> Iterator[str]:
    """Each port of the top is in one interface, with the right direction and width."""
    mapped = [call for call in called if call[0] == "add_interface_port"]
    for name, times in Counter(call[2] for call in mapped).items():
        if times > 1:
            yield f"port {name} is mapped {times} times"
    for name in real.keys() - {call[2] for call in mapped}:
        yield f"port {name} is not mapped"
    for (interface, role), times in Counter((call[1], call[3]) for call in mapped).items():
        if times > 1:
            yield f"{interface} has {times} ports of role {role}"
    for _, _, name, role, direction, width in mapped:
        if name not in real:
            yield f"port {name} is not one of {top}"
        elif (direction, width) != real[name]:
            yield f"port {name} is {' '.join(real[name])}, not {direction} {width}"
        elif role not in name and name != "rst_ni":
            yield f"port {name} has role {role}"


def _interfaces(called: list[Call]) -> Iterator[str]:
    """Each interface has ports, and a clock and a reset where its kind needs them."""
    kinds = forms.kinds(called)
    having = {call[1] for call in called if call[0] == "add_interface_port"}
    properties = {(call[1], call[2]): call[3] for call in called if call[0] == "set_interface_property"}
    for name, kind in kinds.items():
        if name not in having:
            yield f"interface {name} has no port"
        for needed, property_, of in ((_CLOCKED, "associatedClock", "clock"), (_RESET, "associatedReset", "reset")):
            is_free = kind == "reset" and properties.get((name, "synchronousEdges")) == "NONE"
            if kind in needed and not is_free and kinds.get(properties.get((name, property_), "")) != of:
                yield f"interface {name} has no {of}"
    for kind in ("reset", "axi4lite", "interrupt"):
        if list(kinds.values()).count(kind) != 1:
            yield f"there is not one interface of kind {kind}"
    if sum(kind in ("axi", "axi4") for kind in kinds.values()) != 1:
        yield "there is not one interface of kind axi or axi4"
    if "clock" not in kinds.values():
        yield "there is no clock"
    yield from _capabilities(kinds, properties)


def _capabilities(kinds: dict[str, str], properties: dict[tuple[str, str], str]) -> Iterator[str]:
    for name in (name for name, kind in kinds.items() if kind in ("axi", "axi4")):
        reads, writes, both = (
            properties.get((name, f"{what}IssuingCapability"), "0") for what in ("read", "write", "combined")
        )
        if not both.isdigit() or sum(int(count) for count in (reads, writes) if count.isdigit()) != int(both):
            yield f"interface {name} issues {reads} reads and {writes} writes, together {both}"


def _filesets(place: Path, called: list[Call], top: str, wanted: list[str]) -> Iterator[str]:
    """Each set of files has the sources in order, and its top."""
    sets: dict[str, list[Call]] = {}
    for call in called:
        if call[0] == "add_fileset":
            sets[call[1]] = []
        elif call[0] == "add_fileset_file":
            list(sets.values())[-1].append(call)
        elif call[:1] == ["set_fileset_property"] and call[2] == "TOP_LEVEL" and call[3] != top:
            yield f"{call[1]} has top {call[3]}"
    for name, files in sets.items():
        yield from _listed(place, name, [call[4] for call in files if call[2] == "SYSTEM_VERILOG"], wanted)
        tops = [call[1] for call in files if call[5:] == ["TOP_LEVEL_FILE"]]
        if tops != [f"{top}.sv"]:
            yield f"{name} marks {', '.join(tops) or 'nothing'} as its top"
        for given, times in Counter(call[1] for call in files).items():
            if times > 1:
                yield f"{name} has {times} files {given}"
        for call in files:
            if not (place / call[4]).is_file():
                yield f"{name}: {call[4]} is not there"


def _listed(place: Path, where: str, paths: list[str], wanted: list[str]) -> Iterator[str]:
    if [_inside(place, path) for path in paths] != wanted:
        yield f"{where} has not the files of files.f in their order"


def _inside(place: Path, path: str) -> str:
    """A path from a folder of the generated one as one from the generated folder."""
    found, whole = (place / path).resolve(), place.parent.resolve()
    return str(found.relative_to(whole)) if found.is_relative_to(whole) else path


def top_ports(folder: Path) -> dict[str, tuple[str, str]]:
    """Direction and width of each port of the top in the generated folder, as Platform Designer writes them."""
    return Design(folder, sources(folder)).ports()


def outstanding(folder: Path) -> dict[str, int]:
    """The parameter `Outstanding` of the AXI reader and writer in the generated folder, by instance."""
    design = Design(folder, sources(folder))
    return {
        name: next(
            int(each.value.value) for each in design.inside("u_engine", name).parameters if _is_outstanding(each)
        )
        for name in ("u_reader", "u_writer")
    }


def _is_outstanding(parameter: Any) -> bool:
    return bool(parameter.name == "Outstanding")


class Design:
    """The elaborated top of sources in a folder; `options`: of slang. Its symbols live as long as it does."""

    def __init__(self, folder: Path, names: list[str], *options: str) -> None:
        self._slang = driver.Driver()
        self._slang.addStandardArgs()
        words = [*options, *(f'"{folder / name}"' for name in names)]
        assert self._slang.parseCommandLine(f"slang {' '.join(words)}") and self._slang.processOptions()
        assert self._slang.parseAllSources()
        self._compilation = self._slang.createCompilation()
        (top,) = self._compilation.getRoot().topInstances
        self.top = top.body

    def ports(self) -> dict[str, tuple[str, str]]:
        """Direction and width of each port of the top, as Platform Designer writes them."""
        return {
            port.name: (str(port.direction).rpartition(".")[2] + "put", str(port.type.bitWidth))
            for port in self.top.portList
        }

    def diagnostics(self, *, warnings: bool = False) -> list[str]:
        """What slang finds wrong, a line each: errors, or what it warns of too."""
        engine = self._slang.diagEngine
        least = DiagnosticSeverity.Warning if warnings else DiagnosticSeverity.Error
        return [
            engine.formatMessage(each)
            for each in self._compilation.getAllDiagnostics()
            if engine.getSeverity(each.code, each.location).value >= least.value
        ]

    def inside(self, *path: str) -> Any:
        """What is in the instance of that path; raises StopIteration if there is none."""
        body = self.top
        for name in path:
            body = next(part for part in body if getattr(part, "name", "") == name).body
        return body


# ------------------------------------------------------------------------------------- list of files, project, timing


def _index(folder: Path, called: list[Call]) -> Iterator[str]:
    values = _assigned(called)
    yield from _listed(folder / FOLDER, "sterna.qip", values["SYSTEMVERILOG_FILE"], sources(folder))
    for name in values["SDC_FILE"]:
        if not (folder / FOLDER / name).is_file():
            yield f"sterna.qip: {name} is not there"


def _project(folder: Path, called: list[Call], clocks: list[Call]) -> Iterator[str]:
    values = _assigned(called)
    if values["TOP_LEVEL_ENTITY"] != [TOP]:
        yield f"the project has top {values['TOP_LEVEL_ENTITY']}"
    for name in (*values["QIP_FILE"], *values["SDC_FILE"]):
        if not _from_copy(folder, name).is_file():
            yield f"the project: {name} is not there"
    if [_from_copy(folder, name) for name in values["QIP_FILE"]] != [folder.resolve() / FOLDER / "sterna.qip"]:
        yield "the project has not the engine's files"
    pins = {call[-1] for call in called if call[:4] == ["set_instance_assignment", "-name", "VIRTUAL_PIN", "OFF"]}
    driven = {call[1] for call in clocks if call[0] == "get_ports"}
    if pins != driven or not pins <= top_ports(folder).keys():
        yield f"pins {sorted(pins)}, clocks at {sorted(driven)}"


def _from_copy(folder: Path, name: str) -> Path:
    """What `name` is for the project, which is run in a copy of its folder."""
    copy = folder.resolve() / "build" / "fit_only"
    path = (copy / name).resolve()
    return folder.resolve() / FOLDER / "fit_only" / path.relative_to(copy) if path.is_relative_to(copy) else path


def _timing(folder: Path, called: list[Call]) -> Iterator[str]:
    """The pins of the false path are the clears of the reset synchroniser."""
    wanted = "*u_reset|ended_q[*]|clrn"
    if [call[-1] for call in called if call[0] == "get_pins"] != [wanted]:
        yield f"the false path does not end at {wanted}"
    design = Design(folder, sources(folder))
    if not any(getattr(part, "name", "") == "ended_q" for part in design.inside("u_reset")):
        yield "the top has no register u_reset|ended_q"


def _assigned(called: list[Call]) -> dict[str, list[str]]:
    names = ("SYSTEMVERILOG_FILE", "SDC_FILE", "QIP_FILE", "TOP_LEVEL_ENTITY", "DEVICE", "FAMILY")
    return {
        name: [call[3] for call in called if call[:3] == ["set_global_assignment", "-name", name]] for name in names
    }
