"""When every thread for entries waits for the venue, an entry is stored and handed on."""

from __future__ import annotations

import pytest

from signals_app import tasks
from signals_app.api.trade import QUEUE_IT
from signals_app.models import Signal
from tests.integration.api.conftest import signal

pytestmark = pytest.mark.django_db
TAKEN = {QUEUE_IT: True}


def trade(client, **changes):
    return client.post("/trade", signal(**changes), format="json", **TAKEN)


def test_an_entry_is_stored_and_answered_with_where_to_look(trader, exchange):
    response = trade(trader)

    stored = Signal.objects.get()
    assert response.status_code == 202
    assert response.json()["follow"] == f"/api/v1/signals/{stored.uid}/"
    assert stored.status == "received"
    assert exchange.count("place_order") == 0


def test_a_worker_trades_it_once_and_a_repeat_is_told_so(trader, exchange):
    trade(trader, signal_uid="mine-1")
    tasks.act_on(Signal.objects.get().pk)

    again = trade(trader, signal_uid="mine-1")

    assert again.status_code == 200
    assert again.headers["Idempotent-Replayed"] == "true"
    assert exchange.count("place_order") == 1


def test_an_exit_is_carried_out_all_the_same(trader, exchange):
    trader.post("/trade", signal(), format="json")

    response = trade(trader, action="close", quantity=None)

    assert response.status_code == 200
    assert response.json()["result"]["side"] == "sell"


def test_a_signal_that_makes_no_sense_is_told_at_once(trader):
    assert trade(trader, action="hold").status_code == 400
