"""Signed packages: minisign's signatures (https://jedisct1.github.io/minisign), Ed25519 over all bytes of a file."""

from __future__ import annotations

from pathlib import Path

from sterna import files
from sterna.errors import SternaError
from sterna.native import libsterna
from sterna.spec.package import MOST_BYTES

SUFFIX = ".minisig"
"""Of a signature's file, after the name of the file that is signed."""
MOST_TEXT = 1 << 16
"""Bytes of a key's or a signature's file at most; a comment in it has 8,192 at most."""


def signature_path(path: Path) -> Path:
    """Where the signature of the file `path` is."""
    return path.with_name(path.name + SUFFIX)


def read_signed(path: Path, public_key: str) -> bytes:
    """The bytes of the file `path`, which must be signed; public_key: the text of the key's file, or its last line.

    Raises SternaError if it has no signature, or not by that key, or differs from what was signed.
    """
    data = files.read_bytes(path, MOST_BYTES, "package")
    if not signature_path(path).exists():
        raise SternaError(
            "is not signed", where=str(path), allowed=f"a package with its signature {signature_path(path)}",
            remedy="take both from its maker",
        )  # fmt: skip
    signature = files.read_bytes(signature_path(path), MOST_TEXT, "signature").decode("utf-8", "replace")
    try:
        libsterna.check_signature(data, signature, public_key)
    except SternaError as error:
        raise SternaError(str(error), where=str(path)) from error
    return data
