"""An extension of griffe: shows the examples in docstrings, which begin with >>>, as code and not as quotations."""

from __future__ import annotations

import re

import griffe

#: An example: its first line, with what it is indented by, and all lines up to an empty one.
_EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)


class Examples(griffe.Extension):
    """Puts each example between fences."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Change the docstring of `obj` (called by griffe)."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(docstring: str) -> str:
    """`docstring` as Markdown, its examples between fences."""
    return _EXAMPLE.sub(lambda example: f"```pycon\n{example[0]}\n```", docstring)
