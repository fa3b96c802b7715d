"""Which files a folder holds, and which of them are nobody's data."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

#: What macOS, Windows and notebooks leave in folders of all kinds, beside what begins with a dot.
OF_SYSTEM = ("Thumbs.db", "desktop.ini", "__MACOSX")
_OF_SYSTEM = "of the system"


def is_of_system(path: PurePath) -> bool:
    """Whether a system left the file or folder, or a folder on the way to it; give a path from the data set on."""
    return any(part.startswith(".") or part in OF_SYSTEM for part in path.parts)


def files_under(root: Path) -> tuple[list[Path], list[Path]]:
    """All files in `root` and the folders in it, in order of their paths: those of people, and those of systems."""
    found = sorted(Path(folder, name) for folder, _, names in os.walk(root) for name in names)
    systems = {path for path in found if is_of_system(path.relative_to(root))}
    return [path for path in found if path not in systems], sorted(systems)


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
