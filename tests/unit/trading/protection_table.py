"""The table of what protects a position in every combination, as the plan itself says.

python -m tests.unit.trading.protection_table      # writes it into docs/reliability.md
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from exchanges.domain.orders import OrderType
from tests.unit.trading.situations import NOW, a_quote, ago, an_instrument
from trading.domain import protection
from trading.domain.order_states import OrderStatus
from trading.domain.protection import Action, ExitLeg, Situation

D = Decimal
STOP, TARGET = D(49_000), D(55_000)
PAGE = Path(__file__).resolve().parents[3] / "docs" / "reliability.md"
BEGIN, END = "<!-- protection: begin -->", "<!-- protection: end -->"


def legs(
    quantity: str, name: str, *, stop: bool = True, status: Any = OrderStatus.OPEN, **more: Any
) -> tuple[ExitLeg, ...]:
    target = ExitLeg(
        f"t-{name}", name, OrderType.LIMIT_MAKER, D(quantity), status, price=TARGET, **more
    )
    guard = ExitLeg(f"s-{name}", name, OrderType.STOP, D(quantity), status, stop_price=STOP, **more)
    return (guard, target) if stop else (target,)


LIVE: dict[str, tuple[ExitLeg, ...]] = {
    "nothing": (),
    "a part": legs("0.4", "part"),
    "all of it": legs("1", "whole"),
    "more than is held": legs("1.5", "much"),
    "a target without its stop": legs("1", "bare", stop=False),
}
UNKNOWN: dict[str, dict[str, Any]] = {
    "no placing": {},
    "a placing, not asked for yet": {"not_found": 0},
    "a placing the venue does not know": {"not_found": 1},
    "a placing that may hold the coins": {"not_found": 1},
}
WORLD: dict[str, dict[str, Any]] = {
    "price between stop and target, room": {},
    "no room, one of ours may go": {"free_slots": 0, "expendable": ("another",)},
    "no room, a guard runs": {"free_slots": 0, "has_guard": True},
    "no room, no guard": {"free_slots": 0, "naked_since": ago(3)},
    "... for 15 s": {"free_slots": 0, "naked_since": ago(15)},
    "stop passed": {"quote": a_quote("48000", "48001")},
    "target reached": {"quote": a_quote("55000", "55001")},
}


def plan(live: str, unknown: str, world: str) -> protection.ProtectionPlan:
    """Return what the decider says in one cell: one unit is held."""
    more = UNKNOWN[unknown]
    doubted = (
        legs("1", "doubt", status=OrderStatus.SUBMITTING, is_lost=True, sent_at=ago(1), **more)
        if more
        else ()
    )
    ordinary: dict[str, Any] = {"quote": a_quote(), "free_slots": 5}
    if unknown == "a placing that may hold the coins":
        ordinary["free_base"] = D(0)
    return protection.plan(
        Situation(
            now=NOW,
            instrument=an_instrument(),
            quantity=D(1),
            stop=STOP,
            target=TARGET,
            legs=(*LIVE[live], *doubted),
            last_fill_at=NOW - timedelta(minutes=1),
            **{**ordinary, **WORLD[world]},
        )
    )


WORDS: dict[str, str] = {
    "KeepAll": "keep",
    "Ask": "ask",
    "CallOff": "call off",
    "CancelList": "cancel",
    "CancelOrder": "cancel another",
    "PlaceOco": "place {quantity}",
    "PlaceStop": "place {quantity}",
    "ExitAtMarket": "sell {quantity}",
    "Guard": "guard {quantity}",
    "Dust": "dust",
    "Alarm": "alarm",
}


def in_words(actions: tuple[Action, ...]) -> str:
    said = []
    for action in actions:
        quantity = getattr(action, "quantity", None)
        figure = f"{quantity.normalize():f}" if quantity is not None else ""
        said.append(WORDS[type(action).__name__].format(quantity=figure))
    return ", ".join(word for word, _ in groupby(said))


def table() -> str:
    """Return the whole table in Markdown."""
    lines = [
        f"| live at the venue | unknown | {' | '.join(WORLD)} |",
        f"|{'---|' * (len(WORLD) + 2)}",
    ]
    for live in LIVE:
        for unknown in UNKNOWN:
            cells = [in_words(plan(live, unknown, world).actions) for world in WORLD]
            lines.append(f"| {live} | {unknown} | {' | '.join(cells)} |")
    return "\n".join(lines)


def written() -> str:
    """Return the table that the page shows."""
    found = re.search(f"{BEGIN}\n(.*?)\n{END}", PAGE.read_text(), re.DOTALL)
    return found[1] if found else ""


def write() -> None:
    page = PAGE.read_text()
    fresh = f"{BEGIN}\n{table()}\n{END}"
    PAGE.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: fresh, page, flags=re.DOTALL))


if __name__ == "__main__":
    write()
