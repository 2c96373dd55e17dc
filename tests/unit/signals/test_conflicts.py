"""The same option in two places must agree; unknown fields are kept."""

from decimal import Decimal

import pytest

from tests.unit.signals.payloads import parse, refused, v1, v2


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("stop_loss", 43000, 42000),
        ("order_type", "limit", "market"),
        ("simulate", True, False),
        ("time_in_force", "GTC", "IOC"),
        ("rationale", "up", "down"),
        ("indicators", {"rsi": 1}, {"rsi": 2}),
        ("confidence", 0.85, 0.5),
        ("signal_uid", "a", "b"),
    ],
)
def test_a_differing_duplicate_is_refused_naming_both(name, one, other):
    error = refused(v2(**{name: one}, meta={name: other}))
    assert error.code == "CONFLICTING_VALUES"
    assert error.field == name
    assert f"meta.{name}" in error.message


def test_an_equal_duplicate_is_accepted():
    assert parse(v2(stop_loss=43000, meta={"stop_loss": "43000.00"})).stop_loss == 43000


def test_metadata_is_read_as_meta():
    draft = parse(v1({}, metadata={"base_amount": 0.003, "note": "x"}))
    assert draft.quantity == Decimal("0.003")
    assert draft.metadata == {"note": "x"}


def test_meta_and_metadata_that_differ_are_refused():
    error = refused(v1({"stop_loss": 1}, metadata={"stop_loss": 2}))
    assert error.field == "meta.stop_loss"
    assert "metadata.stop_loss" in error.message


def test_null_means_absent():
    draft = parse(v2(stop_loss=None, meta=None))
    assert draft.stop_loss is None
    assert draft.schema == "v2"


def test_unknown_fields_are_kept_as_sent():
    draft = parse(v2(feed="x", signal_id="9", meta={"strategy_metadata": {"a": [1, 2.5]}}))
    assert draft.metadata == {
        "feed": "x",
        "signal_id": "9",
        "strategy_metadata": {"a": [1, 2.5]},
    }


def test_unknown_fields_of_one_name_in_two_places_are_both_kept():
    draft = parse(v2(note="a", meta={"note": "b"}))
    assert draft.metadata == {"note": "a", "meta.note": "b"}


@pytest.mark.parametrize(
    ("key", "meant"),
    [("Simulate", "simulate"), ("stopLoss", "stop_loss"), ("take-profit", "take_profit")],
)
def test_a_misspelt_option_is_refused_rather_than_ignored(key, meant):
    error = refused(v1({key: True}))
    assert (error.field, error.code) == (f"meta.{key}", "MISSPELT_FIELD")
    assert meant in error.message


@pytest.mark.parametrize("value", ["true", 1, 0, "yes"])
def test_simulate_is_a_strict_boolean(value):
    assert refused(v1({"simulate": value})).code == "NOT_A_BOOLEAN"


def test_an_explicit_atr_wins_over_the_indicator():
    assert parse(v2(atr=10, indicators={"atr": 11})).atr == 10


def test_an_indicator_atr_that_is_no_price_is_noted_and_not_used():
    draft = parse(v2(indicators={"atr": 0}))
    assert draft.atr is None
    assert "indicators.atr not used" in draft.notes[0]
