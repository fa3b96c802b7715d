"""Image files with the same content, whatever their names."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path

PROBE = 16 * 1024  # bytes at the end of a file that tell nearly all different ones apart


def first_of_content(paths: Iterable[str]) -> dict[str, str]:
    """For each path the first path of a file with the same bytes, itself if there is none before it.

    Only files of one size are read, and only those of the same last bytes as a whole.
    """
    groups = [list(dict.fromkeys(paths))]
    for key in (_size, _end, _digest):
        groups = [part for group in groups for part in _parts(group, key)]
    return {path: group[0] for group in groups for path in group}


def shared(splits: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """By two splits the pairs of paths, one in each, of images with the same content; splits that share none are not
    named."""
    first = first_of_content(path for paths in splits.values() for path in paths)
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    names = list(splits)
    for number, name in enumerate(names):
        there = {first[path]: path for path in splits[name]}
        for other in names[number + 1 :]:
            pairs = [(there[first[path]], path) for path in splits[other] if first[path] in there]
            if pairs:
                found[name, other] = pairs
    return found


def _parts(group: Sequence[str], key: Callable[[str], Hashable]) -> Iterable[list[str]]:
    """`group` by `key`, which is not called for a group of one."""
    if len(group) == 1:
        return [list(group)]
    parts: defaultdict[Hashable, list[str]] = defaultdict(list)
    for path in group:
        parts[key(path)].append(path)
    return parts.values()


def _size(path: str) -> int:
    return Path(path).stat().st_size


def _end(path: str) -> bytes:
    with Path(path).open("rb") as file:
        file.seek(max(0, _size(path) - PROBE))
        return file.read()


def _digest(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()
