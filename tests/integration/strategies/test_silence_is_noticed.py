"""A strategies process that died, is deaf or cannot publish shows on health page and desk."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.conf import settings as django_settings

from petrosa_site.desk import selectors
from signals_app.realtime import process_status
from tests.integration.strategies.desk import Desk, Settings, symbols, until


@pytest.fixture
def book():
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.delete(process_status.KEY)
        yield client
        client.delete(process_status.KEY)


def left(book, *, seconds_ago: float, **told) -> None:
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    book.hset(
        process_status.KEY, "1/1", json.dumps({"at": at.isoformat(), "state": "running", **told})
    )


def seen():
    return process_status.seen(redis_url=django_settings.REDIS_URL)


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        ({"seconds_ago": 1}, []),
        ({"seconds_ago": 100}, ["silent for 100 s"]),
        ({"seconds_ago": 1, "feed_is_silent": True}, ["hears no market data"]),
        ({"seconds_ago": 1, "breaker": "open"}, ["cannot publish signals"]),
        ({"seconds_ago": 100_000}, []),
    ],
)
def test_the_desk_shows_trouble_and_nothing_else(book, sign, words):
    left(book, **sign)
    assert [one["actual"] for one in selectors.strategies_in_trouble()] == words


@pytest.mark.django_db
def test_the_health_page_tells_each_process(book, client):
    left(book, seconds_ago=1, symbols=["BTCUSDT"], strategies={"trade_momentum": {"signals": 3}})
    (told,) = client.get("/health").json()["strategies"]
    assert (told["shard"], told["state"], told["symbols"]) == ("1/1", "running", ["BTCUSDT"])
    assert told["signals"] == {"trade_momentum": 3}


async def test_a_process_leaves_its_sign_and_takes_it_away_when_it_stops(book):
    desk, names = Desk(), symbols(1)
    async with desk.running(Settings(*names)):
        await until(lambda: [sign.told["symbols"] for sign in seen()] == [names])
    assert seen() == []
