"""Reports of Quartus: what is read from real ones, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.estimate.quartus_reports import Corner, Fitted, read_reports, tables

REPORTS = Path(__file__).with_name("quartus_reports")

LITE = Fitted(
    version="18.1.0 Build 625 09/12/2018 SJ Lite Edition",
    device="5CSEBA6U23I7",
    alms=2825,
    registers=3821,
    block_rams=87,
    dsps=4,
    virtual_pins=0,
    corners=(
        Corner("Slow 1100mV 100C Model", "clk50", 69.65),
        Corner("Slow 1100mV -40C Model", "clk50", 70.54),
    ),
)
PRO = Fitted(
    version="19.1.0 Build 240 03/26/2019 SJ Pro Edition",
    device="10CX220YF780E5G",
    alms=930,
    registers=761,
    block_rams=2,
    dsps=0,
    virtual_pins=408,
    corners=(Corner("Slow 900mV 100C Model", "clk", 131.58), Corner("Slow 900mV 0C Model", "clk", 141.68)),
)


@pytest.mark.parametrize(("folder", "said"), [("cyclone5", LITE), ("cyclone10", PRO)])
def test_real_reports(folder: str, said: Fitted) -> None:
    assert read_reports(REPORTS / folder) == said


def test_the_slowest_model_counts_which_need_not_be_the_hottest(tmp_path: Path) -> None:
    assert LITE.slowest.mhz == 69.65
    edit(tmp_path, "top.sta.rpt", "70.54 MHz       ", "60.54 MHz       ")
    assert read_reports(tmp_path).slowest == Corner("Slow 1100mV -40C Model", "clk50", 60.54)


def test_a_project_may_have_its_reports_in_a_folder_of_their_own(tmp_path: Path) -> None:
    shutil.copytree(REPORTS / "cyclone5", tmp_path / "output_files")
    assert read_reports(tmp_path) == LITE


def test_a_title_that_names_a_table_is_not_its_first_row() -> None:
    found = tables((REPORTS / "cyclone5" / "top.sta.rpt").read_text("latin-1"))
    assert found["Slow 1100mV 100C Model Fmax Summary"] == [
        ["Fmax", "Restricted Fmax", "Clock Name", "Note"],
        ["69.65 MHz", "69.65 MHz", "clk50", ""],
    ]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("top.fit.rpt", "Successful - ", "Failed - ", "has not fitted the project; Fitter Status = Failed"),
        (
            "top.fit.rpt",
            "; Fitter Summary ",
            "; Filter Summary ",
            r"has not fitted the project; Fitter Status = \(none\)",
        ),
        ("top.fit.rpt", "; Total RAM Blocks ", "; Total RAM Bricks ", "has no row 'Total RAM Blocks'"),
        ("top.fit.rpt", "; 2,825 / 41,910 ( 7 % ) ", "; N/A ", r"is not a count; Logic utilization \(in ALMs\) = N/A"),
        ("top.sta.rpt", " Fmax Summary", " Slack Summary", "holds no Fmax"),
        ("top.sta.rpt", "; 69.65 MHz ; 69.65 MHz ", "; N/A ; N/A ", "is not a frequency; Restricted Fmax = N/A"),
        ("top.sta.rpt", "Restricted Fmax", "Fmax", "has no column 'Restricted Fmax'"),
    ],
)
def test_reports_of_a_failed_run_are_refused(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    edit(tmp_path, name, old, new)
    with pytest.raises(SternaError, match=said):
        read_reports(tmp_path)


def test_there_must_be_one_report_of_each_kind(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match=r"there is not one report; \*\.fit\.rpt = 0 files; remedy: run the project"):
        read_reports(tmp_path)
    shutil.copytree(REPORTS / "cyclone5", tmp_path / "a")
    shutil.copytree(REPORTS / "cyclone5", tmp_path / "b")
    with pytest.raises(SternaError, match=r"\*\.fit\.rpt = 2 files"):
        read_reports(tmp_path)


def edit(folder: Path, name: str, old: str, new: str) -> None:
    """Copies the reports for a Cyclone V to `folder`, with a change in one."""
    shutil.copytree(REPORTS / "cyclone5", folder, dirs_exist_ok=True)
    text = (folder / name).read_text("latin-1")
    assert old in text
    (folder / name).write_text(text.replace(old, new), "latin-1")
