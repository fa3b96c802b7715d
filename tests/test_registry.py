"""What is found by name: own things, registered ones, and refusals. Entry points are in tests/run/test_registry.py."""

from __future__ import annotations

import pytest

from sterna.errors import SternaError
from sterna.registry import Registry


@pytest.fixture
def makers() -> Registry[object]:
    return Registry("maker", "sterna.makers", {"own": "builtins:dict"}, "what can be called", callable)


def test_names_and_things(makers: Registry[object]) -> None:
    assert makers.register("mine")(list) is list
    assert list(makers) == ["own", "mine"] and "mine" in makers and "other" not in makers
    assert makers["own"] is dict and makers["mine"] is list


def test_the_later_of_two_counts(makers: Registry[object]) -> None:
    """As when a cell of a notebook runs again."""
    makers.register("mine")(list)
    makers.register("mine")(set)
    assert makers["mine"] is set and list(makers) == ["own", "mine"]


def test_a_missing_name_lists_those_that_there_are(makers: Registry[object]) -> None:
    makers.register("mine")(list)
    with pytest.raises(SternaError, match=r"no such maker; maker = other; allowed: own, mine; remedy: .*import"):
        makers["other"]


@pytest.mark.parametrize("name", ["own", "", "with space", "a/b"])
def test_a_name_that_cannot_be_registered(makers: Registry[object], name: str) -> None:
    with pytest.raises(SternaError, match=f"this name cannot be registered; maker = {name}; allowed: .* not own"):
        makers.register(name)


def test_a_thing_of_another_kind(makers: Registry[object]) -> None:
    with pytest.raises(SternaError, match=r"maker 'mine': is no maker; sterna.makers = 3; allowed: what can be called"):
        makers.register("mine")(3)
    assert list(makers) == ["own"]
