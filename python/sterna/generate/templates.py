"""Text files from the templates of a package."""

from __future__ import annotations

import jinja2


class Templates:
    """The templates in the folder `templates` of the package `name`, as files that tools read."""

    def __init__(self, name: str) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader(name),
            undefined=jinja2.StrictUndefined,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
        )

    def render(self, file: str, **values: object) -> bytes:
        """The file of that name, by the template of the same name and `.j2`."""
        return self._templates.get_template(f"{file}.j2").render(values).encode()
