"""Concurrent assertions become plain logic: each form, and nothing else of the text."""

from __future__ import annotations

import pytest

from formal.assertions import names, plain
from sterna.errors import SternaError

HEAD = "module m(input logic clk_i, input logic rst_ni, input logic a, input logic b);\n"
CLOCK = "@(posedge clk_i)"


def rewritten(member: str, **options: str | list[str]) -> str:
    """What becomes of a member of a module, with single spaces."""
    text = plain(f"{HEAD}{member}\nendmodule\n", **options)  # type: ignore[arg-type]
    assert text.startswith(HEAD) and text.endswith("\nendmodule\n")
    return " ".join(text[len(HEAD) : -len("\nendmodule\n")].split())


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("a == b", "always_comb X_A: assert (1'b0 || ( a == b));"),
        ("disable iff (!rst_ni) a |-> b", "always_comb X_A: assert ((!rst_ni) || (!( a) || ( b)));"),
        (
            "disable iff (!rst_ni) a |=> b",
            f"logic [1-1:0] X_A_0; initial X_A_0 = 1'b0; always_ff {CLOCK} X_A_0 <= ( a) && !(!rst_ni); "
            "always_comb X_A: assert ((!rst_ni) || (!X_A_0 || ( b)));",
        ),
        (
            "a |-> $stable(b)",
            f"logic [$bits(b)-1:0] X_A_0; always_ff {CLOCK} X_A_0 <= b; "
            "always_comb X_A: assert (1'b0 || (!( a) || ( (X_A_0 == {b}))));",
        ),
        (
            "a == $past(b)",
            f"logic [$bits(b)-1:0] X_A_0; always_ff {CLOCK} X_A_0 <= b; "
            "always_comb X_A: assert (1'b0 || ( a == X_A_0));",
        ),
    ],
)
def test_forms(rule: str, expected: str) -> None:
    assert rewritten(f'X_A: assert property ({CLOCK} {rule}) else $error("x");') == expected


def test_kinds_of_statements() -> None:
    assert rewritten(f"X_M: assume property ({CLOCK} a);") == "always_comb X_M: assume (1'b0 || ( a));"
    assert rewritten(f"X_C: cover property ({CLOCK} a);") == "always_comb X_C: cover (!1'b0 && ( a));"


def test_duties_of_users_are_assumed_or_left_out() -> None:
    member = f"X_A: assert property ({CLOCK} a);"
    assert rewritten(member, assume=["X_A"]) == "always_comb X_A: assume (1'b0 || ( a));"
    assert rewritten(member, leave_out=["X_A"]) == ""


def test_only_one_assertion_looks_for_a_bug() -> None:
    members = f"X_A: assert property ({CLOCK} a); Y_A: assert property ({CLOCK} b); Z_M: assume property ({CLOCK} b);"
    found = rewritten(members, only="Y_A")
    assert "X_A" not in found and "Y_A: assert" in found and "Z_M: assume" in found


def test_lines_keep_their_numbers() -> None:
    member = f'X_A: assert property ({CLOCK} disable iff (!rst_ni)\n  a |=>\n  b)\n  else $error("x");\nlogic last;'
    text = plain(f"{HEAD}{member}\nendmodule\n")
    assert text.splitlines().index("logic last;") == HEAD.count("\n") + member.count("\n")


def test_what_is_for_simulation_counts() -> None:
    text = f"{HEAD}`ifdef VERILATOR\nX_A: assert property ({CLOCK} a);\n`endif\nendmodule\n"
    assert names(text) == ["X_A"]
    assert "always_comb X_A" in plain(text)


def test_another_form_is_refused() -> None:
    with pytest.raises(SternaError, match="X_A: no form of a property that proofs know; got a ##1 b"):
        rewritten(f"X_A: assert property ({CLOCK} a ##1 b);")
