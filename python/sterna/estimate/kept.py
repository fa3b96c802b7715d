"""Values that take long to compute, cached as JSON files by everything that they depend on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sterna.files import write_bytes


def kept(path: Path, make: Callable[[], Any]) -> Any:
    """The JSON value in the file `path`, which is computed and written if there is no readable one.

    Processes that make the same value at the same time do not disturb each other. Raises SternaError if the file
    cannot be written.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        text = json.dumps(make())
    write_bytes(path, text.encode())
    return json.loads(text)
