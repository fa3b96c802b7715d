"""HTML pages of one look, from templates that lie beside the code that fills them."""

from __future__ import annotations

import jinja2


def render(package: str, template: str, **values: object) -> str:
    """The page that `template`, a file in the `templates` folder of `package`, makes of `values`.

    The template may extend `page.html.j2`, which holds the look of all pages. Text in `values` is escaped; a value that
    the template names and that is missing is an error.
    """
    loader = jinja2.ChoiceLoader([jinja2.PackageLoader(package), jinja2.PackageLoader("sterna.run")])
    templates = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True)
    return templates.get_template(template).render(**values)
