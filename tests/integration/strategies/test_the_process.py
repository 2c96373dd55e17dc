"""The strategies process: follows its settings, tells how it is, and bears what goes wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import aiohttp
import nats
import orjson
from django.conf import settings as django_settings

from exchanges.market_data.bus import Kind, enveloped
from exchanges.market_data.recorded import Recorded
from petrosa_site.stack.ports import free_port
from tests.integration.strategies.desk import Desk, Settings, heard, symbols, until
from tests.unit.strategies.realtime.market import START_MS

EAGER = {"time_window": 5, "buy_threshold": 0.05, "sell_threshold": -0.05, "cooldown_seconds": 0}


def ticker(symbol: str, second: float, price: float) -> Recorded:
    at_ms = START_MS + round(second * 1000)
    data = orjson.dumps({"e": "24hrTicker", "E": at_ms, "s": symbol, "c": str(price)})
    return Recorded(symbol, Kind.TICKER, enveloped(f"{symbol.lower()}@ticker", data, at_ms), at_ms)


def rise(symbol: str, *, start: float = 0) -> list[Recorded]:
    """Ten still seconds and one that jumps by a percent."""
    still = [ticker(symbol, start + second, 100) for second in range(10)]
    return [*still, ticker(symbol, start + 10, 101)]


def settings_for(symbol: str, mode: str = "live") -> Settings:
    made = Settings(symbol, mode=mode)
    spec = made.held["ticker_velocity"].spec
    made.change("ticker_velocity", params=spec.resolved(EAGER))
    return made


async def test_a_move_becomes_a_signal_that_tells_its_settings():
    desk, (symbol,) = Desk(), symbols(1)
    async with desk.running(settings_for(symbol)) as process:
        await desk.send(rise(symbol))
        await until(lambda: process.publisher.outcomes["live"])
    (signal,) = await heard(django_settings.NATS_SIGNAL_SUBJECT)
    assert (signal["symbol"], signal["action"]) == (symbol, "buy")
    assert signal["metadata"] == {"settings_version": 2, "environment": "simulator"}


async def test_in_shadow_it_is_said_apart():
    desk, (symbol,) = Desk(), symbols(1)
    async with desk.running(settings_for(symbol, mode="shadow")) as process:
        await desk.send(rise(symbol))
        await until(lambda: process.publisher.outcomes["shadow"])
    assert await heard(django_settings.NATS_SIGNAL_SUBJECT) == []
    (signal,) = await heard(django_settings.NATS_SHADOW_SUBJECT)
    assert signal["metadata"]["shadow"] is True


async def test_what_is_off_says_nothing_and_what_is_switched_on_speaks():
    desk, (symbol,) = Desk(), symbols(1)
    settings = settings_for(symbol, mode="off")
    async with desk.running(settings) as process:
        assert process.state == "idle"
        settings.change("ticker_velocity", mode="live")
        await until(lambda: process.state == "running")
        await desk.send(rise(symbol))
        await until(lambda: process.publisher.outcomes["live"])
        settings.change("ticker_velocity", mode="off")
        await until(lambda: process.state == "idle")


async def test_a_retuned_strategy_keeps_its_window():
    desk, (symbol,) = Desk(), symbols(1)
    settings = settings_for(symbol)
    async with desk.running(settings) as process:
        settings.change(
            "ticker_velocity",
            params={**settings.held["ticker_velocity"].params, "buy_threshold": 900},
        )
        await until(
            lambda: process.status()["strategies"]["ticker_velocity"]["settings_version"] == 3
        )
        await desk.send(rise(symbol))
        await until(lambda: process.status()["messages"] == 11)
        settings.change(
            "ticker_velocity",
            params={**settings.held["ticker_velocity"].params, "buy_threshold": 0.05},
        )
        await until(
            lambda: process.status()["strategies"]["ticker_velocity"]["settings_version"] == 4
        )
        assert not process.publisher.outcomes
        await desk.send([ticker(symbol, 11, 101)])
        await until(lambda: process.publisher.outcomes["live"])


async def test_frames_nobody_can_read_are_counted_and_the_next_is_taken():
    desk, (symbol,) = Desk(), symbols(1)
    async with desk.running(settings_for(symbol)) as process:
        for raw in (b"", b"{}", b'{"data":{"E":1,"c":"x"},"received_ms":1}', b"\xff" * 50):
            await desk.send([replace(ticker(symbol, 0, 1), raw=raw)])
        await desk.send(rise(symbol))
        await until(lambda: process.publisher.outcomes["live"])
        assert process.status()["unreadable"] == 4


async def test_what_is_too_old_is_not_published():
    desk, (symbol,) = Desk(), symbols(1)
    async with desk.running(settings_for(symbol), max_age=60) as process:
        await desk.send(rise(symbol))
        await until(lambda: process.publisher.outcomes["too old"])
    assert await heard(django_settings.NATS_SIGNAL_SUBJECT) == []


async def test_a_restart_does_not_say_it_again():
    desk, (symbol,) = Desk(), symbols(1)
    for _ in range(2):
        async with desk.running(settings_for(symbol)) as process:
            await desk.send(rise(symbol))
            await until(lambda: process.status()["messages"] == 11)
            await asyncio.sleep(0.2)
    assert len(await heard(django_settings.NATS_SIGNAL_SUBJECT)) == 1
    assert not process.publisher.outcomes


async def test_windows_outlive_a_restart():
    desk, (symbol,) = Desk(), symbols(1)
    course = rise(symbol)
    async with desk.running(settings_for(symbol)) as process:
        await desk.send(course[:10])
        await until(lambda: process.status()["messages"] == 10)
    async with desk.running(settings_for(symbol)) as process:
        await desk.send(course[10:])
        await until(lambda: process.publisher.outcomes["live"])


async def test_it_says_on_the_bus_that_it_lives():
    desk, (symbol,) = Desk(), symbols(1)
    client = await nats.connect(django_settings.NATS_URL)
    listening = await client.subscribe(f"strategies.heartbeat.{desk.name}")
    async with desk.running(settings_for(symbol)):
        told = orjson.loads((await listening.next_msg(timeout=60)).data)
    await client.close()
    assert told["type"] == "heartbeat"
    assert told["strategies"]["ticker_velocity"]["mode"] == "live"


async def test_its_door_tells_how_it_is():
    desk, (symbol,), port = Desk(), symbols(1), free_port()
    async with (
        desk.running(settings_for(symbol), port=port) as process,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as ask,
    ):
        await desk.send(rise(symbol))
        await until(lambda: process.publisher.outcomes["live"])
        await process._count()
        async with ask.get("/healthz") as answer:
            assert answer.status == 200
        async with ask.get("/ready") as answer:
            assert (answer.status, await answer.json()) == (
                200,
                {"status": "ready", "missing": []},
            )
        async with ask.get("/info") as answer:
            info = await answer.json()
        async with ask.get("/metrics") as answer:
            text = await answer.text()
    assert info["symbols"] == [symbol]
    assert info["strategies"]["ticker_velocity"]["signals"] == 1
    for name in (
        "messages_total",
        "signals_total",
        "submissions_total",
        "step_seconds_bucket",
        "errors_total",
        "breaker_state",
        "dropped_total",
        "lag_seconds",
    ):
        assert f"petrosa_strategies_{name}" in text


async def test_too_many_frames_at_once_are_dropped_and_counted(monkeypatch):
    monkeypatch.setattr("signals_app.realtime.intake.MOST_WAITING", 50)
    desk, (symbol,) = Desk(), symbols(1)
    async with desk.running(settings_for(symbol)) as process:
        sent = await desk.send(ticker(symbol, number / 1000, 100) for number in range(20_000))
        await until(lambda: process.status()["messages"] + process.status()["dropped"] >= sent)
        assert process.status()["connected"]
