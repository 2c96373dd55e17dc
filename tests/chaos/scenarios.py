"""The table's two sides: the faults a venue has, and what a desk is doing when they strike.

Each scenario is one symbol's story: what must be there before, which request the fault is meant
for, what is done, and when the story has come to its good end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.chaos.bench import Bench, now_ms, on_lot, on_tick, price_of

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "request lost (reset)": {"kind": "drop_request"},
    "request lost (-1007)": {"kind": "timeout", "execute": False},
    "cut off, arrives 2 s later": {"kind": "late_arrival", "late_ms": 2000},
    "reply lost (reset)": {"kind": "drop_reply"},
    "executed, -1007": {"kind": "timeout"},
    "executed, -1007, unseen for 6 s": {"kind": "timeout", "hide_seconds": 6},
    "executed, HTTP 500 page": {"kind": "garbled", "status": 500},
    "429, Retry-After 1": {"kind": "weight_limit", "retry_after": 1},
    "executed, answered after 12 s": {"kind": "delay", "delay_ms": 12_000},
    "40 % fills, rest expires": {"kind": "fill_in_parts", "filled": 0.4, "rest": "expires"},
    "40 % fills, rest 1 s later": {"kind": "fill_in_parts", "filled": 0.4, "rest": "later"},
}
FALL = Decimal("0.93")  # below the stops, which stand at 0.96
WITHOUT_POSITION = 6.0  # seconds: what was cut off may still arrive before that
SLOTS = 5


@dataclass
class Cell:
    """One story on one symbol. Milliseconds are the clock of this machine."""

    scenario: Scenario
    fault: str
    killed: str
    symbol: str
    begun_ms: int = 0
    ended_ms: int = 0
    is_done: bool = False
    is_void: bool = False  # it could not be prepared
    is_struck: bool = False  # the fault met a request
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return (now_ms() - self.begun_ms) / 1000


Step = Callable[[Bench, Cell], None]
Look = Callable[[Bench, Cell], bool]


def _nothing(_bench: Bench, _cell: Cell) -> None:
    return


@dataclass(frozen=True)
class Scenario:
    """`role` says which request the fault is meant for; `go_on` runs after the fault has struck."""

    name: str
    role: str
    act: Step
    is_over: Look
    holds: bool = False  # a protected position is there before
    go_on: Step = _nothing
    tidy: Step = _nothing
    part_role: str = ""  # where a part-fill strikes: only orders that trade can fill in part

    def arm(self, bench: Bench, cell: Cell) -> None:
        """Ask the venue for the cell's fault, once, on this symbol."""
        wish = dict(FAULTS[cell.fault])
        if not wish:
            return
        is_part = wish["kind"] == "fill_in_parts"
        role = self.part_role if is_part and self.part_role else self.role
        bench.fault({**wish, "symbol": cell.symbol, "role": role, "count": 1})


# --- what is done ---------------------------------------------------------------------------------


def _buy(bench: Bench, cell: Cell) -> None:
    cell.memory["uid"] = bench.buy(cell.symbol).uid


def _add(bench: Bench, cell: Cell) -> None:
    for _ in range(3):
        bench.buy(cell.symbol)


def _bracket(bench: Bench, cell: Cell) -> None:
    cell.memory["uid"] = bench.buy(cell.symbol, limit=True).uid


def _close(bench: Bench, cell: Cell) -> None:
    bench.close(cell.symbol)


def _reduce(bench: Bench, cell: Cell) -> None:
    held = bench.live.held(cell.symbol)
    half = on_lot(cell.symbol, held / 2)
    cell.memory["goal"] = held - half
    bench.reduce(cell.symbol, half)


def _flatten(bench: Bench, cell: Cell) -> None:
    wish = {"mode": "FLATTEN", "scope": "symbol", "key": cell.symbol, "reason": "drill"}
    bench.expect_sale(cell.symbol, "flatten")
    answer = bench.product.post("/api/v1/trading-state/", wish)
    assert answer.status == 201, answer
    cell.memory["state"] = answer.body["id"]


def _release(bench: Bench, cell: Cell) -> None:
    number = cell.memory.pop("state", None)
    if number is not None:
        path = f"/api/v1/trading-state/{number}/release/"
        bench.product.post(path, {"reason": "the drill is over"})


def _fall(bench: Bench, cell: Cell) -> None:
    bench.expect_sale(cell.symbol, "stop-passed")
    bench.price(cell.symbol, price_of(cell.symbol) * FALL)


def _fill_slots(bench: Bench, cell: Cell) -> None:
    """Take our stop away by hand and have foreign orders in every slot at the same moment."""
    price = price_of(cell.symbol)
    wish = {
        "symbol": cell.symbol,
        "side": "BUY",
        "type": "STOP_LOSS",
        "stopPrice": str(on_tick(cell.symbol, price * 2)),
        "quantity": str(on_lot(cell.symbol, Decimal(20) / price)),
    }
    cancels = _cancels(bench, cell)
    steps = [*cancels, *(["order", wish] for _ in range(SLOTS))]
    answers = bench.control("batch", {"steps": steps})
    cell.memory["foreign"] = [order["orderId"] for order in answers[len(cancels) :]]


def _free_slots(bench: Bench, cell: Cell) -> None:
    for number in cell.memory.pop("foreign", []):
        bench.control("cancel", {"symbol": cell.symbol, "orderId": number})


def _move_and_close(bench: Bench, cell: Cell) -> None:
    """Take our stop away and half of the coins out by hand, and have the rest closed."""
    _take_coins(bench, cell, Decimal("0.5"))
    bench.close(cell.symbol)


def _move_and_flatten(bench: Bench, cell: Cell) -> None:
    _take_coins(bench, cell, Decimal("0.1"))
    _flatten(bench, cell)


def _take_coins(bench: Bench, cell: Cell, share: Decimal) -> None:
    cancels = _cancels(bench, cell)
    there = bench.live.held(cell.symbol)
    away = on_lot(cell.symbol, there * share)
    asset = cell.symbol.removesuffix("USDT")
    moved = ["balances", {"balances": {asset: str(there - away)}}]
    bench.control("batch", {"steps": [*cancels, moved]})
    cell.memory["away"] = away
    bench.look()


def _release_and_bring_back(bench: Bench, cell: Cell) -> None:
    _release(bench, cell)
    _bring_coins_back(bench, cell)


def _bring_coins_back(bench: Bench, cell: Cell) -> None:
    away = cell.memory.pop("away", None)
    if away is not None:
        _set_free(bench, cell, _free(bench, cell) + away)


def _cancels(bench: Bench, cell: Cell) -> list[Any]:
    bench.look()
    symbol = cell.symbol
    return [["cancel", {"symbol": symbol, "orderId": n}] for n in bench.live.live_stops(symbol)]


def _free(bench: Bench, cell: Cell) -> Decimal:
    asset = cell.symbol.removesuffix("USDT")
    rows = bench.product.venue.control("ledger")["balances"]
    return next((Decimal(row["free"]) for row in rows if row["asset"] == asset), Decimal(0))


def _set_free(bench: Bench, cell: Cell, amount: Decimal) -> None:
    asset = cell.symbol.removesuffix("USDT")
    bench.control("balances", {"balances": {asset: str(amount)}})


# --- when it is over ------------------------------------------------------------------------------


def _is_safe(bench: Bench, cell: Cell) -> bool:
    """Say whether it is covered, or nothing came of it."""
    return bench.is_safe(cell.symbol) or _came_to_nothing(bench, cell)


def _came_to_nothing(bench: Bench, cell: Cell) -> bool:
    is_late = cell.seconds > WITHOUT_POSITION and bench.is_flat(cell.symbol)
    return is_late and bench.is_decided(cell.memory.get("uid", ""))


def _is_added(bench: Bench, cell: Cell) -> bool:
    return cell.seconds > 3 and bench.is_safe(cell.symbol)


def _is_flat(bench: Bench, cell: Cell) -> bool:
    return bench.is_flat(cell.symbol)


def _is_reduced(bench: Bench, cell: Cell) -> bool:
    held = bench.live.held(cell.symbol)
    tolerance = Decimal(5) / price_of(cell.symbol)
    return held <= cell.memory["goal"] + tolerance and bench.live.is_covered(cell.symbol)


def _is_out(bench: Bench, cell: Cell) -> bool:
    """Say whether all is sold, after the fall or before it, or nothing was ever bought."""
    if not bench.is_flat(cell.symbol):
        return False
    is_sold = "went_on" in cell.memory or cell.scenario.holds
    return is_sold or _came_to_nothing(bench, cell)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("first entry", "protection", _buy, _is_safe, part_role="market_buy"),
    Scenario("add-on", "protection", _add, _is_added, holds=True, part_role="market_buy"),
    Scenario("limit bracket", "bracket", _bracket, _is_safe),
    Scenario("close", "market_sell", _close, _is_flat, holds=True),
    Scenario("reduce", "market_sell", _reduce, _is_reduced, holds=True),
    Scenario("flatten", "market_sell", _flatten, _is_flat, holds=True, tidy=_release),
    Scenario(
        "stop passed meanwhile", "protection", _buy, _is_out, go_on=_fall, part_role="market_buy"
    ),
    Scenario(
        "slot full", "market_sell", _fill_slots, _is_out, holds=True, go_on=_fall, tidy=_free_slots
    ),
    Scenario(
        "moved by hand",
        "market_sell",
        _move_and_close,
        _is_flat,
        holds=True,
        tidy=_bring_coins_back,
    ),
    Scenario(
        "flatten, 10 % missing",
        "market_sell",
        _move_and_flatten,
        _is_flat,
        holds=True,
        tidy=_release_and_bring_back,
    ),
)
GOES_ON_AFTER = {"slot full": 6.0, "stop passed meanwhile": 3.0}  # seconds, fault or no fault
