"""Signatures: minisign's own are accepted, ours are by py-minisign, and whatever was changed is refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from minisign import KeyPair, PublicKey, Signature

import sterna
from sterna import _native
from sterna.errors import SternaError
from sterna.package import signing
from sterna.package.signature import read_signed, signature_path
from support.packages import small_package

#: Made by minisign: the word "test", from the examples of its author.
KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
SIGNED = b"test"
SIGNATURE = (
    "untrusted comment: signature from minisign secret key\n"
    "RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n"
    "trusted comment: timestamp:1556193335\tfile:test\n"
    "y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==\n"
)


def refusal(data: bytes = SIGNED, signature: str = SIGNATURE, key: str = KEY) -> str:
    with pytest.raises(SternaError) as caught:
        _native.check_signature(data, signature, key)
    assert "\n" not in str(caught.value) and "; remedy: " in str(caught.value)
    return str(caught.value)


def test_a_signature_of_minisign() -> None:
    _native.check_signature(SIGNED, SIGNATURE, KEY)
    _native.check_signature(SIGNED, SIGNATURE.replace("\n", "\r\n"), f"untrusted comment: x\r\n{KEY}\r\n")


def test_whatever_was_changed_is_refused() -> None:
    assert "differs from what was signed" in refusal(b"Test") and "differs" in refusal(b"")
    for at, letter in enumerate(SIGNATURE):
        if at > SIGNATURE.index("\n"):  # the first line is not signed
            refusal(signature=SIGNATURE[:at] + ("A" if letter != "A" else "B") + SIGNATURE[at + 1 :])
    for length in range(len(SIGNATURE) - 1):
        refusal(signature=SIGNATURE[:length])
    for key in ("", KEY[:-1], f"{KEY}A", KEY.replace("R", "A", 1), KEY[:-1] + "!"):
        assert "the public key is none of minisign" in refusal(key=key)
    assert "signed with another key" in refusal(key=KEY[:4] + "A" + KEY[5:])
    assert "differs from what was signed" in refusal(key=KEY[:-1] + "A")
    assert "signature is none of minisign" in refusal(signature=SIGNATURE.replace("RUQ", "RWQ"))  # not of the hash


@pytest.fixture
def package(tmp_path: Path) -> Path:
    sterna.save(small_package(), tmp_path / "x.sterna")
    return tmp_path / "x.sterna"


def test_keys_and_signatures_are_those_of_minisign(package: Path, tmp_path: Path) -> None:
    public = signing.make_keys(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    made = signing.sign(package, tmp_path / "key", lambda: "")
    PublicKey.from_file(public).verify(package.read_bytes(), Signature.from_file(made))
    key = public.read_text()
    assert (
        sterna.load(package, public_key=key) == sterna.load(package, public_key=key.splitlines()[-1]) == small_package()
    )
    with pytest.raises(SternaError, match=f"^{package}: is signed with another key; remedy: "):
        sterna.load(package, public_key=KEY)
    data = package.read_bytes()
    package.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(SternaError, match=f"^{package}: differs from what was signed; remedy: take it"):
        read_signed(package, key)
    signature_path(package).unlink()
    with pytest.raises(SternaError, match=f"^{package}: is not signed; allowed: a package with its signature {made}"):
        sterna.load(package, public_key=key)


def test_a_key_with_a_password(package: Path, tmp_path: Path) -> None:
    pair = KeyPair.generate()
    pair.secret_key.encrypt("secret", opslimit=32768, memlimit=16 << 20)
    (tmp_path / "key").write_bytes(bytes(pair.secret_key))
    with pytest.raises(SternaError, match=r"cannot sign .*password"):
        signing.sign(package, tmp_path / "key", lambda: "wrong")
    signing.sign(package, tmp_path / "key", lambda: "secret")
    read_signed(package, pair.public_key.to_base64().decode())
