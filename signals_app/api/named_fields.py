"""Requests whose every field is known: a misspelt one would silently mean its default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class NamedFieldsSerializer(serializers.Serializer[Any]):
    """Refuses a field it does not have, naming the first."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(self.fields))):
            raise serializers.ValidationError({unknown[0]: ["there is no such field."]})
        return super().to_internal_value(data)
