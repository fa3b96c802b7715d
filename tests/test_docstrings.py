"""The examples in docstrings of the public names run, and give what they show."""

from __future__ import annotations

import doctest
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import sterna
from sterna.registry import Registry
from support.engines import SIMULATORS

#: Their work takes minutes of synthesis.
WITHOUT = {"estimate", "explore"}
REGISTRIES = [name for name in sterna.__all__ if isinstance(getattr(sterna, name), Registry)]


def public() -> dict[str, object]:
    """What has an example: every public name, called rooms by their functions, registries by their class."""
    found = {name: getattr(sterna, name) for name in sterna.__all__ if name not in (*WITHOUT, *REGISTRIES)}
    called = {name: getattr(sterna.api, name) for name, value in found.items() if inspect.ismodule(value)}
    return {"sterna": sterna, "Registry": Registry, **found, **called}


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder with an image, and registries that forget what an example adds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STERNA_BUILD_DIR", str(SIMULATORS))
    Image.fromarray(sterna.scene(7)).save("street.jpg", quality=95)
    for name in REGISTRIES:
        monkeypatch.setattr(getattr(sterna, name), "_registered", {})
    yield


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("name", public())
def test_an_example_runs(name: str) -> None:
    thing = public()[name]
    module = sys.modules[thing.__name__ if inspect.ismodule(thing) else thing.__module__]  # type: ignore[attr-defined]
    parser, text = doctest.DocTestParser(), inspect.getdoc(thing) or ""
    example = parser.get_doctest(text, {**vars(module), "sterna": sterna}, name, module.__file__, 0)
    assert example.examples, f"{name} has no example"
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=said.append)
    assert result.failed == 0, "".join(said)


def test_an_example_that_is_wrong_is_noticed() -> None:
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(wrong, out=lambda text: None).failed == 1
