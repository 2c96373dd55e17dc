from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from signals_app.payload import wire
from signals_app.payload.draft import Action
from signals_app.strategies.emission import Emission

SAID = Emission(
    strategy_id="volume_surge_breakout",
    symbol="BTCUSDT",
    action=Action.BUY,
    confidence=0.8,
    at_ms=1_723_161_253_912,
    price=61_000.5,
    rationale="volume 3.2 times its mean",
    indicators={"volume_ratio": 3.2},
    atr=120.25,
    stop_loss=60_800.0,
    timeframe="15m",
)


def parsed(emission: Emission):
    return wire.parse(emission.payload(params_version=3), received_at=datetime.now(UTC))


def test_the_door_reads_all_of_it():
    draft = parsed(SAID)
    assert draft.strategy_id == "volume_surge_breakout"
    assert draft.action is Action.BUY
    assert draft.confidence == Decimal("0.8")
    assert draft.emitted_at == datetime(2024, 8, 8, 23, 54, 13, 912000, tzinfo=UTC)
    assert (draft.atr, draft.stop_loss) == (Decimal("120.25"), Decimal("60800.0"))
    assert draft.take_profit is None
    assert draft.indicators == {"volume_ratio": 3.2}
    assert draft.metadata == {"settings_version": 3}
    assert draft.uid == SAID.uid


def test_the_same_cause_has_the_same_uid():
    assert replace(SAID, confidence=0.7, rationale="else").uid == SAID.uid
    assert SAID.uid == "volume_surge_breakout:BTCUSDT:15m:buy:1723161253912"


def test_another_cause_has_another_uid():
    uids = {
        SAID.uid,
        replace(SAID, at_ms=1).uid,
        replace(SAID, symbol="ETHUSDT").uid,
        replace(SAID, timeframe="1h").uid,
        replace(SAID, action=Action.SELL).uid,
    }
    assert len(uids) == 5


def test_a_long_uid_still_fits_the_door():
    long = replace(SAID, strategy_id="a_strategy_with_a_name_that_goes_on_and_on_and_on")
    assert len(long.uid) == 64
    assert parsed(long).uid == long.uid
    assert replace(long, at_ms=5).uid != long.uid


def test_the_accounts_own_levels_are_asked_for():
    draft = parsed(replace(SAID, account_levels=True, stop_loss=None))
    assert (draft.use_default_stop_loss, draft.use_default_take_profit) == (True, True)
    draft = parsed(SAID)
    assert (draft.use_default_stop_loss, draft.use_default_take_profit) == (None, None)


def test_one_from_a_recording_is_as_old_as_when_it_was_heard():
    heard_ms = SAID.at_ms + 10 * 86_400_000
    draft = wire.parse(SAID.payload(heard_ms=heard_ms), received_at=datetime.now(UTC))
    assert draft.emitted_at == datetime(2024, 8, 18, 23, 54, 13, 912000, tzinfo=UTC)
    assert draft.metadata["recorded_at"] == "2024-08-08T23:54:13.912000+00:00"
    assert draft.uid == SAID.uid
