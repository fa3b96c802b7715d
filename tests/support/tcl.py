"""What a Tcl file calls: read by tclint's parser, or run by the interpreter of Debian's package `tcl`.

Both take straight lists of commands, as generated files are: what is called, with which words. A command inside
brackets comes before the one around it, which gets its last word. `file join` and `source` do what they do in Tcl.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tclint import syntax_tree as tree
from tclint.parser import Parser

Call = list[str]

_ESCAPED = {"t": "\t", "n": "\n"}
_RUN = r"""
proc record {words} {puts [join [lmap word $words {string map {\\ \\\\ \t \\t \n \\n} $word}] \t]; lindex $words end}
rename package tcl_package
rename source tcl_source
proc source name {record [list source $name]; uplevel [list tcl_source $name]}
"""


def calls(path: Path, variables: Mapping[str, str] | None = None) -> list[Call]:
    """The calls in the file. Raises a subclass of Exception for what is no Tcl, or not as plain as said above."""
    return list(_Reader(path.parent, variables or {}).script(path))


class _Reader:
    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder, self._variables = folder, variables
        self._found: list[Call] = []

    def script(self, path: Path) -> list[Call]:
        for command in Parser().parse(path.read_text("utf-8")).children:
            if not isinstance(command, tree.Comment):
                self._call(command)
        return self._found

    def _call(self, command: tree.Node) -> str:
        words = [self._word(child) for child in command.children]
        if words[:2] == ["file", "join"]:
            return "/".join(words[2:])
        self._found.append(words)
        if words[0] == "source":
            self.script(self._folder / words[1])
        return words[-1]

    def _word(self, node: tree.Node) -> str:
        match node:
            case tree.BracedWord():
                return str(node.value)
            case tree.BareWord():
                return re.sub(r"\\(.)", r"\1", str(node.value))
            case tree.CommandSub():
                return self._call(node.children[0])
            case tree.VarSub():
                index = "".join(self._word(child) for child in node.children)
                return self._variables[f"{node.value}({index})"]
            case _:
                return "".join(self._word(child) for child in node.children)


def calls_by_interpreter(
    path: Path, commands: Iterable[str], variables: Mapping[str, str] | None = None
) -> Iterator[Call]:
    """The calls of the file when tclsh runs it and knows no commands but its own and `commands`.

    Raises AssertionError with its message if it stops, or if it is missing.
    """
    tclsh = shutil.which("tclsh")
    assert tclsh, "tclsh is missing; remedy: sudo apt install tcl"
    stubs = "".join(
        f"proc {name} args {{record [linsert $args 0 {name}]}}\n" for name in sorted({*commands} - {"source"})
    )
    given = "".join(f"set {{{name}}} {{{value}}}\n" for name, value in (variables or {}).items())
    script = f"{_RUN}{stubs}namespace eval ::quartus {{}}\n{given}tcl_source {{{path.name}}}\n"
    done = subprocess.run([tclsh], input=script, capture_output=True, text=True, cwd=path.parent)
    assert done.returncode == 0 and not done.stderr, done.stderr
    for line in done.stdout.splitlines():
        yield [re.sub(r"\\(.)", lambda found: _ESCAPED.get(found[1], found[1]), word) for word in line.split("\t")]
