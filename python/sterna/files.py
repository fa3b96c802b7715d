"""Files and folders of users: read within a limit, checked before the work that fills them, written atomically."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from sterna.errors import SternaError

#: Characters of a file's name that the name of its temporary neighbour keeps.
_KEPT_NAME = 40
_PARTIAL = ".partial"
#: What the system says of a full disk, a used quota, and a file that is longer than a limit.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OF_A_PROCESS = re.compile(rf"\.[0-9]+{re.escape(_PARTIAL)}$")


def read_bytes(path: Path, limit: int, what: str) -> bytes:
    """The content of the file `path`, at most `limit` bytes.

    what: the file's role, such as "package". Raises SternaError if it is missing, not a regular file, longer or
    unreadable.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            shown = "a folder" if stat.S_ISDIR(found.st_mode) else "a device or pipe"
            raise SternaError(f"is {shown}, not a {what}", where=str(path), remedy=f"name the {what} itself")
        if found.st_size > limit:
            raise SternaError(
                f"is too large for a {what}",
                where=str(path),
                attribute="bytes",
                value=found.st_size,
                allowed=f"at most {limit}",
                remedy="check that it is the right file",
            )
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise SternaError(
            f"the {what} cannot be read ({error.strerror or error})",
            where=str(path),
            remedy="check the path and its permissions",
        ) from error


def walk(
    folder: Path, skip: Callable[[Path], bool] = lambda _: False, _above: tuple[tuple[int, int], ...] = ()
) -> Iterator[Path]:
    """All files in `folder` and in the folders in it that are not to `skip`, in order of their names.

    Links to folders are followed, as people make data sets of parts on several disks, but for those that lead back to a
    folder on the way to them. Raises OSError for a folder that cannot be read.
    """
    found = folder.stat()
    here = (found.st_dev, found.st_ino)
    if here in _above:
        return
    with os.scandir(folder) as entries:
        there = sorted((entry.name, entry.is_dir()) for entry in entries)
    for name, is_folder in there:
        path = folder / name
        if not is_folder:
            yield path
        elif not skip(path):
            yield from walk(path, skip, (*_above, here))


def check_file(path: Path, *, inputs: Sequence[Path] = (), room: int = 0) -> None:
    """Make sure, before work that is to fill it, that the file `path` can be written by `write_atomically`.

    inputs: files that are read and so must not be replaced. room: bytes that it will take at least. Nothing is left
    behind. Raises SternaError for a folder, a device, an input, a place that cannot be written to or has no room.
    """
    mode = _mode(path)
    if mode and stat.S_ISDIR(mode):
        raise SternaError("is a folder, not a file to write", where=str(path), remedy="name a file, such as one in it")
    if mode and not stat.S_ISREG(mode):
        raise SternaError("is not a regular file", where=str(path), remedy="name a file to write")
    for each in inputs:
        if mode and _mode(each) and path.samefile(each):
            raise SternaError("would overwrite an input", where=str(path), remedy="name another file to write")
    _check_place(Path(os.path.realpath(path)).parent, path.name, path, room)


def check_folder(path: Path, *, inputs: Sequence[Path] = (), room: int = 0) -> None:
    """Make sure, before work that is to fill it, that files can be written to the folder `path`, there or not.

    As `check_file`; inputs: folders that are read.
    """
    mode = _mode(path)
    if mode and not stat.S_ISDIR(mode):
        raise SternaError("is a file, not a folder to write", where=str(path), remedy="name an existing or new folder")
    for each in inputs:
        if mode and _mode(each) and path.samefile(each):
            raise SternaError("is also an input folder", where=str(path), remedy="name another folder")
    _check_place(Path(os.path.realpath(path)), "", path, room)


def _check_place(folder: Path, name: str, shown: Path, room: int) -> None:
    """That `folder` can be made, and a file `name` in it; `shown` is what the person named."""
    there, parts = folder, [name] if name else []
    while not _mode(there) and there != there.parent:
        parts.append(there.name)
        there = there.parent
    if not there.is_dir():
        raise SternaError("cannot be written", where=str(shown), value=f"a file, {there}", allowed="a folder there",
                          remedy="choose another folder")  # fmt: skip
    try:
        longest = os.pathconf(there, "PC_NAME_MAX")
        long = [part for part in parts if len(os.fsencode(part)) > longest]
        if long:
            raise SternaError(
                "cannot be written: a name is too long",
                where=f"{os.fspath(shown)[:60]}...",
                attribute="bytes",
                value=len(os.fsencode(long[0])),
                allowed=f"at most {longest}",
                remedy="choose a shorter name",
            )
        with tempfile.TemporaryFile(dir=there):
            pass
        free = shutil.disk_usage(there).free
    except OSError as error:
        raise cannot_write(shown, error) from None
    if free < room:
        raise SternaError(
            "there is not enough free space",
            where=str(shown),
            attribute="bytes free",
            value=free,
            allowed=f"at least {room}",
            remedy="free disk space or choose another folder",
        )


def _mode(path: Path) -> int | None:
    """What is at `path`, by the bits of its mode; None if nothing is, or nothing can be."""
    with suppress(OSError):
        return path.stat().st_mode
    return None


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a neighbour of `path`, then put it in its place.

    Where `path` is a link, the file that it leads to is replaced. Raises SternaError if it cannot be written.
    """
    target, partial = Path(os.path.realpath(path)), partial_of(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        partial.replace(target)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError | RuntimeError):
            raise cannot_write(path, error) from None
        raise


def partial_of(path: Path) -> Path:
    """The neighbour of `path` in which this process writes what is to be there, or where the link `path` leads."""
    target = Path(os.path.realpath(path))
    return target.with_name(f"{target.name[:_KEPT_NAME]}.{os.getpid()}{_PARTIAL}")


def remove_partial(folder: Path) -> None:
    """Remove from `folder` what a process that was killed had half-written; nobody else may be writing there."""
    for path in folder.glob(f"*{_PARTIAL}"):
        if _OF_A_PROCESS.search(path.name):  # browsers call unfinished downloads so, too
            with suppress(OSError):
                path.unlink()


def cannot_write(path: Path, error: OSError | RuntimeError) -> SternaError:
    """The refusal of a file or folder that the system would not let be written."""
    full = not isinstance(error, OSError) or error.errno in _FULL  # torch reports a full disk as RuntimeError
    return SternaError(
        f"cannot be written ({getattr(error, 'strerror', None) or error})",
        where=str(path),
        remedy="free disk space or choose another folder" if full else "choose a folder that you can write to",
    )


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` as the file `path`, atomically. Raises SternaError if it cannot be written."""
    write_atomically(path, lambda partial: partial.write_bytes(data))
