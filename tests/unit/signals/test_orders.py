"""What each order type needs, and what it cannot have."""

import pytest

from tests.unit.signals.payloads import parse, refused, v1, v2, without

TYPES = ["market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit"]


@pytest.mark.parametrize("name", TYPES)
def test_all_six_types_are_known_in_any_case(name):
    assert (
        parse(
            v1(
                {"order_type": name.upper(), "stop_price": 44000}
                if "_" in name or name == "stop"
                else {"order_type": name.upper()}
            )
        ).order_type
        == name
    )


def test_an_unknown_type_is_refused_with_the_known_ones():
    error = refused(v1({"order_type": "iceberg"}))
    assert (error.field, error.code) == ("meta.order_type", "UNKNOWN_ORDER_TYPE")
    assert "take_profit_limit" in error.message


def test_the_venue_only_type_limit_maker_is_no_signal_type():
    assert refused(v1({"order_type": "limit_maker"})).code == "UNKNOWN_ORDER_TYPE"


@pytest.mark.parametrize("name", ["limit", "stop_limit", "take_profit_limit"])
def test_a_limit_type_needs_a_price(name):
    payload = without(v1({"order_type": name, "stop_price": 44000}), "price")
    if name == "limit":
        del payload["meta"]["stop_price"]
    error = refused(payload)
    assert (error.field, error.code) == ("price", "MISSING_PRICE")


def test_a_market_order_needs_no_price():
    assert parse(without(v1({"order_type": "market"}), "price")).price is None


@pytest.mark.parametrize(
    ("name", "protective"),
    [
        ("stop", "stop_loss"),
        ("stop_limit", "stop_loss"),
        ("take_profit", "take_profit"),
        ("take_profit_limit", "take_profit"),
    ],
)
def test_without_a_stop_price_the_protective_price_is_the_trigger(name, protective):
    draft = parse(v1({"order_type": name, protective: 44000}))
    assert draft.stop_price == 44000
    assert getattr(draft, protective) is None
    assert draft.notes


def test_with_a_stop_price_the_stop_loss_stays_protective():
    draft = parse(v1({"order_type": "stop", "stop_price": 46000, "stop_loss": 44000}))
    assert draft.stop_price == 46000
    assert draft.stop_loss == 44000


@pytest.mark.parametrize("name", ["stop", "take_profit"])
def test_a_lone_price_is_the_trigger_of_a_market_trigger_type(name):
    assert parse(v1({"order_type": name})).stop_price == 45000


def test_a_lone_price_is_not_both_limit_and_trigger():
    assert refused(v1({"order_type": "stop_limit"})).code == "MISSING_STOP_PRICE"


@pytest.mark.parametrize("meta", [{}, {"order_type": "market"}, {"order_type": "limit"}])
def test_a_stop_price_without_a_trigger_type_is_refused(meta):
    error = refused(v1(meta | {"stop_price": 44000}))
    assert (error.field, error.code) == ("stop_price", "STOP_PRICE_UNUSED")


@pytest.mark.parametrize("tif", ["gtc", "IOC", "FOK"])
def test_a_limit_order_takes_every_time_in_force(tif):
    assert parse(v1({"order_type": "limit", "time_in_force": tif})).time_in_force == tif.upper()


@pytest.mark.parametrize("tif", ["GTC", "IOC"])
def test_a_market_order_drops_a_harmless_time_in_force_with_a_note(tif):
    draft = parse(v1({"order_type": "market", "time_in_force": tif}))
    assert draft.time_in_force is None
    assert tif in draft.notes[0]


def test_fill_or_kill_cannot_be_promised_for_a_market_order():
    error = refused(v1({"order_type": "market", "time_in_force": "FOK"}))
    assert error.code == "TIME_IN_FORCE_UNSUPPORTED"


def test_an_unknown_time_in_force_is_refused():
    assert refused(v2(time_in_force="GTX")).code == "UNKNOWN_TIME_IN_FORCE"
