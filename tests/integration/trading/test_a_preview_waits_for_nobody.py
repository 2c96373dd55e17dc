"""A preview looks past the locks that decisions take, and holds none that they would wait for."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from exchanges.models import Balance
from tests.integration.trading.test_balances_and_decisions_do_not_block_each_other import an_entry
from tests.limits import set_limits
from trading.models import Portfolio, VirtualAccount
from trading.services.money import accounts, balances
from trading.services.orders import previews

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no row locks"),
]


def test_it_answers_while_a_decision_holds_every_lock(venue):
    accounts.ensure_first()
    account = accounts.for_intent(simulate=True)
    balances.refresh(account.venue_account)
    set_limits(max_gross_exposure=100_000)
    Portfolio.objects.create(environment="simulator")
    told: list[previews.Preview] = []

    def ask() -> None:
        try:
            told.append(previews.look(an_entry()))
        finally:
            connection.close()

    with transaction.atomic():
        for locked in (VirtualAccount, Balance, Portfolio):
            assert list(locked.objects.select_for_update())
        asking = threading.Thread(target=ask)
        asking.start()
        asking.join(60)
        assert not asking.is_alive()
    assert told[0].decision.approved, told[0].decision.message
