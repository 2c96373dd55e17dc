"""The report of a stop opens with every kind of step it may hold, whatever a step leaves out."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from trading.domain.risk.types import TradingMode
from trading.models import StopReport, TradingState
from trading.services.control import kill_switch

pytestmark = pytest.mark.django_db
POSITION = {"position": 7, "account": "simulator", "symbol": "BTCUSDT", "quantity": "0.01"}
ORDER = {"order": 8, "account": "simulator", "symbol": "BTCUSDT", "quantity": "0.01"}
WHEN = {"at": "2026-01-05T10:00:00+00:00", "failures": 0}
STEPS: dict[str, dict[str, Any]] = {
    "sold": {"outcome": "done", **POSITION, "close": 9, "status": "FILLED", "sold": "0.01"},
    "sold without a word": {"outcome": "done", **POSITION},
    "why is empty": {"outcome": "failed", **POSITION, "why": ""},
    "nothing to sell": {"outcome": "done", **POSITION, "decision": 3, "why": "nothing is held"},
    "waits for the venue": {"outcome": "waits", **POSITION, "why": "no answer"},
    "refused": {"outcome": "failed", **POSITION, "status": "REJECTED", "why": "-2010"},
    "cancelled": {"outcome": "done", **ORDER, "status": "CANCELED", "filled": "0"},
    "not tried yet": {"outcome": "waits", "why": "not tried yet"},
    "bare": {"outcome": "waits"},
}


def reported(**step: Any) -> TradingState:
    state = kill_switch.engage(actor="ann", reason="storm", mode=TradingMode.FLATTEN)
    StopReport.objects.create(
        state=state,
        asked_by="ann",
        planned={"cancels": [], "closes": [], "too_small": []},
        steps={"position 7": {**WHEN, **step}},
        left=1,
        updated_at=timezone.now(),
    )
    return state


@pytest.mark.parametrize("kind", STEPS)
def test_its_page_opens(kind, browser):
    state = reported(**STEPS[kind])
    address = reverse("admin:trading_tradingstate_change", args=(state.pk,))

    answer = browser.get(address)

    assert answer.status_code == 200
    assert "position 7" in answer.content.decode()


def test_what_could_not_be_sold_says_why_and_what_to_do(browser):
    why = "insufficient balance"
    state = reported(**POSITION, outcome="failed", status="REJECTED", why=why, code="-2010")
    address = reverse("admin:trading_tradingstate_change", args=(state.pk,))

    page = browser.get(address).content.decode()

    assert "insufficient balance" in page
    assert "manage.py tie_out" in page


def test_what_is_too_small_to_sell_is_named(browser):
    state = reported(**STEPS["sold"])
    StopReport.objects.update(planned={"cancels": [], "closes": [], "too_small": [POSITION]})
    address = reverse("admin:trading_tradingstate_change", args=(state.pk,))

    assert (
        "Not sold, too small for the venue: 0.01 BTCUSDT" in browser.get(address).content.decode()
    )


@pytest.mark.parametrize("kind", STEPS)
def test_the_command_line_tells_it(kind, capsys):
    reported(**STEPS[kind])

    call_command("kill_switch", "status")

    assert "position 7" in capsys.readouterr().out
