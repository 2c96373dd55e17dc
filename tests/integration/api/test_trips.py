"""How the circuit breakers stand is shown wherever trading is watched."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from tests.people import logged_in
from trading.domain import circuit_breakers as rules
from trading.services.control import circuit_breakers


@pytest.fixture
def watched(exchange):
    exchange.go_down()  # so that nothing of the venue is known
    circuit_breakers.note_backlog(10_001)
    circuit_breakers.watch()


def test_each_is_listed_with_its_line_and_its_number(watched, person):
    body = person().get("/api/v1/trips").json()

    assert body["worst"] == "tripped"
    assert body["seconds_ago"] < 10
    by_name = {trip["name"]: trip for trip in body["trips"]}
    assert by_name["signal-backlog"] == {
        "name": "signal-backlog",
        "scope": "global",
        "key": "",
        "state": "tripped",
        "level": "REDUCE_ONLY",
        "limit": "10000 signals waiting in NATS",
        "actual": "10001 waiting",
        "what_to_do": rules.WHAT_TO_DO["signal-backlog"],
    }
    assert (by_name["clock-skew"]["key"], by_name["clock-skew"]["state"]) == (
        "binance.spot.simulator",
        "unknown",
    )


def test_nobody_watching_is_no_good_news(exchange, person):
    body = person().get("/api/v1/trips").json()

    assert (body["worst"], body["seconds_ago"]) == ("unknown", None)


def test_strangers_see_nothing(exchange, anonymous_client):
    assert anonymous_client.get("/api/v1/trips").status_code == 401


def test_health_desk_admin_metrics_and_command_line_tell_it_too(watched, person):
    health = person().get("/health").json()["trips"]
    assert (health["worst"], health["states"]["signal-backlog"]) == ("tripped", "tripped")

    people = logged_in("trading.view_tradingstate", username="ben")
    told = {trip["name"] for trip in people.get("/desk/books.json").json()["trips"]}
    assert told == {"signal-backlog", "clock-skew"}
    page = people.get(reverse("admin:trading_tradingstate_changelist")).content.decode()
    assert "10001 waiting" in page

    metrics = people.get("/metrics").content.decode()
    [line] = [
        x
        for x in metrics.splitlines()
        if x.startswith('petrosa_trip_state{key="",') and "backlog" in x
    ]
    assert line.endswith(" 1.0")

    out = StringIO()
    call_command("kill_switch", "status", stdout=out)
    assert "breaker signal-backlog: tripped, 10001 waiting" in out.getvalue()
