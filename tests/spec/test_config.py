"""Engine configs: the named ones are legal, and each rule is kept with a message that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.spec.config import GONE, EngineConfig, about_configs, config_names, load_config, make_config

NANO = load_config("nano").model_dump(exclude={"name", "input_table", "general_requant"})


@pytest.mark.parametrize("name", config_names())
def test_named_configs_load(name: str) -> None:
    config = load_config(name)
    assert config.name == name
    assert config.word_beats * config.beat_bytes >= config.lanes * 4


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("tile_h", 4, "must be odd"),
        ("tile_w", 17, "less than or equal to 15"),
        ("clusters", 3, "power of two"),
        ("pes", 2, "greater than or equal to 4"),
        ("accumulators", 32, "less than or equal to 16"),
        ("act_w", 9, "less than or equal to 8"),
        ("acc_w", 11, "greater than or equal to 12"),
        ("axi_data_w", 96, "power of two"),
        ("axi_data_w", 2048, "less than or equal to 1024"),
        ("axi_data_w", 1024, "burst_beats must be at most 32, as a burst has at most 4 KB"),
        ("burst_beats", 64.0, "valid integer"),
        ("speed", 3, "no such parameter; speed = 3; allowed: tile_h, tile_w, clusters"),
        ("units", 4, "no such parameter; units = 4; .*remedy: it is now pes$"),
        ("slots", 4, "remedy: it is now accumulators$"),
        *((name, 4, "remedy: remove it: engines have no such part any more$") for name in GONE),
        ("name", "other", "no such parameter; name = other; allowed: tile_h"),
        (7, 3, "no such parameter; 7 = 3; allowed: tile_h"),
    ],
)
def test_illegal_fields_are_refused(field: object, value: object, message: str) -> None:
    with pytest.raises(SternaError, match=message) as caught:
        make_config("mine", NANO | {field: value}, "mine.yaml")
    assert "mine.yaml: mine" in str(caught.value)


def test_missing_field_is_named() -> None:
    fields = {name: value for name, value in NANO.items() if name != "accumulators"}
    with pytest.raises(SternaError, match=r"mine.yaml: mine: a parameter is missing; parameter = accumulators; remedy"):
        make_config("mine", fields, "mine.yaml")


def test_own_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("a: {" + ", ".join(f"{k}: {v}" for k, v in NANO.items()) + "}\n")
    assert load_config(str(path)) == load_config(f"{path}:a")
    with pytest.raises(SternaError, match="config = b; allowed: a"):
        load_config(f"{path}:b")


def test_names_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("12: {" + ", ".join(f"{k}: {v}" for k, v in NANO.items()) + "}\n")
    assert load_config(f"{path}:12").name == load_config(str(path)).name == "12"
    with pytest.raises(SternaError, match="config = b; allowed: 12"):
        load_config(f"{path}:b")


@pytest.mark.parametrize("text", ["a: {PEs: 4, accumulators: 8, PEs: 8}", "a: {PEs: 4}\na: {PEs: 8}"])
def test_what_is_given_twice_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SternaError, match=r"mine.yaml: .*(PEs|a) is given twice"):
        load_config(f"{path}:a")


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: 3", "a: {tile_h: [", "\udcff"])
def test_unreadable_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SternaError, match=r"bad\.yaml"):
        load_config(str(path))


def test_a_sentence_on_a_config_is_no_parameter(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    fields = ", ".join(f"{name}: {value}" for name, value in NANO.items())
    path.write_text(f"a: {{about: Mine., {fields}}}\nb: {{{fields}}}\nc: 3\n")
    assert load_config(f"{path}:a").hash == load_config(f"{path}:b").hash
    assert about_configs(path) == {"a": "Mine.", "b": "", "c": ""}


def test_every_named_config_and_every_parameter_is_described() -> None:
    assert all(about_configs().values())
    assert all(field.description for field in EngineConfig.model_fields.values())


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(SternaError, match="allowed: nano"):
        load_config("mega")


def test_a_parameter_that_came_later_leaves_hashes_as_they_are() -> None:
    """Of configs that do not use it: their engines and tapes go on."""
    later = {"input_table": False, "general_requant": False}
    assert EngineConfig(name="nano", **NANO).hash == EngineConfig(name="nano", **NANO, **later).hash == 0x744FE8AD
    for name in later:
        assert EngineConfig(name="nano", **NANO, **(later | {name: True})).hash != 0x744FE8AD


def test_hash_depends_on_parameters_only() -> None:
    config = load_config("nano")
    assert config.model_copy(update={"name": "other"}).hash == config.hash
    for field, value in (("accumulators", 8), ("fm_words", 4095)):
        assert EngineConfig(name="nano", **(NANO | {field: value})).hash != config.hash
