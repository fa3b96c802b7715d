"""What CONTRIBUTING.md, the commit hooks, the notices and the metadata say is so."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tomllib
import warnings
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

import notices
from commit_subject import complaint

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
MAP = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Environment")[0]
#: First cells of its tables.
NAMED = set(re.findall(r"`([^`]+)`", " ".join(re.findall(r"^\|([^|]+)\|", MAP, re.MULTILINE))))


def folders(parent: Path) -> set[str]:
    """The folders of `parent` that git keeps files in."""
    listed = subprocess.run(["git", "ls-files"], cwd=parent, capture_output=True, text=True, check=True).stdout
    return {name.partition("/")[0] for name in listed.splitlines() if "/" in name and name[0] != "."}


needs_history = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a copy without history")


@needs_history
def test_the_map_names_every_room_and_folder() -> None:
    rooms = folders(ROOT / "python" / "sterna")
    roots = {name.partition("/")[0] for name in NAMED - rooms}
    assert rooms <= NAMED, "add the room to the map in CONTRIBUTING.md"
    assert folders(ROOT) <= roots, "add the folder to the map in CONTRIBUTING.md"
    assert {f"hw/{name}" for name in folders(ROOT / "hw")} <= NAMED


def test_the_map_names_nothing_else() -> None:
    for name in NAMED:
        assert (ROOT / name).exists() or (ROOT / "python" / "sterna" / name).exists(), f"CONTRIBUTING.md: {name}"


def test_hooks_run_what_is_there() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        command = hook["entry"].split()
        if "-m" in command:
            assert importlib.util.find_spec(command[command.index("-m") + 1])
        else:
            assert (ROOT / command[-2 if command[-1].startswith("-") else -1]).is_file()


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        ("Say why\n\nBecause.\n", None),
        ("s" * 72, None),
        ("# a comment\nSay why\n", None),
        ("s" * 73, "the subject has 73 characters; allowed: 72"),
        ("# a comment\n\n", "has no subject"),
        ("Say why\nand more\n", "second line is not empty"),
    ],
)
def test_subjects_of_commits(message: str, wrong: str | None) -> None:
    found = complaint(message)
    assert found is None if wrong is None else found is not None and wrong in found


def test_a_long_subject_stops_the_commit(tmp_path: Path) -> None:
    (tmp_path / "message").write_text("ü" * 73)
    script = ROOT / "scripts" / "commit_subject.py"
    done = subprocess.run([script, tmp_path / "message"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the subject has 73 characters") and done.stderr.count("\n") == 1
    (tmp_path / "message").write_text("ü" * 72)
    assert subprocess.run([script, tmp_path / "message"], check=False).returncode == 0


def test_notices_name_every_installed_dependency() -> None:
    assert notices.main(["--check"]) == 0, "make notices"
    text = notices.PAGE.read_text("utf-8")
    rows = dict(re.findall(r"^\| \[([\w-]+)\]\S+ \| (.*) \|$", text, re.MULTILINE))
    extras = PROJECT["project"]["optional-dependencies"]
    direct = [*PROJECT["project"]["dependencies"], *extras["video"], *extras["dev"]]
    assert {name.lower() for name in direct} <= rows.keys()
    assert all(rows.values()), "a licence is not known: add it to STATED in scripts/notices.py"


def test_notices_that_are_not_up_to_date_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "THIRD_PARTY.md"
    page.write_text(notices.PAGE.read_text("utf-8").replace("| MIT |", "| ISC |"), "utf-8")
    monkeypatch.setattr(notices, "PAGE", page)
    assert notices.main(["--check"]) == 1
    assert "remedy: make notices" in capsys.readouterr().err
    assert notices.main([]) == 0 and notices.main(["--check"]) == 0


def test_supported_versions_of_python_agree() -> None:
    classifiers = " ".join(PROJECT["project"]["classifiers"])
    versions = re.findall(r"Python :: (3\.\d+)", classifiers)
    assert versions == ["3.11", "3.12", "3.13"]
    assert PROJECT["project"]["requires-python"] == f">={versions[0]}"
    assert PROJECT["tool"]["mypy"]["python_version"] == versions[0]
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{versions[0].replace('.', '')}"
    setup, makefile = (ROOT / "scripts" / "setup.sh").read_text("utf-8"), (ROOT / "Makefile").read_text("utf-8")
    assert " ".join(f"python{version}" for version in versions) in setup
    assert f"mypy --python-version {versions[-1]}" in makefile
    first, last = (version.replace(".", ", ") for version in (versions[0], versions[-1]))
    assert f"({first}) <= sys.version_info[:2] <= ({last})" in setup


#: What Debian 12, Ubuntu 24.04 and Debian 13 come with.
DEFAULTS = ("3.11.2", "3.12.3", "3.13.5")


@pytest.mark.parametrize("version", DEFAULTS)
def test_pinned_packages_want_no_newer_python(version: str) -> None:
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    packages = [package.metadata for package in metadata.distributions() if package.metadata["Name"] in pinned]
    assert len(packages) > len(PROJECT["project"]["dependencies"])
    refused = {package["Name"] for package in packages if version not in SpecifierSet(package["Requires-Python"] or "")}
    assert refused == set()


@pytest.mark.parametrize("folder", ["python", "scripts", "sim", "tests"])
def test_sources_compile_without_a_warning(folder: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for source in (ROOT / folder).rglob("*.py"):
            compile(source.read_bytes(), source, "exec")
