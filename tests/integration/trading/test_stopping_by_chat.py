"""A line of chat stops trading, for people who may; the reply says what was done."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from audit.models import Event
from tests.people import permissions
from trading import chat
from trading.models import Order, TradingState

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(venue):
    user = User.objects.create_user("ann")
    user.user_permissions.set(permissions("trading.engage_kill_switch"))


def say(text: str, person: str = "ann") -> str:
    return chat.answer(channel="telegram", person=person, text=text)


def stops() -> list[tuple[str, str, str, str]]:
    rows = TradingState.objects.order_by("pk")
    return [(s.mode, s.scope, s.key, s.reason) for s in rows]


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("/stop", ("HALTED", "global", "", "stopped by ann")),
        ("/stop odd prices", ("HALTED", "global", "", "odd prices")),
        (
            "/stop@petrosa_bot  reduce_only all winding down",
            ("REDUCE_ONLY", "global", "", "winding down"),
        ),
        ("/STOP HALT_NEW account=simulator", ("HALTED", "account", "simulator", "stopped by ann")),
        ("/stop FLATTEN all get out", ("FLATTEN", "global", "", "get out")),
        ("/stop flatten symbol=btcusdt news", ("FLATTEN", "symbol", "BTCUSDT", "news")),
        ("/stop CANCEL_OPEN strategy=skew", ("CANCEL_OPEN", "strategy", "skew", "stopped by ann")),
    ],
)
def test_it_is_read_as_people_write(text, made):
    assert say(text).startswith(f"Stopped: {made[0]}")
    assert stops() == [made]
    assert Event.objects.get(kind="control.engaged").actor == "ann (telegram)"


@pytest.mark.usefixtures("ann")
def test_a_symbol_the_venue_lists_is_a_place(send):
    send(stop_loss=44000)
    say("/stop FLATTEN btcusdt delisted")

    assert stops() == [("FLATTEN", "symbol", "BTCUSDT", "delisted")]
    assert not Order.objects.filter(role="entry", status="OPEN").exists()


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    "text",
    [
        "/stop FLATTEN",
        "/stop FLATTEN BTCUSD",  # a slip of the pen must not sell everything
        "/stop CANCEL_OPEN now please",
        "/stop FLATTEN account=nobody",
        "/stop FLATTEN venue=moon",
        "/stop HALTED symbol=",
        "/go",
        "",
        "hello",
    ],
)
def test_what_is_not_clear_stops_nothing_and_says_how(text):
    assert "/stop [LEVEL]" in say(text)
    assert stops() == []
    assert Event.objects.filter(kind="control.refused").count() == 1


@pytest.mark.usefixtures("ann")
def test_the_status_tells_what_holds():
    assert "Trading is active" in say("/status")
    say("/stop REDUCE_ONLY odd prices")

    assert "REDUCE_ONLY everything, by ann (telegram): odd prices" in say("/status")


def test_people_without_the_permission_and_strangers_stop_nothing(ann):
    User.objects.create_user("ben")
    User.objects.create_superuser("eve", is_active=False)

    assert "no permission" in say("/stop", "ben")
    assert "nobody we know" in say("/stop", "eve")
    assert "nobody we know" in say("/status", "mallory")
    assert stops() == []
