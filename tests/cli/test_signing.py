"""`sterna sign` and `sterna verify`."""

from __future__ import annotations

from pathlib import Path

from .conftest import Sterna
from .test_refusals import assert_refused


def test_a_package_is_signed_and_verified(sterna: Sterna, package_path: Path, tmp_path: Path) -> None:
    key, package = tmp_path / "key", tmp_path / "x.sterna"
    package.write_bytes(package_path.read_bytes())
    assert_refused(sterna("sign", package, "--key", key), str(key))
    signed = sterna("sign", package, "--key", key, "--new-key")
    assert signed.code == 0 and signed.out == (
        f"{key}.pub: the public key, to be given to those who use the package\n{package}.minisig: the signature\n"
    )
    verified = sterna("verify", package, "--key", f"{key}.pub")
    assert (verified.code, verified.out) == (0, f"{package}: is what the owner of {key}.pub has signed\n")
    assert_refused(sterna("sign", package, "--key", key, "--new-key"), f"{key}: exists already")
    assert_refused(sterna("sign", package, "--key", f"{key}.pub"), "cannot sign", "remedy: name a secret key")
    assert_refused(sterna("verify", package, "--key", key), "the public key is none of minisign")
    package.write_bytes(package.read_bytes() + b"x")
    assert_refused(sterna("verify", package, "--key", f"{key}.pub"), "differs from what was signed")


def test_what_is_no_package_is_not_signed(sterna: Sterna, images: Path, tmp_path: Path) -> None:
    ended = sterna("sign", images / "a.png", "--key", tmp_path / "key", "--new-key")
    assert_refused(ended, "a.png", "is an image, not a package")
    assert not (tmp_path / "key").exists()
