"""The documentation site is built without a warning, needs no network, and says what the code says."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort
from typer.main import get_command

from documents import links
from documents.hooks import GENERATED, on_page_markdown
from sterna.cli.main import app
from sterna.errors import SternaError
from sterna.spec.config import EngineConfig, config_names
from sterna.spec.registers import Register

ROOT = Path(__file__).resolve().parents[2]
#: What a browser fetches to show a page.
_FETCHED = re.compile(r"<(?:script|img|link)\b[^>]*(?:src|href)=[\"']?((?:https?:)?//[^\"'\s>]+)[^>]*>")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The site, built as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


def test_pages_fetch_nothing_from_the_net(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 20
    fetched = {found[0]: found[1] for page in pages for found in _FETCHED.finditer(page.read_text("utf-8"))}
    assert {url for tag, url in fetched.items() if "canonical" not in tag} == set()


def test_what_is_fetched_would_be_found() -> None:
    assert _FETCHED.search('<script async src="https://unpkg.com/x.js"></script>')
    assert _FETCHED.search('<link rel="stylesheet" href="//fonts.googleapis.com/css">')
    assert not _FETCHED.search('<a href="https://github.com/x">')


def test_a_broken_link_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# A\n\n[gone](gone.md)\n")
    (tmp_path / "mkdocs.yml").write_text("site_name: a\ntheme: material\n")
    with pytest.raises(Abort):
        build(load_config(str(tmp_path / "mkdocs.yml"), site_dir=str(tmp_path / "site"), strict=True))


def test_references_hold_everything(site: Path) -> None:
    def shown(page: str) -> str:
        return (site / "reference" / f"{page}.html").read_text("utf-8")

    assert all(f"sterna {name}</h2>" in re.sub("<a .*?</a>", "", shown("command-line")) for name in _commands())
    assert "--ternary-epochs" in shown("command-line") and "--backend" in shown("command-line")
    assert all(register.name in shown("registers") for register in Register)
    for name in (*config_names(), *EngineConfig.model_fields.keys() - {"name"}):
        assert f"<code>{name}</code>" in shown("configs")


def test_examples_in_docstrings_are_shown_as_code(site: Path) -> None:
    page = (site / "reference" / "api.html").read_text("utf-8")
    assert "<blockquote" not in page and page.count('<span class="gp">&gt;&gt;&gt; </span>') > 10


def _commands() -> list[str]:
    return list(get_command(app).commands)  # type: ignore[attr-defined]


#: A row of a table that is shown as text, since its table has no proper head.
_LOOSE_ROW = re.compile(r"<p>\s*\|")


def test_tables_are_shown_as_tables(site: Path) -> None:
    assert [page.stem for page in site.rglob("*.html") if _LOOSE_ROW.search(page.read_text("utf-8"))] == []


def test_tables_and_diagrams_are_filled_in() -> None:
    page = on_page_markdown("<!-- metrics: demo -->\n<!-- end -->\n\n<!-- diagram: flow -->\n")
    assert "| metric | value |" in page and '<div class="diagram">\n<svg ' in page


@pytest.mark.parametrize("name", GENERATED)
def test_what_is_generated_is_asked_for(name: str) -> None:
    assert any(f"<!-- generated: {name} -->" in page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md"))


def test_defaults_are_shown_without_brackets() -> None:
    page = GENERATED["command-line"]()
    for default in ("1.25", "as the run, or 200", "nano"):
        assert f"&#91;default: {default}" in page
    assert "default: (" not in page


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SternaError, match="nothing generates this; got other; allowed: command-line"):
        on_page_markdown("<!-- generated: other -->")


def test_links_of_the_documents_lead_somewhere() -> None:
    assert {page.name: links.broken(page) for page in ROOT.glob("*.md") if links.broken(page)} == {}


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Some heading\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#some-heading) [b](other.md#none) [c](gone.md) [d](https://x.org) [e](#here)\n\n# Here\n"
    )
    assert links.broken(page) == ["other.md#none", "gone.md"]
