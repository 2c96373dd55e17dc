"""Publish one signal on NATS, the way a strategy does.

    python examples/publish_signal.py --symbol BTCUSDT --action buy --confidence 0.85

Needs only nats-py. The bus is taken from --url, else NATS_URL, else the private server that
`make run` has started beside this folder. Prints the signal's uid: its story is at
/api/v1/signals/<uid>/ and on the desk page.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

try:
    import nats
    from nats.errors import Error as NatsError
    from nats.js.errors import NoStreamResponseError
except ImportError:
    sys.exit("nats-py is missing: run this with .venv/bin/python, or pip install nats-py")

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_URL = "nats://127.0.0.1:4222"


def bus_url() -> str:
    """Return where signals go: the environment's bus, or the one `make run` started."""
    if url := os.environ.get("NATS_URL") or os.environ.get("NATS_SERVERS"):
        return url
    folder = Path(os.environ.get("PETROSA_VAR_DIR") or ROOT / "var")
    config = folder / "nats" / "nats.conf"
    found = re.search(r'listen: "([^"]+)"', config.read_text()) if config.exists() else None
    return f"nats://{found.group(1)}" if found else DEFAULT_URL


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Publish trading signals on NATS.")
    parser.add_argument("--url", default=bus_url(), help="NATS server (default: %(default)s)")
    parser.add_argument("--subject", default=os.environ.get("NATS_SIGNAL_SUBJECT"))
    parser.add_argument("--strategy", default="example_strategy", help="strategy_id")
    parser.add_argument("--symbol", default="BTCUSDT", help="BTCUSDT or BTC/USDT")
    parser.add_argument("--action", default="buy", help="buy, sell or close")
    parser.add_argument("--confidence", type=float, default=0.85, help="0 to 1")
    parser.add_argument("--price", help="limit price or trigger reference")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quantity", help="base units; without a size the account's rule decides")
    size.add_argument("--quote-quantity", help="quote units, such as 100 USDT")
    parser.add_argument("--order-type", help="market, limit, stop, stop_limit, take_profit, ...")
    parser.add_argument("--time-in-force", help="GTC, IOC or FOK")
    parser.add_argument("--stop-price", help="trigger price of a stop or take-profit order")
    parser.add_argument("--stop-loss", help="protective stop price")
    parser.add_argument("--take-profit", help="target price")
    parser.add_argument("--timeframe", default="15m")
    parser.add_argument("--rationale", default="sent by examples/publish_signal.py")
    parser.add_argument("--simulate", action="store_true", help="trade in simulation, whatever")
    parser.add_argument("--uid", help="your own unique id (default: a random one)")
    parser.add_argument("--v1", action="store_true", help="write the options into `meta`")
    parser.add_argument("--count", type=int, default=1, help="how many to send")
    parser.add_argument("--interval", type=float, default=0.0, help="seconds between two")
    options = parser.parse_args()
    if options.uid and options.count > 1:
        parser.error("--uid names one signal: it cannot go with --count")
    options.subject = options.subject or "signals.trading"
    return options


def signal(options: argparse.Namespace, uid: str) -> dict[str, Any]:
    """Return the payload; numbers go as text, so that no digit is lost on the way."""
    fields = {
        "quantity": options.quantity,
        "quote_quantity": options.quote_quantity,
        "order_type": options.order_type,
        "time_in_force": options.time_in_force,
        "stop_price": options.stop_price,
        "stop_loss": options.stop_loss,
        "take_profit": options.take_profit,
        "simulate": options.simulate or None,
        "rationale": options.rationale,
    }
    chosen = {name: value for name, value in fields.items() if value is not None}
    payload: dict[str, Any] = {
        "strategy_id": options.strategy,
        "symbol": options.symbol,
        "action": options.action,
        "confidence": options.confidence,
        "timestamp": datetime.now(UTC).isoformat(),
        "timeframe": options.timeframe,
        "signal_uid": uid,
    }
    if options.price is not None:
        payload["price"] = options.price
    if not options.v1:
        return payload | chosen
    if "quantity" in chosen:
        chosen["base_amount"] = chosen.pop("quantity")
    chosen["timeframe"] = payload.pop("timeframe")
    return payload | {"meta": chosen}


async def keep_quiet(error: Exception) -> None:
    """The client tries again by itself; what matters is whether it succeeds in time."""


async def publish(options: argparse.Namespace) -> None:
    async with asyncio.timeout(5):
        client = await nats.connect(
            [part.strip() for part in options.url.split(",")], error_cb=keep_quiet
        )
    try:
        for number in range(options.count):
            if number and options.interval:
                await asyncio.sleep(options.interval)
            uid = options.uid or uuid.uuid4().hex
            body = json.dumps(signal(options, uid)).encode()
            # The message id makes a second sending of the same signal a no-op on the bus too.
            ack = await client.jetstream().publish(
                options.subject, body, headers={"Nats-Msg-Id": uid}
            )
            known = " (the bus knew it already)" if ack.duplicate else ""
            print(f"{uid}  {options.subject} -> {ack.stream} #{ack.seq}{known}")
    finally:
        await client.close()


def main() -> None:
    options = arguments()
    try:
        asyncio.run(publish(options))
    except NoStreamResponseError:
        sys.exit(f"No stream keeps {options.subject}: is the signals process (make run) up?")
    except (OSError, TimeoutError):
        sys.exit(f"No NATS server answers at {options.url}: is `make run` up? See --url.")
    except NatsError as error:
        sys.exit(f"Not published: {error}")


if __name__ == "__main__":
    main()
