"""Every refusal that is written down says what to do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "python" / "sterna"
#: A refusal that only puts a place or an introduction before another one, whose remedy it carries.
PASSED_ON = ("its graph cannot be read: ", "and ", "does not fit the feature memory besides", "there was no forward")


def without_remedy(source: Path) -> list[str]:
    """The refusals of `source` that are written with words of their own and without a remedy."""
    calls = [node for node in ast.walk(ast.parse(source.read_text("utf-8"))) if isinstance(node, ast.Call)]
    refusals = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "SternaError"]
    said = [
        ast.unparse(call.args[0]).lstrip("f").strip("'\"")
        for call in refusals
        if isinstance(call.args[0], ast.Constant | ast.JoinedStr)
        and "remedy" not in {each.arg for each in call.keywords}
    ]
    return [text for text in said if not text.startswith(PASSED_ON)]


@pytest.mark.parametrize("source", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_refusal_has_a_remedy(source: Path) -> None:
    assert without_remedy(source) == []


def test_a_refusal_without_a_remedy_is_found(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text("raise SternaError('is wrong', where='here')")
    assert without_remedy(tmp_path / "some.py") == ["is wrong"]
