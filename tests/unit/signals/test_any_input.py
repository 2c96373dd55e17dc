"""Whatever comes in, parse answers with a draft or a PayloadError, and drafts survive storage."""

import json
from datetime import UTC
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from signals_app.payload import wire
from signals_app.payload.draft import Action, PayloadError, SignalDraft
from signals_app.payload.fields import ORDER_TYPES
from tests.unit.signals.payloads import RECEIVED_AT, v2

FIELDS = (*wire.IDENTITY, *wire.OPTIONS, "confidence", "meta", "metadata", "x", "stopLoss")

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1e9999", "NaN", "-0", "BTC/USDT", "buy", "limit", "2026-11-21T12:00:00Z"])
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(FIELDS), anything, max_size=8)


def _parse(payload) -> SignalDraft | PayloadError:
    try:
        return wire.parse(payload, received_at=RECEIVED_AT)
    except PayloadError as error:
        return error


def _answer(payload) -> None:
    answer = _parse(payload)
    if isinstance(answer, PayloadError):
        assert answer.field
        assert answer.code == answer.code.upper()
        assert answer.message
        (answer.field + answer.message).encode()  # fit to be stored and shown
        return
    stored = json.loads(json.dumps(wire.to_jsonable(answer), allow_nan=False))
    assert wire.from_jsonable(stored) == answer


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_answered(body):
    _answer(body)


@given(anything)
def test_arbitrary_json_is_answered(value):
    _answer(json.dumps(value).encode())


@settings(max_examples=400)
@given(objects)
def test_a_bent_signal_is_answered_as_bytes_and_as_mapping(bend):
    payload = v2() | bend
    _answer(payload)
    _answer(json.dumps(payload).encode())


@given(st.integers(0, 400), st.binary(max_size=3))
def test_a_damaged_body_is_answered(position, damage):
    body = json.dumps(v2(meta={"simulate": True, "indicators": {"rsi": 5}})).encode()
    at = position % len(body)
    _answer(body[:at] + damage + body[at + 1 :])


prices = st.decimals("0.00000001", "999999", allow_nan=False, places=8)


@given(
    st.builds(
        SignalDraft,
        strategy_id=st.just("s"),
        symbol=st.just("BTCUSDT"),
        action=st.sampled_from(Action),
        confidence=st.decimals(0, 1, allow_nan=False, places=4),
        emitted_at=st.datetimes(timezones=st.just(UTC)),
        schema=st.sampled_from(["v1", "v2"]),
        uid=st.text("abc", max_size=5),
        price=st.none() | prices,
        stop_loss=st.none() | prices,
        quantity=st.none() | prices,
        order_type=st.none() | st.sampled_from(ORDER_TYPES),
        simulate=st.none() | st.booleans(),
        notes=st.lists(st.text(max_size=5), max_size=2).map(tuple),
    )
)
def test_a_draft_survives_storage(draft):
    assert wire.from_jsonable(json.loads(json.dumps(wire.to_jsonable(draft)))) == draft


def test_a_draft_stored_by_a_later_version_is_still_read():
    stored = wire.to_jsonable(wire.parse(v2(), received_at=RECEIVED_AT)) | {"from_the_future": 1}
    assert wire.from_jsonable(stored).quantity == Decimal("0.001")
