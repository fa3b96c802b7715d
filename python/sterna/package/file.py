"""The package file, `.sterna`: the graph with its weights, and what the tape is made of. Nothing in it runs code."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from sterna import files, recognise
from sterna.errors import SternaError
from sterna.graph import records
from sterna.graph.graph import Graph
from sterna.package import container, older, plan
from sterna.package.arrays import ENTROPY_CODED, ArrayReader, ArrayWriter
from sterna.package.container import AGAIN, Section
from sterna.package.counters import StepCounters
from sterna.package.older import Older
from sterna.package.package import Package
from sterna.package.plan import Plan
from sterna.spec.config import EngineConfig, make_config
from sterna.spec.package import MOST_BYTES, PackageSection
from sterna.spec.paths import own_network
from sterna.spec.tape import VERSION

_PLAN, _TAPE = "plan", "tape"
_Count = Annotated[int, Field(ge=0, lt=1 << 64)]
_Counters = Annotated[list[_Count], Field(min_length=len(fields(StepCounters)), max_length=len(fields(StepCounters)))]
_Record = TypeVar("_Record", bound=BaseModel)


class Cycles(BaseModel):
    """What the compiler expects frames to cost."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: Clock cycles from one frame's end to the next one's, when frames are queued.
    queued: _Count
    #: The counters of each step of a frame alone, in the order of `StepCounters`.
    steps: Annotated[list[_Counters], FailFast()]


class TapeDigest(BaseModel):
    """The length of the tape that was compiled, its Adler-32, the hash of its config and the version of its format.

    Each part of a tape ends with its own CRC-32, after which the CRC-32 of all is the same whatever the part holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    length: _Count
    adler: _Count
    config_hash: _Count
    #: That of files which say nothing of it.
    version: _Count = 3

    @classmethod
    def of(cls, tape: bytes, config: EngineConfig) -> TapeDigest:
        """That of `tape`, which is for `config`."""
        return cls(length=len(tape), adler=zlib.adler32(tape), config_hash=config.hash, version=VERSION)


@dataclass(frozen=True)
class Stored:
    """What a package's file holds; the compiler makes the tape of it."""

    graph: Graph
    config: EngineConfig
    plan: Plan
    tape: TapeDigest
    cycles: Cycles | None


def to_bytes(package: Package) -> bytes:
    """`package` as the bytes of a `.sterna` file; equal packages give equal bytes."""
    arrays = ArrayWriter()
    index = records.encode(package.graph, arrays.keep)
    planned, filters = plan.to_sections(package.plan)
    digest = TapeDigest.of(package.tape, package.config)
    sections = {
        PackageSection.GRAPH: _json(index),
        **arrays.sections(),
        PackageSection.CONFIG: _json(package.config.model_dump()),
        PackageSection.SCHEDULE: _json({_PLAN: planned, _TAPE: digest.model_dump()}),
        PackageSection.FILTERS: filters,
    }
    if package.schedule.timed:
        steps = [astuple(StepCounters.expected(step)) for step in package.schedule.steps]
        sections[PackageSection.CYCLES] = _json({"queued": package.schedule.queued_cycles, "steps": steps})
    return container.write(sections, ENTROPY_CODED)


def _json(values: object) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def save(package: Package, path: Path) -> None:
    """Write `package` to the file `path`, atomically, Raises SternaError if it cannot be written."""
    files.write_bytes(path, to_bytes(package))


def read(path: Path) -> Stored | Older:
    """What the package file `path` holds.

    Raises SternaError for a file that is missing, not a package, truncated, damaged or of another version.
    """
    recognise.check(own_network(path) or path, recognise.PACKAGE)
    return from_bytes(files.read_bytes(path, MOST_BYTES, "package"), str(path))


def from_bytes(data: bytes, where: str = "package") -> Stored | Older:
    """What the package `data` holds; `where` names its origin in errors."""
    try:
        return older.read(data) if data.startswith(older.SIGNATURE) else _stored(container.read(data))
    except SternaError as error:
        raise SternaError(str(error), where=where) from error


def _stored(sections: Mapping[PackageSection, Section]) -> Stored | Older:
    schedule = _values(sections, PackageSection.SCHEDULE)
    if not isinstance(schedule, dict) or schedule.keys() != {_PLAN, _TAPE}:
        raise SternaError("its schedule is damaged", allowed=f"{_PLAN}, {_TAPE}", remedy=AGAIN)
    digest = _validated(TapeDigest, schedule[_TAPE], PackageSection.SCHEDULE)
    timed = PackageSection.CYCLES in sections
    if digest.version > VERSION:
        raise SternaError(
            "is for a later engine", attribute="tape version", value=digest.version, allowed=str(VERSION),
            remedy="install the later version",
        )  # fmt: skip
    if digest.version < VERSION:
        stored = schedule[_PLAN].get("stored") if isinstance(schedule[_PLAN], dict) else None
        said = f"for an engine with tapes of version {digest.version}"
        return Older.of(_graph(sections), _values(sections, PackageSection.CONFIG), stored, timed, said)
    config = _config(_values(sections, PackageSection.CONFIG))
    planned = plan.from_sections(schedule[_PLAN], sections[PackageSection.FILTERS].read(), config)
    cycles = _validated(Cycles, _values(sections, PackageSection.CYCLES), PackageSection.CYCLES) if timed else None
    return Stored(_graph(sections), config, planned, digest, cycles)


def _graph(sections: Mapping[PackageSection, Section]) -> Graph:
    arrays = ArrayReader(sections)
    try:
        index = _values(sections, PackageSection.GRAPH)
        return records.decode(index, arrays.take, arrays.finish, PackageSection.GRAPH.text)
    except SternaError as error:
        raise SternaError(f"its graph cannot be read: {error}") from error


def _config(values: Any) -> EngineConfig:
    if not isinstance(values, dict):
        raise SternaError("has no config", remedy=AGAIN)
    parameters = dict(values)
    return make_config(str(parameters.pop("name", "")), parameters, "engine config")


def _values(sections: Mapping[PackageSection, Section], section: PackageSection) -> object:
    try:
        return json.loads(sections[section].read())
    except (ValueError, RecursionError) as error:
        raise SternaError(f"its section {section.text} is not JSON ({error})", remedy=AGAIN) from error


def _validated(kind: type[_Record], values: object, section: PackageSection) -> _Record:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise SternaError(
            f"its section {section.text} is damaged ({first['msg']})", attribute=".".join(map(str, first["loc"])),
            remedy=AGAIN,
        ) from error  # fmt: skip
