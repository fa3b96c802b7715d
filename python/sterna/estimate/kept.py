"""Values that take long to compute, cached as JSON files by everything that they depend on."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sterna.files import write_bytes


def kept(path: Path, make: Callable[[], Any]) -> Any:
    """The JSON value in the file `path`, which is computed and written if there is no readable one.

    A file whose name ends in `.gz` is compressed.

    Processes that make the same value at the same time do not disturb each other. Raises SternaError if the file
    cannot be written.
    """
    packed = path.suffix == ".gz"
    try:
        content = path.read_bytes()
        return json.loads(gzip.decompress(content) if packed else content)
    except (FileNotFoundError, ValueError, EOFError, gzip.BadGzipFile, zlib.error):
        text = json.dumps(make())
    write_bytes(path, gzip.compress(text.encode(), 6) if packed else text.encode())
    return json.loads(text)
