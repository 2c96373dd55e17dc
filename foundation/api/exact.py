"""Money on the wire: exact text, without exponents and without trailing zeros."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation.fields import MoneyField, plain


@extend_schema_field({"type": "string", "format": "decimal", "pattern": r"^-?\d+(\.\d+)?$"})
class ExactField(serializers.DecimalField):
    """A Decimal as text, such as "0.001"; never a float, never "1E-3"."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{"max_digits": 38, "decimal_places": 18, "coerce_to_string": True} | kwargs
        )

    def to_representation(self, value: Any) -> str | None:  # type: ignore[override]
        if value is None:
            return None
        return format(plain(value if isinstance(value, Decimal) else Decimal(str(value))), "f")


class ExactSerializer(serializers.ModelSerializer[Any]):
    """A model as it stands, with its money as exact text."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        MoneyField: ExactField,
    }
