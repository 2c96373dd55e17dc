"""Symbols are shared out whole, so two processes say together what one says alone."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings as django_settings

from signals_app.realtime.shard import Shard
from tests import recordings
from tests.integration.strategies.desk import Desk, Settings, heard, symbols, until


def frames(names):
    """The recording as the course of several symbols: only its own frames make one's windows."""
    for one in recordings.spot_btcusdt()[:12_000]:
        for name in names:
            yield replace(one, symbol=name)


@recordings.needed
async def test_two_halves_are_a_whole():
    names = symbols(4)
    assert all(sum(map(Shard.parsed(s).owns, names)) for s in ("1/2", "2/2"))
    whole, halves = Desk(), Desk()
    async with whole.running(Settings(*names)) as process:
        sent = await whole.send(frames(names))
        await until(lambda: process.status()["messages"] == sent)
    alone = await heard(django_settings.NATS_SIGNAL_SUBJECT)
    assert {signal["symbol"] for signal in alone} == set(names)
    async with (
        halves.running(Settings(*names), "1/2") as one,
        halves.running(Settings(*names), "2/2") as other,
    ):
        await halves.send(frames(names))
        await until(lambda: one.status()["messages"] + other.status()["messages"] == sent)
    # The bus keeps each signal once by its id: it knows all of these, and as many as there were.
    outcomes = one.publisher.outcomes + other.publisher.outcomes
    assert outcomes == {"repeated": len(alone)}


@recordings.needed
async def test_two_processes_for_the_same_symbols_by_mistake_say_it_once():
    desk, names = Desk(), symbols(1)
    async with (
        desk.running(Settings(*names)) as one,
        desk.running(Settings(*names)) as other,
    ):
        sent = await desk.send(frames(names))
        await until(lambda: one.status()["messages"] == other.status()["messages"] == sent)
    said = await heard(django_settings.NATS_SIGNAL_SUBJECT)
    assert said
    outcomes = one.publisher.outcomes + other.publisher.outcomes
    assert outcomes == {"live": len(said), "said before": len(said)}
