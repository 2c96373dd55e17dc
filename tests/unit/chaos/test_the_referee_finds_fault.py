"""The referee sees each kind of fault in a diary written by hand, and nothing where nothing is."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

from tests.chaos import referee
from tests.chaos.referee import Guarded, Report, Sent

SYMBOL = "ETHUSDT"
PRICE = Decimal(3000)


class Diary:
    """Rows as the venue writes them, each at a second."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._numbers = count(1)
        self._there = Decimal(0)

    def add(self, at: float, kind: str, **row: Any) -> None:
        self.rows.append({"n": len(self.rows) + 1, "at_ms": int(at * 1000), "kind": kind, **row})

    def order(
        self, at: float, kind: str, number: int, side: str, type_: str, size: str, **row: Any
    ):
        fields = {"account": "1", "symbol": SYMBOL, "list_id": -1, "price": "0", "executed": "0"}
        fields |= {"order_id": number, "client_id": f"c{number}", "side": side, "type": type_}
        self.add(at, kind, **fields | {"status": "NEW", "quantity": size, **row})

    def trade(self, at: float, side: str, size: str, *, type_: str = "MARKET", **row: Any) -> int:
        number = next(self._numbers)
        if not row.pop("is_known", False):
            self.order(at, "order.working", number, side, type_, size, **row)
        figures = {"last_quantity": size, "last_price": str(PRICE), "commission": "0"}
        row = {"status": "FILLED", "commission_asset": "USDT", **figures, **row}
        self.order(at, "order.trade", number, side, type_, size, **row)
        self.balance(at, Decimal(size) * (1 if side == "BUY" else -1))
        return number

    def balance(self, at: float, change: Decimal | str) -> None:
        self._there += Decimal(change)
        self.add(at, "balance", account="1", asset="ETH", free=str(self._there), locked="0")

    def stop(self, at: float, size: str, **row: Any) -> int:
        number = next(self._numbers)
        self.order(at, "order.working", number, "SELL", "STOP_LOSS", size, **row)
        return number

    def cancel(self, at: float, number: int, size: str) -> None:
        self.order(at, "order.cancelled", number, "SELL", "STOP_LOSS", size, status="CANCELED")

    def judged(self, *sent: Sent, **more: Any) -> Report:
        return referee.judge(self.rows, sent, **more)


def buy(uid: str = "a", size: str = "0.1", at: float = 0) -> Sent:
    return Sent(uid, int(at * 1000), SYMBOL, Decimal(size))


def close(uid: str = "z", at: float = 0, size: str | None = None) -> Sent:
    return Sent(uid, int(at * 1000), SYMBOL, None if size is None else Decimal(size), closes=True)


def protected() -> Diary:
    diary = Diary()
    diary.trade(1, "BUY", "0.1")
    diary.stop(1.5, "0.1")
    return diary


def test_a_protected_position_is_no_fault() -> None:
    seen = protected().judged(buy(), until_ms=60_000)
    assert [gap.seconds for gap in seen.naked] == [0.5]
    assert (seen.doubled, seen.unasked, seen.lost, seen.beyond, seen.exits) == ((),) * 5
    assert seen.entries == 1


def test_it_is_naked_between_two_stops() -> None:
    diary = protected()
    diary.cancel(5, 2, "0.1")
    diary.stop(7, "0.1")
    seen = diary.judged(buy())
    assert [gap.seconds for gap in seen.naked] == [0.5, 2.0]
    assert referee.longest(seen.naked) == 2


def test_what_was_never_protected_is_naked_to_the_end() -> None:
    diary = Diary()
    diary.trade(1, "BUY", "0.1")
    assert referee.longest(diary.judged(buy(), until_ms=41_000).naked) == 40


def test_a_smaller_stop_leaves_it_uncovered_and_not_naked() -> None:
    diary = protected()
    diary.trade(2, "BUY", "0.2")
    diary.stop(4, "0.2")
    seen = diary.judged(buy(), buy("b", "0.2"))
    assert [gap.seconds for gap in seen.naked] == [0.5]
    assert [(g.seconds, g.missing) for g in seen.uncovered][-1] == (2.0, Decimal("0.2"))


def test_a_leg_that_still_waits_for_its_entry_protects_nothing() -> None:
    diary = Diary()
    diary.trade(1, "BUY", "0.1")
    diary.order(1, "order.pending", 9, "SELL", "STOP_LOSS", "0.1", status="PENDING_NEW")
    assert diary.judged(buy(), until_ms=4000).naked[0].seconds == 3


def test_a_stop_of_a_person_protects_nothing() -> None:
    diary = Diary()
    diary.trade(1, "BUY", "0.1")
    diary.stop(1, "0.1", by_hand=True)
    assert diary.judged(buy(), until_ms=4000).naked[0].seconds == 3


def test_an_amended_stop_covers_less() -> None:
    diary = protected()
    diary.order(3, "order.amended", 2, "SELL", "STOP_LOSS", "0.05")
    assert diary.judged(buy(), until_ms=9000).uncovered[-1].seconds == 6


def test_dust_is_not_naked() -> None:
    diary = Diary()
    diary.trade(1, "BUY", "0.001")
    assert not diary.judged(buy(size="0.001"), until_ms=60_000).naked


def test_a_triggered_stop_that_sells_leaves_no_gap() -> None:
    diary = protected()
    diary.order(3, "order.triggered", 2, "SELL", "STOP_LOSS", "0.1")
    diary.trade(3, "SELL", "0.1", type_="STOP_LOSS", is_known=True)
    assert len(diary.judged(buy(), until_ms=60_000).naked) == 1


def test_a_stop_that_is_triggered_and_does_not_sell_is_gone() -> None:
    diary = protected()
    diary.order(3, "order.triggered", 2, "SELL", "STOP_LOSS", "0.1")
    assert diary.judged(buy(), until_ms=13_000).naked[-1].seconds == 10


def test_two_orders_for_one_signal_are_doubled() -> None:
    diary = Diary()
    diary.trade(1, "BUY", "0.1")
    diary.trade(2, "BUY", "0.1")
    assert diary.judged(buy()).doubled == ("ETHUSDT 0.1: 2 orders for a",)


def test_an_order_that_nobody_asked_for_is_told() -> None:
    diary = Diary()
    diary.trade(1, "BUY", "0.3")
    assert diary.judged().unasked == ("ETHUSDT 0.3: 1 orders",)


def test_a_purchase_by_hand_is_nobodys_entry() -> None:
    diary = Diary()
    diary.trade(1, "BUY", "0.3", by_hand=True)
    seen = diary.judged(until_ms=60_000)
    assert (seen.unasked, seen.naked) == ((), ())


def test_a_signal_without_order_and_outcome_is_lost() -> None:
    diary = protected()
    told = {"c": "denied"}
    seen = diary.judged(buy(), buy("b", "0.2"), buy("c", "0.3"), outcomes=told)
    assert seen.lost == ("b",)


def test_the_time_from_close_to_sold() -> None:
    diary = protected()
    diary.trade(9, "SELL", "0.1")
    [sold] = diary.judged(buy(), close(at=5)).exits
    assert (sold.uid, sold.seconds) == ("z", 4.0)


def test_a_close_that_sold_a_part_was_not_carried_out() -> None:
    diary = protected()
    diary.trade(9, "SELL", "0.04")
    [unsold] = diary.judged(buy(), close(at=5), until_ms=60_000).unsold
    assert unsold.left == Decimal("0.06")


def test_a_reduction_is_done_when_its_part_is_sold() -> None:
    diary = protected()
    diary.trade(7, "SELL", "0.05")
    [sold] = diary.judged(buy(), close(at=5, size="0.05"), until_ms=60_000).exits
    assert sold.seconds == 2


def test_what_is_bought_after_a_close_is_not_part_of_it() -> None:
    diary = protected()
    diary.trade(6, "BUY", "0.2")
    diary.trade(7, "SELL", "0.1")
    [sold] = diary.judged(buy(), buy("b", "0.2"), close(at=5), until_ms=60_000).exits
    assert sold.seconds == 2


def test_a_close_of_nothing_waits_for_nothing() -> None:
    assert not Diary().judged(close(), until_ms=60_000).exits


def test_more_sold_than_bought_is_told() -> None:
    diary = protected()
    diary.balance(2, "5")
    diary.trade(3, "SELL", "0.3")
    [beyond] = diary.judged(buy()).beyond
    assert beyond.endswith("0.2 too many")


def test_coins_moved_away_are_not_held_any_more() -> None:
    diary = protected()
    diary.cancel(2, 2, "0.1")
    diary.balance(3, "-0.1")
    assert [gap.seconds for gap in diary.judged(buy(), until_ms=60_000).naked] == [0.5, 1.0]


def test_what_is_left_of_moved_coins_counts_as_all() -> None:
    diary = protected()
    diary.balance(2, "-0.05")
    diary.trade(6, "SELL", "0.05")
    [sold] = diary.judged(buy(), close(at=5), until_ms=60_000).exits
    assert sold.seconds == 1


def test_a_guard_covers_what_the_venue_does_not_see() -> None:
    diary = Diary()
    diary.trade(1, "BUY", "0.1")
    watch = Guarded(SYMBOL, 2000, 9000)
    seen = diary.judged(buy(), guarded=[watch], until_ms=11_000)
    assert [gap.seconds for gap in seen.naked] == [10.0]
    assert [gap.seconds for gap in seen.naked_unguarded] == [1.0, 2.0]


def test_owners_do_not_cover_each_other() -> None:
    diary = protected()
    diary.trade(2, "BUY", "0.1")
    owners = {"c1": "A", "c2": "A", "c3": "B"}
    seen = diary.judged(buy(), buy("b"), owners=owners, until_ms=12_000)
    assert [(g.place.owner, g.seconds) for g in seen.naked] == [("A", 0.5), ("B", 10.0)]


def test_a_report_is_cut_by_symbol_and_time() -> None:
    diary = protected()
    diary.trade(9, "SELL", "0.1")
    seen = diary.judged(buy(), close(at=5))
    assert len(seen.of(SYMBOL, 4000, 9000).exits) == 1
    assert not seen.of(SYMBOL, 4000, 9000).naked
    assert not seen.of("BTCUSDT", 0, 9000).naked


def test_what_is_sold_after_the_time_was_not_sold_in_it() -> None:
    diary = protected()
    diary.trade(9, "SELL", "0.1")
    seen = diary.judged(buy(), close(at=5))
    assert len(seen.of(SYMBOL, 4000, 8000).unsold) == 1


def test_a_sale_refused_twice_for_one_reason_is_told() -> None:
    diary = protected()
    asked = {"side": "SELL", "type": "MARKET", "quantity": "0.1"}
    words = {"account": "1", "symbol": SYMBOL, "params": asked, "code": -2010}
    for at in (2, 3):
        diary.add(at, "refused", **words, message="insufficient balance")
    diary.add(4, "refused", **words, message="market is closed")
    assert [r.at_ms for r in diary.judged(buy()).refused_again] == [3000]
