"""What a decision was taken on comes back from its record exactly, and so does what was decided."""

import json
from dataclasses import fields, replace
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain.books import Book
from foundation.serialization import jsonable
from tests.unit.trading.situations import (
    BTC,
    NOW,
    a_buy,
    a_quote,
    a_snapshot,
    an_exit,
    base,
    limits,
    quote_amount,
)
from trading.domain.equity import Falls
from trading.domain.intents import SizingIntent
from trading.domain.risk.assess import assess
from trading.domain.risk.types import (
    Cooldown,
    Holding,
    Pace,
    SizingModel,
    Together,
    TrackRecord,
    TradingMode,
)
from trading.models import Decision
from trading.services.risk import decision_record

FIGURE = st.decimals("0", "1000000", places=8)
MAYBE = st.none() | FIGURE
COUNT = st.integers(0, 9)
LEVEL = st.tuples(FIGURE, FIGURE)

SNAPSHOTS = st.builds(
    lambda lim, quote, **rest: a_snapshot(limits=limits(**lim), quote=quote, **rest),
    lim=st.fixed_dictionaries(
        {
            "sizing_model": st.sampled_from(list(SizingModel)),
            "min_confidence": st.decimals("0", "1", places=3),
            "max_repeats": COUNT,
            "max_slippage_bps": FIGURE,
            "max_entries_per_position": COUNT,
            "max_gross_exposure": FIGURE,
            "one_symbol_per_account": st.booleans(),
            "max_stop_loss_pct": st.decimals("0", "5", places=2),
            "default_base_quantity": FIGURE,
            "allowed_symbols": st.sampled_from([frozenset(), frozenset({"BTCUSDT", "ETHUSDT"})]),
            "trading_window": st.sampled_from(["", "09:30-16:00 America/New_York mon-fri"]),
        }
    ),
    quote=st.sampled_from([None, a_quote(), a_quote(age=9), a_quote("1", "3")]),
    mode=st.sampled_from([None, *TradingMode]),
    mode_reason=st.text(max_size=20),
    instrument=st.sampled_from([None, BTC]),
    holding=st.builds(Holding, FIGURE, FIGURE, FIGURE, FIGURE, st.booleans()),
    stops_elsewhere=st.none() | COUNT,
    free_slots=st.none() | COUNT,
    has_guard=st.booleans(),
    open_position_count=st.none() | COUNT,
    free_quote=MAYBE,
    taker_rate=st.none() | st.decimals("0", "0.01", places=6),
    pending_entry_quantity=FIGURE,
    can_trade=st.booleans(),
    paces=st.dictionaries(
        st.sampled_from(["max_repeats", "max_orders_per_day"]),
        st.builds(Pace, COUNT, st.text(max_size=9)),
    ),
    own_offers=st.lists(FIGURE, max_size=3).map(tuple),
    symbols_in_use=st.none() | st.frozensets(st.sampled_from(["ETHUSDT", "BNBUSDT"])),
    entries_in_position=st.none() | COUNT,
    together=st.none() | st.builds(Together, COUNT, MAYBE, MAYBE),
    equity=MAYBE,
    cooldown=st.none()
    | st.builds(
        Cooldown, COUNT, st.none() | st.datetimes(timezones=st.just(UTC)), st.text(max_size=9)
    ),
    falls=st.none() | st.builds(Falls, FIGURE, FIGURE, FIGURE),
    book=st.none() | st.builds(lambda *asks: Book("BTCUSDT", (), asks, NOW), LEVEL, LEVEL, LEVEL),
    venue_latency_ms=MAYBE,
    track_record=st.none() | st.builds(TrackRecord, COUNT, COUNT, COUNT, FIGURE, FIGURE),
)
INTENTS = st.builds(
    lambda kind, **rest: replace(kind, **rest),
    st.sampled_from([a_buy(), an_exit()]),
    confidence=st.decimals("0", "1", places=4),
    sizing=st.sampled_from([SizingIntent(), base("0.01"), quote_amount("250")]),
    stop_loss=st.none() | FIGURE,
    atr=MAYBE,
    notes=st.lists(st.text(max_size=9), max_size=2).map(tuple),
)


def stored(value):
    return json.loads(json.dumps(value))


@given(intent=INTENTS, snapshot=SNAPSHOTS)
def test_it_comes_back_as_it_was(intent, snapshot):
    decision = Decision(
        intent=stored(jsonable(intent)),
        market=stored(decision_record.written(snapshot)),
        decided_at=snapshot.now,
        environment=snapshot.environment,
    )

    again = decision_record.intent_of(decision), decision_record.snapshot_of(decision)

    assert again == (intent, snapshot)
    assert jsonable(assess(*again)) == jsonable(assess(intent, snapshot))


def test_nothing_a_rule_may_look_at_is_left_out():
    kept = set(decision_record.written(a_snapshot())) - {
        "quote_age_ms",
        "book_age_ms",
    }  # for people
    columns = {"now", "environment"}
    names = {f.name for f in fields(a_snapshot())} - columns
    assert kept == {"open_positions" if n == "open_position_count" else n for n in names}
