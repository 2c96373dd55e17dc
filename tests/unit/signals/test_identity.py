"""Who says what about which symbol, and when."""

from datetime import UTC, datetime

import pytest

from signals_app.payload.draft import Action
from tests.unit.signals.payloads import parse, refused, v2, without

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", ["strategy_id", "symbol", "action"])
def test_who_what_and_which_are_required(name):
    for payload in (without(v2(), name), v2(**{name: None})):
        error = refused(payload)
        assert (error.field, error.code) == (name, "MISSING_FIELD")


@pytest.mark.parametrize(
    "sent", ["BTCUSDT", "btcusdt", "BTC/USDT", "btc-usdt", "BTC_USDT", " BTCUSDT "]
)
def test_spellings_of_a_symbol_are_one_symbol(sent):
    assert parse(v2(symbol=sent)).symbol == "BTCUSDT"


@pytest.mark.parametrize(
    "sent", ["", "B", "BTC/USDT:USDT", "BTC USDT", "BTC//USDT", "<b>", "x" * 60]
)
def test_what_is_no_symbol_is_refused(sent):
    error = refused(v2(symbol=sent))
    assert (error.field, error.code) == ("symbol", "BAD_SYMBOL")


@pytest.mark.parametrize("sent", ["buy", "BUY", "Sell", " close "])
def test_actions_are_read_in_any_case(sent):
    assert parse(v2(action=sent)).action is Action(sent.strip().lower())


def test_an_unknown_action_is_refused_with_the_known_ones():
    error = refused(v2(action="hodl"))
    assert error.code == "UNKNOWN_ACTION"
    assert "buy, sell, close" in error.message


@pytest.mark.parametrize("sent", ["", "x" * 101, "<script>", "a\nb", " a"])
def test_what_is_no_strategy_id_is_refused(sent):
    assert refused(v2(strategy_id=sent)).code == "BAD_STRATEGY_ID"


def test_a_signal_uid_is_kept():
    assert parse(v2(signal_uid="run-7:1.a_b")).uid == "run-7:1.a_b"


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", "ü"])
def test_what_is_no_uid_is_refused(sent):
    assert refused(v2(signal_uid=sent)).code == "BAD_UID"


@pytest.mark.parametrize(
    "sent",
    [
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00.000z",
        "2026-11-21 14:00:00+02:00",
        1795262400,
        1795262400.0,
        1795262400000,
        1795262400000000,
    ],
)
def test_times_with_a_zone_and_epochs_are_understood(sent):
    assert parse(v2(timestamp=sent)).emitted_at == NOON


def test_microseconds_of_an_epoch_are_exact():
    assert parse(v2(timestamp=1795262400.000001)).emitted_at.microsecond == 1


@pytest.mark.parametrize("sent", ["2026-11-21T12:00:00", "2026-11-21", "20261121"])
def test_a_naive_time_is_refused_with_the_fix(sent):
    error = refused(v2(timestamp=sent))
    assert error.code == "NAIVE_TIMESTAMP"
    assert "add Z" in error.message


@pytest.mark.parametrize(
    "sent",
    ["yesterday", "", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", 0, -1, 1e18, 5],
)
def test_what_is_no_time_is_refused(sent):
    assert refused(v2(timestamp=sent)).code == "BAD_TIMESTAMP"


@pytest.mark.parametrize("sent", [True, [], {}])
def test_a_time_of_another_type_is_refused(sent):
    assert refused(v2(timestamp=sent)).field == "timestamp"
