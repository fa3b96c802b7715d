"""Detections as a text in one file."""

from __future__ import annotations

from typing import ClassVar, TextIO

from typing_extensions import override

from sterna.files import cannot_write
from sterna.vision.forms.form import Form


class TextForm(Form):
    """A text that grows in one file."""

    NAME: ClassVar[str]
    file: TextIO | None = None

    @override
    def files(self) -> list[str]:
        return [self.NAME]

    @override
    def start(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.file = (self.folder / self.NAME).open("w", encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise cannot_write(self.folder / self.NAME, error) from None

    def write(self, text: str) -> None:
        """Add `text`."""
        assert self.file is not None
        try:
            self.file.write(text)
        except OSError as error:
            raise cannot_write(self.folder / self.NAME, error) from None

    @override
    def close(self) -> None:
        if self.file is None:
            return
        file, self.file = self.file, None
        try:
            file.close()
        except OSError as error:
            raise cannot_write(self.folder / self.NAME, error) from None
