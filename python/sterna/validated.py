"""Records whose wrong values are refused in one line: models of pydantic that raise SternaError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError, ValidationInfo, WrapValidator

from sterna.errors import SternaError, what_and_allowed


class WrongValueError(SternaError):
    """A value that a record cannot have, a field that it does not have, or one that it lacks."""


class Validated(BaseModel):
    """A record. It raises WrongValueError, for the first fault, where pydantic has ValidationError.

    The context that `model_validate` is given names the values' origin in errors; without one it is the class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: What errors call a field, and how to correct its value.
    _field: ClassVar[str]
    _remedy: ClassVar[str]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> Any:
        """The schema of the record, around which comes `_refuse`: a validator would not see the faults of others."""
        return WrapValidator(cls._refuse).__get_pydantic_core_schema__(source, handler)

    @classmethod
    def _refuse(cls, values: object, validate: Callable[[object], Any], info: ValidationInfo) -> Any:
        try:
            return validate(values)
        except ValidationError as error:
            # A misspelt name may leave another one missing: the misspelt one is the fault.
            fault = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
            name = ".".join(map(str, fault["loc"])) or None
            what, allowed = what_and_allowed(fault["msg"])
            if fault["type"] == "missing":
                what = f"the {cls._field} is required"
            elif fault["type"] == "extra_forbidden":
                what = f"there is no such {cls._field}"
            raise WrongValueError(
                what or "is not a legal value",
                where=info.context or cls.__name__,
                attribute=name,
                value="nothing" if fault["type"] == "missing" else fault["input"] if name else None,
                allowed=allowed,
                remedy=cls._remedy,
            ) from None
