"""What is run on the bench: rounds of the table, and four stories of their own."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tests.chaos import referee
from tests.chaos.bench import SYMBOLS, Bench, now_ms, on_tick, price_of
from tests.chaos.referee import Report
from tests.chaos.scenarios import FAULTS, GOES_ON_AFTER, SCENARIOS, Cell, Scenario

KILLED = ("nothing", "worker", "exits", "guard", "userstream", "signals")
ROUND_SECONDS = 45.0  # what has not come to its end by then is measured as it is
LEAST_SECONDS = 4.0  # what goes wrong late must have the time to
BETWEEN_ACTS = 0.03
STRIKES_WITHIN = 10.0  # seconds; after that the fault found nothing to strike
# A 429 silences our whole address, a slow answer holds a worker: seconds until that is over.
FELT_BY_ALL = {"429, Retry-After 1": 2.0, "executed, answered after 12 s": 12.5}
KILL_AFTER = 0.4  # seconds into a round
MIXED = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "LTCUSDT")
MIXED_SHARE = 0.08
QUIET = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
PER_SECOND = 4.0
TWENTY = tuple(f"va-{number:02}" for number in range(20))
CRASHING = "BTCUSDT"


@dataclass(frozen=True)
class Drill:
    """One story and what the referee said of it. `delay` is how much later a close was sold."""

    kind: str
    name: str
    signals: int
    report: Report
    load: float
    seconds: float
    notes: str = ""
    delay: float = 0.0
    held: int = 0  # positions that were there


# --- the table ------------------------------------------------------------------------------------


def play(bench: Bench, fault: str, killed: str, copies: int) -> list[Cell]:
    """Play every scenario under one fault and one kill, each on symbols of its own.

    All at once, unless the fault touches more than its own request: then one after the other.
    """
    if fault in FELT_BY_ALL:
        cells = [cell for one in SCENARIOS for cell in _round(bench, fault, killed, [one])]
    else:
        cells = _round(bench, fault, killed, [one for _ in range(copies) for one in SCENARIOS])
    return cells


def _round(bench: Bench, fault: str, killed: str, scenarios: Sequence[Scenario]) -> list[Cell]:
    symbols = iter(s for s in SYMBOLS if bench.is_flat(s))
    cells = [Cell(sc, fault, killed, s) for sc, s in zip(scenarios, symbols, strict=False)]
    _prepare(bench, cells)
    cells = [cell for cell in cells if not cell.is_void]
    for cell in cells:
        cell.begun_ms = now_ms()
        cell.scenario.arm(bench, cell)
        cell.scenario.act(bench, cell)
        time.sleep(BETWEEN_ACTS)
    _watch(bench, cells, killed)
    ended = now_ms()
    for cell in cells:
        cell.ended_ms = ended
    bench.note_load()
    _tidy(bench, cells)
    if late := FELT_BY_ALL.get(fault):
        _let_pass(bench, late)
    return cells


def _let_pass(bench: Bench, seconds: float) -> None:
    """Wait until what struck last is felt no more."""
    struck = max((row["at_ms"] for row in bench.rows[-2000:] if row["kind"] == "fault"), default=0)
    time.sleep(max(0.0, struck / 1000 + seconds - now_ms() / 1000))


def _prepare(bench: Bench, cells: Sequence[Cell]) -> None:
    holding = [cell for cell in cells if cell.scenario.holds]
    for cell in holding:
        bench.buy(cell.symbol)
    bench.until(lambda: all(bench.is_safe(cell.symbol) for cell in holding), 30)
    for cell in holding:
        cell.is_void = not bench.is_safe(cell.symbol)


def _watch(bench: Bench, cells: Sequence[Cell], killed: str) -> None:
    began = time.monotonic()
    has_killed = killed == "nothing"
    while (passed := time.monotonic() - began) < ROUND_SECONDS:
        bench.look()
        struck = {r["symbol"]: r["at_ms"] for r in bench.rows[-2000:] if r["kind"] == "fault"}
        for cell in cells:
            cell.is_struck = cell.is_struck or struck.get(cell.symbol, 0) >= cell.begun_ms
            _go_on(bench, cell, has_struck=cell.is_struck)
            cell.is_done = cell.is_done or cell.scenario.is_over(bench, cell)
        if not has_killed and passed > KILL_AFTER:
            bench.kill(killed)
            has_killed = True
        if passed > LEAST_SECONDS and all(cell.is_done for cell in cells):
            return
        time.sleep(0.05)


def _go_on(bench: Bench, cell: Cell, *, has_struck: bool) -> None:
    latest = GOES_ON_AFTER.get(cell.scenario.name)
    if latest is None or cell.memory.get("went_on"):
        return
    is_time = cell.seconds > latest
    if not cell.scenario.holds and cell.fault != "none":
        # A stop is passed as soon as its placing was hit; slots are full for a while first.
        is_time = has_struck or cell.seconds > STRIKES_WITHIN
    if is_time and bench.live.held(cell.symbol):
        cell.memory["went_on"] = True
        cell.scenario.go_on(bench, cell)


def _tidy(bench: Bench, cells: Sequence[Cell]) -> None:
    """End the faults, undo what was done by hand, and sell everything by signals."""
    bench.product.venue.control("faults", method="DELETE")
    for cell in cells:
        if cell.memory.get("went_on"):
            bench.price(cell.symbol, price_of(cell.symbol))
        cell.scenario.tidy(bench, cell)
    sell_everything(bench, [cell.symbol for cell in cells])


def sell_everything(bench: Bench, symbols: Sequence[str], seconds: float = 30) -> None:
    """Close until nothing is held; an old exit under way is given time first."""
    for _ in range(3):
        bench.look()
        for symbol in symbols:
            if not bench.is_flat(symbol):
                bench.close(symbol)
        if bench.until(lambda: all(bench.is_flat(symbol) for symbol in symbols), seconds):
            return


# --- stories of their own -------------------------------------------------------------------------


class _Story:
    """The part of the diary and of the signals that one drill wrote."""

    def __init__(self, bench: Bench) -> None:
        bench.look()
        self._bench, self._row, self._sent = bench, len(bench.rows), len(bench.sent)
        self._beyond = len(referee.judge(bench.rows, ()).beyond)
        self._began = time.monotonic()
        bench.note_load()

    def judged(
        self,
        kind: str,
        name: str,
        *,
        by_owner: bool = False,
        notes: str = "",
        delay: float = 0.0,
        held: int = 0,
    ) -> Drill:
        bench = self._bench
        bench.look()
        sent = bench.sent[self._sent :]
        report = referee.judge(
            bench.rows[self._row :],
            sent,
            outcomes=bench.outcomes(),
            owners=bench.owners() if by_owner else None,
            guarded=bench.guarded(by_owner=by_owner),
        )
        # Dust from before this story may be sold in it: only the whole diary knows of it.
        beyond = referee.judge(bench.rows, ()).beyond[self._beyond :]
        report = replace(report, beyond=beyond)
        bench.note_load()
        seconds = time.monotonic() - self._began
        return Drill(kind, name, len(sent), report, bench.loads[-1], seconds, notes, delay, held)


def quiet(bench: Bench, count: int) -> Drill:
    """No faults: add-ons to three positions, four a second."""
    story = _Story(bench)
    for number in range(count):
        _pace(number, story_began=story._began)
        bench.buy(QUIET[number % len(QUIET)])
    bench.settle()
    bench.until(lambda: all(bench.is_safe(symbol) for symbol in QUIET), 60)
    drill = story.judged("quiet", f"no faults, {count} signals, add-ons at 4/s")
    sell_everything(bench, QUIET)
    return drill


def mixed(bench: Bench, count: int, seed: int = 7) -> Drill:
    """Eight in a hundred orders meet some fault, reads and cancels too, while processes die."""
    story = _Story(bench)
    dice = random.Random(seed)
    _mix_faults(bench)
    kills = _kills(count)
    for number in range(count):
        _pace(number, story_began=story._began)
        symbol = dice.choice(MIXED)
        if dice.random() < 0.1 and not bench.is_flat(symbol):
            bench.close(symbol)
        else:
            bench.buy(symbol)
        if victim := kills.get(number):
            bench.kill(victim)
        if number % 10 == 0:
            bench.look()
    bench.product.venue.control("faults", method="DELETE")
    bench.settle()
    bench.until(lambda: all(bench.is_flat(s) or bench.is_safe(s) for s in MIXED), 60)
    drill = story.judged("mixed", f"mixed faults at 8 % with kills, {count} signals")
    sell_everything(bench, MIXED)
    return drill


def _mix_faults(bench: Bench) -> None:
    wishes = [dict(wish) for wish in FAULTS.values() if wish]
    for wish in wishes:
        bench.fault({**wish, "role": "order", "share": MIXED_SHARE / len(wishes)})
    bench.fault({"kind": "timeout", "role": "cancel", "share": 0.02})
    bench.fault({"kind": "timeout", "role": "cancel", "execute": False, "share": 0.02})
    bench.fault({"kind": "hide_order", "share": 0.03})


def _kills(count: int) -> dict[int, str]:
    victims = ("worker", "exits", "guard", "signals", "userstream", "worker", "beat", "exits")
    return {count * (place + 1) // (len(victims) + 1): name for place, name in enumerate(victims)}


def slow(bench: Bench) -> Drill:
    """Eight answers of twelve seconds within a minute, and then a close."""
    held, others = "ETHUSDT", [s for s in SYMBOLS if s != "ETHUSDT"][:8]
    story = _Story(bench)
    _hold(bench, held)
    usual = _timed_close(bench, held)
    _hold(bench, held)
    bench.fault({"kind": "delay", "delay_ms": 12_000, "role": "market_buy", "count": 8})
    for symbol in others:
        bench.buy(symbol)
        time.sleep(0.5)
    delayed = _timed_close(bench, held)
    bench.until(lambda: all(bench.is_safe(symbol) for symbol in others), 120)
    notes = f"close sold after {delayed:.1f} s instead of {usual:.1f} s"
    drill = story.judged(
        "slow",
        "eight 12 s answers in a minute, then a close",
        notes=notes,
        delay=delayed - usual,
    )
    bench.product.venue.control("faults", method="DELETE")
    sell_everything(bench, [held, *others])
    return drill


def _hold(bench: Bench, symbol: str) -> None:
    bench.buy(symbol)
    bench.until(lambda: bench.is_safe(symbol), 30)


def _timed_close(bench: Bench, symbol: str) -> float:
    """Close a position; return the seconds until it was sold, or those that were waited."""
    began = time.monotonic()
    bench.close(symbol)
    bench.until(lambda: bench.is_flat(symbol), 120, pause=0.02)
    return time.monotonic() - began


def twenty(bench: Bench) -> Drill:
    """Twenty accounts hold one symbol on a venue that takes five stops; it crashes through all."""
    _open_accounts(bench)
    story = _Story(bench)
    price = price_of(CRASHING)
    for place, owner in enumerate(TWENTY):
        stop = on_tick(CRASHING, price * (Decimal("0.98") - Decimal("0.001") * place))
        bench.buy(CRASHING, owner=owner, stop_loss=stop)
        time.sleep(0.1)
    bench.until(lambda: bench.is_safe(CRASHING), 20)
    time.sleep(3)
    bench.look()
    owners = bench.owners()
    standing = referee.judge(bench.rows[story._row :], (), owners=owners)
    watched = {w.owner for w in bench.guarded(by_owner=True) if w.until_ms is None}
    held = {gap.place.owner for gap in (*standing.naked, *standing.uncovered)} | watched
    crashed = now_ms()
    for owner in TWENTY:
        bench.expect_sale(CRASHING, "crash", owner=owner)
    bench.price(CRASHING, price * Decimal("0.9"))
    bench.kill("guard")
    bench.until(lambda: bench.is_flat(CRASHING), 60)
    stops = sum(
        row["kind"] == "order.triggered" and row["at_ms"] >= crashed
        for row in bench.rows[story._row :]
    )
    notes = f"{len(held)} positions, {stops} stops at the venue, {len(watched)} guarded by us"
    drill = story.judged(
        "twenty",
        "twenty positions, five stops, a crash",
        by_owner=True,
        notes=notes,
        held=len(held),
    )
    bench.price(CRASHING, price)
    for owner in TWENTY:
        if not bench.is_flat(CRASHING):
            bench.close(CRASHING, owner=owner)
    bench.until(lambda: bench.is_flat(CRASHING), 60)
    return drill


def _open_accounts(bench: Bench) -> None:
    bench.product.manage("shell", "--no-imports", "-v0", "-c", OPENING.format(names=TWENTY))


OPENING = """
from decimal import Decimal
from exchanges.models import VenueAccount
from trading.models import VirtualAccount
from trading.services.money import account_settings, accounts, balances, ledger
accounts.ensure_first()
at = VenueAccount.objects.get(environment="simulator")
balances.refresh(at)
for name in {names}:
    row = account_settings.create(VirtualAccount(name=name, venue_account=at), actor="drill")
    ledger.move(row.pk, Decimal(5000), actor="drill", reason="drill")
    accounts.map_strategy("of-" + name, row, actor="drill")
"""


def _pace(number: int, *, story_began: float) -> None:
    time.sleep(max(0.0, story_began + number / PER_SECOND - time.monotonic()))


def combinations(faults: Sequence[str], killed: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((fault, victim) for victim in killed for fault in faults)
