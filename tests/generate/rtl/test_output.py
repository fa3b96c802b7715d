"""A folder that is written again: what others put there is safe, and no stop blocks the next try."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.generate.rtl.output import BUILD, MANIFEST, STAGING, Replaced, check_complete, write_folder

OLD = {"a.txt": b"a", "deep/b.txt": b"b", "memory/c.bin": b"c" * 5000}
NEW = {"a.txt": b"new a", "deep/b.txt": b"b", "other/d.txt": b"d"}

Got = Callable[[object], None]


def contents(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name != MANIFEST}


def write(folder: Path, files: dict[str, bytes], *, force: bool = False) -> Replaced:
    return write_folder(folder, files, {"config": "nano"}, force=force)


@pytest.mark.case(
    "generate-into-its-own-folder", kind="folder", expected="unchanged files are replaced and old ones removed"
)
def test_replaces_what_it_wrote(tmp_path: Path, got: Got) -> None:
    assert write(tmp_path / "new" / "out", OLD) == Replaced()
    assert contents(tmp_path / "new" / "out") == OLD
    assert write(tmp_path / "new" / "out", NEW) == Replaced()
    assert contents(tmp_path / "new" / "out") == NEW
    assert not (tmp_path / "new" / "out" / "memory").exists()
    check_complete(tmp_path / "new" / "out")
    got("replaced without a word")


def test_same_input_same_manifest(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, NEW)
    assert (tmp_path / "one" / MANIFEST).read_bytes() == (tmp_path / "two" / MANIFEST).read_bytes()


@pytest.mark.case(
    "generate-over-edited-files", kind="folder", expected="refused with the file's name; --force overwrites and says so"
)
def test_changed_files(tmp_path: Path, got: Got) -> None:
    write(tmp_path, OLD)
    (tmp_path / "a.txt").write_text("edited")
    (tmp_path / "memory" / "c.bin").write_text("edited too")
    before = contents(tmp_path)
    with pytest.raises(
        SternaError, match=r"did not write; files = changed since: a\.txt, memory/c\.bin; .*--force"
    ) as no:
        write(tmp_path, NEW)
    assert contents(tmp_path) == before
    assert write(tmp_path, NEW, force=True) == Replaced(overwritten=("a.txt",), removed=("memory/c.bin",))
    assert contents(tmp_path) == NEW
    got(no.value)


@pytest.mark.case("generate-into-a-folder-with-files-of-others", kind="folder", expected="refused with their names")
def test_foreign_files(tmp_path: Path, got: Got) -> None:
    write(tmp_path, OLD)
    for number in range(7):
        (tmp_path / "deep" / f"{number}.tex").write_text("years of work")
    before = contents(tmp_path)
    with pytest.raises(SternaError, match=r"not generated: deep/0\.tex, .*deep/3\.tex and 3 more") as refused:
        write(tmp_path, NEW)
    assert contents(tmp_path) == before
    assert write(tmp_path, NEW, force=True) == Replaced()
    assert contents(tmp_path) == NEW | {name: data for name, data in before.items() if name.endswith(".tex")}
    got(refused.value)


@pytest.mark.parametrize("text", ["{}", "not JSON", '{"files": [1], "sterna": "1"}', "[]", '"text"', "\udcff"])
def test_folder_without_a_manifest(tmp_path: Path, text: str) -> None:
    """One that somebody else wrote under that name is a file like any other."""
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(SternaError, match=r"holds files without a manifest, .*; files = a\.txt; .*--force"):
        write(tmp_path, OLD)
    (tmp_path / MANIFEST).write_bytes(os.fsencode(text))
    with pytest.raises(SternaError, match=rf"holds files without a manifest, .*; files = a\.txt, {MANIFEST};"):
        write(tmp_path, OLD)
    assert write(tmp_path, OLD, force=True) == Replaced(overwritten=("a.txt", MANIFEST))
    assert contents(tmp_path) == OLD


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "b.txt").write_bytes(OLD["deep/b.txt"])
    write(tmp_path / "out", OLD)
    (tmp_path / "out" / "deep" / "b.txt").unlink()
    (tmp_path / "out" / "deep").rmdir()
    (tmp_path / "out" / "deep").symlink_to(tmp_path / "else")
    (tmp_path / "out" / "a.txt").unlink()
    (tmp_path / "out" / "a.txt").symlink_to(tmp_path / "else" / "b.txt")
    with pytest.raises(SternaError, match=r"changed since: a\.txt; not generated: deep;"):
        write(tmp_path / "out", NEW)
    assert write(tmp_path / "out", NEW, force=True) == Replaced(overwritten=("a.txt", "deep"))
    assert contents(tmp_path / "out") == NEW
    assert contents(tmp_path / "else") == {"b.txt": b"b"}


def test_a_folder_where_a_file_goes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    for force in (False, True):
        with pytest.raises(SternaError, match=r"a\.txt: a folder is in the place of a file to write"):
            write(tmp_path, OLD, force=force)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


def test_what_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SternaError, match="is a file, not a folder to write"):
        write(tmp_path / "thesis.tex", OLD, force=True)
    with pytest.raises(SternaError, match="cannot be written; got a file"):
        write(tmp_path / "thesis.tex" / "out", OLD)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_tools_may_build_in_the_folder(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    (tmp_path / BUILD).mkdir()
    (tmp_path / BUILD / "simulator").write_text("built")
    assert write(tmp_path, NEW) == Replaced()
    assert (tmp_path / BUILD / "simulator").read_text() == "built"


@pytest.mark.case("generate-on-a-full-disk", kind="folder", expected="refused; nothing is left, and the next try works")
@pytest.mark.parametrize("there", [False, True])
def test_full_disk(tmp_path: Path, there: bool, got: Got) -> None:
    """A limit on the size of files stands for the end of the disk."""
    before = NEW if there else {}
    if there:
        write(tmp_path / "out", NEW)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(SternaError, match=r"the folder cannot be written .*; remedy: free disk space") as refused:
            write(tmp_path / "out", OLD)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "out").exists() == there
    assert contents(tmp_path / "out") == before
    write(tmp_path / "out", OLD)
    assert contents(tmp_path / "out") == OLD
    got(refused.value)


@pytest.mark.case("generate-killed", kind="folder", expected="the next try works, whichever moment it was killed at")
def test_killed_at_any_moment(tmp_path: Path, got: Got) -> None:
    moments = 0
    while _killed(tmp_path / str(moments), moments):
        folder = tmp_path / str(moments)
        write(folder, NEW | {"a.txt": b"a third"})
        assert contents(folder) == NEW | {"a.txt": b"a third"}
        check_complete(folder)
        moments += 1
    assert moments > 6
    got(f"killed at each of {moments} moments, and the next try worked")


def test_a_killed_one_is_not_taken_for_whole(tmp_path: Path) -> None:
    seen = set()
    for moment in range(9):
        folder = tmp_path / str(moment)
        assert _killed(folder, moment)
        try:
            check_complete(folder)
            seen.add("whole")
            whole = {name: data for name, data in contents(folder).items() if not name.startswith(STAGING)}
            assert whole in (OLD, NEW)
        except SternaError as error:
            assert "was not written completely" in str(error)
            seen.add("refused")
    assert seen == {"whole", "refused"}


def _killed(folder: Path, moment: int) -> bool:
    """Write OLD, then NEW in a process that is killed before its change of the file system number `moment`; whether
    there were as many."""
    write(folder, OLD)
    process = os.fork()
    if not process:
        _kill_at(moment)
        write(folder, NEW)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status)


def _kill_at(moment: int) -> None:
    left = iter(range(moment, -1, -1))

    def before(change: Callable[..., object]) -> Callable[..., object]:
        def changed(*arguments: object, **options: object) -> object:
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return change(*arguments, **options)

        return changed

    for name in ("write_bytes", "write_text", "replace", "unlink", "rmdir"):
        setattr(Path, name, before(getattr(Path, name)))
