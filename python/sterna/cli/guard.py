"""How errors reach people: one line each on standard error, and an exit code."""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Callable

import typer

from sterna import signals
from sterna.cli import renamed
from sterna.errors import SternaError, StoppedError, single, what_and_allowed

#: Remedies for what the system refuses and no other part of Sterna handles.
_REMEDIES = {
    errno.ENOSPC: "make room on the disk, or name a folder on another one",
    errno.EDQUOT: "make room within your quota, or name a folder on another disk",
    errno.EROFS: "name a folder on a writable disk",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EPIPE: "let the program that reads the output read it all",
    errno.ENOMEM: "close other programs, or use a smaller graph, image or batch",
}
FAILED = 1
REFUSED = 2
INTERRUPTED = 130


def guarded(command: Callable[[], object]) -> int:
    """Run `command` and return the exit code: its own if it returns one, else 0; each refusal is shown as one line."""
    # Brevitas imports what builds PyTorch extensions, and that warns of CUDA without a GPU; nothing is built here.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    try:
        with signals.interrupting():
            code = command()
        if code == INTERRUPTED:  # typer turns Ctrl-C into this code
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except (typer.Abort, KeyboardInterrupt):
        return _refuse("interrupted", INTERRUPTED)
    except typer.TyperException as error:
        what, allowed = what_and_allowed(error.format_message())
        said = what if allowed is None else f"{what}; allowed: {allowed}"
        return _refuse(renamed.told(error) or f"{said} (see {_command(error)} --help)")
    except StoppedError:
        return INTERRUPTED
    except SternaError as error:
        for fault in single(error):
            if fault is not error:
                print(_in_one_line(str(fault)), file=sys.stderr)
        return _refuse(str(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        remedy = _REMEDIES.get(error.errno or 0, "check that the file or folder exists and is accessible")
        return _refuse(f"{place}{error.strerror or error}; remedy: {remedy}")
    except MemoryError:
        return _refuse("not enough memory; remedy: close other programs, or use a smaller graph, image or batch")


def _command(error: typer.TyperException) -> str:
    """The command whose help tells what `error` is about, such as `sterna detect`."""
    context = getattr(error, "ctx", None)
    name = (context and context.info_name) or ""
    if context and context.parent:
        return f"sterna {name}"
    # `sterna train` is an application of its own, which bears its whole name.
    return name if name.startswith("sterna ") else "sterna"


def _refuse(message: str, code: int = REFUSED) -> int:
    print(f"error: {_in_one_line(message)}", file=sys.stderr)
    return code


def _in_one_line(message: str) -> str:
    return " ".join(message.split())
