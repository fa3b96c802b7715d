"""How errors reach people: one line each on standard error, and an exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import typer

from sterna import signals
from sterna.errors import SternaError, single

FAILED = 1
REFUSED = 2
INTERRUPTED = 130


def guarded(command: Callable[[], object]) -> int:
    """Run `command` and give the exit code: its own if it returns one, else 0; each refusal is shown as one line."""
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
        return _refuse(f"{error.format_message()} (sterna --help shows what there is)")
    except SternaError as error:
        for fault in single(error):
            if fault is not error:
                print(_in_one_line(str(fault)), file=sys.stderr)
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except MemoryError:
        return _refuse("not enough memory; remedy: close other programs or use a smaller graph")


def _refuse(message: str, code: int = REFUSED) -> int:
    print(f"error: {_in_one_line(message)}", file=sys.stderr)
    return code


def _in_one_line(message: str) -> str:
    return " ".join(message.split())
