"""What our own strategies say reaches the bus once: live among the signals, or in shadow."""

from __future__ import annotations

import uuid
from dataclasses import replace

import orjson
import pytest

from signals_app.gateways import emitter
from signals_app.gateways.emitter import Said
from signals_app.payload.draft import Action
from signals_app.strategies.emission import Emission


@pytest.fixture(autouse=True)
def _own_subjects(settings):
    settings.NATS_SIGNAL_SUBJECT = f"signals.test.{uuid.uuid4().hex}"
    settings.NATS_SHADOW_SUBJECT = f"signals.shadow.test.{uuid.uuid4().hex}"


def said(at_ms: int, *, is_shadow: bool = False) -> Said:
    emission = Emission(
        strategy_id="skew",
        symbol="BTCUSDT",
        action=Action.BUY,
        confidence=0.75,
        at_ms=at_ms,
        price=60_000.0,
        rationale="because",
    )
    unique = replace(emission, strategy_id=f"skew-{uuid.uuid4().hex[:8]}")
    return Said(unique, is_shadow, settings_version=4, environment="simulator")


async def heard(subject: str) -> list[dict]:
    listening = emitter.bus("test")
    listening.subjects = [subject]
    listening.durable = f"test-{uuid.uuid4().hex}"
    try:
        found = [message async for message in _all(listening)]
    finally:
        await listening.close()
    return found


async def _all(bus):
    for message in await bus.fetch(100, timeout=1):
        yield orjson.loads(message.data)


async def test_a_live_one_arrives_with_where_it_comes_from(settings):
    bus, one = emitter.bus("test"), said(1_723_161_253_912)
    try:
        await emitter.publish(bus, one)
    finally:
        await bus.close()
    (signal,) = await heard(settings.NATS_SIGNAL_SUBJECT)
    assert signal["signal_uid"] == one.emission.uid
    assert signal["metadata"] == {"settings_version": 4, "environment": "simulator"}


async def test_a_shadow_one_stays_away_from_the_signals(settings):
    bus = emitter.bus("test")
    try:
        await emitter.publish(bus, said(1_723_161_253_912, is_shadow=True))
    finally:
        await bus.close()
    assert await heard(settings.NATS_SIGNAL_SUBJECT) == []
    (signal,) = await heard(settings.NATS_SHADOW_SUBJECT)
    assert signal["metadata"]["shadow"] is True


def test_said_twice_it_is_kept_once():
    one, other = said(1), said(2)
    first = emitter.publish_all([one, other], name="test")
    again = emitter.publish_all([one, other], name="test")
    assert [at.duplicate for at in first] == [False, False]
    assert [at.duplicate for at in again] == [True, True]
