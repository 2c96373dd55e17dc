import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import redis
from django.test import Client

from exchanges import quotes
from petrosa_site.server import health
from signals_app.realtime import process_status
from tests.places import SIMULATOR


@pytest.fixture(autouse=True)
def _fresh_looks():
    health.forget()
    quotes.forget()
    yield
    health.forget()


@pytest.mark.parametrize("path", ["/", "/health", "/healthz", "/ready", "/version"])
def test_the_open_doors_need_no_login(client, exchange, path):
    response = client.get(path)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/status", "/info", "/account", "/price/BTCUSDT", "/api/schema/"])
def test_the_other_doors_do(client, exchange, path):
    assert client.get(path).status_code == 401


def test_health_shows_each_part_and_what_waits(client, exchange):
    body = client.get("/health").json()
    assert body["status"] == "ok"
    assert set(body["dependencies"]) == {"database", "redis", "nats", "instruments", "venue"}
    assert body["waiting"]["signals_not_acted_on"] == 0
    assert body["queue_depth"] == 0
    assert "user_stream" in body["ages_seconds"]


def test_health_tells_how_old_each_price_is(client, exchange, settings):
    settings.TRADING_SYMBOLS = ["BTCUSDT", "ETHUSDT"]
    quotes.get(SIMULATOR, "BTCUSDT", max_age=Decimal(1))
    prices = client.get("/health").json()["prices"]
    assert prices["stream_is_live"] is False
    assert prices["ages_seconds"]["BTCUSDT"] < 5
    assert prices["ages_seconds"]["ETHUSDT"] is None


def test_metrics_tell_the_age_of_prices_at_the_time_they_are_read(client, exchange, settings):
    settings.TRADING_SYMBOLS = ["BTCUSDT", "ETHUSDT"]
    quotes.get(SIMULATOR, "BTCUSDT", max_age=Decimal(1))
    lines = client.get("/metrics").content.decode().splitlines()
    told = dict(line.rsplit(" ", 1) for line in lines if line.startswith("petrosa_feed_age"))
    place = 'environment="simulator",exchange="binance",market="spot"'
    name = f'petrosa_feed_age_seconds{{{{{place},symbol="{{}}"}}}}'
    assert float(told[name.format("BTCUSDT")]) < 5
    assert told[name.format("ETHUSDT")] == "+Inf"


def test_health_tells_nobody_a_secret_or_an_address(client, exchange, settings):
    exchange.go_down()
    text = client.get("/health").content.decode()
    for secret in (settings.SECRET_KEY, settings.SIMULATOR_API_SECRET, settings.REDIS_URL):
        assert secret not in text
    assert "refused" not in text


def test_a_venue_that_is_away_degrades_health(client, exchange):
    exchange.go_down()
    body = client.get("/health").json()
    assert body["status"] == "degraded"
    assert body["dependencies"]["venue"] == {
        "ok": False,
        "detail": "NotSent",
        "took_ms": body["dependencies"]["venue"]["took_ms"],
    }


def test_not_ready_names_what_is_missing(client, exchange, settings):
    settings.NATS_URL = "nats://127.0.0.1:1"
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.json()["missing"] == ["nats"]


def test_without_instruments_and_without_a_venue_it_is_not_ready(client, exchange):
    exchange.go_down()
    assert client.get("/ready").json()["missing"] == ["instruments"]


def test_a_venue_that_is_away_for_a_while_leaves_it_ready(client, exchange):
    from exchanges import catalogue

    catalogue.refresh(SIMULATOR)
    exchange.go_down()
    assert client.get("/ready").status_code == 200


def test_a_dead_redis_makes_it_unready(client, exchange, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert client.get("/ready").json()["missing"] == ["redis"]


def test_a_browser_is_sent_to_a_page(client, exchange):
    response = client.get("/", headers={"Accept": "text/html,*/*"})
    assert response.status_code == 302


@pytest.mark.parametrize("path", ["/", "/health", "/healthz", "/ready", "/version"])
def test_the_open_doors_can_only_be_read(exchange, path):
    response = Client(enforce_csrf_checks=True).post(path)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert response.json()["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(("seconds_ago", "status"), [(0, "ok"), (100, "degraded")])
def test_strategies_that_fell_silent_degrade_health(
    client, exchange, settings, seconds_ago, status
):
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    with redis.Redis.from_url(settings.REDIS_URL) as book:
        book.hset(process_status.KEY, "9/9", json.dumps({"at": at.isoformat(), "state": "running"}))
        try:
            assert client.get("/health").json()["status"] == status
        finally:
            book.hdel(process_status.KEY, "9/9")
