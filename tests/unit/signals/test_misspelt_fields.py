"""A key that nearly spells an option was meant as one; real context is kept."""

from __future__ import annotations

import pytest

from tests.unit.signals.payloads import parse, refused, v1, v2, without


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("stop_los", "stop_loss"),
        ("stp_loss", "stop_loss"),
        ("take_proft", "take_profit"),
        ("quantty", "quantity"),
        ("qantity", "quantity"),
        ("quote_quantiy", "quote_quantity"),
        ("base_amout", "base_amount"),
        ("stop_pric", "stop_price"),
        ("oder_type", "order_type"),
        ("time_in_forse", "time_in_force"),
        ("simulat", "simulate"),
        ("Stop_Los", "stop_loss"),
    ],
)
@pytest.mark.parametrize("place", ["top", "meta", "metadata"])
def test_a_slip_of_the_hand_is_refused_naming_the_field_meant(key, meant, place):
    body = without(v2(), "quantity")
    body |= {key: 1} if place == "top" else {place: {key: 1}}
    error = refused(body)
    assert error.code == "MISSPELT_FIELD"
    assert error.field == (key if place == "top" else f"{place}.{key}")
    assert repr(meant) in error.message


@pytest.mark.parametrize(
    ("key", "meant"),
    [("pric", "price"), ("actoin", "action"), ("symbl", "symbol"), ("confidance", "confidence")],
)
def test_a_slip_in_what_stands_on_top_says_what_was_meant(key, meant):
    body = without(v2(), meant) | {key: 1}
    error = refused(body)
    assert (error.field, error.code) == (key, "MISSPELT_FIELD")
    assert repr(meant) in error.message


def test_a_slip_beside_the_right_name_is_refused_too():
    assert refused(v2(stop_loss=49000, stop_los=48000)).code == "MISSPELT_FIELD"


@pytest.mark.parametrize(
    "key",
    [
        "indicators_used",
        "notes",
        "exchange",
        "signal_id",
        "entry_price",
        "mid_price",
        "price_change",
        "confidence_score",
        "strategy",
        "strategy_mode",
        "atr_period",
        "market",
        "source",
        "x" * 200,
    ],
)
def test_real_context_is_kept(key):
    assert parse(v2(**{key: 7})).metadata == {key: 7}
    assert parse(v1({"base_amount": 0.001, key: 7})).metadata == {key: 7}


@pytest.mark.parametrize(
    ("given", "key"), [("price", "prices"), ("take_profit", "take_profit_2"), ("symbol", "symbols")]
)
def test_a_longer_name_beside_the_field_is_context(given, key):
    body = v2(take_profit=52000)
    assert given in body
    assert parse(body | {key: 7}).metadata == {key: 7}


def test_a_longer_name_alone_is_refused():
    assert refused(v2(take_profit_1=52000)).code == "MISSPELT_FIELD"


def test_what_is_read_on_top_only_may_stand_in_meta_in_any_spelling():
    assert parse(v2(meta={"symbols": ["A"], "price": 1})).metadata["symbols"] == ["A"]
