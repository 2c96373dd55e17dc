"""Reads that every request makes: their SQL is composed by the ORM once, not each time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import QuerySet


class Prepared:
    """A `values_list` query of the ORM, to be run again with other parameters.

    `make` builds it with any stand-ins; `rows` takes the real values in the order in which the SQL
    has them. Values come as the database driver gives them: SQLite's booleans are 0 and 1.
    """

    def __init__(self, make: Callable[[], QuerySet[Any, Any]]) -> None:
        self.make = make

    @cached_property
    def sql(self) -> str:
        return self.make().query.sql_with_params()[0]

    def rows(self, *values: str | int) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, values)
            return list(cursor.fetchall())
