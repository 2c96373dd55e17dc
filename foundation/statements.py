"""The hot path's SQL, composed once: Django's fields and querysets, statements kept for next time.

Composing a statement takes the ORM several times longer than the database needs to run it, and one
trade has two dozen. `insert`, `update` and `Select` compose theirs once per database; every value
still goes through its field, so rows are those the ORM would have written or read (tests compare).
No Django signals are sent.

Inside `together()` PostgreSQL is sent one statement after the other without waiting for answers:
the `ask_…` forms give an Answer to call when it is wanted. Under a lock that others wait for, that
is a third of the round trips.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from django.db import connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, QuerySet
from django.db.models.query import ValuesListIterable, get_related_populators

A = TypeVar("A")
M = TypeVar("M", bound=models.Model)
R = TypeVar("R")


@contextmanager
def together() -> Iterator[None]:
    """Send the statements inside without waiting for the answer to each, where the database can.

    What one of them failed with is raised where its answer, or one after it, is asked for, at the
    latest at the end; nothing after it is carried out. It belongs inside `atomic()`, which then
    rolls back, and a savepoint inside it is of no use.
    """
    if connection.vendor != "postgresql" or _is_together():
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


class Answer(Generic[A]):
    """What a statement that was sent will give. Called, it waits for it when it must."""

    def __init__(self, cursor: CursorWrapper, read: Callable[[CursorWrapper], A]) -> None:
        self._cursor = cursor
        self._read = read

    def __call__(self) -> A:
        """Return the answer, to be called once. Raises what the database refused."""
        with self._cursor as cursor:
            return self._read(cursor)


class _Given(Answer[A]):
    """An answer that is there already."""

    def __init__(self, value: A) -> None:
        self._value = value

    def __call__(self) -> A:
        return self._value


def answered(value: A) -> Answer[A]:
    """Return an answer that is there already, for when nothing had to be asked."""
    return _Given(value)


def _send(sql: str, values: Sequence[Any], read: Callable[[CursorWrapper], A]) -> Answer[A]:
    cursor = connection.cursor()
    try:
        cursor.execute(sql, values)
    except BaseException:
        cursor.close()
        raise
    answer = Answer(cursor, read)
    return answer if _is_together() else _Given(answer())


def ask_turn(line: int, key: int, *, goes_first: bool) -> Answer[None]:
    """Stand in a line of transactions, one of which goes on at a time until it ends.

    Where many want the same row, those who may wait line up here first: one of them at most is
    ahead of somebody who goes first. The row's own lock would not do: whoever finds it free at the
    right moment takes it, past others who wait. SQLite lets one write at a time anyway.
    """
    if connection.vendor != "postgresql":
        return _Given(None)
    key %= 2**31
    if goes_first:
        return _send("SELECT pg_advisory_xact_lock_shared(%s, %s)", [line + 1, key], _taken)
    both = "SELECT pg_advisory_xact_lock(%s, %s), pg_advisory_xact_lock(%s, %s)"
    return _send(both, [line, key, line + 1, key], _taken)


def _taken(cursor: CursorWrapper) -> None:
    cursor.fetchone()


def _is_together() -> bool:
    if connection.vendor != "postgresql" or connection.connection is None:
        return False
    return bool(connection.connection.pgconn.pipeline_status)


def insert(rows: Sequence[M]) -> list[M]:
    """Insert new rows of one model in one statement and give them their ids.

    Runs in the caller's transaction. Raises IntegrityError like the ORM; like `bulk_create` it
    calls no `save()`.
    """
    return ask_insert(rows)()


def ask_insert(rows: Sequence[M]) -> Answer[list[M]]:
    """Send what `insert` does; the rows have their ids when the answer has been called."""
    if not rows:
        return _Given([])
    head, group, tail, fields = _insertion(type(rows[0]), connection.vendor)
    values = [
        field.get_db_prep_save(field.pre_save(row, True), connection)
        for row in rows
        for field in fields
    ]

    def read(cursor: CursorWrapper) -> list[M]:
        for row, (pk,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = pk
            row._state.adding = False
            row._state.db = connection.alias
        return list(rows)

    return _send(head + ", ".join([group] * len(rows)) + tail, values, read)


@lru_cache(maxsize=64)
def _insertion(
    model: type[models.Model], _vendor: str
) -> tuple[str, str, str, tuple[Field[Any, Any], ...]]:
    quote: Callable[[Any], str] = connection.ops.quote_name
    meta = model._meta
    fields = tuple(f for f in meta.local_concrete_fields if not f.primary_key)
    columns = ", ".join(quote(f.column) for f in fields)
    group = f"({', '.join(['%s'] * len(fields))})"
    return (
        # Names come from our own models, values are parameters.
        f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ",  # noqa: S608
        group,
        f" RETURNING {quote(meta.pk.column)}",
        fields,
    )


def update(
    model: type[models.Model], *, where: Mapping[str, object], values: Mapping[str, object]
) -> int:
    """Set `values` in the rows that match `where`; return how many matched.

    In `where`, None asks for NULL and a list for any of its members.
    """
    return ask_update(model, where=where, values=values)()


def ask_update(
    model: type[models.Model], *, where: Mapping[str, object], values: Mapping[str, object]
) -> Answer[int]:
    """Send what `update` does."""
    if [] in where.values():
        return _Given(0)
    shape = tuple((name, len(_members(wanted))) for name, wanted in where.items())
    sql, fields = _updating(model, connection.vendor, tuple(values), shape)
    wanted = (one for value in where.values() for one in _members(value))
    prepared = [
        field.get_db_prep_save(value, connection)
        for field, value in zip(fields, (*values.values(), *wanted), strict=True)
    ]
    return _send(sql, prepared, _count)


def _count(cursor: CursorWrapper) -> int:
    return len(cursor.fetchall())


def _members(wanted: object) -> Sequence[object]:
    if wanted is None:
        return ()
    return wanted if isinstance(wanted, list) else (wanted,)


@lru_cache(maxsize=256)
def _updating(
    model: type[models.Model],
    _vendor: str,
    names: tuple[str, ...],
    where: tuple[tuple[str, int], ...],
) -> tuple[str, tuple[Field[Any, Any], ...]]:
    quote: Callable[[Any], str] = connection.ops.quote_name
    meta = model._meta
    fields: list[Field[Any, Any]] = [meta.get_field(name) for name in names]  # type: ignore[misc]
    sets = ", ".join(f"{quote(f.column)} = %s" for f in fields)
    conditions = []
    for name, count in where:
        field: Field[Any, Any] = meta.pk if name == "pk" else meta.get_field(name)  # type: ignore[assignment]
        fields += [field] * count
        test = f"IN ({', '.join(['%s'] * count)})" if count else "IS NULL"
        conditions.append(f"{quote(field.column)} {test}")
    table = quote(meta.db_table)
    # A row for each that matched: the count itself cannot be waited for.
    sql = f"UPDATE {table} SET {sets} WHERE {' AND '.join(conditions)} RETURNING 1"  # noqa: S608
    return sql, tuple(fields)


class Select(Generic[R]):
    """A queryset to be run again and again with other parameters.

    `make` takes whole numbers and texts by name and returns the queryset (of model rows, related
    rows included, or a `values_list`); `rows` takes the real ones and returns what the queryset
    would. Everything else in the queryset is fixed when it is first composed. The annotations of
    `make`'s parameters, `str` or `int`, say which is which.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, R]]) -> None:
        self.make = make
        self._composed: dict[str, _Composed] = {}

    def rows(self, **parameters: int | str) -> list[R]:
        return self.ask(**parameters)()

    def ask(self, **parameters: int | str) -> Answer[list[R]]:
        composed = self._composed.get(connection.vendor)
        if composed is None:
            composed = self._composed[connection.vendor] = _compose(self.make)
        if composed.locks and not connection.in_atomic_block:
            raise transaction.TransactionManagementError("locking rows needs a transaction")
        return composed.ask(connection, parameters)

    def first(self, **parameters: int | str) -> R | None:
        rows = self.rows(**parameters)
        return rows[0] if rows else None


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str


@dataclass(frozen=True, slots=True)
class _Composed:
    sql: str
    parameters: tuple[object, ...]
    locks: bool
    converters: tuple[tuple[int, tuple[Callable[..., Any], ...], Any], ...]
    build: Callable[[Iterable[Sequence[Any]]], list[Any]]

    def ask(
        self, connection: BaseDatabaseWrapper, given: Mapping[str, int | str]
    ) -> Answer[list[Any]]:
        values: list[Any] = [given[p.name] if isinstance(p, _Slot) else p for p in self.parameters]

        def read(cursor: CursorWrapper) -> list[Any]:
            found = cursor.fetchall()
            if self.converters and found:
                found = [self._convert(list(row), connection) for row in found]
            return self.build(found)

        return _send(self.sql, values, read)

    def _convert(self, row: list[Any], connection: BaseDatabaseWrapper) -> list[Any]:
        for place, converters, expression in self.converters:
            value = row[place]
            for converter in converters:
                value = converter(value, expression, connection)
            row[place] = value
        return row


def _compose(make: Callable[..., QuerySet[Any, Any]]) -> _Composed:
    """Have the ORM compile the queryset with stand-ins, and note where each stand-in went."""
    stand_ins: dict[str, int | str] = {}
    for number, (name, parameter) in enumerate(inspect.signature(make).parameters.items()):
        is_text = parameter.annotation in (str, "str")
        stand_ins[name] = f"stand-in {name}" if is_text else -987_654_000 - number
    queryset = make(**stand_ins)
    compiler: Any = queryset.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    slots = {value: _Slot(name) for name, value in stand_ins.items()}
    every = [slots.get(value, value) if _hashable(value) else value for value in parameters]
    sql, marked = _with_constants(sql, every)
    missing = set(slots.values()) - {m for m in marked if isinstance(m, _Slot)}
    if missing:
        raise TypeError(f"not found in the SQL: {', '.join(sorted(s.name for s in missing))}")
    expressions = [column[0] for column in compiler.select[: compiler.col_count]]
    converters = tuple(
        (place, tuple(found), expression)
        for place, (found, expression) in compiler.get_converters(expressions).items()
    )
    is_tuples = issubclass(queryset._iterable_class, ValuesListIterable)
    build = _as_tuples if is_tuples else _builder(compiler)
    return _Composed(sql, marked, queryset.query.select_for_update, converters, build)


def _with_constants(sql: str, parameters: Sequence[object]) -> tuple[str, tuple[object, ...]]:
    """Write texts and whole numbers that never change into the SQL; return what is left to bind.

    A plan that is kept for any parameters may use an index with a condition only where the SQL
    itself shows that the condition holds.
    """
    left: list[object] = []
    values = iter(parameters)

    def written(place: re.Match[str]) -> str:
        if place.group() == "%%":
            return "%%"
        value = next(values)
        if isinstance(value, str):
            return _quoted(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(int(value))
        left.append(value)
        return "%s"

    return re.sub("%%|%s", written, sql), tuple(left)


def _quoted(text: str) -> str:
    return "'" + str.__str__(text).replace("'", "''").replace("%", "%%") + "'"


def _hashable(value: object) -> bool:
    return isinstance(value, int | str)


def _as_tuples(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in rows]


def _builder(compiler: Any) -> Callable[[Iterable[Sequence[Any]]], list[Any]]:
    """Make model rows of result rows, the related ones inside, as the ORM's own iterator does."""
    info, select = compiler.klass_info, compiler.select
    start, end = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column[0].target.attname for column in select[start:end]]
    alias = compiler.connection.alias
    related = get_related_populators(info, select, alias)  # type: ignore[call-arg]  # the stubs tell of a later Django
    model = info["model"]

    def build(rows: Iterable[Sequence[Any]]) -> list[Any]:
        made = []
        for row in rows:
            one = model.from_db(alias, names, row[start:end])
            for populator in related:
                populator.populate(row, one)
            made.append(one)
        return made

    return build
