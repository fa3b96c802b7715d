"""What is wrong with the files for Quartus in a generated folder, as far as it can be told without Quartus.

Each command must have a form that `quartus_forms.yaml` names, and what the files say must fit the real RTL, whose top
pyslang reads.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pyslang import driver

from support import tcl
from support.tcl import Call

TABLE = yaml.safe_load(Path(__file__).with_name("quartus_forms.yaml").read_text("utf-8"))
TOP, FOLDER = "sterna_top", "quartus"
#: Kinds of interfaces that need a clock, and those that need a reset.
_CLOCKED = ("reset", "axi4lite", "axi4", "interrupt")
_RESET = ("axi4lite", "axi4", "interrupt")


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


def commands(part: tuple[str, ...]) -> set[str]:
    """The commands of a part of the table."""
    return {form[0] for form in _forms(part)}


def unused(folders: list[Path]) -> list[str]:
    """The forms of the table that no call in the generated `folders` has."""
    found = {" ".join(form) for file in FILES for form in _forms(file.part)}
    for file in FILES:
        for folder in folders:
            called = tcl.calls(folder / FOLDER / file.name, file.variables)
            kinds = _kinds(called)
            found -= {" ".join(form) for form in _forms(file.part) if any(_fits(call, form, kinds) for call in called)}
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
        found += [f"{file.name}: {said}" for said in _unknown(called[file.name], file.part)]
    if len(called) < len(FILES):
        return found
    found += _component(folder, called["sterna_hw.tcl"])
    found += _index(folder, called["sterna.qip"])
    found += _project(folder, called["fit_only/sterna_fit.tcl"], called["fit_only/fit.sdc"])
    return [*found, *_timing(folder, called["sterna.sdc"])]


# ------------------------------------------------------------------------------------------------------------- forms


def _unknown(called: list[Call], part: tuple[str, ...]) -> Iterator[str]:
    """The calls that have no form in the table."""
    forms, kinds = _forms(part), _kinds(called)
    for call in called:
        if not any(_fits(call, form, kinds) for form in forms):
            yield f"not in the table: {' '.join(call)}"


def _forms(part: tuple[str, ...]) -> list[list[str]]:
    return [shlex.split(form) for name in part for row in TABLE[name] for form in row.values()]


def _kinds(called: list[Call]) -> dict[str, str]:
    """The kind of each interface."""
    return {call[1]: call[2] for call in called if call[0] == "add_interface"}


def _fits(call: Call, form: list[str], kinds: dict[str, str]) -> bool:
    return len(call) == len(form) and all(_is(word, of, kinds) for word, of in zip(call, form, strict=True))


def _is(word: str, form: str, kinds: dict[str, str]) -> bool:
    if form == "*":
        return True
    if form == "NUMBER":
        return word.replace(".", "", 1).isdigit()
    return any(kinds.get(word) == each[1:-1] if each.startswith("<") else word == each for each in form.split("|"))


# --------------------------------------------------------------------------------------------------------- component


def _component(folder: Path, called: list[Call]) -> Iterator[str]:
    yield from _ports(folder, called)
    yield from _interfaces(called)
    yield from _filesets(folder, called)


def _ports(folder: Path, called: list[Call]) -> Iterator[str]:
    """Each port of the top is in one interface, with the right direction and width."""
    real = top_ports(folder)
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
            yield f"port {name} is not one of {TOP}"
        elif (direction, width) != real[name]:
            yield f"port {name} is {' '.join(real[name])}, not {direction} {width}"
        elif role not in name and name not in ("clk_i", "rst_ni"):
            yield f"port {name} has role {role}"


def _interfaces(called: list[Call]) -> Iterator[str]:
    """Each interface has ports, and a clock and a reset where its kind needs them."""
    kinds = {call[1]: call[2] for call in called if call[0] == "add_interface"}
    having = {call[1] for call in called if call[0] == "add_interface_port"}
    properties = {(call[1], call[2]): call[3] for call in called if call[0] == "set_interface_property"}
    for name, kind in kinds.items():
        if name not in having:
            yield f"interface {name} has no port"
        for needed, property_, of in ((_CLOCKED, "associatedClock", "clock"), (_RESET, "associatedReset", "reset")):
            if kind in needed and kinds.get(properties.get((name, property_), "")) != of:
                yield f"interface {name} has no {of}"
    for kind in ("clock", "reset", "axi4lite", "axi4", "interrupt"):
        if list(kinds.values()).count(kind) != 1:
            yield f"there is not one interface of kind {kind}"
    yield from _capabilities(kinds, properties)


def _capabilities(kinds: dict[str, str], properties: dict[tuple[str, str], str]) -> Iterator[str]:
    for name in (name for name, kind in kinds.items() if kind == "axi4"):
        reads, writes, both = (
            properties.get((name, f"{what}IssuingCapability"), "0") for what in ("read", "write", "combined")
        )
        if not both.isdigit() or sum(int(count) for count in (reads, writes) if count.isdigit()) != int(both):
            yield f"interface {name} issues {reads} reads and {writes} writes, together {both}"


def _filesets(folder: Path, called: list[Call]) -> Iterator[str]:
    """Each set of files has the engine's sources in order, and its top."""
    wanted = (folder / "files.f").read_text().split()
    sets: dict[str, list[Call]] = {}
    for call in called:
        if call[0] == "add_fileset":
            sets[call[1]] = []
        elif call[0] == "add_fileset_file":
            list(sets.values())[-1].append(call)
        elif call[:1] == ["set_fileset_property"] and call[2] == "TOP_LEVEL" and call[3] != TOP:
            yield f"{call[1]} has top {call[3]}"
    for name, files in sets.items():
        yield from _listed(folder, name, [call[4] for call in files if call[2] == "SYSTEM_VERILOG"], wanted)
        tops = [call[1] for call in files if call[5:] == ["TOP_LEVEL_FILE"]]
        if tops != [f"{TOP}.sv"]:
            yield f"{name} marks {', '.join(tops) or 'nothing'} as its top"
        for given, times in Counter(call[1] for call in files).items():
            if times > 1:
                yield f"{name} has {times} files {given}"
        for call in files:
            if not (folder / FOLDER / call[4]).is_file():
                yield f"{name}: {call[4]} is not there"


def _listed(folder: Path, where: str, paths: list[str], wanted: list[str]) -> Iterator[str]:
    if [_inside(folder, path) for path in paths] != wanted:
        yield f"{where} has not the files of files.f in their order"


def _inside(folder: Path, path: str) -> str:
    """A path from the folder for Quartus as one from the generated folder."""
    place = (folder / FOLDER / path).resolve()
    return str(place.relative_to(folder.resolve())) if place.is_relative_to(folder.resolve()) else path


def top_ports(folder: Path) -> dict[str, tuple[str, str]]:
    """Direction and width of each port of the top in the generated folder, as Platform Designer writes them."""
    return {
        port.name: (str(port.direction).rpartition(".")[2] + "put", str(port.type.bitWidth))
        for port in _Design(folder).top.portList
    }


def outstanding(folder: Path) -> dict[str, int]:
    """The parameter `Outstanding` of the AXI reader and writer in the generated folder, by instance."""
    design = _Design(folder)
    return {
        name: next(
            int(each.value.value) for each in design.inside("u_engine", name).parameters if _is_outstanding(each)
        )
        for name in ("u_reader", "u_writer")
    }


def _is_outstanding(parameter: Any) -> bool:
    return bool(parameter.name == "Outstanding")


class _Design:
    """The elaborated top of a generated folder. Its symbols live as long as it does."""

    def __init__(self, folder: Path) -> None:
        self._slang = driver.Driver()
        self._slang.addStandardArgs()
        names = " ".join(f'"{folder / name}"' for name in (folder / "files.f").read_text().split())
        assert self._slang.parseCommandLine(f"slang {names}") and self._slang.processOptions()
        assert self._slang.parseAllSources()
        self._compilation = self._slang.createCompilation()
        (top,) = self._compilation.getRoot().topInstances
        self.top = top.body

    def inside(self, *path: str) -> Any:
        """What is in the instance of that path; raises StopIteration if there is none."""
        body = self.top
        for name in path:
            body = next(part for part in body if getattr(part, "name", "") == name).body
        return body


# ------------------------------------------------------------------------------------- list of files, project, timing


def _index(folder: Path, called: list[Call]) -> Iterator[str]:
    values = _assigned(called)
    yield from _listed(folder, "sterna.qip", values["SYSTEMVERILOG_FILE"], (folder / "files.f").read_text().split())
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
    design = _Design(folder)
    if not any(getattr(part, "name", "") == "ended_q" for part in design.inside("u_reset")):
        yield "the top has no register u_reset|ended_q"


def _assigned(called: list[Call]) -> dict[str, list[str]]:
    names = ("SYSTEMVERILOG_FILE", "SDC_FILE", "QIP_FILE", "TOP_LEVEL_ENTITY", "DEVICE", "FAMILY")
    return {
        name: [call[3] for call in called if call[:3] == ["set_global_assignment", "-name", name]] for name in names
    }
