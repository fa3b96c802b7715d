"""A file is written whole or not at all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sterna import files
from sterna.errors import SternaError


def test_written_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "value"
    files.write_bytes(path, b"one")
    files.write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "value"
    files.write_bytes(path, b"old")

    def fail(partial: Path) -> None:
        partial.write_text("half")
        raise OSError("disk full")

    with pytest.raises(SternaError, match="disk full"):
        files.write_atomically(path, fail)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_a_link_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "there" / "value", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to(target)
    for data in (b"one", b"two"):
        files.check_file(link)
        files.write_bytes(link, data)
        assert link.is_symlink() and target.read_bytes() == data
    assert list(target.parent.iterdir()) == [target]


def test_a_name_as_long_as_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("写" * 85)
    files.check_file(path)
    files.write_bytes(path, b"one")
    assert path.read_bytes() == b"one"
    with pytest.raises(SternaError, match="a name is too long; bytes = 258; allowed: at most 255") as caught:
        files.check_file(tmp_path / "new" / ("写" * 86))
    assert len(str(caught.value)) < 250


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "value"
    files.write_bytes(path, b"old")

    def stop(partial: Path) -> None:
        partial.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(path, stop)
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == b"old"


@pytest.mark.case(
    "disk-full",
    kind="outputs",
    expected="one line names the file, the old file stays whole and no half of a new one is left",
)
def test_a_full_disk_is_named(tmp_path: Path, got: Callable[[object], None]) -> None:
    """A limit on the length of files stands for the disk: it stops a write half way, even that of root."""
    path = tmp_path / "value"
    files.write_bytes(path, b"old")
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=False)
    remedy = "free disk space or choose another folder"
    assert done.stdout == f"{path}: cannot be written (File too large); remedy: {remedy}\n"
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == b"old"
    got(done.stdout.replace(str(tmp_path), "").strip())


FULL = """
import resource, signal, sys
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from sterna import files
from sterna.errors import SternaError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    files.write_bytes(Path(sys.argv[1]), bytes(2000))
except SternaError as error:
    print(error)
"""

#: What stands there, by name; what is to be written; what is said.
PLACES = {
    "a folder": ("folder", "is a folder, not a file to write"),
    "below a file": ("file/below", "cannot be written; got a file, "),
    "far below a file": ("file/below/that", "cannot be written; got a file, "),
    "a pipe": ("pipe", "is not a regular file"),
    "an input": ("input", "would overwrite an input"),
    "an input by another name": ("folder/../input", "would overwrite an input"),
    "an input by a link": ("link", "would overwrite an input"),
    "where nothing can be made": ("/proc/none", "cannot be written .*; remedy: choose a folder that you can write to"),
    "a device": ("/dev/null", "is not a regular file"),
}


@pytest.mark.parametrize(("name", "said"), PLACES.values(), ids=PLACES)
def test_a_file_that_cannot_be_written(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    for each in ("file", "input"):
        (tmp_path / each).touch()
    (tmp_path / "link").symlink_to(tmp_path / "input")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SternaError, match=f"^{re.escape(str(tmp_path / name))}: {said}") as caught:
        files.check_file(tmp_path / name, inputs=[tmp_path / "input"])
    assert "remedy: " in str(caught.value) and sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [("file", "is a file, not a folder"), ("file/below", "cannot be written"), ("in", "is also an input")],
)
def test_a_folder_that_cannot_be_written(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "in").mkdir()
    with pytest.raises(SternaError, match=said):
        files.check_folder(tmp_path / name, inputs=[tmp_path / "in"])


def test_places_that_can_be_written_are_left_as_they_are(tmp_path: Path) -> None:
    files.check_file(tmp_path / "new" / "file", inputs=[tmp_path / "none"], room=1)
    files.check_folder(tmp_path / "new" / "folder")
    files.check_folder(tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_room(tmp_path: Path) -> None:
    with pytest.raises(
        SternaError, match=r"there is not enough free space; bytes free = \d+; allowed: at least 1152921504606"
    ):
        files.check_file(tmp_path / "new", room=1 << 60)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, said in (("pipe", "is a device or pipe, not a list"), ("", "is a folder, not a list"), ("x", "No such")):
        with pytest.raises(SternaError, match=said):
            files.read_bytes(tmp_path / name, 9, "list")
    (tmp_path / "ten").write_bytes(bytes(10))
    with pytest.raises(SternaError, match="too large for a list; bytes = 10; allowed: at most 9"):
        files.read_bytes(tmp_path / "ten", 9, "list")
    assert files.read_bytes(tmp_path / "ten", 10, "list") == bytes(10)


def test_only_what_sterna_left_half_written_is_removed(tmp_path: Path) -> None:
    for name in ("checkpoint.pt.4711.partial", "model.zip.partial", "4711.partial"):
        (tmp_path / name).touch()
    files.remove_partial(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["4711.partial", "model.zip.partial"]


def test_walking_follows_links_and_ends(tmp_path: Path) -> None:
    """Two folders that link to each other, and one that links to what is above the first."""
    for name in ("one", "two"):
        files.write_bytes(tmp_path / "top" / name / f"{name}.txt", b"")
    one, two = tmp_path / "top/one", tmp_path / "top/two"
    (one / "to two").symlink_to(two)
    (two / "to one").symlink_to(one)
    (two / "up").symlink_to(tmp_path)
    assert {path.name for path in files.walk(one)} == {"one.txt", "two.txt"}
    assert one / "to two/two.txt" in set(files.walk(one))
    assert [path.name for path in files.walk(one, lambda folder: folder.name == "to two")] == ["one.txt"]
