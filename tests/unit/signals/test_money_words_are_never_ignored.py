"""Whatever a word of money asks for happens, or the signal is refused by that word with the fix."""

from __future__ import annotations

import pytest

from tests.unit.signals.payloads import parse, refused, v1, v2, without

TRUE = [True, 1, "true", "yes"]
FALSE = [False, 0, "false", "", None]


def entry(**more):
    return v2(**more)


def leave(action="close", **more):
    return without(v2(action=action, **more), "quantity", "price")


@pytest.mark.parametrize("word", ["dry_run", "dryRun", "paper", "paper_trading", "test", "testnet"])
@pytest.mark.parametrize("yes", TRUE)
def test_a_trial_is_refused_and_says_simulate(word, yes):
    for body in (entry(**{word: yes}), v1({"base_amount": 0.001, word: yes}), leave(**{word: yes})):
        error = refused(body)
        assert error.code == "UNSUPPORTED_FIELD"
        assert error.field.split(".")[-1] == word
        assert "'simulate': true" in error.message


@pytest.mark.parametrize("no", FALSE)
def test_no_trial_is_what_happens_anyway(no):
    assert parse(entry(dry_run=no)).simulate is None


def test_a_trial_in_free_metadata_is_refused_too():
    assert refused(entry(metadata={"dry_run": True})).field == "metadata.dry_run"


@pytest.mark.parametrize("word", ["account", "leverage", "stop_loss_pct", "side", "size", "test"])
def test_metadata_is_free(word):
    assert parse(entry(metadata={word: "7"})).metadata == {word: "7"}


@pytest.mark.parametrize(("action", "side"), [("buy", "sell"), ("sell", "BUY"), ("close", "buy")])
def test_a_side_against_the_action_is_refused(action, side):
    error = refused(leave(action=action, side=side))
    assert (error.field, error.code) == ("side", "CONFLICTING_VALUES")
    assert f"action is {action}" in error.message


@pytest.mark.parametrize(
    ("action", "word", "side"),
    [
        ("buy", "side", " Buy "),
        ("buy", "side", "long"),
        ("sell", "side", "SELL"),
        ("close", "side", "sell"),
        ("close", "position_side", "LONG"),
        ("buy", "positionSide", "BOTH"),
    ],
)
def test_a_side_that_agrees_is_context(action, word, side):
    assert parse(leave(action=action, **{word: side})).metadata == {word: side}


@pytest.mark.parametrize("word", ["side", "position_side", "direction"])
def test_nothing_is_sold_short(word):
    error = refused(leave(action="sell", **{word: "short"}))
    assert error.code == "UNSUPPORTED_FIELD"
    assert "short" in error.message


@pytest.mark.parametrize("one", [1, 1.0, "1", "1.0"])
def test_leverage_of_one_is_spot(one):
    assert parse(entry(leverage=one)).metadata == {"leverage": one}


@pytest.mark.parametrize("much", [2, "10", 0.5, "5x", True, {}])
def test_other_leverage_is_refused(much):
    error = refused(entry(leverage=much))
    assert (error.field, error.code) == ("leverage", "UNSUPPORTED_FIELD")
    assert "write 1 or leave it out" in error.message


def test_reduce_only_is_kept_where_it_holds_and_refused_where_it_cannot():
    assert parse(leave(reduce_only=True)).metadata == {"reduce_only": True}
    assert parse(entry(reduce_only=False)).metadata == {"reduce_only": False}
    error = refused(entry(reduceOnly=True))
    assert (error.field, error.code) == ("reduceOnly", "UNSUPPORTED_FIELD")
    assert "sell or close" in error.message


@pytest.mark.parametrize(
    ("word", "fix"),
    [
        ("stop_loss_pct", "stop_loss"),
        ("stop_loss_percent", "stop_loss"),
        ("take_profit_pct", "take_profit"),
        ("sl", "stop_loss"),
        ("tp", "take_profit"),
        ("trailing_stop", "stop_loss"),
        ("size", "quantity"),
        ("position_size", "quantity"),
        ("quantity_usd", "quote_quantity"),
        ("risk_per_trade", "quantity"),
        ("limit_price", "price"),
        ("trigger_price", "stop_price"),
        ("account", "admin"),
        ("post_only", "limit"),
        ("expires_at", "SIGNAL_MAX_AGE_SECONDS"),
        ("margin_type", "spot"),
    ],
)
@pytest.mark.parametrize("place", ["top", "meta"])
def test_a_word_nobody_reads_is_refused_with_the_fix(word, fix, place):
    body = entry(**{word: "7"}) if place == "top" else v1({"base_amount": 0.001, word: "7"})
    error = refused(body)
    assert error.code == "UNSUPPORTED_FIELD"
    assert error.field == (word if place == "top" else f"meta.{word}")
    assert fix in error.message


@pytest.mark.parametrize("word", ["leverage", "stop_loss_pct", "margin_type", "expires_at"])
def test_an_exit_is_not_held_up_by_what_has_no_meaning_for_it(word):
    draft = parse(leave(**{word: "7"}))
    assert any(word in note and "not used" in note for note in draft.notes)


@pytest.mark.parametrize("word", ["size", "account", "limit_price", "trailing_stop"])
def test_an_exit_that_asks_for_something_else_is_refused(word):
    assert refused(leave(**{word: "7"})).code == "UNSUPPORTED_FIELD"


def test_a_type_is_read_as_an_order_type_or_not_at_all():
    assert refused(entry(type="LIMIT")).code == "UNSUPPORTED_FIELD"
    assert parse(entry(type="LIMIT", order_type="limit")).order_type == "limit"
    assert parse(entry(type="signal")).metadata == {"type": "signal"}


@pytest.mark.parametrize(
    ("word", "other", "ours"),
    [("market", "futures", "spot"), ("exchange", "kraken", "Binance"), ("mode", "paper", "live")],
)
def test_another_market_or_exchange_is_refused(word, other, ours):
    assert refused(entry(**{word: other})).field == word
    assert parse(entry(**{word: ours})).metadata == {word: ours}
