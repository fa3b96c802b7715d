"""What Quartus found: size from the report of its Fitter, clock from that of its Timing Analyzer.

Both are text with tables in frames of `+`, `-` and `;`. Reports of the Lite edition 18.1 for a Cyclone V and of the Pro
edition 19.1 for a Cyclone 10 GX, whose core is that of an Arria 10, are read by the tests:
github.com/olofk/edalize, tests/test_reporting/data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sterna.errors import SternaError

_FITTED, _TIMED = "*.fit.rpt", "*.sta.rpt"
_SUMMARY = "Fitter Summary"
_RESTRICTED, _CLOCK = "Restricted Fmax", "Clock Name"
_FMAX = re.compile(r"^(Slow|Fast) .* Model Fmax Summary$")
#: Quartus writes its reports in this encoding, of which every byte is legal.
_ENCODING = "latin-1"
_REMEDY = "run the project's make until Quartus ends without an error"


@dataclass(frozen=True)
class Corner:
    """The clock that a model of the chip allows."""

    model: str
    clock: str
    mhz: float


@dataclass(frozen=True)
class Fitted:
    """Size and clock of a placed and routed project."""

    version: str
    device: str
    alms: int
    registers: int
    block_rams: int
    dsps: int
    virtual_pins: int
    corners: tuple[Corner, ...]

    @property
    def slowest(self) -> Corner:
        """The corner that allows the slowest clock."""
        return min(self.corners, key=lambda corner: corner.mhz)


def read_reports(folder: Path) -> Fitted:
    """What the reports in `folder` say. Raises SternaError if one is missing, of a failed run, or not as expected."""
    fitted, timed = _text(folder, _FITTED), _text(folder, _TIMED)
    rows = dict(row for row in tables(fitted).get(_SUMMARY, []) if len(row) == len(("name", "value")))
    status = rows.get("Fitter Status", "(none)")
    if not status.startswith("Successful"):
        raise SternaError(
            "Quartus has not fitted the project", where=str(folder), attribute="Fitter Status", value=status,
            allowed="Successful", remedy=_REMEDY,
        )  # fmt: skip
    return Fitted(
        version=_value(rows, "Quartus Prime Version", folder),
        device=_value(rows, "Device", folder),
        alms=_count(rows, "Logic utilization (in ALMs)", folder),
        registers=_count(rows, "Total registers", folder),
        block_rams=_count(rows, "Total RAM Blocks", folder),
        dsps=_count(rows, "Total DSP Blocks", folder),
        virtual_pins=_count(rows, "Total virtual pins", folder),
        corners=_corners(timed, folder),
    )


def tables(report: str) -> dict[str, list[list[str]]]:
    """The rows of each table of a report, by its title. A column's name is a row as well."""
    found: dict[str, list[list[str]]] = {}
    rows: list[list[str]] = []
    for line in [*report.splitlines(), ""]:
        if line.startswith(";") and line.rstrip().endswith(";"):
            rows.append([cell.strip() for cell in line.strip().strip(";").split(";")])
        elif not line.startswith("+"):
            if len(rows) > 1:
                found.setdefault(rows[0][0], rows[1:])
            rows = []
    return found


def _corners(report: str, folder: Path) -> tuple[Corner, ...]:
    """The restricted Fmax of each slow or fast model and clock: it heeds what the block RAM can do as well."""
    found = []
    for title, (names, *rows) in tables(report).items():
        if not _FMAX.match(title):
            continue
        if _RESTRICTED not in names or _CLOCK not in names:
            raise SternaError(f"has no column '{_RESTRICTED}' or '{_CLOCK}'", where=title, remedy=_REMEDY)
        for row in (dict(zip(names, row, strict=False)) for row in rows):
            found.append(Corner(title.removesuffix(" Fmax Summary"), row[_CLOCK], _mhz(row[_RESTRICTED], folder)))
    if not found:
        raise SternaError("holds no Fmax", where=str(folder / _TIMED), remedy=_REMEDY)
    return tuple(found)


def _mhz(value: str, folder: Path) -> float:
    number, _, unit = value.partition(" ")
    if unit != "MHz" or not number.replace(".", "", 1).isdigit():
        raise SternaError(
            "is not a frequency", where=str(folder / _TIMED), attribute=_RESTRICTED, value=value, remedy=_REMEDY
        )
    return float(number)


def _text(folder: Path, pattern: str) -> str:
    paths = sorted(folder.rglob(pattern))
    if len(paths) != 1:
        raise SternaError(
            "there is not one report", where=str(folder), attribute=pattern, value=f"{len(paths)} files", remedy=_REMEDY
        )
    return paths[0].read_text(_ENCODING)


def _value(rows: dict[str, str], name: str, folder: Path) -> str:
    if name not in rows:
        raise SternaError(f"has no row '{name}' in '{_SUMMARY}'", where=str(folder / _FITTED), remedy=_REMEDY)
    return rows[name]


def _count(rows: dict[str, str], name: str, folder: Path) -> int:
    """The first number of a value such as `2,825 / 41,910 ( 7 % )`."""
    value = _value(rows, name, folder)
    number = value.partition("/")[0].strip().replace(",", "")
    if not number.isdigit():
        raise SternaError("is not a count", where=str(folder / _FITTED), attribute=name, value=value, remedy=_REMEDY)
    return int(number)
