"""Run the product's processes against `venue.py`, play cases on it, and leave the venue's log.

    python run.py --product DIR --python PY --folder OUT --database postgres://... [--only A;B]

Processes are those of the product's Procfile, without the simulator. Redis and NATS are private.
`judge.py OUT/venue.jsonl` tells the result.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import aiohttp
import nats

HERE = Path(__file__).resolve().parent
COINS = {"all": 0.0}
SYMBOLS = [f"T{letter}{digit}USDT" for letter in "ABCD" for digit in range(1, 5)]
WITHOUT = {"simulator", "strategies", "analysis", "backtests"}
PLACE, SELL, CANCEL = ["oco", "stop"], ["sell"], ["cancel"]


def environment(options: argparse.Namespace) -> dict[str, str]:
    """Return the product's variables: the venue's addresses, and limits that stand in no way."""
    port = options.port
    wide = {
        "MAX_OPEN_POSITIONS": "100", "MAX_OPEN_POSITIONS_TOTAL": "0", "MAX_ORDERS_PER_SECOND": "0",
        "MAX_ORDERS_PER_MINUTE": "0", "MAX_ORDERS_PER_DAY": "0", "MAX_REPEATS": "0",
        "MAX_SPREAD_BPS": "0", "MAX_SENDER_GAP_BPS": "0", "MAX_SLIPPAGE_BPS": "0",
        "MAX_LATENCY_MS": "5000", "MAX_VENUE_LATENCY_MS": "0", "MAX_LOSS_COOLDOWN": "0",
        "DAILY_LOSS_WARN_PCT": "0", "DAILY_LOSS_REDUCE_PCT": "0", "WEEKLY_LOSS_WARN_PCT": "0",
        "WEEKLY_LOSS_REDUCE_PCT": "0", "DRAWDOWN_WARN_PCT": "0", "DRAWDOWN_REDUCE_PCT": "0",
        "TRIP_VENUE_ERROR_PCT": "0", "TRIP_MARKET_STALE_SECONDS": "0", "TRIP_CLOCK_SKEW_MS": "0",
        "TRIP_UNKNOWN_ORDER_SECONDS": "0", "TRIP_NATS_BACKLOG": "0", "TRIP_SLIPPED_ENTRIES": "0",
        "TRIP_LOCK_WAIT_SECONDS": "0", "ONE_SYMBOL_PER_ACCOUNT": "false",
        "MAX_POSITION_NOTIONAL": "100000",
    }  # fmt: skip
    return os.environ | wide | {
        "PETROSA_IGNORE_DOTENV": "1", "PETROSA_VAR_DIR": str(options.folder / "var"),
        "DATABASE_URL": options.database, "REDIS_URL": f"redis://127.0.0.1:{port + 1}/0",
        "NATS_URL": f"nats://127.0.0.1:{port + 2}", "API_PORT": str(port + 3),
        "SIMULATION_ENABLED": "true", "SIMULATOR_REST_URL": f"http://127.0.0.1:{port}",
        "SIMULATOR_WS_API_URL": f"ws://127.0.0.1:{port}/ws-api/v3",
        "SIMULATOR_STREAM_URL": f"ws://127.0.0.1:{port}", "TRADING_SYMBOLS": ",".join(SYMBOLS),
        "MARKET_STREAMS": "bookTicker,depth20@100ms,trade", "CANDLE_INTERVALS": "1m",
        "PROMETHEUS_MULTIPROC_DIR": str(options.folder / "metrics"), "LOG_LEVEL": "INFO",
        "PATH": f"{Path(options.python).parent}:{os.environ['PATH']}",
    }  # fmt: skip


class Stack:
    """The processes, each in a group of its own, started again when they end."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.variables = environment(options)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.commands: dict[str, list[str]] = {}
        self.is_ending = False

    def spawn(self, name: str) -> None:
        with (self.options.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                self.commands[name], cwd=self.options.product, env=self.variables, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    def manage(self, *words: str) -> str:
        done = subprocess.run(
            [self.options.python, "manage.py", *words], cwd=self.options.product,
            env=self.variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    def servers(self) -> None:
        folder, port = self.options.folder, self.options.port
        (folder / "metrics").mkdir(parents=True, exist_ok=True)
        nats_server = shutil.which("nats-server", path=self.variables["PATH"]) or "nats-server"
        self.commands |= {
            "redis": ["redis-server", "--port", str(port + 1), "--save", "", "--bind", "127.0.0.1"],
            "nats": [nats_server, "-js", "-a", "127.0.0.1", "-p", str(port + 2),
                     "-sd", str(folder / "jetstream")],
            "venue": [self.options.python, str(HERE / "venue.py"), "--port", str(port), "--log",
                      str(folder / "venue.jsonl"), "--symbols", ",".join(SYMBOLS)],
        }  # fmt: skip
        for name in ("redis", "nats", "venue"):
            self.spawn(name)
        time.sleep(2)

    def product(self) -> None:
        for line in (Path(self.options.product) / "Procfile").read_text().splitlines():
            name, _, command = line.partition(": ")
            if name in WITHOUT:
                continue
            words = shlex.split(command)
            words[0] = (
                self.options.python
                if words[0] == "python"
                else str(Path(self.options.python).parent / words[0])
            )
            self.commands[name] = words
            self.spawn(name)

    async def watch(self) -> None:
        while not self.is_ending:
            await asyncio.sleep(0.5)
            for name, process in list(self.running.items()):
                if process.poll() is not None and not self.is_ending:
                    self.spawn(name)

    def kill(self, name: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running[name].pid, signal.SIGKILL)

    def end(self) -> None:
        self.is_ending = True
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@dataclass
class Bench:
    """What all cases share."""

    stack: Stack
    http: aiohttp.ClientSession
    bus: Any
    token: str
    port: int

    async def ask(self, act: str, **fields: Any) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/control"
        async with self.http.post(url, json={"do": act, **fields}) as answer:
            body: dict[str, Any] = await answer.json()
            return body

    async def kill(self, name: str) -> None:
        await self.ask("mark", what="kill", process=name)
        self.stack.kill(name)


class Case:
    def __init__(self, bench: Bench, name: str, symbol: str) -> None:
        self.bench, self.name, self.symbol = bench, name, symbol

    async def ask(self, act: str, **fields: Any) -> dict[str, Any]:
        return await self.bench.ask(act, symbol=self.symbol, **fields)

    async def fault(self, kind: str, ops: list[str], **more: Any) -> None:
        await self.ask("fault", kind=kind, ops=ops, **more)

    async def send(self, body: dict[str, Any], rest: bool = False) -> None:
        uid = uuid.uuid4().hex
        body = {
            "strategy_id": "outside", "symbol": self.symbol, "confidence": 0.9,
            "timestamp": datetime.now(UTC).isoformat(), "signal_uid": uid, "timeframe": "15m",
        } | body  # fmt: skip
        if rest:
            url = f"http://127.0.0.1:{self.bench.port + 3}/trade"
            headers = {"Authorization": f"Token {self.bench.token}"}
            asyncio.ensure_future(self.bench.http.post(url, json=body, headers=headers))  # noqa: RUF006
            return
        await self.bench.bus.jetstream().publish(
            "signals.trading", json.dumps(body).encode(), headers={"Nats-Msg-Id": uid}
        )

    async def buy(self, quantity: float = 2.0, rest: bool = False, **more: Any) -> None:
        await self.ask("mark", what="buy", quantity=quantity)
        levels = {"stop_loss": "97.00", "take_profit": "110.00"}
        await self.send({"action": "buy", "quantity": str(quantity), **levels, **more}, rest)

    async def close(self, rest: bool = False) -> None:
        await self.ask("mark", what="exit")
        await self.send({"action": "close"}, rest)

    async def price(self, value: float, is_exit: bool = False) -> None:
        if is_exit:
            await self.ask("mark", what="exit")
        await self.ask("price", price=value)

    async def until(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 15) -> bool:
        ends = time.time() + seconds
        while time.time() < ends:
            if wanted(await self.ask("state")):
                return True
            await asyncio.sleep(0.05)
        return False

    async def entered(self, quantity: float = 2.0, **more: Any) -> None:
        """Buy, and wait until all of it is protected."""
        before = float((await self.ask("state"))["held"])
        await self.buy(quantity, **more)
        await self.until(lambda s: float(s["held"]) - before > quantity * 0.9)
        await self.until(
            lambda s: sum(map(float, s["stops"])) + 0.04 > float(s["held"]) - foreign(self.symbol)
        )
        await asyncio.sleep(1.2)

    async def flatten(self) -> None:
        await self.ask("mark", what="exit")
        body = {"command": "stop", "by": "examiner", "level": "FLATTEN", "scope": "symbol",
                "key": self.symbol, "reason": "outside", "expires_in": 15}  # fmt: skip
        await self.bench.bus.request("control.trading", json.dumps(body).encode(), timeout=5)


def foreign(symbol: str) -> float:
    """Coins that lie there from the start and are nobody's business."""
    return COINS["all"] or (0.5 if SYMBOLS.index(symbol) % 2 else 0.0)


Play = Callable[[Case], Awaitable[None]]
CASES: list[tuple[str, Play, bool]] = []

SHORT = "Account has insufficient balance for requested action."
OUTSIDE = "Timestamp for this request is outside of the recvWindow."
PLACINGS: list[tuple[str, dict[str, Any]]] = [
    ("lost", {}), ("unknown_lost", {}), ("html_lost", {}), ("hang", {"seconds": 12}),
    ("busy", {}), ("waf", {}), ("late", {"seconds": 2}), ("executed_cut", {}),
    ("executed_unknown", {}), ("executed_html", {}), ("executed_empty", {}),
    ("executed_torn", {}), ("unseen", {"seconds": 6}), ("slow", {"seconds": 12}),
    ("pending", {"seconds": 3}),
    ("cut_late", {"seconds": 0.8}),
    ("refused", {"code": -2010, "message": SHORT}),
    ("refused", {"code": -1021, "message": OUTSIDE}),
    ("refused", {"code": -1000, "message": "An unknown error occurred.", "status": 500}),
    ("refused", {"code": -2010, "message": "Duplicate order sent."}),
    ("refused", {"code": -1001, "message": "Internal error; please try again.", "status": 500}),
]  # fmt: skip
WHOLE_LINE: list[tuple[str, dict[str, Any]]] = [
    ("weight", {"seconds": 1}), ("weight", {"seconds": 2, "status": 418}),
]  # fmt: skip
CANCELS: list[tuple[str, dict[str, Any]]] = [
    ("lost", {}), ("executed_cut", {}), ("executed_unknown", {}), ("executed_html", {}),
    ("executed_empty", {}), ("slow", {"seconds": 12}), ("hang", {"seconds": 12}), ("late", {}),
    ("busy", {}), ("refused", {"code": -2011, "message": "Unknown order sent."}),
    ("gap", {"price": "90.00"}), ("cut_late", {"seconds": 0.8}),
]  # fmt: skip


def add(name: str, play: Play, alone: bool = False) -> None:
    CASES.append((name, play, alone))


def label(kind: str, more: dict[str, Any]) -> str:
    return kind + (str(more["code"]) if "code" in more else "") + str(more.get("status", ""))


def entry(faults: list[tuple[str, dict[str, Any]]], rest: bool = False, fall: bool = False) -> Play:
    async def play(case: Case) -> None:
        for kind, more in faults:
            await case.fault(kind, PLACE, **more)
        await case.buy(rest=rest)
        if fall:
            await case.until(lambda s: float(s["held"]) - foreign(case.symbol) > 1.5, 10)
            await asyncio.sleep(0.3)
            await case.price(96.0, is_exit=True)
        await asyncio.sleep(15)

    return play


def closing(
    cancels: list[tuple[str, dict[str, Any]]], sells: list[tuple[str, dict[str, Any]]],
    rest: bool = False, kills: tuple[str, ...] = (),
) -> Play:  # fmt: skip
    async def play(case: Case) -> None:
        await case.entered()
        for kind, more in cancels:
            await case.fault(kind, CANCEL, **more)
        for kind, more in sells:
            await case.fault(kind, SELL, **more)
        await case.close(rest)
        for name in kills:
            await asyncio.sleep(0.25)
            await case.bench.kill(name)
        await asyncio.sleep(15)

    return play


def adding(kind: str, more: dict[str, Any], ops: list[str]) -> Play:
    async def play(case: Case) -> None:
        await case.entered()
        await case.fault(kind, ops, **more)
        if kind == "gap":
            await case.ask("mark", what="exit")
        for _ in range(3):
            await case.buy(1.0)
            await asyncio.sleep(0.4)
        await asyncio.sleep(16)

    return play


for kind, more in PLACINGS:
    add(f"entry {label(kind, more)}", entry([(kind, more)]))
    add(f"close sell {label(kind, more)}", closing([], [(kind, more)]))
for kind, more in WHOLE_LINE:
    add(f"entry {label(kind, more)}", entry([(kind, more)]), alone=True)
    add(f"close sell {label(kind, more)}", closing([], [(kind, more)]), alone=True)
    add(f"close cancel {label(kind, more)}", closing([(kind, more)], []), alone=True)
for kind, more in CANCELS:
    add(f"close cancel {label(kind, more)}", closing([(kind, more)], []))
    add(f"addon cancel {label(kind, more)}", adding(kind, more, CANCEL))
for kind, more in PLACINGS[:4] + PLACINGS[6:9] + PLACINGS[12:17]:
    add(f"addon place {label(kind, more)}", adding(kind, more, PLACE))
for first, second in [
    (0, 0),
    (1, 1),
    (0, 12),
    (12, 0),
    (8, 0),
    (3, 3),
    (6, 6),
    (16, 0),
    (15, 15),
    (0, 15),
    (2, 7),
]:
    pair = [PLACINGS[first], PLACINGS[second]]
    names = "+".join(label(*one) for one in pair)
    add(f"entry twice {names}", entry(pair))
    add(f"close sell twice {names}", closing([], pair))
for one, two in [(1, 0), (11, 15), (11, 0), (3, 1), (5, 7), (9, 0), (9, 12), (0, 3)]:
    cancel, sale = CANCELS[one], PLACINGS[two]
    add(f"close both {label(*cancel)}+{label(*sale)}", closing([cancel], [sale]))
add("close partial", closing([], [("partial", {})]))
add("close partial twice", closing([], [("partial", {}), ("partial", {})]))
add("close partial then lost", closing([], [("partial", {}), ("lost", {})]))
add("close lost kill exits", closing([], [("lost", {})], kills=("exits",)), alone=True)
add(
    "close unseen kill both",
    closing([], [("unseen", {"seconds": 6})], kills=("exits", "exits2")),
    alone=True,
)
add("close rest sell lost", closing([], [("lost", {})], rest=True))
add("close rest cancel cut", closing([("executed_cut", {})], [], rest=True))
for number in (0, 1, 3, 6, 7, 8, 12, 13, 15, 16):
    kind, more = PLACINGS[number]
    add(f"entry falls {label(kind, more)}", entry([(kind, more)], fall=True))


async def gap_on_place(case: Case) -> None:
    await case.fault("gap", PLACE, price="96.00")
    await case.ask("mark", what="exit")
    await case.buy()
    await asyncio.sleep(14)


async def gap_after_place(case: Case) -> None:
    await case.fault("gap_after", PLACE, price="80.00")
    await case.ask("mark", what="exit")
    await case.buy()
    await asyncio.sleep(14)


def triggered(kind: str, sell_fault: str = "", silent: bool = False) -> Play:
    async def play(case: Case) -> None:
        await case.entered()
        if silent:
            await case.ask("stream", mode="silent", seconds=25)
        await case.ask("trigger_fault", kind=kind)
        if sell_fault:
            await case.fault(sell_fault, SELL)
        await case.price(96.0, is_exit=True)
        await asyncio.sleep(16)

    return play


def by_hand(mode: str = "", kills: tuple[str, ...] = (), fault: str = "") -> Play:
    async def play(case: Case) -> None:
        await case.entered()
        if mode:
            await case.ask("stream", mode=mode, seconds=25)
        if fault:
            await case.fault(fault, PLACE)
        for name in kills:
            await case.bench.kill(name)
        await case.ask("hand_cancel")
        await asyncio.sleep(16)

    return play


def asked_in_vain(what: str, then: str) -> Play:
    """One question (what) is never answered; nothing else is wrong."""

    async def play(case: Case) -> None:
        if then == "entry":
            await case.fault("hang", [what], seconds=12)
            await case.buy()
        else:
            await case.entered()
            await case.bench.ask("fault", kind="hang", ops=[what], symbol="*", seconds=12)
            if then == "hand":
                await case.ask("hand_cancel")
            else:
                await case.close()
        await asyncio.sleep(16)

    return play


def stream(mode: str) -> Play:
    async def play(case: Case) -> None:
        await case.ask("stream", mode=mode, seconds=30)
        await case.entered()
        await case.buy(1.0)
        await asyncio.sleep(4)
        await case.close()
        await asyncio.sleep(14)

    return play


def moved(share: float, by_flatten: bool, sells: list[str]) -> Play:
    async def play(case: Case) -> None:
        await case.entered()
        await case.ask("hand_cancel")
        await case.ask("hand_move", amount=str(-round(2.0 * share, 4)))
        for kind in sells:
            await case.fault(kind, SELL)
        if by_flatten:
            await case.flatten()
        else:
            await case.close()
        await asyncio.sleep(16)

    return play


async def moved_locked(case: Case) -> None:
    """Coins leave although a stop holds them (a withdrawal by support): the stop fails later."""
    await case.entered()
    await case.ask("hand_move", amount="-0.2")
    await asyncio.sleep(3)
    await case.flatten()
    await asyncio.sleep(16)


async def slots(case: Case) -> None:
    await case.ask("foreign", count=5, stop="150")
    await case.buy()
    await asyncio.sleep(5)
    await case.price(96.0, is_exit=True)
    await asyncio.sleep(10)


async def slots_freed(case: Case) -> None:
    """Foreign orders take every slot and are gone three seconds after the entry."""
    await case.ask("foreign", count=5, stop="150")
    await case.buy()
    await asyncio.sleep(3)
    await case.ask("clear_foreign")
    await asyncio.sleep(20)


async def slots_freed_then_bought(case: Case) -> None:
    """The same, then a close, and ten seconds later a new entry."""
    await slots_freed(case)
    await case.close()
    await asyncio.sleep(10)
    await case.buy(1.0)
    await asyncio.sleep(15)


async def slots_guard_killed(case: Case) -> None:
    await case.ask("foreign", count=5, stop="150")
    await case.buy()
    await asyncio.sleep(5)
    await case.bench.kill("guard")
    await case.price(96.0, is_exit=True)
    await asyncio.sleep(10)


async def slots_sell_lost(case: Case) -> None:
    await case.fault("lost", SELL)
    await slots(case)


def lagging(what: str, then: str) -> Play:
    async def play(case: Case) -> None:
        key = "*" if what == "account" else case.symbol
        if then == "entry":
            await case.bench.ask("lag", what=what, key=key, seconds=6)
            await case.bench.ask("lag", what=what, key="*", seconds=6)
            await case.buy()
        elif then == "close":
            await case.entered()
            await case.bench.ask("lag", what=what, key=key, seconds=8)
            await case.close()
        elif then == "moved":
            await case.entered()
            await case.bench.ask("lag", what=what, key=key, seconds=8)
            await case.ask("hand_cancel")
            await case.ask("hand_move", amount="-0.4")
            await case.close()
        await asyncio.sleep(18)

    return play


async def outage(case: Case) -> None:
    await case.fault("executed_cut", ["buy"])
    await case.buy()
    await case.until(lambda s: float(s["held"]) - foreign(case.symbol) > 1.5, 5)
    await case.bench.ask("down", seconds=3)
    await asyncio.sleep(20)


async def outage_cancel(case: Case) -> None:
    """The venue goes away right after it has cancelled the stop for a close."""
    await case.entered()
    await case.fault("executed_cut", CANCEL)
    await case.close()
    await asyncio.sleep(0.3)
    await case.bench.ask("down", seconds=3)
    await asyncio.sleep(18)


def bracket(kind: str, more: dict[str, Any], value: str = "100.50", late: bool = False) -> Play:
    async def play(case: Case) -> None:
        if kind:
            await case.fault(kind, ["otoco"], **more)
        await case.buy(order_type="limit", price=value, time_in_force="GTC")
        if late:
            await asyncio.sleep(3)
            await case.price(98.9)
        await asyncio.sleep(16)

    return play


async def bracket_falls_through(case: Case) -> None:
    await case.buy(order_type="limit", price="99.00", time_in_force="GTC")
    await asyncio.sleep(3)
    await case.price(96.0, is_exit=True)
    await asyncio.sleep(12)


async def stop_sold_unheard(case: Case) -> None:
    """The stop sells while the stream is silent; then the strategy closes and buys again."""
    await case.entered()
    await case.ask("stream", mode="silent", seconds=25)
    await case.price(96.0, is_exit=True)
    await case.price(100.0)
    await asyncio.sleep(0.2)
    await case.close()
    await asyncio.sleep(1)
    await case.buy(1.0)
    await asyncio.sleep(14)


async def clock(case: Case) -> None:
    await case.bench.ask("skew", seconds=0.7)
    await case.entered()
    await case.bench.ask("skew", seconds=-0.7)
    await case.buy(1.0)
    await asyncio.sleep(3)
    await case.close()
    await asyncio.sleep(14)
    await case.bench.ask("skew", seconds=0)


async def clock_ahead(case: Case) -> None:
    """The venue's clock jumps 1.5 s forth while a position waits to be closed."""
    await case.entered()
    await case.bench.ask("skew", seconds=1.5)
    await case.close()
    await asyncio.sleep(16)
    await case.bench.ask("skew", seconds=0)


async def clock_back(case: Case) -> None:
    await case.entered()
    await case.bench.ask("skew", seconds=-1.5)
    await case.close()
    await asyncio.sleep(16)
    await case.bench.ask("skew", seconds=0)


def killed(name: str, fault: str) -> Play:
    async def play(case: Case) -> None:
        if fault:
            await case.fault(fault, PLACE, seconds=6)
        await case.buy()
        await case.until(lambda s: float(s["held"]) - foreign(case.symbol) > 1.5, 5)
        await asyncio.sleep(0.02)
        await case.bench.kill(name)
        await asyncio.sleep(16)

    return play


def killed_then_close(*names: str) -> Play:
    async def play(case: Case) -> None:
        await case.entered()
        for name in names:
            await case.bench.kill(name)
        await case.close()
        await asyncio.sleep(18)

    return play


async def entry_unknown(case: Case) -> None:
    await case.fault("unseen", ["buy"], seconds=6)
    await case.buy()
    await asyncio.sleep(16)


async def entry_partial(case: Case) -> None:
    await case.fault("partial", ["buy"])
    await case.buy()
    await asyncio.sleep(14)


async def refused_for_good(case: Case) -> None:
    """Every placing of a stop is refused for 12 s for a reason nobody knows."""
    await case.fault(
        "refused", PLACE, code=-2010, message="This action is disabled on this account.",
        times=10_000, lasts=12,
    )  # fmt: skip
    await case.buy()
    await asyncio.sleep(2)
    await case.price(96.0, is_exit=True)
    await asyncio.sleep(14)


async def kills(case: Case) -> None:
    """Kill one process after the other while the others of the group are played."""
    for name in ("worker", "exits", "guard", "userstream", "exits2", "worker", "signals"):
        await asyncio.sleep(4.5)
        await case.bench.kill(name)


async def mixed(case: Case) -> None:
    ends = time.time() + 30
    while time.time() < ends:
        for ops, chance in (([*PLACE, "buy", "sell", "otoco"], 0.08), (CANCEL, 0.04)):
            if random.random() < chance * 3:
                kind, more = random.choice(PLACINGS[:16])
                await case.fault(kind, ops, **more)
        await case.buy(0.5)
        await asyncio.sleep(1.2)
    await case.ask("calm")
    await asyncio.sleep(3)
    await case.close()
    await asyncio.sleep(14)


def blind(ops: list[str], first: str, ask: str, times: int, seconds: float, is_close: bool) -> Play:
    """A request meets a fault, and so do the questions that follow."""

    async def play(case: Case) -> None:
        if is_close:
            await case.entered()
        await case.fault(first, ops)
        await case.fault(ask, ["query"], times=times, seconds=seconds)
        await (case.close() if is_close else case.buy())
        await asyncio.sleep(18)

    return play


BLIND: list[tuple[list[str], tuple[str, ...], bool]] = [
    (SELL, ("lost", "executed_cut", "unknown_lost"), True),
    (CANCEL, ("executed_cut", "lost"), True),
    (PLACE, ("lost", "executed_cut"), False),
]
for asked, firsts, closes in BLIND:
    for one_fault in firsts:
        name = f"blind {asked[0]} {one_fault}"
        add(f"{name}, hang", blind(asked, one_fault, "hang", 1, 12, closes))
        add(f"{name}, lost x3", blind(asked, one_fault, "lost", 3, 0, closes))
REFUSALS: list[tuple[int, str, int]] = [
    (-1015, "Too many new orders; current limit is 100 orders per 10 SECOND.", 429),
    (-1013, "Filter failure: MARKET_LOT_SIZE", 400),
    (-1013, "Filter failure: MAX_NUM_ORDER_LISTS", 400),
    (-2010, "Market is closed.", 400),
    (-2010, "This action is disabled on this account.", 400),
    (-1022, "Signature for this request is not valid.", 400),
    (-2015, "Invalid API-key, IP, or permissions for action.", 401),
]
for code, message, status in REFUSALS:
    refusal: tuple[str, dict[str, Any]] = (
        "refused", {"code": code, "message": message, "status": status}
    )  # fmt: skip
    word = f"{code} {message.rstrip('.').rsplit(' ', 1)[-1]}"
    is_alone = code in {-1015, -1022, -2015}
    add(f"refused sell {word}", closing([], [refusal]), is_alone)
    add(f"refused place {word}", entry([refusal]), is_alone)
    if code == -1015:
        later = (refusal[0], refusal[1] | {"seconds": 2})
        add(f"refused sell {word}, Retry-After 2", closing([], [later]), is_alone)
        add(f"refused place {word}, Retry-After 2", entry([later]), is_alone)
    if code != -2010:
        add(f"refused cancel {word}", closing([refusal], []), is_alone)
add("gap on place", gap_on_place)
add("gap right after place", gap_after_place)
add("trigger rejected", triggered("reject"))
add("trigger partial", triggered("partial"))
add("trigger rejected, sale lost", triggered("reject", "lost"))
add("trigger partial, sale lost", triggered("partial", "lost"))
add("trigger rejected, stream silent", triggered("reject", silent=True))
add("trigger partial, stream silent", triggered("partial", silent=True))
add("hand cancel", by_hand())
for what in ("query", "open", "account", "trades"):
    for then in ("entry", "hand", "close"):
        add(f"vain {what}, {then}", asked_in_vain(what, then), alone=what != "query")
add("hand cancel, silent", by_hand("silent"))
add("hand cancel, lost", by_hand(fault="lost"))
add("hand cancel, late stream", by_hand("late"))
add("hand cancel, kill userstream", by_hand(kills=("userstream",)), alone=True)
for name in ("silent", "double", "shuffle", "late"):
    add(f"stream {name}", stream(name))
add("flatten 10 missing", moved(0.1, True, []))
add("flatten 10 missing, lost", moved(0.1, True, ["lost"]))
add("close 10 missing", moved(0.1, False, []))
add("close 50 missing", moved(0.5, False, []))
add("close 50 missing, unseen", moved(0.5, False, ["unseen"]))
add("moved under a stop, flatten", moved_locked)
add("slots", slots)
add("slots, guard killed", slots_guard_killed, alone=True)
add("slots freed", slots_freed)
add("slots freed, then bought", slots_freed_then_bought)
add(
    "close unseen kill userstream",
    closing([], [("unseen", {"seconds": 6})], kills=("userstream",)),
    alone=True,
)
add("slots, sale lost", slots_sell_lost)
add("open orders lag, entry", lagging("open", "entry"), alone=True)
add("account lag, entry", lagging("account", "entry"), alone=True)
add("account lag, close", lagging("account", "close"), alone=True)
add("account lag, moved and close", lagging("account", "moved"), alone=True)
add("outage 3 s after entry", outage, alone=True)
add("outage 3 s in a close", outage_cancel, alone=True)
add("bracket plain", bracket("", {}))
add("bracket waits, then fills", bracket("", {}, "99.00", late=True))
add("bracket falls through", bracket_falls_through)
for number in (0, 1, 2, 6, 7, 8, 11, 12, 13, 14, 15):
    kind, more = PLACINGS[number]
    add(f"bracket {label(kind, more)}", bracket(kind, more))
add("bracket waits unseen", bracket("unseen", {"seconds": 6}, "99.00", late=True))
add("stop sold unheard, close, buy", stop_sold_unheard)
add("clock 700 ms", clock, alone=True)
add("clock jumps ahead", clock_ahead, alone=True)
add("clock jumps back", clock_back, alone=True)
for name in ("worker", "exits", "guard", "userstream", "signals"):
    add(f"kill {name}", killed(name, ""), alone=True)
    add(f"kill {name}, lost", killed(name, "lost"), alone=True)
for name in ("signals", "exits", "userstream", "worker"):
    add(f"killed {name}, then close", killed_then_close(name), alone=True)
add("killed both exits, then close", killed_then_close("exits", "exits2"), alone=True)
add("killed both guards, then close", killed_then_close("guard", "standby"), alone=True)
add("kill exits, unseen", killed("exits", "unseen"), alone=True)
add("buy unseen", entry_unknown)
add("buy partial", entry_partial)
add("refused for good, then falls", refused_for_good)
for number in range(4):
    add(f"mixed {number}", mixed)
add("mixed, kills", kills)


def falls_later(kind: str, more: dict[str, Any], wait: float, silent: bool = False) -> Play:
    """Placing a stop meets a fault; some seconds later the price falls through it."""

    async def play(case: Case) -> None:
        if silent:
            await case.ask("stream", mode="silent", seconds=25)
        await case.fault(kind, PLACE, **more)
        await case.buy()
        await case.until(lambda s: float(s["held"]) - foreign(case.symbol) > 1.5, 10)
        await asyncio.sleep(wait)
        await case.price(96.0, is_exit=True)
        await asyncio.sleep(14)

    return play


def flattened_while(kind: str, more: dict[str, Any], ops: list[str]) -> Play:
    """FLATTEN for a stop that sells in the same moment."""

    async def play(case: Case) -> None:
        await case.entered()
        await case.fault(kind, ops, **more)
        await asyncio.gather(case.price(96.0, is_exit=True), case.flatten())
        await asyncio.sleep(14)

    return play


async def sold_in_silence(case: Case) -> None:
    """The stop sells while the stream is silent; half a second later a close comes."""
    await case.entered()
    await case.ask("stream", mode="silent", seconds=25)
    await case.price(96.0, is_exit=True)
    await asyncio.sleep(0.5)
    await case.close()
    await asyncio.sleep(14)


def two_hold(kind: str, more: dict[str, Any], ops: list[str]) -> Play:
    """A close meets a fault on cancel while its stop sells and the stream is late."""

    async def play(case: Case) -> None:
        await case.entered()
        await case.ask("stream", mode="late", seconds=25)
        await case.fault(kind, ops, **more)
        await case.close()
        await asyncio.sleep(0.3)
        await case.price(96.0)
        await asyncio.sleep(14)

    return play


async def partly_filled(case: Case) -> None:
    """A resting entry fills by 40 %, and the rest ten seconds later."""
    await case.buy(order_type="limit", price="99.00", time_in_force="GTC")
    await asyncio.sleep(2)
    await case.ask("fill_resting", share="0.4")
    await asyncio.sleep(10)
    await case.ask("fill_resting", share="0.6")
    await asyncio.sleep(8)


async def partly_filled_falls(case: Case) -> None:
    """A resting entry fills by 40 % and the price falls at once below the stop: all of it fills."""
    await case.buy(order_type="limit", price="99.00", time_in_force="GTC")
    await asyncio.sleep(2)
    await case.ask("fill_resting", share="0.4")
    await asyncio.sleep(0.05)
    await case.price(96.0, is_exit=True)
    await asyncio.sleep(12)


async def partly_filled_quick(case: Case) -> None:
    """40 %, 30 % and 30 %, half a second apart."""
    await case.buy(order_type="limit", price="99.00", time_in_force="GTC")
    await asyncio.sleep(2)
    for share in ("0.4", "0.3", "0.3"):
        await case.ask("fill_resting", share=share)
        await asyncio.sleep(0.5)
    await asyncio.sleep(10)


def partly_filled_and(kind: str, more: dict[str, Any], ops: list[str]) -> Play:
    async def play(case: Case) -> None:
        await case.buy(order_type="limit", price="99.00", time_in_force="GTC")
        await asyncio.sleep(2)
        await case.fault(kind, ops, **more)
        await case.ask("fill_resting", share="0.4")
        await asyncio.sleep(8)
        await case.close()
        await asyncio.sleep(10)

    return play


def rejected_and_back(silent: bool) -> Play:
    """The stop triggers on a spike, is refused on activation, and the price is back at once."""

    async def play(case: Case) -> None:
        await case.entered()
        if silent:
            await case.ask("stream", mode="silent", seconds=25)
        await case.ask("trigger_fault", kind="reject")
        await case.price(96.9)
        await case.price(100.0)
        await asyncio.sleep(15)

    return play


def three_closes(kind: str, more: dict[str, Any]) -> Play:
    """Close over NATS, over REST and FLATTEN at once, with a fault on the sale."""

    async def play(case: Case) -> None:
        await case.entered()
        if kind:
            await case.fault(kind, SELL, **more)
        await asyncio.gather(case.close(), case.close(rest=True), case.flatten())
        await asyncio.sleep(15)

    return play


def same_twice(kind: str, more: dict[str, Any], kills: tuple[str, ...] = ()) -> Play:
    """One signal over NATS and REST at once, with a fault on the buy."""

    async def play(case: Case) -> None:
        if kind:
            await case.fault(kind, ["buy"], **more)
        uid = uuid.uuid4().hex
        await case.ask("mark", what="buy", quantity=2.0)
        body = {"action": "buy", "quantity": "2.0", "stop_loss": "97.00", "signal_uid": uid}
        await asyncio.gather(case.send(body), case.send(body, rest=True))
        for name in kills:
            await asyncio.sleep(0.3)
            await case.bench.kill(name)
        await asyncio.sleep(15)

    return play


async def bought_while_closing(case: Case) -> None:
    """A close whose sale hangs, and a new buy one second later."""
    await case.entered()
    await case.fault("hang", SELL, seconds=12)
    await case.close()
    await asyncio.sleep(1)
    await case.buy(1.0)
    await asyncio.sleep(15)


async def sold_by_hand(case: Case) -> None:
    """Half is sold by hand below a cancelled stop, then a close."""
    await case.entered()
    await case.ask("hand_cancel")
    await case.ask("hand_sell", quantity="1.0")
    await asyncio.sleep(2)
    await case.close()
    await asyncio.sleep(14)


def line_dropped(then: str) -> Play:
    async def play(case: Case) -> None:
        await case.entered()
        await case.bench.ask("drop_stream")
        if then == "hand":
            await case.ask("hand_cancel")
        elif then == "trigger":
            await case.ask("trigger_fault", kind="reject")
            await case.price(96.0, is_exit=True)
        elif then == "close":
            await case.fault("unseen", SELL, seconds=4)
            await case.close()
        await asyncio.sleep(15)

    return play


async def adding_at_four_a_second(case: Case) -> None:
    await case.entered()
    for _ in range(12):
        await case.buy(0.3)
        await asyncio.sleep(0.25)
    await asyncio.sleep(8)


for wait in (0.3, 3.0):
    for silent in (False, True):
        for number in (8, 12, 13, 15):
            kind, more = PLACINGS[number]
            name = f"later {label(kind, more)} {wait}{' silent' if silent else ''}"
            add(name, falls_later(kind, more, wait, silent))
add("at once flatten and stop", flattened_while("pending", {"seconds": 1}, SELL))
add("at once flatten lost and stop", flattened_while("lost", {}, CANCEL))
add("at once flatten unseen and stop", flattened_while("unseen", {"seconds": 6}, SELL))
add("sold in silence, close", sold_in_silence)
for number in (0, 1, 5, 9, 11):
    kind, more = CANCELS[number]
    add(f"late stream, close cancel {label(kind, more)}", two_hold(kind, more, CANCEL))
for number in (0, 3, 12, 15):
    kind, more = PLACINGS[number]
    add(f"late stream, close sell {label(kind, more)}", two_hold(kind, more, SELL))
add("resting partly filled", partly_filled)
add("resting partly filled, falls", partly_filled_falls)
add("resting partly filled, quick", partly_filled_quick)
for number in (0, 3, 12):
    kind, more = PLACINGS[number]
    add(f"resting partly, place {label(kind, more)}", partly_filled_and(kind, more, PLACE))
    add(f"resting partly, cancel {label(kind, more)}", partly_filled_and(kind, more, CANCEL))
    add(f"resting partly, sell {label(kind, more)}", partly_filled_and(kind, more, SELL))
add("spike, trigger rejected", rejected_and_back(silent=False))
add("spike, trigger rejected, silent", rejected_and_back(silent=True))
for number in (0, 3, 7, 12, 13, 15):
    kind, more = PLACINGS[number]
    add(f"three closes {label(kind, more)}", three_closes(kind, more))
    add(f"same signal twice {label(kind, more)}", same_twice(kind, more))
add("three closes", three_closes("", {}))
add("same signal twice", same_twice("", {}))
for number in (7, 12, 15):
    kind, more = PLACINGS[number]
    add(
        f"twice {label(kind, more)}, kill worker",
        same_twice(kind, more, ("worker", "signals")),
        alone=True,
    )
add("bought while a close hangs", bought_while_closing)
add("sold by hand, close", sold_by_hand)
for then in ("hand", "trigger", "close"):
    add(f"line dropped, {then}", line_dropped(then), alone=True)
add("adding, four a second", adding_at_four_a_second)


async def play_one(bench: Bench, name: str, play: Play, symbol: str) -> None:
    case = Case(bench, name, symbol)
    await case.price(100.0)
    await case.ask("mark", what="begin", name=name)
    try:
        await play(case)
    except Exception as error:  # noqa: BLE001 - a broken case must not end the run
        print(name, repr(error), flush=True)
    unused = (await case.ask("calm")).get("unused", [])
    await case.ask("mark", what="end", unused=unused)
    await case.ask("clear_foreign")
    extra = foreign(symbol)
    for _ in range(4):
        state = await case.ask("state")
        if (float(state["held"]) - extra) * float(state["price"]) < 5:
            break
        await case.send({"action": "close"})
        await case.until(lambda s: (float(s["held"]) - extra) * float(s["price"]) < 5, 6)
    else:
        print(name, symbol, "could not be closed", await case.ask("state"), flush=True)
        await case.ask("mark", what="stuck", name=name)


async def play_all(bench: Bench, wanted: list[str], width: int, ends: float) -> None:
    chosen = [c for c in CASES if not wanted or any(fnmatch(c[0], w) for w in wanted)]
    together = [c for c in chosen if not c[2]]
    alone = [c for c in chosen if c[2]]
    queue = list(SYMBOLS)
    groups = [together[i : i + width] for i in range(0, len(together), width)]
    groups += [[case] for case in alone]
    for group in groups:
        if time.time() > ends:
            print("time is up before", [c[0] for c in group], flush=True)
            continue
        print(datetime.now(UTC).strftime("%H:%M:%S"), os.getloadavg()[0], [c[0] for c in group],
              flush=True)  # fmt: skip
        symbols = queue[: len(group)]
        queue = queue[len(group) :] + symbols
        await asyncio.gather(
            *(play_one(bench, c[0], c[1], s) for c, s in zip(group, symbols, strict=True))
        )


async def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--product", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--port", type=int, default=9901, help="this and the next three")
    parser.add_argument("--only", default="", help="patterns of names, with ; between")
    parser.add_argument(
        "--coins", type=float, default=0.0,
        help="coins of somebody else in every symbol; otherwise 0.5 in every second one",
    )  # fmt: skip
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=30)
    options = parser.parse_args(arguments)
    COINS["all"] = options.coins
    options.folder.mkdir(parents=True, exist_ok=True)
    stack = Stack(options)
    try:
        stack.servers()
        async with aiohttp.ClientSession() as http:
            bench = Bench(stack, http, None, "", options.port)
            for symbol in SYMBOLS:
                if foreign(symbol):
                    await bench.ask("hand_move", symbol=symbol, amount=str(foreign(symbol)))
            print(stack.manage("migrate", "-v", "0")[-400:], flush=True)
            told = stack.manage("first_operator")
            found = re.search(r"\b[0-9a-f]{40}\b", told)
            bench.token = found.group(0) if found else ""
            stack.product()
            watch = asyncio.ensure_future(stack.watch())
            bench.bus = await nats.connect(stack.variables["NATS_URL"])
            for _ in range(90):
                await asyncio.sleep(1)
                state = await bench.ask("state", symbol=SYMBOLS[0])
                if state["users"] and state["streams"]:
                    break
            await asyncio.sleep(12)
            print("ready", state, bool(bench.token), flush=True)
            wanted = [w.strip() for w in options.only.split(";") if w.strip()]
            await play_all(bench, wanted, options.width, time.time() + options.minutes * 60)
            watch.cancel()
    finally:
        stack.end()


if __name__ == "__main__":
    asyncio.run(main())
