"""Prices, sizes and confidence: exact, positive, finite, or refused by name."""

from decimal import Decimal

import pytest

from signals_app.payload import wire
from tests.unit.signals.payloads import RECEIVED_AT, parse, refused, v1, v2, without


def test_digits_are_kept_exactly():
    body = b'{"strategy_id":"s","symbol":"BTCUSDT","action":"buy","confidence":0.1,'
    draft = parse(body + b'"price":0.10000000000000000055,"quantity":0.1}')
    assert draft.price == Decimal("0.100000000000000001")  # 18 decimals, no float on the way
    assert draft.quantity == Decimal("0.1")


def test_numeric_text_is_accepted():
    assert parse(v2(quantity="0.00100")).quantity == Decimal("0.001")
    assert parse(v2(price="5e4")).price == 50000


def test_a_float_in_a_mapping_is_read_as_it_prints():
    assert wire.parse(v2(quantity=0.1), received_at=RECEIVED_AT).quantity == Decimal("0.1")


@pytest.mark.parametrize("name", ["price", "quantity", "stop_loss", "take_profit", "current_price"])
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (-1, "NOT_POSITIVE"),
        (0, "NOT_POSITIVE"),
        (-0.0, "NOT_POSITIVE"),
        (float("nan"), "NOT_FINITE"),
        (float("inf"), "NOT_FINITE"),
        ("NaN", "NOT_FINITE"),
        ("-Infinity", "NOT_FINITE"),
        (True, "WRONG_TYPE"),
        ([], "WRONG_TYPE"),
        ("", "NOT_A_NUMBER"),
        ("1_000", "NOT_A_NUMBER"),
        ("٣", "NOT_A_NUMBER"),
        ("0x10", "NOT_A_NUMBER"),
        (10**15, "OUT_OF_RANGE"),
        ("1e400", "OUT_OF_RANGE"),
        ("1e-300", "OUT_OF_RANGE"),
        (10**80, "NUMBER_TOO_LONG"),
    ],
)
def test_a_price_or_size_that_is_none_is_refused_by_name(name, value, code):
    error = refused(v2(**{name: value}))
    assert (error.field, error.code) == (name, code)


def test_an_exponent_beyond_any_decimal_is_refused():
    body = b'{"strategy_id":"s","symbol":"BTCUSDT","action":"buy","confidence":1,"price":1e%s}'
    for exponent in (b"400", b"999999999", b"99999999999999999999"):
        assert refused(body % exponent).field == "price"


def test_nan_inside_the_context_is_refused_with_its_path():
    error = refused(v1({"indicators": {"rsi": float("nan")}}))
    assert (error.field, error.code) == ("meta.indicators.rsi", "NOT_FINITE")


@pytest.mark.parametrize("value", [0, 1, 0.5, "0.85"])
def test_confidence_from_zero_to_one_is_accepted(value):
    assert parse(v2(confidence=value)).confidence == Decimal(str(value))


@pytest.mark.parametrize("value", [1.2, -0.1, 85])
def test_confidence_outside_zero_to_one_is_refused(value):
    error = refused(v2(confidence=value))
    assert (error.field, error.code) == ("confidence", "OUT_OF_RANGE")


def test_confidence_may_stand_in_meta():
    payload = without(v1({"confidence": 0.7}), "confidence")
    assert parse(payload).confidence == Decimal("0.7")


def test_a_missing_confidence_is_refused():
    assert refused(without(v2(), "confidence")).code == "MISSING_FIELD"
