"""`sterna sign` and `sterna verify`."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from sterna import recognise
from sterna.errors import SternaError
from sterna.files import read_bytes
from sterna.package.signature import MOST_TEXT, read_signed


def sign_package(package: Path, key: Path, new_key: bool) -> None:
    """Write the signature of a package beside it; with `new_key`, make the key first."""
    from sterna.package.signing import make_keys, sign

    recognise.check(package, recognise.PACKAGE)
    if new_key:
        print(f"{make_keys(key)}: the public key, to be given to those who use the package")
    print(f"{sign(package, key, _password)}: the signature")


def verify_package(package: Path, key: Path) -> None:
    """Raise SternaError unless the package is signed by the public key."""
    recognise.check(package, recognise.PACKAGE)
    read_signed(package, read_bytes(key, MOST_TEXT, "public key").decode("utf-8", "replace"))
    print(f"{package}: is what the owner of {key} has signed")


def _password() -> str:
    if not sys.stdin.isatty():
        raise SternaError(
            "the secret key has a password", where="--key", remedy="sign on a terminal, which asks for it"
        )
    return str(typer.prompt("Password", hide_input=True))
