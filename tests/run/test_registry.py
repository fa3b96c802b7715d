"""Backends are found by name, Sterna's own and those that another distribution brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.run import Backend, open_backend
from sterna.run.compare import compare_backends
from sterna.run.registry import backends
from support.other_backends import install_backends
from support.packages import small_images, small_package

OWN = ["reference", "emulator", "hls", "onnx", "sim", "soc", "pcie", "serial"]


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution with backends, installed."""
    install_backends(tmp_path, monkeypatch)


def test_own() -> None:
    assert list(backends)[: len(OWN)] == OWN
    for scheme in OWN:
        found = backends[scheme]
        assert issubclass(found, Backend) and found.usage.startswith(f"{scheme}:")


@pytest.mark.parametrize("uri", ["fpga:", "REFERENCE", "rtl:folder"])
def test_unknown(uri: str) -> None:
    with pytest.raises(SternaError, match=r"no such backend; backend = .*; allowed: reference, emul.*; remedy"):
        open_backend(uri)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("reference:folder", "takes no path"),
        ("reference:?seed=1", "no such parameter; parameter = seed; allowed: none"),
        ("sim:?speed=1", "parameter = speed; allowed: memory, latency, stall, seed, watchdog, timeout"),
        ("sim:?latency=fast", "latency = fast; allowed: cycles, or FIRST..LAST"),
        ("sim:?latency=9..3", "bad memory timing"),
        ("sim:?latency=1..", "latency = 1..; allowed: cycles, or FIRST..LAST"),
        ("sim:?stall=nan", "bad memory timing"),
        ("sim:?watchdog=-1", "bad number of cycles; watchdog = -1"),
        ("sim:?timeout=0", "bad number of cycles; timeout = 0"),
    ],
)
def test_paths_and_parameters(uri: str, said: str) -> None:
    with pytest.raises(SternaError, match=said):
        open_backend(uri)


@pytest.mark.usefixtures("mine")
def test_a_backend_of_another_distribution() -> None:
    package, images = small_package(), small_images(2)
    assert list(backends) == [*OWN, "absent", "board", "broken", "gone", "least", "mine"]
    with (
        open_backend("reference:") as reference,
        open_backend("mine:") as right,
        open_backend("mine:?wrong=2") as wrong,
        open_backend("least") as least,
    ):
        assert compare_backends(reference, right, package, images).equal
        assert compare_backends(reference, least, package, images).equal
        found = compare_backends(reference, wrong, package, images).first
        assert found is not None and found.differing == 2
        assert wrong.note() == "Executed: mine, 2 values wrong."
        assert type(reference).__name__ == "ReferenceBackend", "own names are not given away"
    said: list[str] = []
    open_backend("mine:", said.append).close()
    assert said == ["mine is being opened"]
    with pytest.raises(SternaError, match="parameter = right; allowed: wrong"):
        open_backend("mine:?right=1")
    with pytest.raises(SternaError, match="backend 'least:x': the backend takes no path"):
        open_backend("least:x")


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("scheme", "said"),
    [
        ("broken", "is no backend; sterna.backends = their_backends:broken"),
        ("gone", "cannot be imported .*Gone"),
        ("absent", "cannot be imported .*no_such_module"),
    ],
)
def test_a_backend_that_is_none(scheme: str, said: str) -> None:
    with pytest.raises(SternaError, match=f"backend '{scheme}' of their-backends: {said}"):
        open_backend(scheme)
