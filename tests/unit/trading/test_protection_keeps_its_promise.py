"""After a plan is carried out on a toy venue, the position is covered exactly, and never twice."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.domain.orders import OrderType
from tests.unit.trading.situations import NOW, a_quote, ago, an_instrument
from trading.domain import protection
from trading.domain.order_states import OrderStatus
from trading.domain.protection import (
    Alarm,
    CancelList,
    CancelOrder,
    Dust,
    ExitAtMarket,
    ExitLeg,
    KeepAll,
    Parent,
    PlaceOco,
    PlaceStop,
    Situation,
)

D = Decimal
STOP, TARGET = D(49_000), D(55_000)
UNIT = D("0.00001")


class ToyVenue:
    """Holds coins, locks them under lists, refuses what a venue refuses."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.coins = situation.quantity
        self.legs = list(situation.legs)
        self.placed = 0
        self.check()

    def carry_out(self, action) -> None:
        match action:
            case CancelList(list_id):
                assert any(leg.list_id == list_id for leg in self.legs)
                self.legs = [leg for leg in self.legs if leg.list_id != list_id]
            case CancelOrder(client_order_id):
                self.legs = [leg for leg in self.legs if leg.client_order_id != client_order_id]
            case PlaceOco(quantity, target, stop):
                self.rest(quantity, (OrderType.STOP, stop), (OrderType.LIMIT_MAKER, target))
            case PlaceStop(quantity, stop):
                self.rest(quantity, (OrderType.STOP, stop))
            case ExitAtMarket(quantity, _):
                assert quantity <= self.free()
                self.coins -= quantity
            case KeepAll() | Dust() | Alarm():
                pass
        self.check()

    def rest(self, quantity, *legs) -> None:
        assert quantity <= self.free(), "the venue would say: insufficient balance"
        self.placed += 1
        for kind, price in legs:
            name = f"new-{self.placed}"
            leg = ExitLeg(f"{name}-{kind}", name, kind, quantity, OrderStatus.OPEN)
            at = {"stop_price": price} if leg.is_stop else {"price": price}
            self.legs.append(replace(leg, **at))

    def free(self) -> Decimal:
        return self.coins - sum(
            (leg.remaining_quantity for leg in self.legs if leg.is_live and leg.is_stop), D(0)
        )

    def check(self) -> None:
        if not self.situation.legs or self.placed:
            assert self.free() >= 0, "two lists sell the same coins"


def a_list(name, units, **state):
    quantity = units * UNIT
    stop = ExitLeg(f"{name}-s", name, OrderType.STOP, quantity, OrderStatus.OPEN, stop_price=STOP)
    target = ExitLeg(
        f"{name}-t", name, OrderType.LIMIT_MAKER, quantity, OrderStatus.OPEN, price=TARGET
    )
    return tuple(replace(leg, **state) for leg in (stop, target))


PENDING = st.builds(
    lambda units, parent, since, filled: a_list(
        "entry",
        units,
        status=OrderStatus.PENDING,
        parent=parent,
        parent_since=ago(since),
        parent_filled=min(filled, units) * UNIT,
    ),
    st.integers(1, 100_000),
    st.sampled_from([Parent.UNFILLED, Parent.PART_FILLED, Parent.FILLED, Parent.ENDED]),
    st.integers(0, 10),
    st.integers(1, 100_000),
)


@settings(max_examples=400)
@given(
    crumbs=st.decimals("0", "2", places=7),
    lists=st.lists(st.integers(1, 60_000), max_size=4),
    entry=st.one_of(st.just(()), PENDING),
    bid=st.sampled_from([None, "48000", "49000", "50000", "54999", "55000", "60000"]),
    with_target=st.booleans(),
)
def test_a_plan_carried_out_leaves_the_position_covered_and_is_stable(
    crumbs, lists, entry, bid, with_target
):
    legs = [leg for n, units in enumerate(lists) for leg in a_list(f"old-{n}", units)]
    situation = Situation(
        now=NOW,
        instrument=an_instrument(),
        quantity=crumbs,
        stop=STOP,
        target=TARGET if with_target else None,
        legs=(*legs, *entry),
        quote=a_quote(bid, str(D(bid) + 1)) if bid else None,
    )
    venue = ToyVenue(situation)
    plan = protection.plan(situation)
    for action in plan.actions:
        venue.carry_out(action)
    after = replace(situation, quantity=venue.coins, legs=tuple(venue.legs))
    again = protection.plan(after)
    assert again.changes_nothing, (plan.actions, again.actions)
    waits = "entry is filling" in again.reason
    dust = any(isinstance(action, Dust) for action in again.actions)
    if not waits and not dust:
        assert again.covered == again.sellable
