"""`python -m exchanges.venues.simulator`: the simulator without Django, for tests."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from exchanges.venues.simulator import runner
from exchanges.venues.simulator.config import (
    DEFAULT_KEY,
    DEFAULT_SECRET,
    AccountConfig,
    SimulatorConfig,
    starting_balances,
)
from exchanges.venues.simulator.limits import Allowance


def parse(arguments: Sequence[str] | None = None) -> SimulatorConfig:
    """Turn command line arguments into a config. Exits with a message on bad ones."""
    parser = argparse.ArgumentParser(
        prog="python -m exchanges.venues.simulator", description=__doc__
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument(
        "--prices",
        default="synthetic",
        help="synthetic, still, replay:FILE[,FILE][@SPEED] or binance",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state-file", type=Path, default=None)
    parser.add_argument("--faults", action="store_true", help="open /control")
    parser.add_argument("--api-key", default=DEFAULT_KEY)
    parser.add_argument("--api-secret", default=DEFAULT_SECRET)
    parser.add_argument(
        "--account",
        action="append",
        default=[],
        metavar="KEY:SECRET:ID",
        help="a further account with its key",
    )
    parser.add_argument(
        "--balance", action="append", default=[], metavar="ASSET=AMOUNT", help="of new accounts"
    )
    parser.add_argument("--symbols", default="", help="comma list; empty lists them all")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--weight-limit", type=int, default=6000, help="per minute; 0 = none")
    parser.add_argument("--orders-10s", type=int, default=100, help="0 = none")
    parser.add_argument("--orders-1d", type=int, default=200_000, help="0 = none")
    parser.add_argument("--unlimited", action="store_true", help="count but never throttle")
    parser.add_argument("--ping-seconds", type=float, default=20.0)
    parser.add_argument("--stream-life-seconds", type=float, default=86_400.0)
    return _config(parser.parse_args(arguments), parser)


def _config(given: argparse.Namespace, parser: argparse.ArgumentParser) -> SimulatorConfig:
    balances = starting_balances()
    for text in given.balance:
        asset, _, amount = text.partition("=")
        balances[asset] = Decimal(amount)
    accounts = [AccountConfig(given.api_key, given.api_secret, balances=balances)]
    for text in given.account:
        parts = text.split(":")
        if len(parts) != 3:
            parser.error(f"--account needs KEY:SECRET:ID, not {text!r}")
        key, secret, account_id = parts
        accounts.append(AccountConfig(key, secret, account_id, balances=balances))
    allowance = Allowance(given.weight_limit, given.orders_10s, given.orders_1d)
    return SimulatorConfig(
        host=given.host,
        port=given.port,
        prices=given.prices,
        seed=given.seed,
        state_file=given.state_file,
        faults=given.faults,
        accounts=tuple(accounts),
        allowance=Allowance(0, 0, 0) if given.unlimited else allowance,
        latency_ms=given.latency_ms,
        symbols=tuple(name for name in given.symbols.split(",") if name),
        ping_seconds=given.ping_seconds,
        stream_life_seconds=given.stream_life_seconds,
    )


if __name__ == "__main__":
    runner.run(parse())
