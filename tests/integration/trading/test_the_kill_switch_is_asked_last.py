"""Between the decision and the socket somebody stops trading: nothing slips out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from signals_app.models import Signal
from signals_app.payload import draft_json
from signals_app.services import intake, routing
from tests.integration.trading.clock import time_passes
from trading.domain.risk.types import TradingMode
from trading.models import Order, VirtualAccount
from trading.services.control import kill_switch
from trading.services.execution import dispatch, reconciliation
from trading.services.orders import decisions, lifecycle
from trading.services.risk import market_view

pytestmark = pytest.mark.django_db


@pytest.fixture
def decided(venue):
    """Decide on an entry and stop just before it is sent, as a slow worker would."""

    def _decided(**fields) -> decisions.Decided:
        now = timezone.now()
        body = {
            "strategy_id": "test",
            "symbol": "BTCUSDT",
            "action": "buy",
            "confidence": 0.8,
            "quantity": 0.01,
            "timestamp": now.isoformat(),
        } | fields
        stored = intake.store(
            intake.Inbound(source="test", body=json.dumps(body).encode(), received_at=now)
        )
        signal = Signal.objects.get(pk=stored.signal_id)
        intent = routing.to_intent(signal, draft_json.from_jsonable(signal.draft or {}))
        account = VirtualAccount.objects.select_related("venue_account").get(is_default=True)
        view = market_view.observe(account.venue_account, intent.symbol)
        made = decisions.decide(intent=intent, account_id=account.pk, market=view)
        assert made.orders
        return made

    return _decided


def submit(made: decisions.Decided) -> bool:
    return dispatch.send(made.orders, actor="worker", claimed=made.claimed).was_sent


SCOPES = [
    ("global", ""),
    ("venue", "simulator"),
    ("account", "simulator"),
    ("strategy", "test"),
    ("symbol", "BTCUSDT"),
]


@pytest.mark.parametrize("mode", [TradingMode.HALTED, TradingMode.REDUCE_ONLY])
@pytest.mark.parametrize(("scope", "key"), SCOPES)
def test_an_entry_that_was_decided_is_not_sent(decided, venue, scope, key, mode):
    made = decided()
    kill_switch.engage(actor="ann", reason="drill", scope=scope, key=key, mode=mode)

    assert not submit(made)

    order = Order.objects.get()
    assert order.status == made.orders[0].status == "NOT_PLACED"
    assert "drill" in order.reason
    assert venue.count("place_order") == 0


def test_neither_is_a_list(decided, venue):
    made = decided(order_type="limit", price=44000, stop_loss=43000, take_profit=46000)
    kill_switch.engage(actor="ann", reason="drill")

    assert not submit(made)

    assert set(Order.objects.values_list("status", flat=True)) == {"NOT_PLACED"}
    assert venue.count("place_order_list") == 0


def test_an_order_refused_for_its_timestamp_is_sent_once_more_at_once(decided, venue):
    venue.refuse_clock_next()
    assert submit(decided())
    assert Order.objects.get().status == "FILLED"
    assert venue.count("place_order") == 2


def test_an_entry_stopped_while_the_clock_was_set_is_not_sent_again(decided, venue):
    venue.refuse_clock_next(meanwhile=lambda: kill_switch.engage(actor="ann", reason="drill"))

    assert not submit(decided())

    assert Order.objects.get().status == "NOT_PLACED"
    assert venue.count("place_order") == 1


def test_an_order_refused_for_its_timestamp_twice_waits_for_the_sweep(decided, venue):
    venue.refuse_clock_next()
    venue.refuse_clock_next()
    assert not submit(decided())
    assert Order.objects.get().status == "NEW"


def test_an_entry_the_sweep_would_send_is_not_sent_either(send, venue):
    venue.drop_next()
    assert send().order.status == "NEW"  # it waits for the sweep
    kill_switch.engage(actor="ann", reason="drill")

    for _ in range(3):
        time_passes(5)
        reconciliation.run()

    assert Order.objects.get().status == "NOT_PLACED"
    assert venue.count("place_order") == 1


def test_an_entry_whose_sender_died_is_not_sent_by_anybody(decided, venue):
    decided()
    kill_switch.engage(actor="ann", reason="drill")

    for _ in range(5):
        time_passes(30)
        reconciliation.run()

    assert Order.objects.get().status == "NOT_PLACED"
    assert venue.count("place_order") == 0


def test_an_entry_called_off_stays_so_when_trading_goes_on(decided, venue):
    made = decided()
    state = kill_switch.engage(actor="ann", reason="drill")
    submit(made)
    kill_switch.release(state_id=state.pk, actor="ann", reason="over")

    lifecycle.submit(lifecycle.load(made.orders[0].pk), actor="worker")
    time_passes(5)
    reconciliation.run()

    assert Order.objects.get().status == "NOT_PLACED"
    assert venue.count("place_order") == 0


def test_an_exit_that_was_decided_goes_out_all_the_same(send, venue):
    send()
    kill_switch.engage(actor="ann", reason="drill")

    outcome = send(action="close", quantity=None)

    assert outcome.order is not None
    assert outcome.order.status == "FILLED"


def test_somebody_elses_stop_does_not_hold_it_back(decided, venue):
    made = decided()
    kill_switch.engage(actor="ann", reason="drill", scope="symbol", key="ETHUSDT")
    kill_switch.engage(actor="ann", reason="drill", scope="strategy", key="another")

    assert submit(made)
    assert venue.count("place_order") == 1


def test_a_stop_that_has_run_out_does_not_hold_it_back(decided, venue):
    made = decided()
    state = kill_switch.engage(actor="ann", reason="drill")
    state.expires_at = timezone.now() - timedelta(seconds=1)
    state.save()

    assert submit(made)


@pytest.mark.parametrize("claimed", [True, False])
def test_a_stop_while_the_sender_still_waits_for_the_clock_counts(decided, venue, claimed):
    made = decided()
    if not claimed:
        Order.objects.update(status="NEW", submitted_at=None)
        made = replace(made, orders=lifecycle.load(made.orders[0].pk), claimed=False)
    venue.get_ready = lambda: kill_switch.engage(actor="ann", reason="drill")

    assert not submit(made)
    assert Order.objects.get().status == "NOT_PLACED"
    assert venue.count("place_order") == 0
