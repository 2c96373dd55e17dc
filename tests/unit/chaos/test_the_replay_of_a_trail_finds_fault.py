"""A proof that cannot fail proves nothing: for each limit a trail that breaks it, and one beside it
that just keeps to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.chaos.replay import Replay

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Trail:
    """Writes events as the product does, only as many fields as the replay reads."""

    def __init__(self, **limits: Any) -> None:
        self.events: list[dict[str, Any]] = []
        self.set(**limits)

    def add(self, kind: str, uid: str = "", subject: str = "", **data: object) -> Trail:
        number = len(self.events) + 1
        self.events.append(
            {
                "id": number,
                "at": NOON + timedelta(seconds=number),
                "kind": kind,
                "signal_uid": uid,
                "subject_id": subject,
                "environment": "simulator",
                "data": data,
            }
        )
        return self

    def set(self, scope: str = "global", key: str = "", **limits: object) -> Trail:
        for name, value in limits.items():
            self.add("limit.changed", scope=scope, key=key, name=name, after=str(value))
        return self

    def fund(self, account: str, amount: object) -> Trail:
        return self.add("account.capital_moved", name=account, amount=str(amount))

    def enter(
        self,
        uid: str,
        account: str = "a",
        symbol: str = "BTCUSDT",
        *,
        value: object = 100,
        at: float = 0,
        strategy: str = "s",
    ) -> Trail:
        return self.add(
            "decision.approved",
            uid,
            intent="open_long",
            account=account,
            symbol=symbol,
            strategy_id=strategy,
            plan={"quantity": "1", "notional": str(value)},
            decided_at=(NOON + timedelta(seconds=at)).isoformat(),
        )

    def fill(
        self,
        uid: str,
        account: str = "a",
        symbol: str = "BTCUSDT",
        *,
        side: str = "BUY",
        quantity: object = 1,
        price: object = 100,
        fee: object = 0,
        fee_asset: str = "BTC",
    ) -> Trail:
        return self.add(
            "fill.booked",
            uid,
            account=account,
            symbol=symbol,
            strategy_id="s",
            side=side,
            role="entry" if side == "BUY" else "exit",
            quantity=str(quantity),
            price=str(price),
            commission=str(fee),
            commission_asset=fee_asset,
        )

    def end(self, uid: str, kind: str, executed: object = 0) -> Trail:
        return self.add(f"order.{kind}", uid, role="entry", executed_quantity=str(executed))

    def stop(self, mode: str = "REDUCE_ONLY", scope: str = "account", key: str = "a") -> Trail:
        return self.add("control.engaged", subject="1", mode=mode, scope=scope, key=key)

    @property
    def found(self) -> list[str]:
        return [breach.limit for breach in Replay().follow_all(self.events).breaches]


ALL = {"max_open_positions": 100}


def a_trail(**limits: object) -> Trail:
    return Trail(**(ALL | limits))


def test_a_trail_that_keeps_to_everything_is_praised():
    trail = a_trail(max_orders_per_minute=2, max_gross_exposure=200)
    trail.enter("1").fill("1").end("1", "filled", 1).enter("2", at=1)
    assert trail.found == []


@pytest.mark.parametrize("scope", ["account", "global", "venue", "strategy", "symbol"])
def test_an_entry_after_a_stop(scope):
    key = {"account": "a", "venue": "simulator", "strategy": "s", "symbol": "BTCUSDT"}
    trail = a_trail().stop(scope=scope, key=key.get(scope, "")).enter("1")
    assert trail.found == ["entered after a stop"]


def test_an_entry_before_a_stop_or_elsewhere_or_after_its_release_is_right():
    trail = a_trail().enter("1").stop().enter("2", account="b")
    trail.add("control.released", subject="1").enter("3")
    assert trail.found == []


@pytest.mark.parametrize(
    ("name", "seconds"), [("max_orders_per_second", 1), ("max_orders_per_minute", 60)]
)
def test_one_entry_too_many_in_a_window(name, seconds):
    kept = a_trail(**{name: 2}).enter("1", at=0).enter("2", at=0.5).enter("3", at=seconds)
    assert kept.found == []
    broken = a_trail(**{name: 2}).enter("1", at=0).enter("2", at=0.5)
    assert broken.enter("3", at=seconds - 0.01).found == [name]


def test_a_window_of_another_account_is_another_window():
    assert a_trail(max_orders_per_second=1).enter("1").enter("2", account="b").found == []


def test_a_strategys_own_pace_counts_the_strategy():
    trail = a_trail(max_orders_per_minute=5).set("strategy", "s", max_orders_per_minute=1)
    trail.enter("1", strategy="other").enter("2")
    assert trail.found == []
    assert trail.enter("3").found == ["max_orders_per_minute"]


def test_one_repeat_too_many():
    trail = a_trail(max_repeats=1, repeat_window_seconds=20)
    trail.enter("1").enter("2", symbol="ETHUSDT", at=1).enter("3", at=20)
    assert trail.found == []
    assert trail.enter("4", at=21).found == ["max_repeats"]


def test_one_position_too_many_on_order_or_held():
    trail = Trail(max_open_positions=1).enter("1").fill("1").end("1", "filled", 1)
    assert trail.enter("2").found == []
    assert trail.enter("3", symbol="ETHUSDT").found == ["max_open_positions"]


def test_an_entry_that_came_to_nothing_frees_its_place():
    for end in ("rejected", "not_placed", "expired"):
        trail = Trail(max_open_positions=1).enter("1").end("1", end)
        assert trail.enter("2", symbol="ETHUSDT").found == []


def test_an_entry_that_ended_with_trades_not_booked_yet_keeps_its_place():
    trail = Trail(max_open_positions=1).enter("1").end("1", "filled", 1)
    assert trail.enter("2", symbol="ETHUSDT").found == ["max_open_positions"]


def test_dust_is_no_position_until_it_is_bought_again():
    trail = Trail(max_open_positions=1).enter("1").fill("1").end("1", "filled", 1)
    trail.fill("x", side="SELL", quantity="0.99")
    trail.add("position.dust", account="a", symbol="BTCUSDT").enter("2", symbol="ETHUSDT")
    assert trail.found == []
    assert trail.enter("3").found == ["max_open_positions"]


def test_a_second_symbol_where_one_is_allowed():
    trail = a_trail(one_symbol_per_account="on").enter("1").enter("2")
    assert trail.found == []
    assert trail.enter("3", symbol="ETHUSDT").found == ["one_symbol_per_account"]


def test_where_one_symbol_is_allowed_its_entries_are_the_positions():
    trail = Trail(max_open_positions=2, one_symbol_per_account="on").enter("1").fill("1")
    assert trail.end("1", "filled", 1).enter("2").found == []
    assert trail.enter("3").found == ["max_open_positions"]


def test_one_position_too_many_over_all_accounts():
    trail = a_trail(max_open_positions_total=2).enter("1").enter("2", account="b").enter("3")
    assert trail.found == []
    assert trail.enter("4", account="c").found == ["max_open_positions_total"]


def test_a_position_that_grows_too_large():
    trail = a_trail(max_position_notional=200).enter("1").fill("1").end("1", "filled", 1)
    assert trail.enter("2").found == []
    assert trail.enter("3").found == ["max_position_notional"]


def test_a_position_made_of_too_many_entries():
    trail = a_trail(max_entries_per_position=2).enter("1").fill("1").end("1", "filled", 1)
    assert trail.enter("2").found == []
    assert trail.enter("3").found == ["max_entries_per_position"]


def test_a_position_that_was_closed_counts_its_entries_anew():
    trail = a_trail(max_entries_per_position=1).enter("1").fill("1").end("1", "filled", 1)
    assert trail.fill("x", side="SELL").enter("2").found == []


def test_a_closed_trade_whose_fee_left_dust_is_over_too():
    trail = a_trail(max_entries_per_position=1).enter("1").fill("1").end("1", "filled", 1)
    trail.add("trade.closed", account="a", symbol="BTCUSDT").fill("x", side="SELL", quantity="0.9")
    assert trail.enter("2").fill("2").end("2", "filled", 1).found == []
    assert trail.enter("3").found == ["max_entries_per_position"]


def test_too_much_of_one_symbol_over_all_accounts():
    trail = a_trail(max_symbol_exposure=200).enter("1").fill("1", price=120).end("1", "filled", 1)
    trail.enter("2", account="b", symbol="ETHUSDT").enter("3", account="b", value=80)
    assert trail.found == []
    assert trail.enter("4", account="c", value=10).found == ["max_symbol_exposure"]


def test_too_much_altogether():
    trail = a_trail(max_gross_exposure=200).enter("1").enter("2", account="b", symbol="ETHUSDT")
    assert trail.found == []
    assert trail.enter("3", account="c", value=10).found == ["max_gross_exposure"]


def test_what_filled_far_above_its_plan_is_too_much_too():
    trail = a_trail(max_gross_exposure=100).enter("1")
    assert trail.fill("1", price=110).found == ["max_gross_exposure"]


def test_a_part_that_expired_counts_no_more():
    trail = a_trail(max_gross_exposure=100).enter("1").fill("1", quantity="0.4")
    assert trail.end("1", "expired", "0.4").enter("2", value=60).found == []
    assert trail.enter("3", value=10).found == ["max_gross_exposure"]


def test_money_an_account_does_not_have():
    trail = a_trail().fund("a", 250).enter("1").fill("1", fee=1, fee_asset="USDT")
    trail.end("1", "filled", 1).enter("2")
    assert trail.found == []
    assert trail.enter("3", value=50).found == ["own money"]


def test_money_that_was_earned_may_be_spent():
    trail = a_trail().fund("a", 101).enter("1").fill("1").end("1", "filled", 1)
    assert trail.fill("x", side="SELL", price=150).enter("2", value=150).found == []


def test_more_sold_than_was_held():
    trail = a_trail().enter("1").fill("1").end("1", "filled", 1)
    assert trail.fill("x", side="SELL", quantity=2).found == ["sold more than held"]


def test_a_fee_in_base_is_not_held():
    trail = a_trail().enter("1").fill("1", fee="0.001")
    replayed = Replay().follow_all(trail.events)
    assert replayed.holdings() == {("a", "BTCUSDT"): Decimal("0.999")}


def test_the_most_specific_limit_holds():
    trail = a_trail(max_position_notional=50).set("account", "a", max_position_notional=100)
    assert trail.enter("1").found == []
    trail.set("symbol", "BTCUSDT", max_position_notional=80)
    assert trail.enter("2", account="b").found == ["max_position_notional"]


def test_the_same_signal_let_in_twice():
    with pytest.raises(AssertionError, match="twice"):
        Replay().follow_all(a_trail().enter("1").enter("1").events)
