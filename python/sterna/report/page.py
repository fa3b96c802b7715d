"""HTML pages in a common style, from the templates next to this file."""

from __future__ import annotations

import jinja2


def render(template: str, **values: object) -> str:
    """The page that `template`, the name of a template, makes of `values`.

    Templates extend `page.html.j2`, which holds the look of all pages. Text in `values` is escaped; a value that the
    template names and that is missing is an error.
    """
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("sterna.report"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
    )
    return templates.get_template(f"{template}.html.j2").render(**values)
