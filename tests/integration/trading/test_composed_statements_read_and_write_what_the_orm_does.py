from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from exchanges.models import Balance, VenueAccount
from foundation.statements import Select, update
from trading.models import Decision, Position, TradingState, VirtualAccount
from trading.services.money import accounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> VirtualAccount:
    accounts.ensure_first()
    return VirtualAccount.objects.get(is_default=True)


def values_of(row) -> dict:
    return {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}


@Select
def position_of(account_id: int, symbol: str) -> QuerySet[Position]:
    return Position.objects.filter(account=account_id, symbol=symbol).select_related("account")


@Select
def account_locked(account_id: int) -> QuerySet[VirtualAccount]:
    return VirtualAccount.objects.select_for_update().filter(pk=account_id).order_by()


@Select
def states() -> QuerySet[TradingState, tuple]:
    return TradingState.objects.order_by("pk").values_list("scope", "key", "expires_at")


@Select
def balances(venue_account_id: int, one: str, other: str) -> QuerySet[Balance]:
    rows = Balance.objects.filter(venue_account=venue_account_id, asset__in=[one, other])
    return rows.order_by("asset")


def position(account: VirtualAccount, symbol: str) -> Position:
    return Position.objects.create(
        account=account,
        symbol=symbol,
        quantity=Decimal("0.100000000000000001"),
        average_entry_price=Decimal("1E+3"),
        opened_at=timezone.now(),
        updated_at=timezone.now(),
    )


def test_rows_are_the_orms_rows_with_their_relations(account, django_assert_num_queries):
    for symbol in ("BTCUSDT", "ETHUSDT"):
        position(account, symbol)
    for symbol in ("ETHUSDT", "BTCUSDT"):  # the second time from the statement kept
        with django_assert_num_queries(1):
            found = position_of.first(account_id=account.pk, symbol=symbol)
            assert found is not None
            related = found.account
        twin = Position.objects.get(account=account, symbol=symbol)
        assert values_of(found) == values_of(twin)
        assert values_of(related) == values_of(twin.account)


def test_nothing_found_is_none(account):
    assert position_of.first(account_id=account.pk, symbol="NONE") is None


def test_tuples_are_the_orms_tuples():
    TradingState.objects.create(
        scope="symbol",
        key="X",
        mode="HALTED",
        reason="r",
        engaged_by="t",
        expires_at=timezone.now() + timedelta(hours=1),
    )
    query = TradingState.objects.order_by("pk").values_list("scope", "key", "expires_at")
    assert states.rows() == states.rows() == list(query)


def test_each_value_of_a_list_has_its_own_parameter(account):
    for asset in "ABC":
        Balance.objects.create(
            venue_account=account.venue_account, asset=asset, updated_at=timezone.now()
        )
    found = balances.rows(venue_account_id=account.venue_account_id, one="C", other="A")
    assert [row.asset for row in found] == ["A", "C"]


def test_a_quote_mark_in_a_parameter_is_data(account):
    assert position_of.rows(account_id=account.pk, symbol="'; DROP TABLE x; --") == []


@pytest.mark.django_db(transaction=True)
def test_locking_needs_a_transaction():
    accounts.ensure_first()
    pk = VirtualAccount.objects.get(is_default=True).pk
    with transaction.atomic():
        locked = account_locked.first(account_id=pk)
        assert locked is not None
        assert locked.pk == pk
    with pytest.raises(transaction.TransactionManagementError):
        account_locked.first(account_id=pk)


def test_a_stand_in_that_the_sql_lost_is_refused():
    @Select
    def deaf(symbol: str) -> QuerySet[Position]:
        return Position.objects.all()

    with pytest.raises(TypeError, match="symbol"):
        deaf.rows(symbol="BTCUSDT")


def test_an_update_stores_what_the_orm_stores(account):
    values = {
        "quantity": Decimal("2.500"),
        "stop_price": None,
        "is_open": True,
        "opened_at": timezone.now(),
        "alarm": "<b>'",
    }
    ours, theirs = position(account, "A"), position(account, "B")
    assert update(Position, where={"pk": ours.pk}, values=values) == 1
    Position.objects.filter(pk=theirs.pk).update(**values)
    one, other = (values_of(Position.objects.get(pk=p.pk)) for p in (ours, theirs))
    assert {n: one[n] for n in values} == {n: other[n] for n in values}


def test_an_update_touches_only_what_matches(account):
    rows = [position(account, symbol) for symbol in "ABC"]
    changed = update(
        Position,
        where={"pk": [rows[0].pk, rows[1].pk], "symbol": "A", "closed_at": None},
        values={"alarm": "x"},
    )
    assert changed == 1
    assert [p.symbol for p in Position.objects.filter(alarm="x")] == ["A"]


def test_none_asks_for_null_not_for_anything(account):
    row = position(account, "A")
    assert update(Position, where={"opened_at": None}, values={"alarm": "x"}) == 0
    assert update(Position, where={"pk": row.pk, "closed_at": None}, values={"alarm": "x"}) == 1


def test_an_empty_list_matches_nothing(account):
    position(account, "A")
    assert update(Position, where={"closed_at": None, "pk": []}, values={"alarm": "x"}) == 0


def test_a_column_nobody_has_is_refused():
    with pytest.raises(Exception, match="no field named"):
        update(VenueAccount, where={"pk": 1}, values={"colour": "x"})


@Select
def odd_names(account_id: int) -> QuerySet[Position]:
    odd = ["it's 100 %", "%s", "\\'; --", 'a "b"']
    return Position.objects.filter(account=account_id, symbol__in=odd).order_by("symbol")


def test_what_never_changes_stands_in_the_statement_itself(account):
    names = ["it's 100 %", "%s", "\\'; --", 'a "b"', "BTCUSDT"]
    for symbol in names:
        position(account, symbol)
    assert {row.symbol for row in odd_names.rows(account_id=account.pk)} == set(names[:-1])


@Select
def entries_of(account_id: int) -> QuerySet[Decision, tuple]:
    rows = Decision.objects.filter(account=account_id, approved=True, kind="open_long")
    return rows.order_by("decided_at").values_list("symbol")


def plan_for_any_parameters(statement: Select, **given: int) -> str:
    """Return the plan that the database makes of a statement whose parameters it does not know."""
    statement.rows(**given)
    sql = statement._composed[connection.vendor].sql
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("PREPARE asked (bigint) AS " + sql.replace("%s", "$1"))
            cursor.execute("EXPLAIN EXECUTE asked (1)")
        else:
            cursor.execute("EXPLAIN QUERY PLAN " + sql, list(given.values()))
        plan = str(cursor.fetchall())
        if connection.vendor == "postgresql":
            cursor.execute("DEALLOCATE asked")
    return plan


def test_a_plan_for_any_parameters_uses_the_index_that_has_a_condition(account):
    now = timezone.now()
    Decision.objects.bulk_create(
        Decision(
            intent_uid=f"uid-{number}",
            account=account,
            strategy_id="any",
            symbol="BTCUSDT",
            kind="open_long" if number % 50 == 0 else "close",
            approved=True,
            intent={},
            verdicts=[],
            decided_at=now,
        )
        for number in range(400)
    )
    assert "decision_entries" in plan_for_any_parameters(entries_of, account_id=account.pk)
