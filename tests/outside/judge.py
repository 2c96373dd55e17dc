"""Judge a run by the venue's log alone.

    python judge.py venue.jsonl                 one line per case, worst first
    python judge.py venue.jsonl --story NAME    every request, order, fill and price of one case

A case is what stands between its marks `begin` and `end`, in its symbol. Held is what was bought
and not yet sold (coins that were put there by hand do not count). Naked: 5 USDT or more are held
and no stop of ours is live. Uncovered: live stops are for less, by 5 USDT or more. Sold: from the
close signal, or the price that passed the stop, until less than 5 USDT is held.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

DUST = Decimal(5)
STOPS = {"STOP_LOSS", "STOP_LOSS_LIMIT"}
LIVE = {"NEW", "PARTIALLY_FILLED"}


@dataclass
class Spell:
    """The longest time without a break that something was so."""

    since: float | None = None
    longest: float = 0.0
    began: float = 0.0
    total: float = 0.0

    def see(self, now: float, is_so: bool) -> None:
        if is_so and self.since is None:
            self.since = now
        if not is_so and self.since is not None:
            took = now - self.since
            self.total += took
            if took > self.longest:
                self.longest, self.began = took, self.since
            self.since = None


@dataclass
class Case:
    name: str
    symbol: str
    began: float
    ended: float = 0.0
    held: Decimal = Decimal(0)
    asked: Decimal = Decimal(0)
    bought: Decimal = Decimal(0)
    sold: Decimal = Decimal(0)
    goal: Decimal = Decimal(0)
    exit_at: float | None = None
    exit_done: float | None = None
    beyond: Decimal = Decimal(0)
    naked: Spell = field(default_factory=Spell)
    uncovered: Spell = field(default_factory=Spell)
    refusals: Counter[str] = field(default_factory=Counter)
    unused: list[str] = field(default_factory=list)
    kills: list[str] = field(default_factory=list)
    left: Decimal = Decimal(0)
    stops: dict[int, Decimal] = field(default_factory=dict)

    @property
    def sold_after(self) -> float | None:
        if self.exit_at is None:
            return None
        return (self.exit_done or self.ended) - self.exit_at


class Judge:
    def __init__(self) -> None:
        self.running: dict[str, Case] = {}
        self.done: list[Case] = []
        self.prices: dict[str, Decimal] = defaultdict(lambda: Decimal(100))
        self.stop_price: dict[str, Decimal] = {}

    def read(self, line: dict[str, Any]) -> None:
        kind, now = line["ev"], line["t"]
        symbol = line.get("symbol") or (line["asset"] + "USDT" if kind == "balance" else "")
        if kind == "mark":
            self.mark(line, now)
        if kind == "price":
            self.prices[symbol] = Decimal(line["price"])
        case = self.running.get(symbol)
        if case is None:
            return
        if kind == "order" and line["side"] == "SELL" and line["type"] in STOPS:
            left = Decimal(line["quantity"]) - Decimal(line["executed"])
            alive = line["status"] in LIVE
            case.stops[line["id"]] = left if alive else Decimal(0)
        elif kind == "fill":
            amount = Decimal(line["quantity"])
            if line["cid"].startswith("foreign-"):
                if line["side"] == "SELL":
                    case.held = max(Decimal(0), case.held - amount)
            else:
                if line["side"] == "BUY":
                    case.bought += amount
                    fee = Decimal(line["fee"])
                    case.held += amount - (0 if line["fee_asset"] == "USDT" else fee)
                else:
                    case.sold += amount
                    case.held -= amount
                    case.beyond = max(case.beyond, -case.held)
        elif kind == "balance" and line["why"] == "hand":
            change = Decimal(line["change"])
            if change < 0:
                case.held = max(Decimal(0), case.held + change)
        elif kind == "answer" and line["op"] == "sell" and case.exit_at is not None:
            brief = line["brief"]
            if not brief.startswith("200"):
                case.refusals[brief] += 1
        self.look(case, now)

    def look(self, case: Case, now: float) -> None:
        price = self.prices[case.symbol]
        covered = sum(case.stops.values(), Decimal(0))
        worth = case.held * price
        case.naked.see(now, worth >= DUST and covered == 0)
        case.uncovered.see(now, (case.held - covered) * price >= DUST)
        if case.exit_at is not None:
            flat = (case.held - case.goal) * price < DUST
            if flat and case.exit_done is None:
                case.exit_done = now
            elif not flat:
                case.exit_done = None

    def mark(self, line: dict[str, Any], now: float) -> None:
        what, symbol = line["what"], line.get("symbol", "")
        if what == "begin":
            self.running[symbol] = Case(line["name"], symbol, now)
        if what == "kill":
            for other in self.running.values():
                other.kills.append(line["process"])
        case = self.running.get(symbol)
        if case is None:
            return
        if what == "buy":
            case.asked += Decimal(str(line["quantity"]))
        elif what == "exit":
            case.exit_at = now
            case.goal = case.held * Decimal(str(line.get("keep", 0)))
        elif what == "end":
            self.finish(case, now)
            case.unused = line.get("unused", [])
        elif what == "left":
            case.left = Decimal(line["quantity"])

    def finish(self, case: Case, now: float) -> None:
        case.ended = now
        self.look(case, now)
        case.naked.see(now, False)
        case.uncovered.see(now, False)
        self.done.append(self.running.pop(case.symbol))


def verdict(case: Case) -> list[str]:
    """Name what was broken."""
    found = []
    if case.bought > case.asked:
        found.append("DOUBLED")
    if case.bought < case.asked:
        found.append("LESS-BOUGHT")
    if case.beyond > Decimal("0.0001"):
        found.append(f"BEYOND {case.beyond:.4f}")
    if case.naked.longest > 3:
        found.append("NAKED>3")
    if case.uncovered.longest > 3:
        found.append("UNCOVERED>3")
    if case.exit_at is not None and case.exit_done is None:
        found.append("NEVER SOLD")
    elif (case.sold_after or 0) > 5:
        found.append("SOLD>5")
    if any(n > 1 and " -20" in text for text, n in case.refusals.items()):
        found.append("REFUSED TWICE")
    return found


def report(cases: list[Case]) -> None:
    def badness(case: Case) -> tuple[int, float]:
        return (-len(verdict(case)), -(case.naked.longest + (case.sold_after or 0)))

    print(
        f"{'case':44} {'symbol':9} {'naked':>6} {'uncov':>6} {'sold':>6} {'bought':>7} {'asked':>6}"
    )
    for case in sorted(cases, key=badness):
        sold = "-" if case.sold_after is None else f"{case.sold_after:.2f}"
        if case.exit_at is not None and case.exit_done is None:
            sold = "never"
        print(
            f"{case.name:44} {case.symbol:9} {case.naked.longest:6.2f} "
            f"{case.uncovered.longest:6.2f} {sold:>6} {case.bought:7} {case.asked:6} "
            f"{'; '.join(verdict(case))} "
            f"{'unused ' + ','.join(case.unused) if case.unused else ''} "
            f"{dict(case.refusals) if case.refusals else ''} {','.join(case.kills)}"
        )


def story(path: Path, wanted: str) -> None:
    symbol, start = "", 0.0
    for raw in path.open():
        line = json.loads(raw)
        if line["ev"] == "mark" and line.get("what") == "begin" and line.get("name") == wanted:
            symbol, start = line["symbol"], line["t"]
        about = line.get("symbol") or (
            line["asset"] + "USDT" if line["ev"] == "balance" and line["asset"] != "USDT" else ""
        )
        broad = about in ("", "*") and line["ev"] in {"request", "answer", "mark", "down"}
        if symbol and (about == symbol or broad):
            rest = {k: v for k, v in line.items() if k not in {"t", "symbol"} and v not in ("", {})}
            print(f"{line['t'] - start:8.3f} {json.dumps(rest)[:420]}")
        if symbol and line["ev"] == "mark" and line.get("what") == "end" and about == symbol:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--story", default="", help="tell one case, by its name")
    options = parser.parse_args()
    if options.story:
        story(options.log, options.story)
        return
    judge = Judge()
    for line in options.log.open():
        judge.read(json.loads(line))
    report(judge.done)


if __name__ == "__main__":
    main()
