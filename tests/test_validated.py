"""A record says in one line, in plain words, what it cannot hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field, field_validator, model_validator

import sterna
from sterna.errors import SternaError
from sterna.train.options import Allocation
from sterna.validated import Validated, WrongValueError

NANO = sterna.load_config("nano").model_dump()
WRONG, REMEDY = "is not a legal value", "remedy: build another shelf"


class Shelf(Validated):
    """A record with fields of every kind."""

    _field: ClassVar[str] = "field"
    _remedy: ClassVar[str] = "build another shelf"

    boards: Annotated[int, Field(ge=1)]
    width: float = 1.0
    name: Annotated[str, Field(min_length=1)] = "shelf"
    allocation: Allocation = Allocation.UNIFORM

    @field_validator("width")
    @classmethod
    def _not_seven(cls, value: float) -> float:
        if value == 7:
            raise ValueError("no shelf is 7 wide")
        return value

    @model_validator(mode="after")
    def _stands(self) -> Shelf:
        if self.boards > 100 * self.width:
            raise ValueError("it would fall over")
        return self


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"boards": 0}, f"{WRONG}; boards = 0; allowed: greater than or equal to 1; {REMEDY}"),
        ({"boards": "x"}, f"{WRONG}; boards = x; allowed: a valid integer; {REMEDY}"),
        ({"boards": 1.5}, f"{WRONG}; boards = 1.5; allowed: a valid integer; {REMEDY}"),
        ({"boards": 1, "width": "x"}, f"{WRONG}; width = x; allowed: a valid number; {REMEDY}"),
        ({"boards": 1, "width": 7}, f"no shelf is 7 wide; width = 7; {REMEDY}"),
        ({"boards": 1, "name": ""}, f"{WRONG}; name = ; allowed: at least 1 character; {REMEDY}"),
        ({"boards": 1, "allocation": "x"}, f"{WRONG}; allocation = x; allowed: 'uniform' or 'sensitivity'; {REMEDY}"),
        ({"boards": 101}, f"it would fall over; {REMEDY}"),
        ({"boads": 1}, f"there is no such field; boads = 1; {REMEDY}"),
        ({}, f"the field is required; boards = nothing; {REMEDY}"),
    ],
)
def test_what_is_said(values: dict[str, Any], said: str) -> None:
    with pytest.raises(WrongValueError, match=f"^Shelf: {said}$"):
        Shelf(**values)
    with pytest.raises(WrongValueError, match=f"^shelves.yaml: {said}$"):
        Shelf.model_validate(values, context="shelves.yaml")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sterna.EngineConfig(**NANO | {"pes": 5}), "EngineConfig: must be a power of two; pes = 5; "),
        (lambda: sterna.TrainOptions(output="run", density=2), "TrainOptions: is not a legal value; density = 2; "),
        (sterna.TrainOptions, "TrainOptions: the option is required; output = nothing; "),
    ],
)
def test_public_records(call: Callable[[], object], said: str) -> None:
    with pytest.raises(SternaError, match=said):
        call()
