"""The venue as a whole: engine, tape, streams, limits and the accounts' keys, tied together."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from exchanges.matching import Engine
from exchanges.matching.account import OrderLimit
from exchanges.matching.events import BalancesChanged, Event, MarketTraded, OrderChanged
from exchanges.matching.results import BookView
from exchanges.venues.simulator.clock import Clock
from exchanges.venues.simulator.config import AccountConfig, SimulatorConfig
from exchanges.venues.simulator.event_log import EventLog
from exchanges.venues.simulator.faults import FaultBook
from exchanges.venues.simulator.hidden import HiddenOrders
from exchanges.venues.simulator.instruments import listings
from exchanges.venues.simulator.limits import Allowance, Limits
from exchanges.venues.simulator.liquidity import Liquidity
from exchanges.venues.simulator.market_streams import MarketStreams
from exchanges.venues.simulator.peers import Peer
from exchanges.venues.simulator.prices import open_source
from exchanges.venues.simulator.prices.sink import Level
from exchanges.venues.simulator.store import Store, with_markets
from exchanges.venues.simulator.tape import Tape
from exchanges.venues.simulator.user_streams import UserStreams

NO_LIMIT = 10**9
MOST_BEHIND = 200  # frames a listener may have to read before a recording waits for it


class Venue:
    """Owns the engine. Everything that happens passes `absorb` exactly once."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.clock = Clock()
        self.faults = FaultBook(config.seed)
        self.hidden = HiddenOrders()
        self.log = EventLog() if config.faults else None  # read over /control only
        self.limits = Limits(config.allowance)
        self.liquidity = Liquidity()
        self.keys = {account.api_key: account for account in config.accounts}
        self.last_execution_id = 0
        self.socket_peers: set[Peer] = set()
        self.market_peers: set[Peer] = set()
        wanted = config.symbols or tuple(listings())
        self.listings = {name: listings()[name] for name in wanted}
        self.source = open_source(config.prices, self.listings, self.clock, seed=config.seed)
        self.tape = Tape(self.source, self.clock)
        self.store = Store(config.state_file) if config.state_file else None
        self.engine = self._engine()
        self.users = UserStreams(self.clock, self.faults)
        self.streams = MarketStreams(
            self.engine, self.tape, self.clock, self.faults, self.source.recording
        )
        self.source.prime(self)

    def _engine(self) -> Engine:
        limits = _order_limits(self.config.allowance)
        entries = [dict(listing.entry) for listing in self.listings.values()]
        remembered = self.store.load() if self.store else None
        if remembered:
            rows: list[list[Any]] = [[x.interval, x.interval_num, x.limit] for x in limits]
            engine = Engine.restore(with_markets(remembered, entries, rows))
        else:
            engine = Engine(order_limits=limits)
            for entry in entries:
                engine.add_symbol(entry)
        for account in self.config.accounts:
            if not engine.has_account(account.account_id):
                self._open_account(engine, account)
        return engine

    def _open_account(self, engine: Engine, account: AccountConfig) -> None:
        engine.add_account(
            account.account_id,
            balances=dict(account.balances),
            maker_rate=account.maker_rate,
            taker_rate=account.taker_rate,
            bnb_burn=account.bnb_burn,
            can_trade=account.can_trade,
        )
        self.keep_account(account.account_id, engine)

    def keep_account(self, account_id: str, engine: Engine | None = None) -> None:
        """Store an account's rates and balances after a change that is no event."""
        if self.store:
            self.store.account(engine or self.engine, account_id)

    def wipe(self) -> None:
        """Forget every order, trade and balance, as a testnet reset does. Keys survive."""
        if self.store:
            self.store.clear()
        if self.log is not None:
            self.log.wiped(self.clock.now_ms())
        self.engine = self._engine()
        self.streams.engine = self.engine
        self.source.prime(self)
        for account in self.config.accounts:
            view = self.engine.account(account.account_id)
            now_ms = self.clock.now_ms()
            self.users.publish([BalancesChanged(account.account_id, now_ms, view.balances)])

    def uid(self, account_id: str) -> int:
        """Return the account's public number."""
        return zlib.crc32(account_id.encode())

    def absorb(self, events: Sequence[Event]) -> None:
        """Store what happened, then tell everyone who listens."""
        if not events:
            return
        if self.store:
            self.store.record(self.engine, events)
        if self.log is not None:
            self.log.absorb(events)
        self._tell_market(events)
        self.users.publish(events)

    def _tell_market(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, MarketTraded):
                if self.is_recorded(event.symbol):
                    continue  # the recording tells its trades itself, and ours were not in it
                self.tape.add(event)
                self.streams.trade(event)
                if event.is_ours:
                    self.streams.book_changed(event.symbol)
            elif isinstance(event, OrderChanged):
                self.last_execution_id = max(self.last_execution_id, event.execution_id)

    def is_recorded(self, symbol: str) -> bool:
        """Return whether a symbol's market is replayed."""
        recording = self.source.recording
        return recording is not None and symbol in recording.symbols

    def depth(self, symbol: str, levels: int) -> BookView:
        """Return the public book: the recording's, or the engine's with our orders in it."""
        recording = self.source.recording
        if recording is not None and symbol in recording.symbols:
            return recording.depth(symbol, levels)
        return self.engine.depth(symbol, levels)

    # --- the price source's sink ----------------------------------------------------------------

    def book(self, symbol: str, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        bids, asks = self.liquidity.visible(symbol, bids, asks)
        self.absorb(self.engine.set_book(symbol, bids, asks, self.clock.now_ms()))
        self.streams.book_changed(symbol)

    def recorded_until(self, symbol: str, now_ms: int) -> None:
        self.streams.sample_recorded(symbol, now_ms)

    def recorded(self, symbol: str, stream: str, data: dict[str, Any]) -> None:
        if data.get("e") == "trade":
            trade = MarketTraded(
                symbol,
                int(data.get("t", 0)),
                Decimal(data["p"]),
                Decimal(data["q"]),
                int(data.get("T") or self.tape.now_ms(symbol)),
                bool(data["m"]),
            )
            self.tape.add(trade)
            self.streams.aggregate_recorded(trade)
        self.streams.tell_recorded(symbol, stream, data)

    def is_heard(self) -> bool:
        return bool(self.market_peers)

    def is_behind(self) -> bool:
        return any(peer.waiting > MOST_BEHIND for peer in self.market_peers)

    def trade(self, symbol: str, price: Decimal, quantity: Decimal, buyer_is_maker: bool) -> None:
        if self.liquidity.is_gone(symbol):
            return
        self.absorb(
            self.engine.trade(
                symbol, price, quantity, self.clock.now_ms(), buyer_is_maker=buyer_is_maker
            )
        )


def _order_limits(allowance: Allowance) -> tuple[OrderLimit, ...]:
    return (
        OrderLimit("SECOND", 10, allowance.orders_per_ten_seconds or NO_LIMIT),
        OrderLimit("DAY", 1, allowance.orders_per_day or NO_LIMIT),
    )
