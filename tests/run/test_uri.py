"""URIs of backends are taken apart, put together again, and refused where they say nothing or too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.run.uri import Parameter, Uri

KNOWN = {"count": Parameter("how many", "a whole number", int), "share": Parameter("how much", "0 .. 1", float)}


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sim", Uri("sim")),
        ("sim:", Uri("sim")),
        (" sim: ", Uri("sim")),
        ("sim:build/engine", Uri("sim", "build/engine")),
        ("sim:/a b?share=.5", Uri("sim", "/a b", {"share": ".5"})),
        ("sim:?count=1&share=", Uri("sim", "", {"count": "1", "share": ""})),
        ("pcie:0000:01:00.0", Uri("pcie", "0000:01:00.0")),
        ("sim:what%3F%25", Uri("sim", "what?%")),
    ],
)
def test_parts(text: str, uri: Uri) -> None:
    assert Uri.parse(text) == uri
    assert Uri.parse(str(uri)) == uri


def test_any_folder_can_be_named() -> None:
    for name in ("a?b=c&d%20e#f", "Zoë, 写真", Path("latin\udce9").name):
        uri = Uri("sim", name, {"count": "1 & 2"})
        assert "," not in str(uri) and Uri.parse(str(uri)) == uri


@pytest.mark.parametrize("text", ["", ":", ":folder", "sim:?latency", "sim:?a=1&a=2", "sim:?a=1&&"])
def test_no_uri(text: str) -> None:
    with pytest.raises(SternaError, match="is not the name of a backend; allowed: SCHEME:PATH"):
        Uri.parse(text)


def test_values() -> None:
    assert Uri.parse("sim:?share=.5").values(KNOWN) == {"share": 0.5}
    assert Uri.parse("sim:?count=3&share=1").values(KNOWN) == {"count": 3, "share": 1.0}
    with pytest.raises(SternaError, match=r"'sim:\?size=1': .*parameter = size; allowed: count, share; remedy"):
        Uri.parse("sim:?size=1").values(KNOWN)
    with pytest.raises(SternaError, match="parameter = size; allowed: none"):
        Uri.parse("sim:?size=1").values({})
    with pytest.raises(SternaError, match="cannot be read; count = many; allowed: a whole number"):
        Uri.parse("sim:?count=many").values(KNOWN)


def test_a_path_where_none_is_used() -> None:
    Uri("reference").check_no_path()
    with pytest.raises(SternaError, match="takes no path; path = here; remedy: name it reference:"):
        Uri("reference", "here").check_no_path()
