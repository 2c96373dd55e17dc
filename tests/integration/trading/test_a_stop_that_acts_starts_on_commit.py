"""Whoever engages CANCEL_OPEN or FLATTEN, its work is enqueued once the row is committed."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
import redis
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse

from signals_app import nats_control
from tests import servers
from tests.people import logged_in
from trading import chat
from trading.domain.risk.types import TradingMode
from trading.models import Position, TradingState
from trading.services.control import kill_switch

pytestmark = pytest.mark.django_db
EMPTY = "trading.empty"


def engaged(mode: TradingMode = TradingMode.FLATTEN) -> TradingState:
    return kill_switch.engage(actor="ann", reason="storm", mode=mode)


def queued() -> list[tuple[str, bool]]:
    """Return the state and `at_once` of each task that waits to carry out a stop, in any queue."""
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        queues = [key for key in client.scan_iter() if client.type(key) == b"list"]
        messages = [json.loads(raw) for key in queues for raw in client.lrange(key, 0, -1)]
    found = [one for one in messages if one["headers"]["task"] == EMPTY]
    return [(one["headers"]["argsrepr"], "'at_once': True" in one["headers"]["kwargsrepr"])
            for one in found]  # fmt: skip


def test_nothing_is_enqueued_before_the_commit(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        state = engaged()
        assert queued() == []

    assert queued() == [(f"({state.pk},)", True)]


def test_what_is_rolled_back_is_never_enqueued(django_capture_on_commit_callbacks):
    with (
        django_capture_on_commit_callbacks(execute=True),
        suppress(ZeroDivisionError),
        transaction.atomic(),
    ):
        engaged()
        raise ZeroDivisionError

    assert queued() == []


@pytest.mark.parametrize("mode", [TradingMode.HALTED, TradingMode.REDUCE_ONLY])
def test_a_stop_that_only_refuses_has_no_work(mode, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        engaged(mode)

    assert queued() == []


def test_engaging_again_tries_again_at_once(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        engaged()
        engaged()

    assert len(queued()) == 2


def by_admin() -> None:
    browser = logged_in("trading.engage_kill_switch")
    form = {"mode": "FLATTEN", "scope": "global", "key": "", "reason": "storm"}
    browser.post(reverse("admin:trading_tradingstate_add"), form)


def by_api() -> None:
    browser = logged_in("trading.engage_kill_switch")
    order = {"mode": "FLATTEN", "scope": "global", "reason": "storm"}
    browser.post("/api/v1/trading-state/", order, content_type="application/json")


def by_legacy_api() -> None:
    browser = logged_in("trading.engage_kill_switch")
    browser.post("/trading/stop", {"level": "FLATTEN"}, content_type="application/json")


def by_desk() -> None:
    browser = logged_in("trading.engage_kill_switch", "trading.view_tradingstate")
    browser.post(reverse("desk-stop"), {"mode": "FLATTEN"})


def by_nats() -> None:
    nats_control.obey(b'{"command": "stop", "by": "ann", "level": "FLATTEN", "scope": "global"}')


def by_command_line() -> None:
    call_command("kill_switch", "engage", "FLATTEN", "--reason", "storm")


def by_chat() -> None:
    logged_in("trading.engage_kill_switch")
    chat.answer(channel="telegram", person="ann", text="/stop FLATTEN all")


def test_without_redis_it_is_carried_out_where_it_was_asked_for(
    send, django_capture_on_commit_callbacks
):
    send(stop_loss=44000)
    servers.redis.kill()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            engaged()
    finally:
        servers.redis.start()

    assert Position.objects.get().is_open is False


@pytest.mark.parametrize(
    "door", [by_admin, by_api, by_legacy_api, by_desk, by_nats, by_command_line, by_chat]
)
def test_no_door_has_to_remember(door, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        door()
        assert queued() == []

    assert queued() == [(f"({TradingState.objects.get().pk},)", True)]
