"""Old names of options and backends, so that whoever types one is told the new name."""

from __future__ import annotations

import typer

from sterna.errors import SternaError

#: New name of an option by command and old name.
OPTIONS = {
    ("compile", "--observe"): "--trace",
    ("compile", "--no-observe"): "--no-trace",
    ("detect", "--device"): "--backend",
    ("compare", "--devices"): "--backends",
    ("estimate", "--device"): "--fpga",
    ("explore", "--device"): "--fpga",
}
#: New name of a command by the old one.
COMMANDS = {"size": "estimate"}
#: New name of a backend by the old one.
BACKENDS = {"rtl": "sim"}


def told(error: typer.TyperException) -> str | None:
    """The message for a renamed command or option; None if `error` is about something else."""
    for name, now in COMMANDS.items():
        if error.format_message().startswith(f"No such command '{name}'"):
            return f"the command {name} is now {now}; remedy: type sterna {now}"
    command, old = getattr(getattr(error, "ctx", None), "info_name", ""), getattr(error, "option_name", "")
    new = OPTIONS.get((command, old))
    return None if new is None else f"the option {old} is now {new}; remedy: type sterna {command} ... {new}"


def check_backend(scheme: str) -> None:
    """Raise SternaError if `scheme` is the old name of a backend."""
    if scheme in BACKENDS:
        new = BACKENDS[scheme]
        raise SternaError(f"the backend {scheme} is now {new}", where="--backend", remedy=f"name it {new}")
