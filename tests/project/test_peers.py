"""The table of other systems takes Sterna's numbers from the results."""

from __future__ import annotations

from pathlib import Path

import pytest

from results import peers
from results.readme import filled
from results.record import read_all
from sterna.errors import SternaError

RESULTS = read_all()


def test_rows_of_sterna_are_the_results() -> None:
    head, _, *rows = peers.table(RESULTS).splitlines()
    assert head.split(" | ")[0] == "| system" and all(row.count(" | ") == head.count(" | ") for row in rows)
    (first, *_) = [row for row in rows if row.startswith("| Sterna")]
    clock, cycles = (
        float(RESULTS[name].metrics[key].value) for name, key in (("clock", "arria10_mhz"), ("frame_trained", "cycles"))
    )
    assert f"| {1e6 * clock / cycles:,.0f} |" in first and f"at the {clock:.0f} MHz" in first


def test_a_page_gets_the_table() -> None:
    page = filled("<!-- peers -->\nof before\n<!-- end -->\n", RESULTS)
    assert "| H100 80GB |" in page and "of before" not in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda text: text.replace("frame_trained.cycles", "frame_trained.cycle"), "no such result"),
        (lambda text: text.replace("frame_arria10.", "frame_arria11."), "no such result"),
        (lambda text: text.replace("  chip: VCK5000\n", "", 1), "an entry with other keys"),
    ],
)
def test_wrong_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: object, said: str) -> None:
    (tmp_path / "peers.yaml").write_text(changed(peers.FILE.read_text("utf-8")), "utf-8")  # type: ignore[operator]
    monkeypatch.setattr(peers, "FILE", tmp_path / "peers.yaml")
    with pytest.raises(SternaError, match=said):
        peers.table(RESULTS)
