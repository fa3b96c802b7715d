"""Text of other programs: decoded, or refused with the cause."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sterna.errors import SternaError
from sterna.text import decode, read_lines, read_text, read_xml, read_yaml

Got = Callable[[object], None]
REPORT = "AlexeyAB/darknet#1186"
FEW = "a list"


@pytest.mark.case(
    "text-byte-order-mark",
    kind="text",
    expected="a byte order mark names the encoding and is no character",
    source=REPORT,
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding(encoding: str, got: Got) -> None:
    text = decode("dent\r\nFlügel 猫\r\n".encode(encoding), "names", FEW)
    assert text == "dent\nFlügel 猫\n"
    got(f"{encoding}: {text.split()}")


@pytest.mark.case("text-line-ends", kind="text", expected="CRLF, CR and LF end a line", source=REPORT)
def test_every_kind_of_line_end(tmp_path: Path, got: Got) -> None:
    path = tmp_path / "names"
    path.write_bytes("a\r\nb\rc\nd\x0be\x85f\u2028g".encode())
    lines = read_lines(path, FEW)
    assert lines == ["a", "b", "c", "d\x0be\x85f\u2028g"]  # other signs stay, as part of a name
    got(f"{len(lines)} lines")


@given(st.text(st.characters(exclude_characters="\0\r", exclude_categories=("Cs",))))
def test_any_utf_8_is_read_as_written(text: str) -> None:
    assert decode(text.encode(), "names", FEW) == text.removeprefix("\ufeff")


@pytest.mark.case(
    "text-windows-1252", kind="text", expected="western text without a mark is read as Windows-1252", source=REPORT
)
@pytest.mark.parametrize("text", ["Kratzer\nFlügel\nGröße\n", "déjà_vu créée", "é", "45° 10 µm", "ÖLTANK"])
def test_western_text_of_windows(text: str, got: Got) -> None:
    found = decode(text.encode("cp1252"), "names", FEW)
    assert found == text
    got(found.split())


@pytest.mark.case(
    "text-unknown-encoding",
    kind="text",
    expected="text in an encoding that cannot be told is refused; no character is replaced",
    source=REPORT,
)
@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "бык"),
        ("cp1251", "юг"),
        ("gbk", "卡车\n猫"),
        ("shift_jis", "猫\nネコ"),
        ("euc_kr", "고양이"),
        ("cp1250", "łódź"),
    ],
)
def test_text_in_an_encoding_that_cannot_be_told_is_refused(encoding: str, text: str, got: Got) -> None:
    with pytest.raises(SternaError, match=r"obj\.names: a list is text in an encoding.*line 2.*UTF-8") as refused:
        decode(b"first\n" + text.encode(encoding), "obj.names", FEW)
    got(refused.value)


@pytest.mark.case("text-binary", kind="text", expected="a binary file is refused as such")
def test_binary_data_are_refused_as_such(got: Got) -> None:
    with pytest.raises(SternaError, match="a list is not text: it has NUL bytes") as refused:
        decode(b"\x89PNG\r\n\0\0", "a.txt", FEW)
    got(refused.value)


def test_a_mark_that_lies_is_refused() -> None:
    with pytest.raises(SternaError, match="says that it is utf-16-le, but line 1 is not"):
        decode(b"\xff\xfe0", "a.txt", FEW)
    with pytest.raises(SternaError, match="says that it is utf-8, but line 2 is not"):
        decode(b"\xef\xbb\xbfone\n\xe9t\xe9", "a.txt", FEW)


def test_a_file_that_cannot_be_read_is_named_with_its_role(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match=r"none\.txt: a list cannot be read \(No such file.*remedy: name it"):
        read_text(tmp_path / "none.txt", FEW, "name it")
    with pytest.raises(SternaError, match=r"a list cannot be read \(Is a directory"):
        read_text(tmp_path, FEW)
    (tmp_path / "long").write_bytes(b"four")
    assert read_text(tmp_path / "long", FEW, limit=4) == "four"
    with pytest.raises(SternaError, match="a list is too long; allowed: text of at most 3 bytes"):
        read_text(tmp_path / "long", FEW, limit=3)


@pytest.mark.case("xml-declared-encoding", kind="text", expected="XML is read in the encoding that it declares")
@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("GBK", "gbk"),
        ("windows-1251", "cp1251"),
        ("iso-8859-2", "iso-8859-2"),
        ("utf-8", "utf-8"),
        ("utf-8", "cp1252"),  # written by a program that does not know what it writes
        ("utf-16", "utf-16"),
        ("utf-16", "utf-8"),
        (None, "utf-8-sig"),
        (None, "cp1252"),
    ],
)
def test_xml_is_read_in_the_encoding_that_it_declares(
    tmp_path: Path, declared: str | None, written: str, got: Got
) -> None:
    name = {"gbk": "猫", "cp1251": "бык", "iso-8859-2": "łódź"}.get(written, "Flügel")
    head = f'<?xml version="1.0" encoding="{declared}"?>\r\n' if declared else ""
    path = tmp_path / "a.xml"
    path.write_bytes(f"{head}<annotation><name>{name}</name></annotation>".encode(written))
    found = read_xml(path, "the annotation").findtext("name")
    assert found == name
    got(f"declared {declared}, written as {written}: {found}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'<?xml version="1.0" encoding="ascii"?>\n<a>\xe9</a>', "says that it is ascii, but line 2 is not"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "unknown encoding; encoding = klingon"),
        (b"<a>", r"the annotation cannot be read \(no element found"),
        (b"", "the annotation cannot be read"),
    ],
)
def test_damaged_xml_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(content)
    with pytest.raises(SternaError, match=words):
        read_xml(path, "the annotation")


LAUGHS = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 12))
XML_BOMBS = {
    "a billion laughs": f'<!DOCTYPE a [<!ENTITY x0 "lol">{LAUGHS}]><a>&x11;</a>',
    "one long entity": f'<!DOCTYPE a [<!ENTITY x "{"a" * 100_000}">]><a>{"&x;" * 50_000}</a>',
    "another file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
}


@pytest.mark.case(
    "annotation-that-is-a-bomb",
    kind="bomb",
    expected="XML whose entities multiply or name another file is refused, as is YAML whose aliases multiply",
    source="https://en.wikipedia.org/wiki/Billion_laughs_attack",
)
@pytest.mark.parametrize("text", XML_BOMBS.values(), ids=XML_BOMBS)
def test_xml_that_multiplies_is_refused(tmp_path: Path, text: str, got: Got) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f'<?xml version="1.0"?>{text}')
    with pytest.raises(SternaError, match="the annotation cannot be read") as caught:
        read_xml(path, "the annotation")
    got(str(caught.value).removeprefix(str(tmp_path)))


YAML_BOMBS = {
    "aliases that multiply": "\n".join(
        [
            "x0: &x0 [a, b, c, d, e, f, g, h, i]",
            *(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 12)),
        ]
    ),
    "an alias of itself": "a: &a [*a, *a]",
    "brackets without end": "[" * 100_000,
    "a long number": "a: " + "9" * 5000,
}


@pytest.mark.case(
    "annotation-that-is-a-bomb",
    kind="bomb",
    expected="XML whose entities multiply or name another file is refused, as is YAML whose aliases multiply",
    source="https://en.wikipedia.org/wiki/Billion_laughs_attack",
)
@pytest.mark.parametrize("text", YAML_BOMBS.values(), ids=YAML_BOMBS)
def test_yaml_that_multiplies_is_refused(tmp_path: Path, text: str, got: Got) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(text)
    with pytest.raises(SternaError, match="the description cannot be read as YAML") as caught:
        read_yaml(path, "the description")
    got(str(caught.value).removeprefix(str(tmp_path)))


def test_yaml_as_it_is_written_or_typed(tmp_path: Path) -> None:
    path = tmp_path / "data.yaml"
    path.write_text("base: &b {on: 010}\nmore: {<<: *b, x: 1.0}\nmany: [*b, *b]")
    assert read_yaml(path, "the description")["more"] == {True: 8, "x": 1.0}
    assert read_yaml(path, "the description", typed=False)["many"] == [{"on": "010"}] * 2
    path.write_text("a: {b: 1, c: 2, b: 3}")
    for typed in (True, False):
        with pytest.raises(SternaError, match=r"b is given twice.* line 1"):
            read_yaml(path, "the description", typed=typed)
