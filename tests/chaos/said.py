"""What our own strategies said: every message of the bus's stream, and what is wrong with them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import nats
from nats.js.api import ConsumerConfig, DeliverPolicy

from tests.product import Product

AT_ONCE = 500


@dataclass(frozen=True)
class Said:
    """One signal as it stood on the bus; `at_ms` is the moment of the market that caused it."""

    uid: str
    strategy: str
    symbol: str
    action: str
    timeframe: str
    at_ms: int


def read(payload: Mapping[str, Any]) -> Said:
    return Said(
        payload["signal_uid"],
        payload["strategy_id"],
        payload["symbol"],
        payload["action"],
        payload.get("timeframe", ""),
        moment_ms(payload["timestamp"]),
    )


def moment_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def on_the_bus(product: Product, subject: str = "signals.trading") -> list[Said]:
    """Return every message that the stream keeps, oldest first, with plain nats-py."""
    return [read(json.loads(data)) for data in asyncio.run(_kept(product.nats.url, subject))]


async def _kept(url: str, subject: str) -> list[bytes]:
    client = await nats.connect(url)
    found: list[bytes] = []
    try:
        config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
        reader = await client.jetstream().pull_subscribe(
            subject, durable="proof", stream="TRADING", config=config
        )
        while True:
            try:
                batch = await reader.fetch(AT_ONCE, timeout=1)
            except TimeoutError:  # nothing more
                break
            found += [message.data for message in batch]
            for message in batch:
                await message.ack()
        await client.jetstream().delete_consumer("TRADING", "proof")
    finally:
        await client.close()
    return found


def faults(said: Iterable[Said], cooldowns: Mapping[str, float]) -> list[str]:
    """Return every double: a uid said again, a side of a symbol said again within its strategy's
    cooldown (seconds), a candle of which one strategy spoke twice."""
    every = list(said)
    times = Counter(one.uid for one in every)
    found = [f"{uid}: on the bus {count} times" for uid, count in times.items() if count > 1]
    candles = Counter(
        (one.strategy, one.symbol, one.timeframe, one.at_ms) for one in every if one.timeframe
    )
    found += [f"{candle}: spoken of {n} times" for candle, n in candles.items() if n > 1]
    sides: defaultdict[tuple[str, str, str], list[Said]] = defaultdict(list)
    for one in every:
        if not one.timeframe:
            sides[one.strategy, one.symbol, one.action].append(one)
    for (strategy, _, _), same in sides.items():
        apart_ms = cooldowns[strategy] * 1000
        same.sort(key=lambda one: one.at_ms)
        found += [
            f"{after.uid} came {after.at_ms - before.at_ms} ms after {before.uid}"
            for before, after in pairwise(same)
            if after.at_ms - before.at_ms < apart_ms
        ]
    return found


def not_taken(said: Iterable[Said], uids: Iterable[str]) -> list[str]:
    """Compare the bus with our table of signals: each there once, and nothing besides."""
    told, times = {one.uid for one in said}, Counter(uids)
    found = [f"{uid}: on the bus and not in the table" for uid in sorted(told - times.keys())]
    found += [f"{uid}: in the table and never said" for uid in sorted(times.keys() - told)]
    return found + [f"{uid}: {count} rows" for uid, count in times.items() if count > 1]


def entries_doubled(orders: Iterable[Mapping[str, Any]], theirs: Iterable[str]) -> list[str]:
    """Return signals with more than one entry at the venue. `orders` are our rows of entries,
    `theirs` the client ids under which the venue took orders, as often as it did."""
    placed = Counter(theirs)
    per_signal: Counter[str] = Counter()
    for order in orders:
        per_signal[order["signal_uid"]] += placed[order["client_order_id"]]
    return [f"{uid}: {count} entries" for uid, count in per_signal.items() if count > 1]
