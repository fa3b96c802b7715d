"""Reads all records of a data set's splits, and reports all faults at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import track

from sterna.errors import FaultsError, SternaError, single
from sterna.train.data.formats.record import Record, Source
from sterna.train.data.labelled import Table
from sterna.train.data.options import ReadOptions
from sterna.train.data.summary import Summary
from sterna.vision import image_files

PROGRESS_FROM, DECODED_FROM = 2000, 100  # images; fewer are read before one has seen a bar
SKIP = "leave the images out with --skip-bad"


class Reading(NamedTuple):
    """A split that was read. order: for each line of its list the index of its image in the table."""

    table: Table
    summary: Summary
    order: list[int]


def read(
    source: Source, splits: Iterable[str], options: ReadOptions, where: str, console: Console | None = None
) -> dict[str, Reading]:
    """The `splits` of `source`, by name.

    Raises the SternaError of what is missing or damaged, and FaultsError that names all of it if there is more. Faulty
    records are left out instead if `options` say so. `where`: what people call the data set.
    """
    faults = Faults()
    readings = [(split, _read(source, split, options, faults, console)) for split in dict.fromkeys(splits)]
    faults.splits += _missing(where, [reading for _, reading in readings if reading], options.missing_share)
    faults.refuse(where)
    return {split: reading for split, reading in readings if reading}


@dataclass
class Faults:
    """What is wrong: with single images, which can be left out, and with splits as a whole."""

    records: list[SternaError] = field(default_factory=list)
    splits: list[SternaError] = field(default_factory=list)

    def refuse(self, where: str) -> None:
        """Raise the faults that were found."""
        every = [fault for error in (*self.records, *self.splits) for fault in single(error)]
        faults = list({str(fault): fault for fault in every}.values())  # splits may share a file
        if len(faults) == 1:
            raise _with_way_out(faults[0]) if self.records else faults[0]
        if faults:
            raise FaultsError(faults, where=where, remedy="correct them" + f", or {SKIP}" * bool(self.records))


def _with_way_out(fault: SternaError) -> SternaError:
    return SternaError(
        fault.what,
        where=fault.where,
        attribute=fault.attribute,
        value=fault.value,
        allowed=fault.allowed,
        remedy=f"{fault.remedy}, or {SKIP}" if fault.remedy else SKIP,
    )


def _read(source: Source, split: str, options: ReadOptions, faults: Faults, console: Console | None) -> Reading | None:
    """One split; None if it has no record, of which `faults` then tell."""
    summary, bad = Summary(), len(faults.records)
    try:
        entries = source.entries(split)
        unread = source.unread(split)
    except SternaError as fault:
        faults.splits.append(fault)
        return None
    summary.unlabelled, summary.without_image, summary.passed_over = unread.images, unread.labels, unread.files
    summary.notes.update(dict.fromkeys(unread.notes, 0))
    indices: dict[Hashable, int] = {}
    shown = _shown(entries, split, console, PROGRESS_FROM if not options.decode else DECODED_FROM)
    table = Table.pack(_records(source, shown, options, summary, faults, indices))
    summary.listed_again = len(entries) - len(set(entries))
    if not summary.images:
        if len(faults.records) == bad:
            faults.splits.append(_none_left(split, summary))
        return None
    return Reading(table, summary, [indices[entry] for entry in entries if entry in indices])


def _shown(entries: Sequence[Hashable], split: str, console: Console | None, least: int) -> Iterable[Hashable]:
    """The different entries, from `least` on with a bar where a person watches."""
    different = list(dict.fromkeys(entries))
    return track(
        different,
        f"reading {split}",
        console=console,
        transient=True,
        disable=console is None or len(different) < least,
    )


def _records(
    source: Source,
    entries: Iterable[Hashable],
    options: ReadOptions,
    summary: Summary,
    faults: Faults,
    indices: dict[Hashable, int],
) -> Iterator[Record]:
    """The records without a fault, counted in `summary`; `indices` tells which entry each one is of."""
    for entry in entries:
        try:
            record = source.record(entry)
            if options.decode:
                image_files.read(record.image)
        except SternaError as fault:
            if options.skip_bad:
                summary.bad += [str(each) for each in single(fault)][:1]
            else:
                faults.records.append(fault)
            continue
        indices[entry] = len(indices)
        summary.add(record)
        yield record


def _none_left(split: str, summary: Summary) -> SternaError:
    return SternaError(
        "all images of the split are faulty", where=split, value=summary.bad[0], remedy="correct the data set"
    )


def _missing(where: str, readings: Sequence[Reading], most: float) -> Iterator[SternaError]:
    """A refusal for each side on which more than the share `most` of partners is missing.

    The splits are looked at together, since some share their folders.
    """
    read = len({image for reading in readings for image in reading.table.images})
    background = _different(reading.summary.without_labels for reading in readings)
    left_out = _different(reading.summary.unlabelled for reading in readings)
    lonely = _different(reading.summary.without_image for reading in readings)
    sides = (
        ("images have no label file", background + left_out, read + len(left_out)),
        ("label files have no image", lonely, read - len(background) + len(lonely)),
    )
    for what, missing, count in sides:
        if len(missing) > most * count:
            yield SternaError(
                f"{len(missing)} of {count} {what}",
                where=where,
                attribute="the first",
                value=missing[0],
                allowed=f"a share of {most:g}, --missing-share",
                remedy="give each image and its label file one name, the image with one of the suffixes "
                f"{' '.join(image_files.SUFFIXES)}; empty label files for images without objects",
            )


def _different(paths: Iterable[Iterable[Path]]) -> list[Path]:
    return list(dict.fromkeys(path for some in paths for path in some))
