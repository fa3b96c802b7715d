"""Zip archives from users: the directory of an archive must keep to limits before anything is unpacked."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from sterna.errors import SternaError

#: The end record of an archive without a comment: signature, disks, members twice, bytes of the directory, its place,
#: bytes of the comment (APPNOTE.TXT, 4.3.16).
_END = struct.Struct("<4s2H2H2IH")
_END_SIGNATURE = b"PK\5\6"
#: What precedes the end record if a 64-bit one replaces it, and its length in bytes.
_END64_SIGNATURE, _END64_BYTES = b"PK\6\7", 20
#: Bytes of the directory for each member, at least, and with a name and what packing programs add.
_LEAST_ENTRY, _ENTRY = 46, 256
_PART = 1 << 20  # bytes that are unpacked at a time
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Limits:
    """The most that an archive may hold: members, bytes of all of them together and of each, unpacked."""

    members: int
    total: int
    each: int
    #: Bytes of members known by name, in place of `each`.
    named: Mapping[str, int] = field(default_factory=dict)


class Archive:
    """A zip archive within limits, its members read one by one.

    kind: what the file is meant to be, such as "graph file"; again: the remedy for a damaged one. Raises SternaError
    for what is no archive, or holds more than `limits`, two members of one name or an unknown packing. Nothing is
    unpacked before it is read, and never more than the directory said.
    """

    def __init__(self, data: bytes, limits: Limits, kind: str, again: str) -> None:
        self._kind, self._again = kind, again
        self._check_end(data, limits)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise self._broken(error) from error
        self._check_members(limits)

    @property
    def names(self) -> list[str]:
        """The members, in the order of the directory."""
        return self._zip.namelist()

    def read(self, name: str) -> bytes:
        """The member `name` unpacked. Raises SternaError if it is damaged or not as long as the directory says."""
        try:
            size = self._zip.getinfo(name).file_size
            # A read of the whole would hold it twice while it grows.
            unpacked = io.BytesIO()
            with self._zip.open(name) as member:
                while unpacked.tell() < size and (part := member.read(min(_PART, size - unpacked.tell()))):
                    unpacked.write(part)
        except _BROKEN as error:
            raise self._broken(error) from error
        data = unpacked.getvalue()
        if len(data) != size:
            raise self._broken(f"{name} has {len(data)} bytes for {size}")
        return data

    def _check_end(self, data: bytes, limits: Limits) -> None:
        """The directory is limited as well: the standard library reads all of it on opening."""
        if len(data) < _END.size:
            raise self._broken("it is too short" if data else "it is empty")
        signature, *_, count, size, _, comment = _END.unpack(data[-_END.size :])
        if signature != _END_SIGNATURE or comment:
            raise self._broken("it does not end like a zip archive")
        if data[: -_END.size][-_END64_BYTES:].startswith(_END64_SIGNATURE):
            raise self._broken("its directory belongs to a far larger archive")
        if count > limits.members or size > limits.members * _ENTRY:
            raise self._too_much("members", max(count, size // _LEAST_ENTRY), limits.members)

    def _check_members(self, limits: Limits) -> None:
        infos = self._zip.infolist()
        if len(infos) > limits.members:
            raise self._too_much("members", len(infos), limits.members)
        names = [info.filename for info in infos]
        if len(set(names)) != len(names):
            raise SternaError("holds two members of one name", remedy=self._again)
        for info in infos:
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise SternaError("is packed by an unknown method", remedy=self._again)
            most = limits.named.get(info.filename, limits.each)
            if info.file_size > most:
                raise self._too_much(f"unpacked bytes of {info.filename}", info.file_size, most)
        total = sum(info.file_size for info in infos)
        if total > limits.total:
            raise self._too_much("unpacked bytes", total, limits.total)

    def _too_much(self, attribute: str, value: int, limit: int) -> SternaError:
        return SternaError(
            "is too large", attribute=attribute, value=value, allowed=f"at most {limit}", remedy=self._again
        )

    def _broken(self, reason: object) -> SternaError:
        return SternaError(f"is truncated, damaged or no {self._kind} ({reason})", remedy=self._again)
