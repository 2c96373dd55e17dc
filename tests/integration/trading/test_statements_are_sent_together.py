"""Statements sent without waiting for each answer do what they do one by one."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from exchanges.models import Balance, VenueAccount
from foundation.statements import Select, ask_insert, ask_update, insert, together
from trading.models import Position
from trading.services.money import accounts
from trading.services.orders import fills

pytestmark = pytest.mark.django_db(transaction=True)


@Select
def free_of(venue_account_id: int):
    rows = Balance.objects.filter(venue_account=venue_account_id)
    return rows.order_by("asset").values_list("asset", "free")


@pytest.fixture
def venue_account() -> VenueAccount:
    return VenueAccount.objects.create(environment="testnet")


def balance(venue_account: VenueAccount, asset: str, free: int = 1) -> Balance:
    return Balance(venue_account=venue_account, asset=asset, free=free, updated_at=timezone.now())


def test_each_sees_what_went_before_it(venue_account):
    with transaction.atomic(), together():
        rows = ask_insert([balance(venue_account, "BTC"), balance(venue_account, "USDT")])
        changed = ask_update(
            Balance,
            where={"asset": ["BTC", "ETH"], "venue_account": venue_account.pk},
            values={"free": 7},
        )
        seen = free_of.ask(venue_account_id=venue_account.pk)
        assert seen() == [("BTC", 7), ("USDT", 1)]
        assert changed() == 1
        assert [row.pk for row in rows()] == list(
            Balance.objects.filter(venue_account=venue_account)
            .order_by("pk")
            .values_list("pk", flat=True)
        )


def test_answers_may_be_asked_for_after_the_end(venue_account):
    with transaction.atomic(), together():
        rows = ask_insert([balance(venue_account, "BTC")])
    assert [row.pk for row in rows()] == [Balance.objects.get(venue_account=venue_account).pk]


def test_an_answer_nobody_asks_for_still_fails(venue_account):
    insert([balance(venue_account, "BTC")])

    def write() -> None:
        with transaction.atomic(), together():
            ask_update(Balance, where={"asset": "BTC"}, values={"free": 9})
            ask_insert([balance(venue_account, "BTC")])
            ask_insert([balance(venue_account, "ETH")])

    with pytest.raises(IntegrityError):
        write()
    assert free_of.rows(venue_account_id=venue_account.pk) == [("BTC", 1)]


def test_a_failure_is_told_where_its_answer_is_asked_for(venue_account):
    insert([balance(venue_account, "BTC")])
    reached = []

    def write() -> None:
        with transaction.atomic(), together():
            ask_insert([balance(venue_account, "BTC")])()
            reached.append("after")

    with pytest.raises(IntegrityError):
        write()
    assert not reached
    assert free_of.rows(venue_account_id=venue_account.pk) == [("BTC", 1)]


def test_one_inside_another_is_one(venue_account):
    with transaction.atomic(), together():
        first = ask_insert([balance(venue_account, "BTC")])
        with transaction.atomic(savepoint=False), together():
            ask_update(Balance, where={"asset": "BTC"}, values={"free": 3})
        seen = free_of.ask(venue_account_id=venue_account.pk)
        assert (len(first()), seen()) == (1, [("BTC", 3)])


def test_two_who_open_the_same_position_share_its_row(venue, send):
    """The row is made inside a transaction whose statements travel together: no savepoint helps."""
    accounts.ensure_first()
    account = accounts.for_intent(simulate=True)
    order = send().order
    Position.objects.all().delete()
    made: list[int] = []

    def make() -> None:
        with transaction.atomic(), together():
            made.append(fills._new_position(order).pk)
        connection.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [Position.objects.get(account=account).pk] * 4
