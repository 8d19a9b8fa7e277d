"""Durations, sizes and CPU, written the way Kubernetes writes them (`300ms`, `256Mi`, `100m`).

All are strings that know their value, so a manifest keeps the text its author chose.
"""

import re
from decimal import Decimal
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_BYTES = {
    "": 1,
    "k": 1000,
    "Ki": 1024,
    "M": 1000**2,
    "Mi": 1024**2,
    "G": 1000**3,
    "Gi": 1024**3,
}


class _Quantity(str):
    """A string of one fixed form; subclasses give the form, its name and how to write it."""

    __slots__ = ()

    pattern = ""
    wanted = ""
    hint = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check `text` and keep it; a `PydanticCustomError` says what to write instead."""
        if not re.fullmatch(cls.pattern.strip("^$"), text, re.ASCII):
            told = {"text": text, "wanted": cls.wanted, "hint": cls.hint}
            raise PydanticCustomError("quantity", "'{text}' is not {wanted}", told)
        return cls(text)

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls.parse,
            core_schema.str_schema(strict=True, max_length=32),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": cls.pattern, "maxLength": 32}


class Duration(_Quantity):
    """A length of time such as `300ms`, `5s`, `10m` or `1h30m`."""

    __slots__ = ()

    pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
    wanted = "a duration"
    hint = "write it like 300ms, 5s, 10m or 1h30m"

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        parts = re.findall(r"([0-9.]+)(ms|s|m|h)", self)
        return float(sum(Decimal(number) * _SECONDS[unit] for number, unit in parts))


class Size(_Quantity):
    """A number of bytes such as `512`, `64Ki` or `10Mi`."""

    __slots__ = ()

    pattern = r"^[0-9]+(k|Ki|M|Mi|G|Gi)?$"
    wanted = "a size"
    hint = "write it like 512, 64Ki or 10Mi"

    @property
    def bytes(self) -> int:
        """The size in bytes."""
        digits = self.rstrip("kKMGi")
        return int(digits) * _BYTES[self[len(digits) :]]


class Cpu(_Quantity):
    """An amount of CPU such as `100m`, `0.5` or `2`."""

    __slots__ = ()

    pattern = r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)$"
    wanted = "an amount of CPU"
    hint = "write it like 100m, 0.5 or 2, in quotes when it is a number"

    @property
    def millis(self) -> int:
        """Thousandths of a CPU."""
        if self.endswith("m"):
            return int(self[:-1])
        return int(Decimal(self) * 1000)
