"""Whatever is asked of the venue, in any order: money is conserved and nothing goes below zero."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.matching import (
    Engine,
    ListChanged,
    NewOco,
    NewOrder,
    NewOto,
    NewOtoco,
    OrderChanged,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    VenueRefusal,
)
from exchanges.matching.records import ZERO
from exchanges.matching.reservations import need
from tests.unit.matching.venue import BTC, T0, D, entry

START = {"USDT": D(2_000), "BTC": D(10), "BNB": D("0.002")}
ACCOUNTS = ("a", "b")

sides = st.sampled_from(Side)
quantities = st.integers(50, 4_000).map(lambda n: D(n) / 1_000)
prices = st.integers(8_500, 11_500).map(lambda n: D(n) / 100)
forces = st.sampled_from(TimeInForce)
accounts = st.sampled_from(ACCOUNTS)


@st.composite
def lone_orders(draw: st.DrawFn) -> NewOrder:
    side, quantity = draw(sides), draw(quantities)
    type_ = draw(st.sampled_from(OrderType))
    if type_ is OrderType.MARKET:
        if draw(st.booleans()):
            return NewOrder(BTC, side, type_, quote_quantity=draw(prices))
        return NewOrder(BTC, side, type_, quantity=quantity)
    price = draw(prices) if type_.value.endswith(("LIMIT", "MAKER")) else None
    force = draw(forces) if type_.value.endswith("LIMIT") else None
    if type_ in (OrderType.LIMIT, OrderType.LIMIT_MAKER):
        return NewOrder(BTC, side, type_, quantity, price=price, time_in_force=force)
    trailing = draw(st.none() | st.integers(20, 1_000))
    stop = draw(prices) if trailing is None or draw(st.booleans()) else None
    return NewOrder(
        BTC,
        side,
        type_,
        quantity,
        price=price,
        stop_price=stop,
        trailing_delta=trailing,
        time_in_force=force,
    )


@st.composite
def pairs(draw: st.DrawFn, quantity: Decimal | None) -> tuple[NewOrder, NewOrder]:
    side = draw(sides) if quantity is not None else Side.SELL
    outer = draw(st.integers(1, 1_500))
    above, below = D(10_000 + outer) / 100, D(10_000 - draw(st.integers(1, 1_500))) / 100
    target_price, stop_price = (above, below) if side is Side.SELL else (below, above)
    target = NewOrder(BTC, side, OrderType.LIMIT_MAKER, quantity, price=target_price)
    stop = NewOrder(BTC, side, OrderType.STOP_LOSS, quantity, stop_price=stop_price)
    if draw(st.booleans()):
        stop = NewOrder(
            BTC,
            side,
            OrderType.STOP_LOSS_LIMIT,
            quantity,
            price=draw(prices),
            stop_price=stop_price,
            time_in_force=draw(forces),
        )
    return (target, stop) if side is Side.SELL else (stop, target)


@st.composite
def order_lists(draw: st.DrawFn) -> NewOco | NewOto | NewOtoco:
    quantity = draw(quantities)
    kind = draw(st.sampled_from(["oco", "oto", "otoco", "opo", "opoco"]))
    if kind == "oco":
        return NewOco(*draw(pairs(quantity)))
    pays = kind.startswith("opo")
    working = NewOrder(
        BTC,
        Side.BUY if pays else draw(sides),
        OrderType.LIMIT,
        quantity,
        price=draw(prices),
        time_in_force=draw(forces),
    )
    later = None if pays else draw(quantities)
    if kind in ("otoco", "opoco"):
        return NewOtoco(working, *draw(pairs(later)), pays=pays)
    side = Side.SELL if pays else draw(sides)
    pending = draw(
        st.sampled_from(
            [
                NewOrder(BTC, side, OrderType.MARKET, later),
                NewOrder(BTC, side, OrderType.LIMIT_MAKER, later, price=D(105)),
                NewOrder(BTC, side, OrderType.STOP_LOSS, later, stop_price=D(95)),
            ]
        )
    )
    return NewOto(working, pending, pays=pays)


@st.composite
def books(draw: st.DrawFn) -> tuple[list, list]:
    middle = draw(prices)
    sizes = st.integers(1, 3_000).map(lambda n: D(n) / 1_000)

    def levels(sign: int) -> list[tuple[Decimal, Decimal]]:
        count = draw(st.integers(0, 4))
        return [(middle + sign * D(i + 1) / 10, draw(sizes)) for i in range(count)]

    return levels(-1), levels(1)


actions = st.one_of(
    st.tuples(st.just("place"), accounts, lone_orders()),
    st.tuples(st.just("list"), accounts, order_lists()),
    st.tuples(st.just("book"), books()),
    st.tuples(st.just("trade"), prices, quantities, st.sampled_from([None, True, False])),
    st.tuples(st.just("cancel"), accounts, st.integers(0, 20)),
    st.tuples(st.just("amend"), accounts, st.integers(0, 20)),
    st.tuples(st.just("replace"), accounts, st.integers(0, 20), lone_orders()),
    st.tuples(st.just("all"), accounts),
)
stories = st.lists(actions, min_size=1, max_size=25)


class Story:
    """Plays actions on an engine and keeps its own, independent count of every trade."""

    def __init__(self, *, burn: bool = False) -> None:
        self.engine = Engine()
        self.engine.add_symbol(entry())
        self.engine.add_symbol(entry("BNBUSDT", base="BNB"))
        for name in ACCOUNTS:
            self.engine.add_account(name, balances=START, bnb_burn=burn)
        self.now = T0
        self.engine.trade("BNBUSDT", D(500), D(1), self.now)
        self.engine.set_book(BTC, [(D(99), D(5))], [(D(101), D(5))], self.now)
        self.engine.trade(BTC, D(100), D(1), self.now)
        self.expected = {name: defaultdict(Decimal, START) for name in ACCOUNTS}
        self.statuses: dict[int, OrderStatus] = {}

    def play(self, action: tuple) -> list[str]:
        """Do one action; a refusal is an outcome too. Return all events as text."""
        self.now += 1_234
        do: Callable[..., tuple] = getattr(self, "_" + action[0])
        try:
            events = do(*action[1:])
        except VenueRefusal as refusal:
            return [str(refusal)]
        for event in events:
            if isinstance(event, OrderChanged):
                self._count(event)
        return [_as_text(event) for event in events]

    def _place(self, account: str, request: NewOrder) -> tuple:
        return self.engine.place(account, request, self.now).events

    def _list(self, account: str, request) -> tuple:
        return self.engine.place_list(account, request, self.now).events

    def _book(self, levels: tuple[list, list]) -> tuple:
        return self.engine.set_book(BTC, *levels, self.now)

    def _trade(self, price: Decimal, quantity: Decimal, maker: bool | None) -> tuple:
        return self.engine.trade(BTC, price, quantity, self.now, maker)

    def _cancel(self, account: str, index: int) -> tuple:
        which = self._some_open(account, index)
        return self.engine.cancel(account, BTC, self.now, order_id=which).events

    def _amend(self, account: str, index: int) -> tuple:
        which = self._some_open(account, index)
        order = self.engine.order(account, BTC, order_id=which)
        smaller = order.executed_quantity + order.remaining / 2
        smaller -= smaller % D("0.001")
        return self.engine.amend(account, BTC, smaller, self.now, order_id=which).events

    def _replace(self, account: str, index: int, request: NewOrder) -> tuple:
        which = self._some_open(account, index)
        done = self.engine.cancel_replace(account, request, self.now, cancel_order_id=which)
        return done.events

    def _all(self, account: str) -> tuple:
        return self.engine.cancel_all(account, BTC, self.now).events

    def _some_open(self, account: str, index: int) -> int:
        found = self.engine.open_orders(account, BTC)
        return found[index % len(found)].order_id if found else 0

    def _count(self, event: OrderChanged) -> None:
        order = event.order
        before = self.statuses.get(order.order_id)
        assert before is None or before.value in ("NEW", "PENDING_NEW", "PARTIALLY_FILLED"), (
            f"{order.order_id} moved from {before} to {order.status}"
        )
        self.statuses[order.order_id] = order.status
        if event.trade_id < 0:
            return
        assert event.last_quote == event.last_price * event.last_quantity
        money = self.expected[event.account_id]
        sign = 1 if order.side is Side.BUY else -1
        money["BTC"] += sign * event.last_quantity
        money["USDT"] -= sign * event.last_quote
        money[event.commission_asset or ""] -= event.commission


def _as_text(event: object) -> str:
    # Orders and lists compare by identity; their dicts tell all.
    if isinstance(event, OrderChanged):
        return f"{event} {sorted(vars(event.order).items(), key=str)}"
    if isinstance(event, ListChanged):
        return f"{event.reject_reason} {sorted(vars(event.order_list).items(), key=str)}"
    return str(event)


def check_money(story: Story) -> None:
    for name in ACCOUNTS:
        view = story.engine.account(name)
        held = {asset: free + locked for asset, free, locked in view.balances}
        assert all(free >= 0 and locked >= 0 for _, free, locked in view.balances), view
        assert held == dict(story.expected[name])


def check_locks(story: Story) -> None:
    for name in ACCOUNTS:
        wanted: dict[str, Decimal] = defaultdict(Decimal)
        shared: dict[int, Decimal] = {}
        for order in story.engine.open_orders(name, BTC):
            if order.status is OrderStatus.PENDING_NEW:
                continue
            asset = "USDT" if order.side is Side.BUY else "BTC"
            if order.reserved or order.list_id < 0:
                assert order.reserved == need(order)
                wanted[asset] += order.reserved
            else:
                shared[order.list_id] = max(shared.get(order.list_id, ZERO), need(order))
        for order_list in story.engine.open_order_lists(name):
            if order_list.list_id in shared:
                assert order_list.reserved == shared[order_list.list_id]
            last = story.engine.list_orders(order_list)[-1]
            wanted["USDT" if last.side is Side.BUY else "BTC"] += order_list.reserved
        for asset, _, locked in story.engine.account(name).balances:
            assert locked == wanted[asset], (name, asset)


def check_orders(story: Story) -> None:
    for name in ACCOUNTS:
        for order in story.engine.all_orders(name, BTC, limit=1_000):
            trades = story.engine.trades(name, BTC, order_id=order.order_id)
            assert sum((t.quantity for t in trades), ZERO) == order.executed_quantity
            assert sum((t.quote_quantity for t in trades), ZERO) == order.executed_quote
            assert order.executed_quantity <= order.quantity
            done = order.executed_quantity == order.quantity and order.quantity > 0
            assert done == (order.status is OrderStatus.FILLED)
            if order.price and order.side is Side.BUY:
                assert all(t.price <= order.price for t in trades)
            elif order.price:
                assert all(t.price >= order.price for t in trades)


def check_lists(story: Story) -> None:
    for name in ACCOUNTS:
        for order_list in story.engine.all_order_lists(name, limit=1_000):
            legs = story.engine.list_orders(order_list)
            assert order_list.is_open == any(leg.is_open for leg in legs)
            is_pair = order_list.contingency == "OCO" or len(legs) == 3
            if is_pair:
                filled = [leg for leg in legs[-2:] if leg.executed_quantity]
                assert len(filled) <= 1, "both legs of an OCO filled"
            if order_list.contingency == "OTO" and legs[0].status is not OrderStatus.FILLED:
                assert not any(leg.executed_quantity for leg in legs[1:])


@settings(max_examples=150, deadline=None)
@given(stories, st.booleans())
def test_money_locks_orders_and_lists_stay_consistent(story_, burn):
    story = Story(burn=burn)
    for action in story_:
        story.play(action)
        check_money(story)
        check_locks(story)
    check_orders(story)
    check_lists(story)


@settings(max_examples=60, deadline=None)
@given(stories, stories)
def test_a_restored_venue_goes_on_exactly_as_the_first_would_have(before, after):
    first = Story()
    for action in before:
        first.play(action)
    second = Story()
    text = json.dumps(first.engine.snapshot())
    second.engine, second.now = Engine.restore(json.loads(text)), first.now
    assert json.dumps(second.engine.snapshot()) == text
    for action in after:
        assert first.play(action) == second.play(action)
    assert first.engine.snapshot() == second.engine.snapshot()


@settings(max_examples=40, deadline=None)
@given(stories)
def test_a_refusal_changes_nothing(story_):
    story = Story()
    for action in story_:
        before = json.dumps(story.engine.snapshot())
        # A cancel-replace that fails half-way is no refusal; it is played elsewhere.
        outcome = story.play(action) if action[0] != "replace" else [""]
        if outcome and outcome[0].startswith("[-"):
            assert json.dumps(story.engine.snapshot()) == before
