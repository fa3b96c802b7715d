"""A folder that is rewritten again and again, without loss of what others wrote in it.

The folder holds a manifest: the names and hashes of what was written. Files that still have their hash are replaced
silently. Anything else was changed or added by somebody, and is touched only on request.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import sterna
from sterna.errors import SternaError
from sterna.files import check_folder

MANIFEST = "manifest.json"
#: Holds the new files until all of them are there.
STAGING = ".generating"
#: Left to the tools that people run in the folder: never read, never removed.
BUILD = "build"

_NAMES_SHOWN = 4

#: Hashes that a file may have by its name.
_Hashes = dict[str, set[str]]


@dataclass(frozen=True)
class Replaced:
    """Files, named by their paths inside the folder, that somebody else had written or changed."""

    overwritten: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Contents:
    """What lies in a folder: what was written to it, and which files are not as they were written."""

    written: _Hashes
    changed: tuple[str, ...]
    foreign: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> Self:
        manifest = _manifest(folder)
        written = {name: set(hashes) for name, hashes in manifest["files"].items()} if manifest else {}
        changed, foreign = [], []
        for name in sorted(_names(folder)) if folder.exists() else ():
            path = folder / name
            if name == MANIFEST and manifest:
                continue
            if name not in written:
                foreign.append(name)
            elif path.is_symlink() or _hash(path.read_bytes()) not in written[name]:
                changed.append(name)
        return cls(written, tuple(changed), tuple(foreign))


def write_folder(
    folder: Path, files: Mapping[str, bytes], about: Mapping[str, object], *, force: bool = False
) -> Replaced:
    """Make `files` (path inside the folder: contents) the contents of `folder`; `about` goes into the manifest.

    Raises SternaError if the folder holds files that were changed, or that somebody else wrote. With `force` those in
    the way of `files` are overwritten, other changed ones are removed, and the rest stays. Whatever stops this, even
    at once, leaves a folder that can be written again.
    """
    check_folder(folder, room=sum(map(len, files.values())))
    try:
        before = _Contents.of(folder)
        if (before.changed or before.foreign) and not force:
            raise _refusal(folder, before)
        _check_places(folder, files)
        return _replace(folder, before, files, about)
    except OSError as error:
        raise SternaError(
            f"the folder cannot be written ({error.strerror})",
            where=str(folder),
            remedy="free disk space or name another folder",
        ) from error


def check_complete(folder: Path) -> None:
    """Raise SternaError if the writing of `folder` was interrupted."""
    manifest = _manifest(folder)
    if manifest and not manifest.get("complete"):
        raise SternaError("was not written completely", where=str(folder), remedy="generate it again")


def changed(folder: Path) -> tuple[str, ...]:
    """The files of `folder`, by their paths inside it, that are not as they were written."""
    return _Contents.of(folder).changed


def _replace(folder: Path, before: _Contents, files: Mapping[str, bytes], about: Mapping[str, object]) -> Replaced:
    new: _Hashes = {name: {_hash(data)} for name, data in files.items()}
    either = {name: before.written.get(name, set()) | new.get(name, set()) for name in before.written | new}
    others = (*before.changed, *before.foreign)
    overwritten = tuple(name for name in others if _in_the_way(name, files))
    removed = tuple(name for name in before.changed if name not in overwritten)
    is_new = not folder.exists()
    try:
        _stage(folder, files)
        # From here to the end the manifest names old and new files, so that a stop leaves nothing unknown.
        _put_manifest(folder, about, either, complete=False)
        for name in [*(before.written.keys() - files.keys()), *overwritten]:
            (folder / name).unlink(missing_ok=True)
            _remove_empty(folder, Path(name).parent)
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / STAGING / name).replace(folder / name)
        _put_manifest(folder, about, new, complete=True)
    finally:
        shutil.rmtree(folder / STAGING, ignore_errors=True)
        with suppress(OSError):
            if is_new:
                folder.rmdir()  # which only an empty folder suffers
    return Replaced(overwritten, removed)


def _stage(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all of `files` to the staging folder, in which a stop may have left some."""
    staging = folder / STAGING
    if staging.exists():
        shutil.rmtree(staging)
    for name, data in files.items():
        (staging / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).write_bytes(data)


def _put_manifest(folder: Path, about: Mapping[str, object], hashes: _Hashes, *, complete: bool) -> None:
    files = {name: sorted(each) for name, each in sorted(hashes.items())}
    text = json.dumps({"sterna": sterna.__version__, **about, "complete": complete, "files": files}, indent=1)
    partial = folder / STAGING / MANIFEST
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(folder / MANIFEST)


def _manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of `folder`; None if it has none."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        known = all(isinstance(hashes, list) for hashes in manifest["files"].values()) and "sterna" in manifest
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return dict(manifest) if known else None


def _names(folder: Path) -> Iterator[str]:
    """Files and links in `folder` by their paths inside it."""
    for home, folders, files in os.walk(folder, onerror=_raise):
        place = Path(home).relative_to(folder)
        if place == Path():
            folders[:] = [name for name in folders if name not in (STAGING, BUILD)]
        links = [name for name in folders if (Path(home) / name).is_symlink()]
        yield from (str(place / name) for name in (*files, *links))


def _raise(error: OSError) -> None:
    raise error


def _check_places(folder: Path, files: Mapping[str, bytes]) -> None:
    """Raise SternaError if somebody has a folder where a file goes."""
    for name in (*files, MANIFEST):
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            raise SternaError(
                "a folder is in the place of a file to write",
                where=str(path),
                remedy="move it, or name another folder",
            )


def _in_the_way(name: str, files: Mapping[str, bytes]) -> bool:
    """Whether the place of the file `name` is needed, for a file or for a folder that holds files."""
    return name == MANIFEST or name in files or any(Path(name) in Path(each).parents for each in files)


def _remove_empty(folder: Path, place: Path) -> None:
    with suppress(OSError):
        while place != Path():
            (folder / place).rmdir()
            place = place.parent


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _refusal(folder: Path, found: _Contents) -> SternaError:
    if not found.written:
        return SternaError(
            "holds files without a manifest, so sterna generate may not have written them",
            where=str(folder),
            attribute="files",
            value=_shown(found.foreign),
            remedy="name another folder, or remove this one if an older version generated it; sterna generate --force "
            "overwrites what is in its way",
        )
    kinds = (("changed since", found.changed), ("not generated", found.foreign))
    return SternaError(
        "holds files that sterna generate did not write",
        where=str(folder),
        attribute="files",
        value="; ".join(f"{kind}: {_shown(names)}" for kind, names in kinds if names),
        remedy="name another folder, or move them; sterna generate --force overwrites those in its way",
    )


def _shown(names: tuple[str, ...]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
