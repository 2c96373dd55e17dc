"""Worth, capital and pauses over the API: read by all, changed by those who may."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from exchanges.models import Balance
from trading.models import CapitalMove, ClosedTrade, LossStreak, VirtualAccount
from trading.selectors import performance
from trading.services.money import accounts, equity

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(db) -> VirtualAccount:
    accounts.ensure_first()
    made = VirtualAccount.objects.select_related("venue_account").get(name="simulator")
    Balance.objects.create(
        venue_account=made.venue_account,
        asset="USDT",
        free=Decimal(10_000),
        updated_at=timezone.now(),
    )
    performance.forget()
    return made


def closed(account, profit):
    now = timezone.now()
    figures = dict.fromkeys(("bought", "sold", "entry_price", "exit_price", "fees"), Decimal(1))
    return ClosedTrade.objects.create(
        account=account,
        symbol="BTCUSDT",
        strategy_id="s",
        opened_at=now,
        closed_at=now,
        profit=Decimal(profit),
        **figures,
    )


def test_standing_tells_worth_wins_and_losses(api_client, account):
    for profit in ("5", "-2", "-1"):
        closed(account, profit)
    equity.watch()
    [told] = api_client.get("/api/v1/standing").json()
    assert (told["name"], told["status"], told["equity"]) == ("simulator", "active", "10000")
    assert (told["wins"], told["losses"], told["streak"], told["max_drawdown"]) == (1, 2, -2, "3")
    assert told["daily_loss_pct"] == "0"


def test_an_account_never_looked_at_has_unknown_worth(api_client, account):
    [told] = api_client.get("/api/v1/standing").json()
    assert told["equity"] is None
    assert told["daily_loss_pct"] is None


def test_snapshots_are_listed_by_account(api_client, account):
    equity.watch()
    assert api_client.get("/api/v1/equity/?account=simulator").json()["results"][0]["equity"]
    assert api_client.get("/api/v1/equity/?account=other").json()["results"] == []


def test_money_is_moved_with_a_reason(api_client, account):
    wish = {"account": "simulator", "amount": "2500.5", "reason": "start"}
    answer = api_client.post("/api/v1/capital-moves", wish, format="json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["cash"] == "2500.5"
    assert answer.json()["moved_by"] == "operator"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "20000"}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": None}, "amount"),
        ({"reason": " "}, "reason"),
        ({"account": "nobody"}, "account"),
        ({"account": 7}, "account"),
    ],
)
def test_a_move_that_cannot_be_names_the_field(api_client, account, change, field):
    wish = {"account": "simulator", "amount": "100", "reason": "start"} | change
    answer = api_client.post("/api/v1/capital-moves", wish, format="json")
    assert answer.status_code == 400
    assert field in str(answer.json())
    assert not CapitalMove.objects.exists()


def test_moving_money_needs_permission(anonymous_client, account, db):
    anonymous_client.force_authenticate(user=User.objects.create_user("viewer"))
    wish = {"account": "simulator", "amount": "100", "reason": "start"}
    assert anonymous_client.post("/api/v1/capital-moves", wish, format="json").status_code == 403


@pytest.fixture
def pause(account) -> LossStreak:
    now = timezone.now()
    return LossStreak.objects.create(
        account=account,
        scope="account",
        key=account.name,
        cooldown_until=now + timedelta(seconds=90),
        cooldown_losses=3,
        changed_at=now,
    )


def test_a_pause_shows_what_is_left_of_it(api_client, pause):
    [told] = api_client.get("/api/v1/cooldowns?running=true").json()["results"]
    assert 85 <= told["seconds_left"] <= 90
    assert api_client.get("/api/v1/cooldowns?running=false").json()["results"] == []
    [standing] = api_client.get("/api/v1/standing").json()
    assert standing["status"] == "cooldown"


def test_a_pause_is_ended_once_with_a_reason(api_client, pause):
    path = f"/api/v1/cooldowns/{pause.pk}/release"
    assert api_client.post(path, {"reason": ""}, format="json").status_code == 400
    answer = api_client.post(path, {"reason": "seen"}, format="json")
    assert (answer.status_code, answer.json()["seconds_left"]) == (200, 0)
    assert api_client.post(path, {"reason": "seen"}, format="json").status_code == 409


def test_ending_a_pause_needs_permission(anonymous_client, pause):
    anonymous_client.force_authenticate(user=User.objects.create_user("viewer"))
    path = f"/api/v1/cooldowns/{pause.pk}/release"
    assert anonymous_client.post(path, {"reason": "x"}, format="json").status_code == 403


def test_a_drawdown_is_measured_anew(api_client, account):
    path = f"/api/v1/accounts/{account.pk}/reset-drawdown"
    assert api_client.post(path, {"reason": "x"}, format="json").status_code == 409
    equity.watch()
    assert api_client.post(path, {"reason": ""}, format="json").status_code == 400
    assert api_client.post(path, {"reason": "x"}, format="json").status_code == 204
    assert (
        api_client.post("/api/v1/accounts/99999/reset-drawdown", {}, format="json").status_code
        == 404
    )
