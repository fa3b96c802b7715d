"""The report of cases holds what their tests said."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from results.makers import cases as maker
from sterna.errors import SternaError
from support.cases import read_report


@pytest.mark.case(
    "case-report", kind="project", expected="a failing test makes its case not ok", source="tests/support/cases.py"
)
def test_a_report_tells_cases_that_hold_and_cases_that_do_not(tmp_path: Path, got: Callable[[object], None]) -> None:
    properties = """<properties><property name="case" value="{&quot;name&quot;: &quot;%s&quot;,
    &quot;kind&quot;: &quot;k&quot;, &quot;expected&quot;: &quot;e&quot;, &quot;source&quot;: &quot;&quot;}"/>
    <property name="got" value="%s"/></properties>"""
    report = tmp_path / "report.xml"
    report.write_text(
        f"<testsuites><testsuite><testcase>{properties % ('good', 'one')}</testcase>"
        f"<testcase>{properties % ('bad', 'two')}</testcase>"
        f"<testcase>{properties % ('bad', 'three')}<failure/></testcase></testsuite></testsuites>"
    )
    cases = read_report(report)
    assert cases["good"].ok and cases["good"].got == ["one"]
    assert not cases["bad"].ok and cases["bad"].got == ["two", "three"]
    got(f"{len(cases)} cases, one not ok")


def test_cases_that_could_not_run_are_not_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of tests that cannot be imported: pytest fails, and the report tells only of the others."""

    def run(*_: object, **__: object) -> SimpleNamespace:
        maker.REPORT.write_text("<testsuites><testsuite></testsuite></testsuites>")
        return SimpleNamespace(returncode=1)

    monkeypatch.setattr(maker, "REPORT", tmp_path / "cases.xml")
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(maker, "write", lambda *_, **__: pytest.fail("written"))
    with pytest.raises(SternaError, match="not all tests of the cases ran"):
        maker.main()
