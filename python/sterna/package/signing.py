"""Signing packages with keys of minisign, by py-minisign; libsterna checks them (`sterna.package.signature`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from minisign import Error, KeyPair, SecretKey

from sterna import files
from sterna.errors import SternaError
from sterna.package.signature import MOST_TEXT, signature_path
from sterna.spec.package import MOST_BYTES

PUBLIC = ".pub"
"""Of a public key's file, after the name of the secret key's."""


def make_keys(path: Path) -> Path:
    """Write a new secret key, without a password, as the file `path`, and its public key beside it, which is returned.

    Raises SternaError if one of them exists or cannot be written.
    """
    public = path.with_name(path.name + PUBLIC)
    for file in (path, public):
        if file.exists():
            raise SternaError("exists already", where=str(file), remedy="name another file for the new key")
    pair = KeyPair.generate()
    files.write_bytes(path, bytes(pair.secret_key) + b"\n")
    path.chmod(0o600)
    files.write_bytes(public, bytes(pair.public_key) + b"\n")
    return public


def sign(path: Path, key: Path, ask: Callable[[], str]) -> Path:
    """Sign the file `path` with the secret key in the file `key`; the signature's file.

    ask: gives the password of a key that has one. Raises SternaError for a file that is missing or no such key, or for
    a wrong password.
    """
    data, text = files.read_bytes(path, MOST_BYTES, "package"), files.read_bytes(key, MOST_TEXT, "secret key")
    try:
        secret = SecretKey.from_bytes(text)
        if secret.is_encrypted():
            secret.decrypt(ask())
        comment = f"file:{path.name}" if path.name.isprintable() else "package"
        signature = secret.sign(data, untrusted_comment="signature of a Sterna package", trusted_comment=comment)
    except (Error, ValueError) as error:
        raise SternaError(
            f"cannot sign ({error})", where=str(key), remedy="name a secret key of minisign or `sterna sign --new-key`"
        ) from error
    files.write_bytes(signature_path(path), bytes(signature) + b"\n")
    return signature_path(path)
