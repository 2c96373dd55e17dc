"""A decimal column that keeps every digit on SQLite too."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


def plain(value: Decimal) -> Decimal:
    """Drop trailing zeros and exponents, exactly (Decimal.normalize rounds to 28 digits)."""
    return Decimal(spelled(value))


def spelled(value: Decimal) -> str:
    """Write a number the one way it is stored and shown: no exponent, no trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


class MoneyField(models.DecimalField):
    """`numeric(38,18)` on PostgreSQL, exact text on SQLite (whose numbers are floats).

    Never compare or sum such a column in SQL on SQLite: text sorts as text.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 38)
        kwargs.setdefault("decimal_places", 18)
        super().__init__(*args, **kwargs)

    def get_internal_type(self) -> str:
        return "MoneyField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        if connection.vendor == "sqlite":
            return "text"
        return f"numeric({self.max_digits}, {self.decimal_places})"

    def from_db_value(self, value: Any, *_: Any) -> Decimal | None:
        if value is None:
            return None
        # Text was written without trailing zeros; numbers of PostgreSQL come with all of them.
        return Decimal(value) if isinstance(value, str) else plain(Decimal(value))

    def get_db_prep_value(
        self,
        value: Any,
        connection: BaseDatabaseWrapper,
        prepared: bool = False,  # noqa: ARG002
    ) -> Any:
        if value is None or hasattr(value, "as_sql"):
            return value
        number = value if isinstance(value, Decimal) else self.to_python(value)
        # One spelling per number, so that equality of text is equality of numbers.
        return spelled(number) if connection.vendor == "sqlite" else number

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        return self.get_db_prep_value(value, connection)
