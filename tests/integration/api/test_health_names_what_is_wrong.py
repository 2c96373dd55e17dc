"""/health is degraded by whatever a person has to know, in sentences that say what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.utils import timezone

from exchanges.models import VenueAccount
from foundation import liveness
from petrosa_site import tasks as site_tasks
from petrosa_site.server import health
from trading.models import Position, VirtualAccount
from trading.services.control import circuit_breakers, kill_switch


@pytest.fixture(autouse=True)
def _fresh_looks():
    health.forget()
    yield
    health.forget()


def problems(client) -> list[str]:
    body = client.get("/health").json()
    assert body["status"] == ("degraded" if body["problems"] else "ok")
    return body["problems"]


def last_heard(name: str, seconds_ago: float) -> None:
    liveness.note(name)
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        left = liveness.REMEMBERED_SECONDS - seconds_ago
        client.pexpire(f"petrosa:life:{name}", int(left * 1000))


def naked_for(seconds: float) -> Position:
    now = timezone.now()
    return Position.objects.create(
        account=VirtualAccount.objects.get(is_default=True),
        symbol="BTCUSDT",
        quantity="0.01",
        is_open=True,
        naked_since=now - timedelta(seconds=seconds),
        updated_at=now,
    )


def test_with_nothing_wrong_there_is_no_problem(client, exchange):
    assert problems(client) == []


def test_a_naked_position_is_named_with_its_seconds(client, exchange):
    naked_for(12)

    (said,) = problems(client)
    assert "BTCUSDT" in said
    assert "no stop at the venue for 12 s" in said


def test_one_within_its_grace_is_not(client, exchange, settings):
    settings.PROTECTION_GRACE_SECONDS = 60
    naked_for(12)

    assert problems(client) == []


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        ("global", ""),
        ("venue", "simulator"),
        ("account", "simulator"),
        ("strategy", "momentum"),
        ("symbol", "BTCUSDT"),
    ],
)
def test_a_stop_of_any_scope_is_named(client, exchange, scope, key):
    state = kill_switch.engage(actor="ann", reason="10.0.0.7 is odd", scope=scope, key=key)

    (said,) = problems(client)
    assert "Trading is HALTED" in said
    assert key in said
    assert f"kill_switch release {state.pk}" in said
    assert "ann" not in said
    assert "10.0.0.7" not in said


def test_one_by_a_breaker_says_the_numbers_and_what_to_do(client, exchange):
    circuit_breakers.note_backlog(10_001)
    circuit_breakers.watch()

    said = next(one for one in problems(client) if "signal-backlog" in one)
    assert "10001 waiting" in said
    assert "listener and workers" in said


@pytest.mark.parametrize("name", sorted(liveness.WATCHED))
def test_a_process_that_fell_silent_is_named(client, exchange, name):
    last_heard(name, liveness.SILENT_SECONDS + 10)

    (said,) = problems(client)
    assert f"The process {name} has been silent for 30 s" in said


def test_one_that_was_heard_lately_is_not(client, exchange):
    last_heard("beat", liveness.SILENT_SECONDS - 10)

    assert problems(client) == []


def test_one_expected_here_that_never_spoke_is_named(client, exchange, settings):
    settings.EXPECTED_PROCESSES = ["beat", "worker"]
    liveness.note("beat")

    (said,) = problems(client)
    assert "The process worker has not been heard of" in said


def test_the_pulse_of_a_worker_is_its_sign_of_life(client, exchange, settings):
    settings.EXPECTED_PROCESSES = ["worker"]
    site_tasks.pulse("worker")

    assert problems(client) == []


def test_a_user_stream_that_fell_silent_is_named(client, exchange):
    VenueAccount.objects.update(stream_at=timezone.now() - timedelta(seconds=90))

    (said,) = problems(client)
    assert "user stream of simulator has been silent for 90 s" in said


def test_a_part_that_is_away_is_named(client, exchange):
    exchange.go_down()

    assert any(one.startswith("venue does not answer") for one in problems(client))


def test_it_is_cheap(client, exchange, django_assert_max_num_queries):
    problems(client)
    with django_assert_max_num_queries(14):
        problems(client)
