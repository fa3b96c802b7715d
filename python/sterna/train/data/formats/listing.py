"""Lists the files of a folder, without those that systems leave there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

from sterna.files import walk

#: What macOS, Windows, Linux and servers leave in folders, besides names that begin with a dot.
OF_SYSTEM = ("Thumbs.db", "desktop.ini", "$RECYCLE.BIN", "System Volume Information", "__MACOSX", "@eaDir",
             "lost+found")  # fmt: skip
_OF_SYSTEM = "of the system"
#: What counts images that lie beside those of a data set and are in none of its splits.
NOT_LISTED = "images in no list"


def is_of_system(path: PurePath) -> bool:
    """Whether a system left the file or folder, or a folder on the way to it; give a path from the data set on."""
    return any(part.startswith(".") or part in OF_SYSTEM for part in path.parts)


def files_under(root: Path) -> tuple[list[Path], list[Path]]:
    """All files in `root` and the folders in it, in order of their paths: those of people, and those of systems.

    A folder of a system counts as one file: it may be closed to people. Links are followed.
    """
    systems: list[Path] = []

    def is_closed(folder: Path) -> bool:
        closed = is_of_system(PurePath(folder.name))
        systems.extend([folder] * closed)
        return closed

    found = sorted(walk(root, is_closed))
    people = [path for path in found if not is_of_system(PurePath(path.name))]
    return people, sorted({*systems, *found} - set(people))


def passed_over(paths: Iterable[Path], systems: Iterable[Path] = ()) -> Counter[str]:
    """How many files of each kind, such as `*.txt`, are among `paths` and the ones that `systems` left."""
    counts = Counter(_kind(path) for path in paths)
    return counts + Counter({_OF_SYSTEM: sum(1 for _ in systems)})


def _kind(path: Path) -> str:
    if is_of_system(PurePath(path.name)):
        return _OF_SYSTEM
    return f"*{path.suffix.lower()}" if path.suffix else "without a suffix"


def by_key(paths: Iterable[Path], key: Callable[[Path], str]) -> dict[str, list[Path]]:
    """`paths` by their `key`, in order."""
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[key(path)].append(path)
    return dict(found)
